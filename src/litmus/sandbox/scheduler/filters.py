"""May a pod run on a node? A table of small answers, asked in order; the first that says no has said why.

The words are those of kube-scheduler 1.37, because people search for them. Source:
k8s.io/kubernetes/pkg/scheduler/framework/plugins, one function here for each plug-in's Filter.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from litmus.sandbox.machinery import objects
from litmus.sandbox.machinery.objects import Key, Obj

from . import affinity, amounts, matching, spreading
from .snapshot import ANY_ADDRESS, Place, Snapshot, host_ports

UNSCHEDULABLE_TAINT = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}


@dataclass(frozen=True, slots=True)
class No:
    """Why a node cannot take a pod. ``final``: not even if others left it."""

    reasons: tuple[str, ...]
    final: bool


def _no(*reasons: str, final: bool = False) -> No:
    return No(reasons, final)


def schedulable(pod: Obj, place: Place, snapshot: Snapshot) -> No | None:
    """A cordoned node takes only who tolerates its taint."""
    if not (place.node.get("spec") or {}).get("unschedulable"):
        return None
    if matching.tolerated(UNSCHEDULABLE_TAINT, pod["spec"].get("tolerations") or []):
        return None
    return _no("node(s) were unschedulable", final=True)


def untainted(pod: Obj, place: Place, snapshot: Snapshot) -> No | None:
    """Taints PreferNoSchedule only score."""
    tolerations = pod["spec"].get("tolerations") or []
    taints = matching.taints(place.node, "NoSchedule", "NoExecute")
    if all(matching.tolerated(taint, tolerations) for taint in taints):
        return None
    return _no("node(s) had untolerated taint(s)", final=True)


def pinned(pod: Obj, place: Place, snapshot: Snapshot) -> No | None:
    """A pod whose affinity names nodes, as those of a DaemonSet do, is not even tried elsewhere."""
    names = _names(pod)
    if names is None or place.name in names:
        return None
    return _no("node(s) didn't satisfy plugin(s) [NodeAffinity]", final=True)


def _names(pod: Obj) -> set[str] | None:
    """The nodes that ``matchFields`` allows, None when a term allows others too."""
    node_affinity = (pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}
    required = node_affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or {}
    terms = required.get("nodeSelectorTerms") or []
    found: set[str] = set()
    for term in terms:
        exact = [one for one in term.get("matchFields") or [] if one["operator"] == "In"]
        if not exact:
            return None
        found |= set.intersection(*(set(one["values"]) for one in exact))
    return found if terms else None


def chosen(pod: Obj, place: Place, snapshot: Snapshot) -> No | None:
    """``nodeSelector`` and required node affinity."""
    if matching.allowed_by_affinity(pod, place.node):
        return None
    return _no("node(s) didn't match Pod's node affinity/selector", final=True)


def ports_free(pod: Obj, place: Place, snapshot: Snapshot) -> No | None:
    """No other pod on the node has one of the host ports, on the same address or on all of them."""
    wanted = host_ports(pod)
    if wanted and any(
        _collide(mine, theirs) for other in place.pods for theirs in host_ports(other) for mine in wanted
    ):
        return _no("node(s) didn't have free ports for the requested pod ports")
    return None


def _collide(one: tuple[str, str, int], other: tuple[str, str, int]) -> bool:
    (protocol, address, port), (other_protocol, other_address, other_port) = one, other
    same_address = ANY_ADDRESS in (address, other_address) or address == other_address
    return protocol == other_protocol and port == other_port and same_address


def fits(pod: Obj, place: Place, snapshot: Snapshot) -> No | None:
    """Enough of everything that the pod requests is left, counting requests and not use."""
    allocatable, wanted = place.allocatable, amounts.requests(pod)
    short = [
        name
        for name, amount in wanted.items()
        if amount > 0 and name != "pods" and amount > allocatable[name] - place.taken[name]
    ]
    reasons = [f"Insufficient {name}" for name in short]
    if (len(place.pods) + 1) * 1000 > allocatable["pods"]:
        reasons.insert(0, "Too many pods")
    if not reasons:
        return None
    return _no(*reasons, final=any(wanted[name] > allocatable[name] for name in short))


def volumes_reachable(pod: Obj, place: Place, snapshot: Snapshot) -> No | None:
    """A volume that is bound may say on which nodes it can be used."""
    for claim in claims(pod, snapshot):
        volume = snapshot.volumes.get(((claim or {}).get("spec") or {}).get("volumeName", ""))
        required = (((volume or {}).get("spec") or {}).get("nodeAffinity") or {}).get("required")
        if required is not None and not matching.node_selector_holds(required, place.node):
            return _no("node(s) didn't match PersistentVolume's node affinity", final=True)
    return None


def claim_names(pod: Obj) -> list[str]:
    """The claims that a pod's volumes name; an ephemeral volume has one named after pod and volume."""
    names = []
    for volume in pod["spec"].get("volumes") or []:
        if volume.get("persistentVolumeClaim"):
            names.append(volume["persistentVolumeClaim"]["claimName"])
        elif volume.get("ephemeral"):
            names.append(f"{objects.name(pod)}-{volume['name']}")
    return names


