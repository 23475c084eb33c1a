"""Which names of a definition are free, and whether it is served.

Two definitions of one group must not share a plural, singular or short name, nor a kind. Names that are taken are not
accepted; a definition is established once all of its names were.
Source: the API reference, CustomResourceDefinitionStatus; apiextensions-apiserver's naming controller.
"""

from datetime import datetime

from litmus.sandbox.machinery import objects
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.resources import Catalogue, Resource


def established(crd: Obj) -> bool:
    """Whether its objects are served."""
    return _condition(crd, "Established").get("status") == "True"


def decided(crd: Obj, catalogue: Catalogue, *, now: datetime) -> Obj:
    """The ``acceptedNames`` and ``conditions`` of the status."""
    spec = crd["spec"]
    wanted = spec.get("names") or {}
    others = [known for known in catalogue if known.group == spec.get("group") and known.qualified != objects.name(crd)]
    reasons = _conflicts(wanted, others)
    before = (crd.get("status") or {}).get("acceptedNames") or {"plural": "", "kind": ""}
    accepted = {word: value for word, value in wanted.items() if value} if not reasons else before
    if reasons:
        reason, message = (
            reasons[0] if len(reasons) == 1 else ("MultipleNamesNotAllowed", "\n".join(said for _, said in reasons))
        )
        names = _changed(crd, "NamesAccepted", "False", reason=reason, message=message, now=now)
        ready = _changed(
            crd, "Established", "False", reason="NotAccepted", message="not all names are accepted", now=now
        )
        if established(crd):  # what is served stays so, under its old names
            ready = _condition(crd, "Established")
    else:
        names = _changed(crd, "NamesAccepted", "True", reason="NoConflicts", message="no conflicts found", now=now)
        said = "the initial names have been accepted"
        ready = _changed(crd, "Established", "True", reason="InitialNamesAccepted", message=said, now=now)
    rest = [one for one in _conditions(crd) if one["type"] not in ("NamesAccepted", "Established")]
    return {"acceptedNames": accepted, "conditions": [names, ready, *rest]}


def _conflicts(wanted: Obj, others: list[Resource]) -> list[tuple[str, str]]:
    """(reason, message) of each name that somebody else has."""
    taken = {name for known in others for name in (known.plural, known.singular, *known.short_names) if name}
    kinds = {kind for known in others for kind in (known.kind, f"{known.kind}List")}
    checks = [
        ("PluralConflict", [wanted.get("plural", "")], taken),
        ("SingularConflict", [wanted.get("singular", "")], taken),
        ("ShortNamesConflict", wanted.get("shortNames") or [], taken),
        ("KindConflict", [wanted.get("kind", "")], kinds),
        ("ListKindConflict", [wanted.get("listKind", "")], kinds),
    ]
    return [(reason, f'"{name}" is already in use') for reason, names, used in checks for name in names if name in used]


def _conditions(crd: Obj) -> list[Obj]:
    found: list[Obj] = (crd.get("status") or {}).get("conditions") or []
    return found


def _condition(crd: Obj, kind: str) -> Obj:
    return next((one for one in _conditions(crd) if one["type"] == kind), {})


def _changed(crd: Obj, kind: str, value: str, *, reason: str, message: str, now: datetime) -> Obj:
    before = _condition(crd, kind)
    if before.get("status") == value:  # also keeps the reason of the first time
        return before | {"message": message, "reason": reason}
    moment = objects.timestamp(now)
    return {"type": kind, "status": value, "lastTransitionTime": moment, "reason": reason, "message": message}
