"""Namespaces. Source: pkg/apis/core/v1/defaults.go, pkg/registry/core/namespace; documentation "Namespaces"."""

from litmus.sandbox.machinery import names, objects, status
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.status import Cause

from . import Strategy, causes

NAME_LABEL = "kubernetes.io/metadata.name"
FINALIZER = "kubernetes"


class Namespaces(Strategy):
    """``spec.finalizers`` holds a namespace until the controller has emptied it."""

    def default(self, obj: Obj) -> None:
        if name := objects.name(obj):
            obj["metadata"].setdefault("labels", {})[NAME_LABEL] = name
        obj.setdefault("spec", {})
        found = obj.setdefault("status", {})
        found["phase"] = found.get("phase") or "Active"

    def prepare_create(self, obj: Obj) -> None:
        super().prepare_create(obj)
        obj["status"] = {"phase": "Active"}
        finalizers = obj["spec"].setdefault("finalizers", [])
        if FINALIZER not in finalizers:
            finalizers.append(FINALIZER)

    def prepare_update(self, new: Obj, old: Obj) -> None:
        """Finalizers change through the subresource ``finalize`` only."""
        super().prepare_update(new, old)
        new["spec"] = objects.copy(old.get("spec") or {})

    def prepare_delete(self, new: Obj, old: Obj) -> None:
        new["status"] = {**(old.get("status") or {}), "phase": "Terminating"}

    def validate(self, obj: Obj) -> list[Cause]:
        said: list[Cause] = []
        for name in obj["spec"].get("finalizers") or []:
            said += causes.each("spec.finalizers", name, names.qualified(name))
            if "/" not in name and name != FINALIZER:
                why = "name is neither a standard finalizer name nor is it fully qualified"
                said.append(status.invalid_value("spec.finalizers", name, why))
        return said

    def validate_status_update(self, new: Obj, old: Obj) -> list[Cause]:
        phase = (new.get("status") or {}).get("phase")
        if objects.leaving(old):
            wrong = phase != "Terminating"
            why = "may only be 'Terminating' if `deletionTimestamp` is not empty"
        else:
            wrong = phase != "Active"
            why = "may only be 'Active' if `deletionTimestamp` is empty"
        return [status.invalid_value("status.Phase", phase or "", why)] if wrong else []

    def name_causes(self, name: str) -> list[Cause]:
        return causes.each("metadata.name", name, names.label(name))
