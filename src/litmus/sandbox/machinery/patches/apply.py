"""Server-side apply: what a manager says it wants, merged into what is there, with an eye on who owns what.

The applied fields become the manager's. Fields that it applied before and leaves out now go, unless somebody else owns
them. A field that another manager owns with another value is a conflict, unless the manager insists (force).
Source: the API concepts, "Server-Side Apply"; sigs.k8s.io/structured-merge-diff, merge/update.go.
"""

import json
from dataclasses import dataclass, replace
from datetime import datetime

from litmus.sandbox.machinery import objects, status
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.schemas.form import Schema

from . import conformity, field_sets, managed_fields, typed, zero
from .field_sets import FieldSet
from .managed_fields import APPLY, UPDATE, Manager, Managers, Owned

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_KUBECTL = "kubectl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Who applies to what. ``api_version``: of the URL; ``subresource``: '' for the object itself."""

    schema: Schema
    kind: str
    api_version: str
    manager: str
    subresource: str = ""
    force: bool = False
    now: datetime


def applied(live: Obj | None, config: Obj, request: Request) -> Obj:
    """The object after ``config`` was applied to ``live`` (None: there is none yet), with its new managedFields.

    Neither argument is changed, the result may share with both. Raises Refusal: 400 for another version, 409 for
    conflicts, 500 for what does not fit the schema.
    """
    _check(config, request)
    managers = _managers(live, request)
    config = managed_fields.bare(config)
    before = managed_fields.bare(live) if live is not None else {}
    if mistakes := conformity.mistakes(request.schema, config):
        raise _unfit(live, config, request, mistakes)
    try:
        result = _merged(before, config, dict(managers), request)
    except _Conflicts as conflicts:
        allowed = _from_last_applied(before, request)
        left = {who: fields - allowed for who, fields in conflicts.lost.items() if fields - allowed}
        if left:
            raise refused(left) from None
        result = _merged(before, config, dict(managers), request, force=True)
    return _finished(live, config, managers, result, request)


@dataclass(frozen=True, slots=True)
class _Result:
    obj: Obj
    managers: Managers
    who: Manager
    same: bool


class _Conflicts(Exception):
    def __init__(self, lost: dict[Manager, FieldSet]) -> None:
        super().__init__()
        self.lost = lost


def _check(config: Obj, request: Request) -> None:
    meta = config.get("metadata")
    if meta is not None and not isinstance(meta, dict):
        raise status.Refusal(500, "", f"metadata: expected map, got {meta!r}")
    version = config.get("apiVersion", "")
    if version != request.api_version:
        said = f"Specified patch version: {version}, expected: {request.api_version}"
        raise status.bad_request(f"Incorrect version specified in apply patch. {said}")
    if objects.meta(config).get("managedFields") is not None:
        raise status.bad_request("metadata.managedFields must be nil")
    if config.get("kind") != request.kind:
        said = f"expected objects of the same type, but got {request.kind} and {config.get('kind', '')}"
        raise status.Refusal(500, "", f"failed to merge config: {said}")


def _unfit(live: Obj | None, config: Obj, request: Request, mistakes: list[str]) -> status.Refusal:
    meta = objects.meta(live or config)
    said = mistakes[0] if len(mistakes) == 1 else "\n  ".join(["errors:", *mistakes])
    what = f"{meta.get('namespace', '')}/{meta.get('name', '')}; {request.api_version}, Kind={request.kind}"
    return status.Refusal(500, "", f"failed to create typed patch object ({what}): {said}")


def _managers(live: Obj | None, request: Request) -> Managers:
    """Who owns what so far; what an object has that nobody was recorded for gets an owner before the first apply."""
    if live is None:
        return {}
    found = managed_fields.decoded(objects.meta(live).get("managedFields") or ())
    if found:
        return found
    difference = typed.compared(request.schema, zero.of(request.schema, live), managed_fields.bare(live))
    taken = managed_fields.stripped(difference.written)
    who = managed_fields.manager(UPDATE, managed_fields.BEFORE_FIRST_APPLY, request.api_version)
    return {who: Owned(taken, request.api_version, objects.timestamp(request.now))} if taken else {}


