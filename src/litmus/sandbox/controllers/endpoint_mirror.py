"""Endpoints that people write themselves, for services without a selector, shown as EndpointSlices too.

Source: "EndpointSlices", section "EndpointSlice mirroring" of the Kubernetes documentation.
"""

from collections.abc import Callable, Iterable, Mapping

from ..machinery import objects
from ..machinery.cluster import Cluster
from ..machinery.objects import Key, Obj
from . import endpoint_slices, service_targets
from .endpoint_slices import Ports

CONTROLLER = "endpointslicemirroring-controller.k8s.io"
SKIP = "endpointslice.kubernetes.io/skip-mirror"
LEADER = "control-plane.alpha.kubernetes.io/leader"


class EndpointMirror:
    """The slices of each service without a selector, out of its Endpoints."""

    name = "endpointslicemirroring"

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self.watches: Mapping[str, Callable[[Obj], Iterable[Key]]] = {
            "services": lambda service: [objects.key(service)],
            "endpoints": lambda endpoints: [objects.key(endpoints)],
            endpoint_slices.RESOURCE: endpoint_slices.of_slice,
        }

    def reconcile(self, key: Key) -> None:
        """Mirror one Endpoints object, or take its mirror away."""
        service = self._cluster.get("services", key.name, key.namespace)
        endpoints = self._cluster.get("endpoints", key.name, key.namespace)
        if service is None or endpoints is None or not _mirrored(service, endpoints):
            self._remove(key)
            return
        labels = {**objects.labels(endpoints)}
        labels.pop(service_targets.HEADLESS, None)
        labels |= {endpoint_slices.SERVICE_NAME: key.name, endpoint_slices.MANAGED_BY: CONTROLLER}
        wanted = [pair for subset in endpoints.get("subsets") or [] for pair in _endpoints(subset)]
        endpoint_slices.write(self._cluster, owner=endpoints, labels=labels, wanted=wanted)

    def _remove(self, key: Key) -> None:
        mine = {endpoint_slices.SERVICE_NAME: key.name, endpoint_slices.MANAGED_BY: CONTROLLER}
        for slice_ in self._cluster.list(endpoint_slices.RESOURCE, key.namespace, labels={"matchLabels": mine}):
            self._cluster.delete(endpoint_slices.RESOURCE, objects.name(slice_), key.namespace)


def _mirrored(service: Obj, endpoints: Obj) -> bool:
    if service["spec"].get("selector") or objects.leaving(endpoints):
        return False
    return objects.labels(endpoints).get(SKIP) != "true" and LEADER not in objects.annotations(endpoints)


def _endpoints(subset: Obj) -> Iterable[tuple[Ports, Obj]]:
    ports = [{"name": "", "protocol": "TCP", **port} for port in subset.get("ports") or []]
    for side, ready in (("addresses", True), ("notReadyAddresses", False)):
        for address in subset.get(side) or []:
            endpoint: Obj = {"addresses": [address["ip"]], "conditions": {"ready": ready}}
            endpoint |= {name: address[name] for name in ("hostname", "nodeName", "targetRef") if address.get(name)}
            yield ports, endpoint
