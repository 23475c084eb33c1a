"""EndpointSlices: the addresses behind a service in pieces of at most a hundred, with the state of each.

An endpoint keeps its place in its slice while it lives, so that a change of one pod changes one slice. Source:
"EndpointSlices" of the Kubernetes documentation; k8s.io/endpointslice.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping

from ..machinery import objects
from ..machinery.cluster import Cluster
from ..machinery.objects import Key, Obj
from . import service_targets

RESOURCE = "endpointslices.discovery.k8s.io"
SERVICE_NAME = "kubernetes.io/service-name"
MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
CONTROLLER = "endpointslice-controller.k8s.io"
MOST = 100  # endpoints in a slice
ZONE = "topology.kubernetes.io/zone"
_OURS = frozenset({SERVICE_NAME, MANAGED_BY, service_targets.HEADLESS})

Ports = list[Obj]


def of_slice(slice_: Obj) -> list[Key]:
    """EndpointSlice → the key of its service."""
    name = objects.labels(slice_).get(SERVICE_NAME)
    return [Key(objects.namespace(slice_), name)] if name else []


def family(address: str) -> str:
    """The ``addressType`` of an address."""
    return "IPv6" if ":" in address else "IPv4"


class EndpointSlices:
    """The slices of each service with a selector."""

    name = "endpointslices"

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self.watches: Mapping[str, Callable[[Obj], Iterable[Key]]] = {
            "services": lambda service: [objects.key(service)],
            "pods": service_targets.of_pod(cluster),
            RESOURCE: of_slice,
        }

    def reconcile(self, key: Key) -> None:
        """Make the slices of one service say what there is; the garbage collector takes those of a deleted one."""
        service = self._cluster.get("services", key.name, key.namespace)
        if service is None or not service_targets.managed(service) or objects.leaving(service):
            return
        labels = {**service_targets.labels(service), SERVICE_NAME: key.name, MANAGED_BY: CONTROLLER}
        write(self._cluster, owner=service, labels=labels, wanted=self._wanted(service))

    def _wanted(self, service: Obj) -> list[tuple[Ports, Obj]]:
        found = []
        for pod in service_targets.pods(self._cluster, service, terminating=True):
            ports = sorted(service_targets.ports(service, pod), key=lambda port: (port["name"], port["port"]))
            found.append((ports, self._endpoint(service, pod)))
        return found

    def _endpoint(self, service: Obj, pod: Obj) -> Obj:
        """Serving says whether it answers, ready whether it should get new work."""
        serving, terminating = service_targets.ready(pod), objects.leaving(pod)
        ready = service_targets.publishes_unready(service) or (serving and not terminating)
        found: Obj = {
            "addresses": [pod["status"]["podIP"]],
            "conditions": {"ready": ready, "serving": serving, "terminating": terminating},
            "targetRef": service_targets.reference(pod),
        }
        hostname, node = service_targets.hostname(service, pod), pod["spec"].get("nodeName")
        if hostname:
            found["hostname"] = hostname
        if node:
            found["nodeName"] = node
            zone = objects.labels(self._cluster.get("nodes", node) or {}).get(ZONE)
            if zone:
                found["zone"] = zone
        return found


def write(cluster: Cluster, *, owner: Obj, labels: dict[str, str], wanted: list[tuple[Ports, Obj]]) -> None:
    """Bring the slices with these service and manager labels to ``wanted``, with as few changes as possible.

    ``wanted``: for each endpoint the ports that it has. Without endpoints one empty slice stays.
    """
    mine = {name: labels[name] for name in (SERVICE_NAME, MANAGED_BY)}
    there = cluster.list(RESOURCE, objects.namespace(owner), labels={"matchLabels": mine})
    there = [slice_ for slice_ in there if not objects.leaving(slice_)]
    planned = _planned(there, wanted)
    for current, ports, endpoints in planned:
        _write_one(cluster, owner, labels, current, ports, endpoints)
    kept = {objects.uid(current) for current, _, _ in planned if current is not None}
    for slice_ in there:
        if objects.uid(slice_) not in kept:
            cluster.delete(RESOURCE, objects.name(slice_), objects.namespace(slice_), uid=objects.uid(slice_))


def _planned(there: list[Obj], wanted: list[tuple[Ports, Obj]]) -> list[tuple[Obj | None, Ports, list[Obj]]]:
    """Which slice (None for a new one) gets which ports and endpoints."""
    groups: dict[Hashable, dict[Hashable, tuple[Ports, Obj]]] = {}
    for ports, endpoint in wanted:
        same = _same(ports, family(endpoint["addresses"][0]))
        groups.setdefault(same, {})[_identity(endpoint)] = (ports, endpoint)
    planned: list[tuple[Obj | None, Ports, list[Obj]]] = []
    for same, group in groups.items():
        ports = next(iter(group.values()))[0]
        left = {identity: endpoint for identity, (_, endpoint) in group.items()}
        places: list[tuple[Obj | None, list[Obj]]] = []
        for slice_ in there:
            if _same(slice_.get("ports") or [], slice_["addressType"]) == same:
                stay = [_identity(old) for old in slice_.get("endpoints") or [] if _identity(old) in left]
                places.append((slice_, [left.pop(identity) for identity in stay]))
        for endpoint in left.values():
            roomy = next((endpoints for _, endpoints in places if len(endpoints) < MOST), None)
            if roomy is None:
                roomy = []
                places.append((None, roomy))
            roomy.append(endpoint)
        planned += [(slice_, ports, endpoints) for slice_, endpoints in places if endpoints]
    return planned or [(next((one for one in there if one["addressType"] == "IPv4"), None), [], [])]


def _same(ports: Ports, address_type: str) -> Hashable:
    """Endpoints with the same ports and kind of address share slices."""
    return address_type, tuple(sorted(tuple(sorted(port.items())) for port in ports))


def _identity(endpoint: Obj) -> Hashable:
    return endpoint["addresses"][0], (endpoint.get("targetRef") or {}).get("uid")


def _write_one(
    cluster: Cluster, owner: Obj, labels: dict[str, str], current: Obj | None, ports: Ports, endpoints: list[Obj]
) -> None:
    """Writes a slice when something in it is different."""
    said: Obj = {"endpoints": endpoints or None, "ports": ports or None}
    same = current is not None and all((current.get(field) or None) == value for field, value in said.items())
    if current is not None and same and objects.labels(current) == labels:
        return
    meta: Obj = {**objects.meta(current)} if current else _begin(owner)
    meta["labels"] = labels
    meta["annotations"] = {service_targets.CHANGED_AT: objects.timestamp(cluster.now())}
    kind = family(endpoints[0]["addresses"][0]) if endpoints else (current or {}).get("addressType", "IPv4")
    slice_: Obj = {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": meta, "addressType": kind}
    slice_ |= said
    if current is None:
        cluster.create(RESOURCE, slice_)
    else:
        cluster.update(RESOURCE, slice_)


def _begin(owner: Obj) -> Obj:
    reference = {
        "apiVersion": owner["apiVersion"],
        "blockOwnerDeletion": True,
        "controller": True,
        "kind": owner["kind"],
        "name": objects.name(owner),
        "uid": objects.uid(owner),
    }
    return {
        "generateName": f"{objects.name(owner)}-",
        "namespace": objects.namespace(owner),
        "ownerReferences": [reference],
    }
