"""The metadata of every kind: names, labels, annotations, finalizers, owners.

Source: k8s.io/apimachinery/pkg/api/validation/objectmeta.go and pkg/apis/core/validation (finalizers of
built-in kinds).
"""

import json
from collections.abc import Callable

from litmus.sandbox.machinery import names, status
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.resources import Resource
from litmus.sandbox.machinery.status import Cause

from . import Strategy, causes, of

ANNOTATIONS_MAX = 256 * 1024
"""Bytes of all annotations together."""
# Kinds whose own validation does not look at metadata: any qualified name is a finalizer there.
_MILD = ("leases.coordination.k8s.io", "events", "events.events.k8s.io", "poddisruptionbudgets.policy")
_STANDARD_FINALIZERS = ("kubernetes", "orphan", "foregroundDeletion")
_IMMUTABLE = ("name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds")


def create_causes(resource: Resource, obj: Obj) -> list[Cause]:
    """What is wrong with the metadata of a new object; its name has been generated already where it was to be."""
    meta = obj["metadata"]
    return [*_name_causes(of(resource), meta), *_namespace_causes(resource, meta), *_common(resource, meta)]


def update_causes(resource: Resource, new: Obj, old: Obj) -> list[Cause]:
    """What is wrong with the metadata of a changed object."""
    meta, known = new["metadata"], old["metadata"]
    found: list[Cause] = []
    if known.get("deletionTimestamp"):
        extra = sorted(set(meta.get("finalizers") or ()) - set(known.get("finalizers") or ()))
        if extra:
            why = "no new finalizers can be added if the object is being deleted, found new finalizers"
            listed = ", ".join(json.dumps(name) for name in extra)
            found.append(status.forbidden_field("metadata.finalizers", f"{why} []string{{{listed}}}"))
    for field in _IMMUTABLE:
        found += causes.immutable(f"metadata.{field}", meta.get(field), known.get(field))
    # A real server asks twice, for all kinds and for this one, and lists what both found.
    return found + found + _common(resource, meta)


def name_rule(strategy: Strategy) -> Callable[[str], list[Cause]]:
    """What says of a name of this kind whether it is one."""

    def rule(name: str) -> list[Cause]:
        special = strategy.name_causes(name)
        return causes.each("metadata.name", name, names.subdomain(name)) if special is None else special

    return rule


def _name_causes(strategy: Strategy, meta: Obj) -> list[Cause]:
    rule, name, prefix = name_rule(strategy), meta.get("name"), meta.get("generateName")
    found: list[Cause] = []
    if prefix:
        probe = f"{prefix[:-2]}a" if len(prefix) > 1 and prefix.endswith("-") else prefix
        for cause in rule(probe):
            said = cause.message.replace(status.shown(probe), status.shown(prefix), 1)
            found.append(Cause(cause.reason, "metadata.generateName", said))
    if not name:
        return [*found, status.required("metadata.name", "name or generateName is required")]
    return found + rule(name)


def _namespace_causes(resource: Resource, meta: Obj) -> list[Cause]:
    namespace = meta.get("namespace")
    if not resource.namespaced:
        return [status.forbidden_field("metadata.namespace", "not allowed on this type")] if namespace else []
    if not namespace:
        return [status.required("metadata.namespace")]
    return causes.each("metadata.namespace", namespace, names.label(namespace))


def _common(resource: Resource, meta: Obj) -> list[Cause]:
    found = causes.labels("metadata.labels", meta.get("labels"))
    annotations = meta.get("annotations") or {}
    for key in sorted(annotations):
        found += causes.each("metadata.annotations", key, names.qualified(key.lower()))
    if sum(len(key.encode()) + len(value.encode()) for key, value in annotations.items()) > ANNOTATIONS_MAX:
        found.append(causes.too_long("metadata.annotations", ANNOTATIONS_MAX))
    return found + _owner_causes(meta.get("ownerReferences") or []) + _finalizer_causes(resource, meta)


def _owner_causes(owners: list[Obj]) -> list[Cause]:
    at = "metadata.ownerReferences"
    found: list[Cause] = []
    first = ""
    for owner in owners:
        version, kind = owner.get("apiVersion", ""), owner.get("kind", "")
        if not version.rpartition("/")[2]:
            found.append(status.invalid_value(f"{at}.apiVersion", version, "version must not be empty"))
        missing = [field for field in ("kind", "name", "uid") if not owner.get(field)]
        found += [status.invalid_value(f"{at}.{field}", "", "must not be empty") for field in missing]
        if (version, kind) == ("v1", "Event"):
            found.append(status.invalid_value(at, owner, "/v1, Kind=Event is disallowed from being an owner"))
        if owner.get("controller"):
            this = f"{kind}/{owner.get('name', '')}"
            if first:
                why = 'Only one reference can have Controller set to true. Found "true" in references for'
                found.append(status.invalid_value(at, owners, f"{why} {first} and {this}"))
            first = first or this
    return found


def _finalizer_causes(resource: Resource, meta: Obj) -> list[Cause]:
    at = "metadata.finalizers"
    finalizers = meta.get("finalizers") or []
    found: list[Cause] = []
    for name in finalizers:
        found += causes.each(at, name, names.qualified(name))
    if {"orphan", "foregroundDeletion"} <= set(finalizers):
        both = "finalizer orphan and foregroundDeletion cannot be both set"
        found.append(status.invalid_value(at, finalizers, both))
    mild = resource.custom or resource.group == "apiextensions.k8s.io" or resource.qualified in _MILD
    if not mild:
        why = "name is neither a standard finalizer name nor is it fully qualified"
        for index, name in enumerate(finalizers):
            if "/" not in name and name not in _STANDARD_FINALIZERS:
                found.append(status.invalid_value(f"{at}[{index}]", name, why))
    return found
