"""The sticky identity of a StatefulSet's pods: ordinal, stable name and network identity, stable storage.

Documentation: "StatefulSets", "Pod Identity" and "PersistentVolumeClaim retention". Pure: objects in,
objects out. Source: pkg/controller/statefulset/stateful_set_utils.go.
"""

from typing import Any

from litmus.sandbox.machinery import objects
from litmus.sandbox.machinery.objects import Obj

from . import owners, pods, revisions

POD_NAME = "statefulset.kubernetes.io/pod-name"
POD_INDEX = "apps.kubernetes.io/pod-index"


def start(stateful_set: Obj) -> int:
    """The first ordinal."""
    found: int = (stateful_set["spec"].get("ordinals") or {}).get("start", 0)
    return found


def ordinals(stateful_set: Obj) -> range:
    """The ordinals that the set asks for."""
    replicas: int | None = stateful_set["spec"].get("replicas")
    first = start(stateful_set)
    return range(first, first + (1 if replicas is None else replicas))


def ordinal(stateful_set: Obj, pod: Obj) -> int | None:
    """The ordinal in a pod's name, None when the name is not one of the set's."""
    prefix, _, number = objects.name(pod).rpartition("-")
    return int(number) if prefix == objects.name(stateful_set) and number.isdigit() else None


def make(stateful_set: Obj, template: Obj, number: int, *, revision: str) -> Obj:
    """The pod of one ordinal, of the template of a revision."""
    pod = pods.from_template(template, stateful_set)
    pod["metadata"]["name"] = f"{objects.name(stateful_set)}-{number}"
    identify(stateful_set, pod)
    pod["metadata"]["labels"][revisions.POD_LABEL] = revision
    pod["spec"]["hostname"] = objects.name(pod)
    service = stateful_set["spec"].get("serviceName")
    if service:
        pod["spec"]["subdomain"] = service
    claimed = {
        claim["metadata"]["name"]: {"name": claim["metadata"]["name"], "persistentVolumeClaim": {"claimName": name}}
        for name, claim in claims(stateful_set, number).items()
    }
    if claimed:
        others = [volume for volume in pod["spec"].get("volumes") or [] if volume["name"] not in claimed]
        pod["spec"]["volumes"] = [*claimed.values(), *others]
    return pod


def identify(stateful_set: Obj, pod: Obj) -> None:
    """Gives a pod the labels of its identity, in place."""
    number = ordinal(stateful_set, pod)
    labels = pod["metadata"].setdefault("labels", {})
    labels |= {POD_NAME: objects.name(pod), POD_INDEX: str(number)}


def is_identified(stateful_set: Obj, pod: Obj) -> bool:
    """Whether it carries the labels of its identity."""
    labels = objects.labels(pod)
    found = (labels.get(POD_NAME), labels.get(POD_INDEX))
    return found == (objects.name(pod), str(ordinal(stateful_set, pod)))


def revision(pod: Obj) -> str:
    """The name of the revision that the pod was made of."""
    return objects.labels(pod).get(revisions.POD_LABEL, "")


def claims(stateful_set: Obj, number: int) -> dict[str, Obj]:
    """The PersistentVolumeClaims of one ordinal as the set's templates describe them, by their names.

    The templates' own names remain in ``metadata.name``.
    """
    return {
        f"{template['metadata']['name']}-{objects.name(stateful_set)}-{number}": template
        for template in stateful_set["spec"].get("volumeClaimTemplates") or ()
    }


def claim(stateful_set: Obj, name: str, template: Obj) -> Obj:
    """The PersistentVolumeClaim to create under ``name``."""
    meta = template["metadata"]
    selected = stateful_set["spec"]["selector"].get("matchLabels") or {}
    made: dict[str, Any] = {
        "metadata": {
            "name": name,
            "namespace": objects.namespace(stateful_set),
            "labels": {**(meta.get("labels") or {}), **selected},
        },
        "spec": objects.copy(template["spec"]),
    }
    if meta.get("annotations"):
        made["metadata"]["annotations"] = dict(meta["annotations"])
    return made


def claim_owners(stateful_set: Obj, pod: Obj, held: Obj) -> list[Obj]:
    """The owner references that the retention policy gives a claim, beside those of strangers.

    Owned by the set it goes with the set; owned by a pod that is being scaled away it goes with that pod.
    """
    policy = stateful_set["spec"].get("persistentVolumeClaimRetentionPolicy") or {}
    ours = {objects.uid(stateful_set), objects.uid(pod)}
    kept = [entry for entry in objects.meta(held).get("ownerReferences") or [] if entry["uid"] not in ours]
    scaled_away = ordinal(stateful_set, pod) not in ordinals(stateful_set)
    if policy.get("whenScaled") == "Delete" and scaled_away:
        owner = {"apiVersion": "v1", "kind": "Pod", "name": objects.name(pod), "uid": objects.uid(pod)}
        return [*kept, {**owner, "controller": True, "blockOwnerDeletion": True}]
    if policy.get("whenDeleted") == "Delete":
        return [*kept, owners.reference(stateful_set)]
    return kept
