"""Claims get volumes, so that the pods of a StatefulSet have a folder that outlives them.

Source: "Persistent Volumes" of the Kubernetes documentation; k8s.io/kubernetes/pkg/controller/volume/persistentvolume.

What the sandbox decides: there is no storage class and no need of one. A claim that names none, or one that exists,
gets a volume made for it at once; one that names a class that does not exist, or '' (no provisioning), waits for a
volume that somebody else makes, as everywhere. Such a volume is a folder of the sandbox that all its nodes share, for
they are one machine: a pod finds its data on whatever node it runs. It is shown as a ``hostPath``, and its annotation
says which folder below ``<sandbox>/volumes`` it is.
"""

from collections.abc import Callable, Iterable, Mapping

from ..machinery import objects, quantity, selectors
from ..machinery.cluster import Cluster
from ..machinery.objects import Key, Obj

CLAIMS, VOLUMES, CLASSES = "persistentvolumeclaims", "persistentvolumes", "storageclasses.storage.k8s.io"
COMPONENT = "persistentvolume-controller"
PROVISIONER = "sandbox/folder"
FOLDER = "sandbox/folder"
PROVISIONED_BY = "pv.kubernetes.io/provisioned-by"
BOUND = {"pv.kubernetes.io/bind-completed": "yes", "pv.kubernetes.io/bound-by-controller": "yes"}
NO_PROVISIONER = "kubernetes.io/no-provisioner"


class Volumes:
    """Keys without a namespace are volumes, the others claims."""

    name = "persistentvolume-binder"

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self.watches: Mapping[str, Callable[[Obj], Iterable[Key]]] = {
            CLAIMS: lambda claim: [objects.key(claim)],
            VOLUMES: self._of_volume,
            CLASSES: lambda _: self._waiting(),
        }

    def _of_volume(self, volume: Obj) -> list[Key]:
        claim = _claim_of(volume)
        return [objects.key(volume), *([claim] if claim else self._waiting())]

    def _waiting(self) -> list[Key]:
        return [objects.key(claim) for claim in self._cluster.list(CLAIMS) if _phase(claim) != "Bound"]

    def reconcile(self, key: Key) -> None:
        """Take the next step for one claim or volume."""
        if key.namespace:
            claim = self._cluster.get(CLAIMS, key.name, key.namespace)
            if claim is not None and not objects.leaving(claim):
                self._claim(claim)
            elif claim is None:
                self._release(key)
        else:
            volume = self._cluster.get(VOLUMES, key.name)
            if volume is not None and not objects.leaving(volume):
                self._volume(volume)

    def _volume(self, volume: Obj) -> None:
        claim_key = _claim_of(volume)
        if claim_key is None:
            self._say(VOLUMES, volume, phase="Available")
            return
        claim = self._cluster.get(CLAIMS, claim_key.name, claim_key.namespace)
        wanted = (volume["spec"]["claimRef"]).get("uid")
        if wanted and (claim is None or objects.uid(claim) != wanted):
            self._reclaim(volume)
        elif claim is None or claim["spec"].get("volumeName") != objects.name(volume):
            self._say(VOLUMES, volume, phase="Available")  # kept for a claim that is still to come

    def _release(self, key: Key) -> None:
        for volume in self._cluster.list(VOLUMES):
            if _claim_of(volume) == key and volume["spec"]["claimRef"].get("uid"):
                self._reclaim(volume)

    def _reclaim(self, volume: Obj) -> None:
        """The claim is gone: what was made for it goes too, the rest waits for a person."""
        self._say(VOLUMES, volume, phase="Released")
        if volume["spec"].get("persistentVolumeReclaimPolicy") == "Delete":
            self._cluster.delete(VOLUMES, objects.name(volume), uid=objects.uid(volume))

    def _claim(self, claim: Obj) -> None:
        name = claim["spec"].get("volumeName")
        if name:
            volume = self._cluster.get(VOLUMES, name)
            if volume is not None and _claim_of(volume) in (None, objects.key(claim)):
                self._bind(claim, volume)
            elif volume is None and _phase(claim) == "Bound":
                self._say(CLAIMS, claim, phase="Lost")
                message = "Bound claim has lost its PersistentVolume. Data on the volume is lost!"
                self._event(claim, "ClaimLost", message, kind="Warning")
            return
        found = self._matching(claim)
        if found is not None:
            self._bind(claim, found)
        elif self._provisionable(claim):
            self._bind(claim, self._provision(claim))

    def _matching(self, claim: Obj) -> Obj | None:
        """The smallest volume that will do; one that is kept for this very claim goes first."""
        fitting = [volume for volume in self._cluster.list(VOLUMES) if _fits(volume, claim)]
        return min(fitting, key=lambda one: (_claim_of(one) is None, _capacity(one), objects.name(one)), default=None)

    def _provisionable(self, claim: Obj) -> bool:
        wanted = claim["spec"].get("storageClassName")
        if wanted is None:
            return True
        if wanted == "":
            message = "no persistent volumes available for this claim and no storage class is set"
            self._event(claim, "FailedBinding", message)
            return False
        found = self._cluster.get(CLASSES, wanted)
        if found is None:
            message = f'storageclass.storage.k8s.io "{wanted}" not found'
            self._event(claim, "ProvisioningFailed", message, kind="Warning")
            return False
        return bool(found.get("provisioner") != NO_PROVISIONER)

    def _provision(self, claim: Obj) -> Obj:
        spec, key = claim["spec"], objects.key(claim)
        name = f"pvc-{objects.uid(claim)}"
        folder = f"{key.namespace}/{key.name}"
        existing = self._cluster.get(VOLUMES, name)
        if existing is not None:
            return existing
        volume: Obj = {
            "metadata": {"name": name, "annotations": {PROVISIONED_BY: PROVISIONER, FOLDER: folder}},
            "spec": {
                "capacity": {"storage": spec["resources"]["requests"]["storage"]},
                "accessModes": spec["accessModes"],
                "claimRef": _reference(claim),
                "persistentVolumeReclaimPolicy": "Delete",
                "hostPath": {"path": f"/var/lib/sandbox/volumes/{folder}", "type": "DirectoryOrCreate"},
                "volumeMode": spec.get("volumeMode", "Filesystem"),
            },
        }
        if spec.get("storageClassName"):
            volume["spec"]["storageClassName"] = spec["storageClassName"]
        made = self._cluster.create(VOLUMES, volume)
        self._event(claim, "ProvisioningSucceeded", f"Successfully provisioned volume {name}")
        return made

    def _bind(self, claim: Obj, volume: Obj) -> None:
        """First the volume, then the claim, each object and its status."""
        bound = objects.copy(volume)
        reference = bound["spec"].setdefault("claimRef", _reference(claim))
        reference["uid"] = objects.uid(claim)
        if bound != volume:
            bound = self._cluster.update(VOLUMES, bound)
        self._say(VOLUMES, bound, phase="Bound")
        changed = objects.copy(claim)
        changed["metadata"].setdefault("annotations", {}).update(BOUND)
        changed["spec"]["volumeName"] = objects.name(volume)
        changed = self._cluster.update(CLAIMS, changed)
        spec = volume["spec"]
        self._say(CLAIMS, changed, phase="Bound", accessModes=spec["accessModes"], capacity=spec["capacity"])

    def _say(self, resource: str, obj: Obj, **status: object) -> None:
        changed = objects.copy(obj)
        if resource == VOLUMES and status.get("phase") != _phase(obj):
            status["lastPhaseTransitionTime"] = objects.timestamp(self._cluster.now())
        changed["status"] = {**(changed.get("status") or {}), **status}
        self._cluster.update_status(resource, changed)

    def _event(self, claim: Obj, reason: str, message: str, *, kind: str = "Normal") -> None:
        self._cluster.event(claim, reason=reason, message=message, component=COMPONENT, kind=kind)


