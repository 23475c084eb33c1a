"""The kind CustomResourceDefinition itself: its defaults, its rules, and the names it is served under.

Unlike a real server, which establishes a definition a moment after it was written, this one does it in the same write.
Source: the Kubernetes documentation, "CustomResourceDefinitions"; the texts are those of apiextensions-apiserver's
validation and its naming and establishing controllers.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime

from litmus.sandbox.machinery import conditions, objects, status
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.resources import Catalogue
from litmus.sandbox.machinery.status import Cause
from litmus.sandbox.machinery.strategies import Strategy

from . import acceptance, spec_rules
from .versions import versions

FINALIZER = "customresourcecleanup.apiextensions.k8s.io"
"""Holds a definition that is being deleted until its objects are gone."""

_APPROVAL = "api-approved.kubernetes.io"


class DefinitionStrategy(Strategy):
    """The rules for definitions. ``catalogue``: whose names are taken; ``now``: the clock of conditions."""

    generation_of = ("spec",)
    unconditional_update = False

    def __init__(self, catalogue: Catalogue, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._catalogue = catalogue
        self._now = now

    def default(self, obj: Obj) -> None:
        spec = obj.setdefault("spec", {})
        called = spec.setdefault("names", {})
        kind = called.get("kind", "")
        if kind:
            called.setdefault("singular", kind.lower())
            called.setdefault("listKind", f"{kind}List")
        conversion = spec.setdefault("conversion", {"strategy": "None"})
        service = ((conversion.get("webhook") or {}).get("clientConfig") or {}).get("service")
        if service is not None:
            service.setdefault("port", 443)

    def prepare_create(self, obj: Obj) -> None:
        super().prepare_create(obj)
        obj["status"] = {"storedVersions": _storage(obj)}
        self._accept(obj)

    def prepare_update(self, new: Obj, old: Obj) -> None:
        super().prepare_update(new, old)
        found = objects.copy(old.get("status") or {})
        kept = found.get("storedVersions") or []
        found["storedVersions"] = [*kept, *[name for name in _storage(new) if name not in kept]]
        new["status"] = found
        self._accept(new)

    def prepare_delete(self, new: Obj, old: Obj) -> None:
        """A definition waits for its objects. Source: apiextensions-apiserver/pkg/registry, Delete."""
        if objects.leaving(old):
            return
        meta = new["metadata"]
        meta.pop("deletionGracePeriodSeconds", None)
        meta["generation"] = old["metadata"].get("generation", 1)
        finalizers = meta.get("finalizers") or []
        meta["finalizers"] = [*finalizers, *([] if FINALIZER in finalizers else [FINALIZER])]
        new["status"] = objects.copy(old.get("status") or {})
        said = "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon"
        conditions.put(new, "Terminating", "True", now=self._now(), reason="InstanceDeletionPending", message=said)

    def _accept(self, obj: Obj) -> None:
        obj["status"] |= acceptance.decided(obj, self._catalogue, now=self._now())

    def validate(self, obj: Obj) -> list[Cause]:
        spec = obj["spec"]
        found = []
        name, wanted = objects.name(obj), f"{spec['names'].get('plural', '')}.{spec.get('group', '')}"
        if name != wanted:
            found.append(status.invalid_value("metadata.name", name, 'must be spec.names.plural+"."+spec.group'))
        return [*found, *spec_rules.causes(spec), *_stored(obj), *_approval(obj)]

    def validate_update(self, new: Obj, old: Obj) -> list[Cause]:
        before, after = old["spec"], new["spec"]
        found = []
        if acceptance.established(old):
            found += _kept("spec.scope", before.get("scope"), after.get("scope"))
            found += _kept("spec.names.kind", before["names"].get("kind"), after["names"].get("kind"))
        found += _kept("spec.group", before.get("group"), after.get("group"))
        return found + _kept("spec.names.plural", before["names"].get("plural"), after["names"].get("plural"))


def _storage(obj: Obj) -> list[str]:
    return [version["name"] for version in versions(obj) if version.get("storage")]


def _kept(field: str, before: object, after: object) -> list[Cause]:
    return [] if before == after else [status.invalid_value(field, after, "field is immutable")]


def _stored(obj: Obj) -> list[Cause]:
    stored = (obj.get("status") or {}).get("storedVersions") or []
    at = "status.storedVersions"
    if not stored:
        return [status.invalid_value(at, stored, "must have at least one stored version")]
    called = [version["name"] for version in versions(obj)]
    return [
        status.invalid_value(f"{at}[{index}]", name, "must appear in spec.versions")
        for index, name in enumerate(stored)
        if name not in called
    ]


def _approval(obj: Obj) -> list[Cause]:
    """Groups of the Kubernetes project need its approval."""
    group = obj["spec"].get("group", "")
    protected = re.fullmatch(r"(.*\.)?(k8s|kubernetes)\.io", group)
    said = objects.annotations(obj).get(_APPROVAL, "")
    at = f"metadata.annotations[{_APPROVAL}]"
    if not protected or said.startswith(("unapproved", "https://")):
        return []
    if said:
        return [
            status.invalid_value(
                at,
                said,
                'protected groups must have approval annotation "'
                + _APPROVAL
                + '" with either a URL or a reason starting with "unapproved", see https://github.com/kubernetes/enhancements/pull/1111',
            )
        ]
    text = f'protected groups must have approval annotation "{_APPROVAL}"'
    return [status.required(at, f"{text}, see https://github.com/kubernetes/enhancements/pull/1111")]