def _merged(before: Obj, config: Obj, managers: Managers, request: Request, *, force: bool = False) -> _Result:
    reset = managed_fields.not_through(request.subresource)
    who = managed_fields.manager(APPLY, request.manager, request.api_version, request.subresource)
    last = managers.get(who)
    fields = managed_fields.stripped(typed.fields_of(request.schema, config))
    fields -= field_sets.below(fields, reset)
    managers[who] = Owned(fields, request.api_version, last.time if last else "")
    obj = typed.merged(request.schema, before, config)
    if last is not None and last.fields:
        obj = _pruned(request.schema, obj, managers, last.fields)
    difference = typed.compared(request.schema, before, obj).without(reset)
    lost = managed_fields.settle(managers, difference, writer=who)
    if lost and not (force or request.force):
        raise _Conflicts(lost)
    if not fields:
        managers.pop(who, None)
    return _Result(obj, managers, who, difference.same)


def _pruned(schema: Schema, merged: Obj, managers: Managers, last: FieldSet) -> Obj:
    """The merged object less what the manager applied before and nobody owns any more."""
    last = typed.with_named(schema, last)
    rest = typed.without(schema, merged, last)
    rest_fields = typed.with_named(schema, typed.fields_of(schema, rest))
    whole = typed.with_named(schema, typed.fields_of(schema, merged))
    owned = frozenset[field_sets.Path]().union(*(each.fields for each in managers.values()))
    # what others own comes back …
    gone = whole - (rest_fields | typed.with_named(schema, owned))
    # … and so does what nobody owns and went along with its container
    found: Obj = typed.without(schema, merged, gone)
    left = typed.with_named(schema, typed.fields_of(schema, found))
    return _object(typed.without(schema, merged, (whole - left) & last))


def _object(found: object) -> Obj:
    return found if isinstance(found, dict) else {}


def _finished(live: Obj | None, config: Obj, managers: Managers, result: _Result, request: Request) -> Obj:
    owned = result.managers.get(result.who)
    known = managers.get(result.who)
    if owned is not None and not (result.same and known is not None and known.fields == owned.fields):
        result.managers[result.who] = replace(owned, time=objects.timestamp(request.now))
    meta = dict(objects.meta(result.obj))
    entries = managed_fields.encoded(result.managers)
    if entries:
        meta["managedFields"] = entries
    found = {**result.obj, "metadata": meta}
    if request.manager == _KUBECTL and live is not None and LAST_APPLIED in objects.annotations(found):
        meta["annotations"] = {**meta["annotations"], LAST_APPLIED: _as_last_applied(config)}
    return found


def _as_last_applied(config: Obj) -> str:
    meta = dict(objects.meta(config))
    if "annotations" in meta:
        meta["annotations"] = {name: text for name, text in meta["annotations"].items() if name != LAST_APPLIED}
    return json.dumps({**config, "metadata": meta}, separators=(",", ":"), sort_keys=True, ensure_ascii=False) + "\n"


def _from_last_applied(live: Obj, request: Request) -> FieldSet:
    """What ``kubectl apply`` of the client-side kind has set and nobody has changed since: kubectl may take it over."""
    text = objects.annotations(live).get(LAST_APPLIED)
    if request.manager != _KUBECTL or not text:
        return field_sets.EMPTY
    try:
        last = json.loads(text)
    except ValueError:
        return field_sets.EMPTY
    if not isinstance(last, dict) or last.get("apiVersion") != request.api_version:
        return field_sets.EMPTY
    difference = typed.compared(request.schema, last, live)
    return typed.fields_of(request.schema, last) - difference.modified - difference.added - difference.removed


def refused(lost: dict[Manager, FieldSet]) -> status.Refusal:
    """409: who else owns what. Source: managedfields/internal/conflict.go."""
    found = [
        (who, field_sets.shown(path))
        for who in sorted(lost, key=str)
        for path in sorted(lost[who], key=field_sets.sort_key)
    ]
    causes = [
        {"reason": "FieldManagerConflict", "message": f"conflict with {who}", "field": path} for who, path in found
    ]
    if len(found) == 1:
        message = f"Apply failed with 1 conflict: conflict with {found[0][0]}: {found[0][1]}"
    else:
        lines: list[str] = []
        for who in dict.fromkeys(who for who, _ in found):
            lines += [f"conflicts with {who}:", *(f"- {path}" for owner, path in found if owner == who)]
        message = f"Apply failed with {len(found)} conflicts: {chr(10).join(lines)}"
    return status.Refusal(409, "Conflict", message, causes=causes)
