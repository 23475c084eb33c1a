"""Which nodes a DaemonSet wants a pod on, and the pod that only that node can get.

Documentation: "DaemonSet", "How Daemon Pods are scheduled": the controller pins each pod by node affinity on the node's
name and lets the scheduler bind it; daemon pods tolerate what would otherwise keep them from a node in trouble.
Pure; source: pkg/controller/daemon/util and daemon_controller.go.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from litmus.sandbox.machinery import objects
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.scheduler import matching

from . import pods, revisions

GENERATION = "deprecated.daemonset.template.generation"
GENERATION_LABEL = "pod-template-generation"
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_ALWAYS_TOLERATED = (
    ("node.kubernetes.io/not-ready", "NoExecute"),
    ("node.kubernetes.io/unreachable", "NoExecute"),
    ("node.kubernetes.io/disk-pressure", "NoSchedule"),
    ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ("node.kubernetes.io/pid-pressure", "NoSchedule"),
    ("node.kubernetes.io/unschedulable", "NoSchedule"),
)
_ON_HOST_NETWORK = ("node.kubernetes.io/network-unavailable", "NoSchedule")


@dataclass(frozen=True, slots=True)
class Place:
    """What a DaemonSet wants of a node: a new pod there, and that one that is there goes on."""

    starts: bool
    stays: bool


def make(daemon_set: Obj, node: str, *, digest: str) -> Obj:
    """The pod for a node, with the hash of the template's revision."""
    pod = general(daemon_set)
    labels = pod["metadata"].setdefault("labels", {})
    labels[revisions.POD_LABEL] = digest
    labels[GENERATION_LABEL] = generation(daemon_set)
    affinity = pod["spec"].setdefault("affinity", {}).setdefault("nodeAffinity", {})
    only = {"key": "metadata.name", "operator": "In", "values": [node]}
    affinity[_REQUIRED] = {"nodeSelectorTerms": [{"matchFields": [only]}]}
    return pod


def general(daemon_set: Obj) -> Obj:
    """The pod before it is pinned to a node: template and the tolerations that every daemon pod gets."""
    pod = pods.from_template(daemon_set["spec"]["template"], daemon_set)
    given = pod["spec"].setdefault("tolerations", [])
    always = (*_ALWAYS_TOLERATED, *([_ON_HOST_NETWORK] if pod["spec"].get("hostNetwork") else []))
    for taint, effect in always:
        toleration = {"key": taint, "operator": "Exists", "effect": effect}
        if toleration not in given:
            given.append(toleration)
    return pod


def generation(daemon_set: Obj) -> str:
    """How often the template was changed, as the label of pods says it."""
    counted = objects.annotations(daemon_set).get(GENERATION)
    return counted or str(objects.meta(daemon_set).get("generation", 1))


def place(pod: Obj, node: Obj) -> Place:
    """What the DaemonSet whose ``general`` pod this is wants of the node."""
    pinned = pod["spec"].get("nodeName")
    if (pinned and pinned != objects.name(node)) or not matching.allowed_by_affinity(pod, node):
        return Place(starts=False, stays=False)
    tolerations = pod["spec"].get("tolerations") or ()
    keeps_off = [
        taint
        for taint in matching.taints(node, "NoSchedule", "NoExecute")
        if not matching.tolerated(taint, tolerations)
    ]
    stays = not any(taint["effect"] == "NoExecute" for taint in keeps_off)
    return Place(starts=not keeps_off, stays=stays)


def node_of(pod: Obj) -> str:
    """The node that the pod runs on or is meant for, '' when it names none."""
    assigned: str = pod["spec"].get("nodeName", "")
    return assigned or next(_meant_for(pod), "")


def _meant_for(pod: Obj) -> Iterator[str]:
    affinity = (pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}
    for term in (affinity.get(_REQUIRED) or {}).get("nodeSelectorTerms") or ():
        for field in term.get("matchFields") or ():
            if field["key"] == "metadata.name" and field["operator"] == "In":
                yield from field["values"]
