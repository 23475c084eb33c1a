"""PersistentVolumes and their claims, storage classes and what drivers say about themselves.

The sandbox has no storage to give; the objects exist so that manifests that hold them can be applied.
Source: pkg/apis/core/v1/defaults.go, pkg/apis/storage/v1/defaults.go and their validation.
"""

from typing import ClassVar

from litmus.sandbox.machinery import names, quantity, status
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.status import Cause

from . import Strategy, amounts, causes, placement

_ACCESS_MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
_RECLAIM = ("Delete", "Recycle", "Retain")
_BINDING_MODES = ("Immediate", "WaitForFirstConsumer")
_NOT_SOURCES = {
    *("accessModes", "capacity", "claimRef", "mountOptions", "nodeAffinity", "persistentVolumeReclaimPolicy"),
    *("storageClassName", "volumeMode", "volumeAttributesClassName"),
}
_CLAIM_IMMUTABLE = (
    "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"
)


def claim_defaults(claim: Obj) -> None:
    """The defaults of a PersistentVolumeClaim, also of one in a StatefulSet. Raises quantity.Malformed."""
    spec = claim.setdefault("spec", {})
    spec.setdefault("volumeMode", "Filesystem")
    resources = spec.setdefault("resources", {})
    amounts.resource_list(resources.get("requests"))
    amounts.resource_list(resources.get("limits"))
    claim.setdefault("status", {}).setdefault("phase", "Pending")


class Claims(Strategy):
    def default(self, obj: Obj) -> None:
        claim_defaults(obj)

    def prepare_create(self, obj: Obj) -> None:
        super().prepare_create(obj)
        finalizers = obj["metadata"].setdefault("finalizers", [])
        if "kubernetes.io/pvc-protection" not in finalizers:
            finalizers.append("kubernetes.io/pvc-protection")

    def validate(self, obj: Obj) -> list[Cause]:
        spec = obj["spec"]
        said = _access_modes(spec)
        requests = spec["resources"].get("requests") or {}
        if "storage" not in requests:
            said.append(status.required("spec.resources[storage]"))
        elif quantity.of(requests["storage"]).nano <= 0:
            field = "spec.resources[storage]"
            said.append(status.invalid_value(field, requests["storage"], "must be greater than zero"))
        if spec.get("storageClassName"):
            name = spec["storageClassName"]
            said += causes.each("spec.storageClassName", name, names.subdomain(name))
        return said

    def validate_update(self, new: Obj, old: Obj) -> list[Cause]:
        spec, known = new["spec"], old["spec"]
        like = {**spec, "volumeName": known.get("volumeName") or spec.get("volumeName")}
        before = {**known, "volumeName": like["volumeName"]}
        if (new.get("status") or {}).get("phase") == "Bound":
            like["resources"] = before["resources"]
        if like != before or (known.get("volumeName") and spec.get("volumeName") != known["volumeName"]):
            return [status.forbidden_field("spec", _CLAIM_IMMUTABLE)]
        return []


class Volumes(Strategy):
    def default(self, obj: Obj) -> None:
        spec = obj.setdefault("spec", {})
        amounts.resource_list(spec.get("capacity"))
        spec.setdefault("persistentVolumeReclaimPolicy", "Retain")
        spec.setdefault("volumeMode", "Filesystem")
        if isinstance(spec.get("hostPath"), dict):
            spec["hostPath"].setdefault("type", "")
        obj.setdefault("status", {}).setdefault("phase", "Pending")

    def prepare_create(self, obj: Obj) -> None:
        super().prepare_create(obj)
        finalizers = obj["metadata"].setdefault("finalizers", [])
        if "kubernetes.io/pv-protection" not in finalizers:
            finalizers.append("kubernetes.io/pv-protection")

    def validate(self, obj: Obj) -> list[Cause]:
        spec = obj["spec"]
        said = _access_modes(spec, required="")
        if not spec.get("capacity"):
            said.append(status.required("spec.capacity"))
        if set(spec.get("capacity") or ()) != {"storage"}:
            said.append(causes.unsupported("spec.capacity", spec.get("capacity"), ("storage",)))
        if spec["persistentVolumeReclaimPolicy"] not in _RECLAIM:
            field = "spec.persistentVolumeReclaimPolicy"
            said.append(causes.unsupported(field, spec["persistentVolumeReclaimPolicy"], _RECLAIM))
        if not set(spec) - _NOT_SOURCES:
            said.append(status.required("spec", "must specify a volume type"))
        required = (spec.get("nodeAffinity") or {}).get("required")
        return said + (placement.node_selector(required, "spec.nodeAffinity.required") if required is not None else [])