def claims(pod: Obj, snapshot: Snapshot) -> list[Obj | None]:
    """The claims that a pod uses; None for each that does not exist."""
    return [snapshot.claims.get(Key(objects.namespace(pod), name)) for name in claim_names(pod)]


def spread(pod: Obj, place: Place, snapshot: Snapshot) -> No | None:
    """``topologySpreadConstraints`` that forbid."""
    if not spreading.has_labels(pod, place, snapshot):
        return _no("node(s) didn't match pod topology spread constraints (missing required label)", final=True)
    if not spreading.even_enough(pod, place, snapshot):
        return _no("node(s) didn't match pod topology spread constraints")
    return None


def in_good_company(pod: Obj, place: Place, snapshot: Snapshot) -> No | None:
    """Required pod affinity and anti-affinity, of this pod and of those that are there."""
    if not affinity.near_enough(pod, place, snapshot):
        return _no("node(s) didn't match pod affinity rules", final=True)
    if not affinity.far_enough(pod, place, snapshot):
        return _no("node(s) didn't match pod anti-affinity rules")
    if not affinity.welcome(pod, place, snapshot):
        return _no("node(s) didn't satisfy existing pods anti-affinity rules")
    return None


Filter = Callable[[Obj, Place, Snapshot], No | None]
FILTERS: tuple[Filter, ...] = (
    pinned,
    schedulable,
    untainted,
    chosen,
    ports_free,
    fits,
    volumes_reachable,
    spread,
    in_good_company,
)


def refused(pod: Obj, place: Place, snapshot: Snapshot) -> No | None:
    """What keeps the pod off the node, None when nothing does."""
    return next((no for one in FILTERS if (no := one(pod, place, snapshot)) is not None), None)


def hopeless(pod: Obj, snapshot: Snapshot) -> str:
    """What keeps the pod off every node alike, '' when nothing does: its claims."""
    for name, claim in zip(claim_names(pod), claims(pod, snapshot), strict=True):
        if claim is None:
            return f'persistentvolumeclaim "{name}" not found'
        if objects.leaving(claim):
            return f'persistentvolumeclaim "{name}" is being deleted'
        if (claim.get("status") or {}).get("phase") == "Lost":
            volume = claim["spec"].get("volumeName", "")
            return f'persistentvolumeclaim "{name}" bound to non-existent persistentvolume "{volume}"'
        if (claim.get("status") or {}).get("phase") != "Bound":
            return "pod has unbound immediate PersistentVolumeClaims"
    return ""


def sentence(nodes: int, refusals: Iterable[No], *, first: str = "") -> str:
    """``0/3 nodes are available: 1 Insufficient cpu, 2 …``: how often each reason was given."""
    counts: dict[str, int] = {}
    for no in refusals:
        for reason in no.reasons:
            counts[reason] = counts.get(reason, 0) + 1
    said = first or ", ".join(sorted(f"{count} {reason}" for reason, count in counts.items()))
    return f"0/{nodes} nodes are available: {said}." if said else f"0/{nodes} nodes are available:"
