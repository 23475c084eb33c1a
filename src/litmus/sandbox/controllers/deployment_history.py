"""The replica sets of a Deployment as its history: which is the new one, how revisions are numbered, what is forgotten.

Documentation: "Deployments", "Rolling Back a Deployment" and "Clean up Policy". Rolling back is done by the client, who
puts an old template back; the old set that has it becomes the new one and gets the highest number.
"""

from collections.abc import Sequence

from litmus.sandbox.machinery import objects, status
from litmus.sandbox.machinery.cluster import Cluster
from litmus.sandbox.machinery.objects import Obj

from . import owners, rollouts, templates

REVISION = "deployment.kubernetes.io/revision"
REVISION_HISTORY = "deployment.kubernetes.io/revision-history"
_LONGEST_HISTORY = 2000
_NOT_COPIED = {
    "kubectl.kubernetes.io/last-applied-configuration",
    REVISION,
    REVISION_HISTORY,
    rollouts.DESIRED,
    rollouts.MAXIMUM,
    "deprecated.deployment.rollback.to",
}


def revision(obj: Obj) -> int:
    """The revision of a Deployment or ReplicaSet, 0 when it has none."""
    return rollouts.annotated(obj, REVISION) or 0


def split(deployment: Obj, replica_sets: Sequence[Obj]) -> tuple[Obj | None, list[Obj]]:
    """The set with the Deployment's template (the oldest, should there be two), and all others."""
    template = deployment["spec"]["template"]
    order = sorted(replica_sets, key=lambda one: (objects.meta(one).get("creationTimestamp", ""), objects.name(one)))
    new = next((one for one in order if templates.same(one["spec"]["template"], template)), None)
    return new, [one for one in order if one is not new]


def annotated(deployment: Obj, replica_set: Obj, number: int) -> Obj:
    """A copy of the new set that carries the Deployment's annotations and at least this revision number."""
    copied = objects.copy(replica_set)
    known = copied["metadata"].setdefault("annotations", {})
    known.update(copied_annotations(deployment))
    before = revision(replica_set)
    if before < number:
        known[REVISION] = str(number)
        if before:
            earlier = [*filter(None, known.get(REVISION_HISTORY, "").split(",")), str(before)]
            while len(",".join(earlier)) > _LONGEST_HISTORY:
                del earlier[0]
            known[REVISION_HISTORY] = ",".join(earlier)
    copied["spec"].pop("minReadySeconds", None)
    if deployment["spec"].get("minReadySeconds"):
        copied["spec"]["minReadySeconds"] = deployment["spec"]["minReadySeconds"]
    return copied


def copied_annotations(deployment: Obj) -> dict[str, str]:
    """The Deployment's annotations that its sets show as well, the cause of a change among them."""
    return {name: value for name, value in objects.annotations(deployment).items() if name not in _NOT_COPIED}


def size_annotations(deployment: Obj) -> dict[str, str]:
    """What a set remembers of the Deployment's size, for proportional scaling."""
    wanted = rollouts.replicas(deployment)
    maximum = wanted + rollouts.room(deployment).surge
    return {rollouts.DESIRED: str(wanted), rollouts.MAXIMUM: str(maximum)}


def create(cluster: Cluster, deployment: Obj, *, number: int, size: int) -> Obj | None:
    """Creates the new set; None when its name is taken by another, after which the caller counts a collision.

    Raises Refusal.
    """
    spec = deployment["spec"]
    collisions = deployment.get("status", {}).get("collisionCount", 0)
    template_hash = templates.digest(spec["template"], collisions)
    selector = objects.copy(spec["selector"])
    selector.setdefault("matchLabels", {})[templates.HASH_LABEL] = template_hash
    template = templates.labelled(spec["template"], pod_template_hash=template_hash)
    made: Obj = {
        "metadata": {
            "name": f"{objects.name(deployment)}-{template_hash}",
            "namespace": objects.namespace(deployment),
            "labels": dict(template["metadata"]["labels"]),
            "annotations": {
                **copied_annotations(deployment),
                REVISION: str(number),
                **size_annotations(deployment),
            },
            "ownerReferences": [owners.reference(deployment)],
        },
        "spec": {"replicas": size, "selector": selector, "template": template},
    }
    if spec.get("minReadySeconds"):
        made["spec"]["minReadySeconds"] = spec["minReadySeconds"]
    try:
        return cluster.create("replicasets.apps", made)
    except status.Refusal as refusal:
        if refusal.reason != "AlreadyExists":
            raise
        return None


def forget(cluster: Cluster, deployment: Obj, old: Sequence[Obj]) -> None:
    """Deletes the oldest of the empty old sets beyond ``revisionHistoryLimit``."""
    limit = deployment["spec"].get("revisionHistoryLimit")
    if limit is None:
        return
    here = sorted((one for one in old if not objects.leaving(one)), key=revision)
    for replica_set in here[: max(0, len(here) - limit)]:
        found = replica_set.get("status", {})
        observed = found.get("observedGeneration", 0) >= objects.meta(replica_set).get("generation", 0)
        if rollouts.replicas(replica_set) == 0 and found.get("replicas", 0) == 0 and observed:
            namespace, name = objects.key(replica_set)
            cluster.delete("replicasets.apps", name, namespace, uid=objects.uid(replica_set))
