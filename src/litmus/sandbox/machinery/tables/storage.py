"""Rows of volumes, claims, and the kinds of drivers.

Source: k8s.io/kubernetes/pkg/printers/internalversion.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from litmus.sandbox.machinery import objects
from litmus.sandbox.machinery.objects import Obj

from . import form
from .form import AGE, NAME, Column, Printer, wide

_MODES = {"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP"}
_CLASS = "volume.beta.kubernetes.io/storage-class"
_DEFAULTS = ("storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class")


def _modes(given: Iterable[str]) -> str:
    found = set(given)
    return ",".join(short for mode, short in _MODES.items() if mode in found)


def _phase(obj: Obj) -> str:
    return "Terminating" if objects.leaving(obj) else form.state(obj).get("phase", "")


def _class(obj: Obj) -> str:
    return objects.annotations(obj).get(_CLASS) or form.spec(obj).get("storageClassName") or ""


def _volume(obj: Obj, now: datetime) -> list[Any]:
    spec = form.spec(obj)
    claim = spec.get("claimRef")
    return [
        objects.name(obj),
        (spec.get("capacity") or {}).get("storage", "0"),
        _modes(spec.get("accessModes") or ()),
        spec.get("persistentVolumeReclaimPolicy", ""),
        _phase(obj),
        f"{claim.get('namespace', '')}/{claim.get('name', '')}" if claim else "",
        _class(obj),
        spec.get("volumeAttributesClassName") or form.UNSET,
        form.state(obj).get("reason", ""),
        form.age(obj, now),
        spec.get("volumeMode") or form.UNSET,
    ]


def _claim(obj: Obj, now: datetime) -> list[Any]:
    spec, state = form.spec(obj), form.state(obj)
    bound = bool(spec.get("volumeName"))
    return [
        objects.name(obj),
        _phase(obj),
        spec.get("volumeName", ""),
        (state.get("capacity") or {}).get("storage", "0") if bound else "",
        _modes(state.get("accessModes") or ()) if bound else "",
        _class(obj),
        spec.get("volumeAttributesClassName") or form.UNSET,
        form.age(obj, now),
        spec.get("volumeMode") or form.UNSET,
    ]


def _storage_class(obj: Obj, now: datetime) -> list[Any]:
    said = objects.annotations(obj)
    default = " (default)" if any(said.get(annotation) == "true" for annotation in _DEFAULTS) else ""
    return [
        f"{objects.name(obj)}{default}",
        obj.get("provisioner", ""),
        obj.get("reclaimPolicy", "Delete"),
        obj.get("volumeBindingMode", form.UNSET),
        obj.get("allowVolumeExpansion", False),
        form.age(obj, now),
    ]


def _driver(obj: Obj, now: datetime) -> list[Any]:
    spec = form.spec(obj)
    audiences = [each.get("audience", "") for each in spec.get("tokenRequests") or []]
    return [
        objects.name(obj),
        spec.get("attachRequired", True),
        spec.get("podInfoOnMount", False),
        spec.get("storageCapacity", False),
        ",".join(audiences) or form.UNSET,
        spec.get("requiresRepublish", False),
        ",".join(spec.get("volumeLifecycleModes") or ()) or form.NONE,
        form.age(obj, now),
    ]


def _driver_node(obj: Obj, now: datetime) -> list[Any]:
    return [objects.name(obj), len(form.spec(obj).get("drivers") or []), form.age(obj, now)]


def _attachment(obj: Obj, now: datetime) -> list[Any]:
    spec = form.spec(obj)
    volume = (spec.get("source") or {}).get("persistentVolumeName") or ""
    attached = form.state(obj).get("attached", False)
    return [objects.name(obj), spec.get("attacher", ""), volume, spec.get("nodeName", ""), attached, form.age(obj, now)]


_ATTRIBUTES = "VolumeAttributesClass"
_STORAGE = "storage.v1"

PRINTERS = {
    "persistentvolumes": Printer(
        (
            NAME,
            Column("Capacity", "string", "core.v1.PersistentVolumeSpec.capacity"),
            Column("Access Modes", "string", "core.v1.PersistentVolumeSpec.accessModes"),
            Column("Reclaim Policy", "string", "core.v1.PersistentVolumeSpec.persistentVolumeReclaimPolicy"),
            Column("Status", "string", "core.v1.PersistentVolumeStatus.phase"),
            Column("Claim", "string", "core.v1.PersistentVolumeSpec.claimRef"),
            Column("StorageClass", "string", "StorageClass of the pv"),
            Column(_ATTRIBUTES, "string", "VolumeAttributesClass of the pv"),
            Column("Reason", "string", "core.v1.PersistentVolumeStatus.reason"),
            AGE,
            wide("VolumeMode", "core.v1.PersistentVolumeSpec.volumeMode"),
        ),
        _volume,
    ),
    "persistentvolumeclaims": Printer(
        (
            NAME,
            Column("Status", "string", "core.v1.PersistentVolumeClaimStatus.phase"),
            Column("Volume", "string", "core.v1.PersistentVolumeClaimSpec.volumeName"),
            Column("Capacity", "string", "core.v1.PersistentVolumeClaimStatus.capacity"),
            Column("Access Modes", "string", "core.v1.PersistentVolumeClaimStatus.accessModes"),
            Column("StorageClass", "string", "StorageClass of the pvc"),
            Column(_ATTRIBUTES, "string", "VolumeAttributesClass of the pvc"),
            AGE,
            wide("VolumeMode", "core.v1.PersistentVolumeClaimSpec.volumeMode"),
        ),
        _claim,
    ),
    "storageclasses.storage.k8s.io": Printer(
        (
            NAME,
            Column("Provisioner", "string", f"{_STORAGE}.StorageClass.provisioner"),
            Column("ReclaimPolicy", "string", f"{_STORAGE}.StorageClass.reclaimPolicy"),
            Column("VolumeBindingMode", "string", f"{_STORAGE}.StorageClass.volumeBindingMode"),
            Column(
                "AllowVolumeExpansion",
                "string",
                "AllowVolumeExpansion shows whether the storage class allow volume expand",
            ),
            AGE,
        ),
        _storage_class,
    ),
    "csidrivers.storage.k8s.io": Printer(
        (
            NAME,
            Column("AttachRequired", "boolean", f"{_STORAGE}.CSIDriverSpec.attachRequired"),
            Column("PodInfoOnMount", "boolean", f"{_STORAGE}.CSIDriverSpec.podInfoOnMount"),
            Column("StorageCapacity", "boolean", f"{_STORAGE}.CSIDriverSpec.storageCapacity"),
            Column("TokenRequests", "string", f"{_STORAGE}.CSIDriverSpec.tokenRequests"),
            Column("RequiresRepublish", "boolean", f"{_STORAGE}.CSIDriverSpec.requiresRepublish"),
            Column("Modes", "string", f"{_STORAGE}.CSIDriverSpec.volumeLifecycleModes"),
            AGE,
        ),
        _driver,
    ),
    "csinodes.storage.k8s.io": Printer(
        (
            NAME,
            Column("Drivers", "integer", "Drivers indicates the number of CSI drivers registered on the node"),
            AGE,
        ),
        _driver_node,
    ),
    "volumeattachments.storage.k8s.io": Printer(
        (
            NAME,
            Column("Attacher", "string", f"{_STORAGE}.VolumeAttachmentSpec.attacher", format="name"),
            Column("PV", "string", f"{_STORAGE}.VolumeAttachmentSource.persistentVolumeName"),
            Column("Node", "string", f"{_STORAGE}.VolumeAttachmentSpec.nodeName"),
            Column("Attached", "boolean", f"{_STORAGE}.VolumeAttachmentStatus.attached"),
            AGE,
        ),
        _attachment,
    ),
}