def _claim_of(volume: Obj) -> Key | None:
    reference = volume["spec"].get("claimRef")
    return Key(reference.get("namespace", ""), reference.get("name", "")) if reference else None


def _phase(obj: Obj) -> str:
    return str((obj.get("status") or {}).get("phase", ""))


def _capacity(volume: Obj) -> int:
    return quantity.of((volume["spec"].get("capacity") or {}).get("storage", "0")).whole


def _fits(volume: Obj, claim: Obj) -> bool:
    spec, wanted = volume["spec"], claim["spec"]
    if objects.leaving(volume) or _phase(volume) not in ("Available", "Pending", ""):
        return False
    kept_for = _claim_of(volume)
    if kept_for is not None:
        return kept_for == objects.key(claim) and spec["claimRef"].get("uid") in (None, "", objects.uid(claim))
    selector = wanted.get("selector")
    return (
        _capacity(volume) >= quantity.of(wanted["resources"]["requests"]["storage"]).whole
        and set(wanted["accessModes"]) <= set(spec.get("accessModes") or [])
        and (spec.get("storageClassName") or "") == (wanted.get("storageClassName") or "")
        and spec.get("volumeMode", "Filesystem") == wanted.get("volumeMode", "Filesystem")
        and (selector is None or selectors.from_label_selector(selector).matches(volume))
    )


def _reference(claim: Obj) -> Obj:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "name": objects.name(claim),
        "namespace": objects.namespace(claim),
        "uid": objects.uid(claim),
    }