class StorageClasses(Strategy):
    def default(self, obj: Obj) -> None:
        obj.setdefault("reclaimPolicy", "Delete")
        obj.setdefault("volumeBindingMode", "Immediate")

    def validate(self, obj: Obj) -> list[Cause]:
        said = [] if obj.get("provisioner") else [status.required("provisioner")]
        if obj["reclaimPolicy"] not in ("Delete", "Retain"):
            said.append(causes.unsupported("reclaimPolicy", obj["reclaimPolicy"], ("Delete", "Retain")))
        if obj["volumeBindingMode"] not in _BINDING_MODES:
            said.append(causes.unsupported("volumeBindingMode", obj["volumeBindingMode"], _BINDING_MODES))
        return said

    def validate_update(self, new: Obj, old: Obj) -> list[Cause]:
        said: list[Cause] = []
        if (new.get("parameters") or {}) != (old.get("parameters") or {}):
            said.append(status.forbidden_field("parameters", "updates to parameters are forbidden."))
        if new.get("provisioner") != old.get("provisioner"):
            said.append(status.forbidden_field("provisioner", "updates to provisioner are forbidden."))
        if new.get("reclaimPolicy") != old.get("reclaimPolicy"):
            said.append(status.forbidden_field("reclaimPolicy", "updates to reclaimPolicy are forbidden."))
        return said + causes.immutable("volumeBindingMode", new["volumeBindingMode"], old["volumeBindingMode"])


class Drivers(Strategy):
    generation_of: ClassVar = ("spec",)
    unconditional_update: ClassVar = False

    def default(self, obj: Obj) -> None:
        spec = obj.setdefault("spec", {})
        for field, value in (("attachRequired", True), ("podInfoOnMount", False), ("storageCapacity", False)):
            spec.setdefault(field, value)
        spec.setdefault("fsGroupPolicy", "ReadWriteOnceWithFSType")
        spec.setdefault("volumeLifecycleModes", ["Persistent"])
        spec.setdefault("requiresRepublish", False)
        spec.setdefault("seLinuxMount", False)


class DriverNodes(Strategy):
    unconditional_update: ClassVar = False

    def default(self, obj: Obj) -> None:
        spec = obj.setdefault("spec", {})
        spec["drivers"] = spec.get("drivers") or None


class Attachments(Strategy):
    unconditional_update: ClassVar = False

    def default(self, obj: Obj) -> None:
        obj.setdefault("spec", {})
        obj.setdefault("status", {}).setdefault("attached", False)

    def validate(self, obj: Obj) -> list[Cause]:
        missing = [field for field in ("attacher", "nodeName") if not obj["spec"].get(field)]
        return [status.required(f"spec.{field}") for field in missing]

    def validate_update(self, new: Obj, old: Obj) -> list[Cause]:
        return causes.immutable("spec", new["spec"], old["spec"])


def _access_modes(spec: Obj, *, required: str = "at least 1 access mode is required") -> list[Cause]:
    modes = spec.get("accessModes") or []
    said = [] if modes else [status.required("spec.accessModes", required)]
    return said + [
        causes.unsupported("spec.accessModes", mode, _ACCESS_MODES) for mode in modes if mode not in _ACCESS_MODES
    ]
