"""The service ``kubernetes`` in the namespace default, behind which the API server itself stands.

Source: "Accessing the Kubernetes API from a Pod" of the documentation; k8s.io/kubernetes/pkg/controlplane/controller/
kubernetesservice. The API server's address is written by itself there, so nobody manages these endpoints.
"""

from collections.abc import Callable, Iterable, Mapping

from ..machinery import objects
from ..machinery.cluster import Cluster
from ..machinery.objects import Key, Obj
from . import endpoint_mirror, endpoint_slices

KEY = Key("default", "kubernetes")
PORT_NAME = "https"


class ApiserverService:
    """``address``, ``port``: where the API server listens; ``cluster_ip``: of the service, '' for the next free one."""

    name = "kubernetes-service"

    def __init__(self, cluster: Cluster, *, address: str, port: int, cluster_ip: str = "") -> None:
        self._cluster = cluster
        self._address, self._port, self._cluster_ip = address, port, cluster_ip
        self.watches: Mapping[str, Callable[[Obj], Iterable[Key]]] = {
            "namespaces": lambda namespace: [KEY] if objects.name(namespace) == KEY.namespace else [],
            "services": _if_ours,
            "endpoints": _if_ours,
            endpoint_slices.RESOURCE: _if_ours,
        }

    def reconcile(self, key: Key) -> None:
        """Put back what is missing or wrong."""
        namespace = self._cluster.get("namespaces", key.namespace)
        if namespace is None or objects.leaving(namespace):
            return
        for resource, wanted in (
            ("services", self._service()),
            ("endpoints", self._endpoints()),
            (endpoint_slices.RESOURCE, self._slice()),
        ):
            current = self._cluster.get(resource, key.name, key.namespace)
            if current is None:
                self._cluster.create(resource, wanted)
            elif resource != "services":  # what people have changed about the service itself stays
                meta = {**objects.meta(current), "labels": objects.labels(wanted)}
                self._cluster.update(resource, {**current, **wanted, "metadata": meta})

    def _service(self) -> Obj:
        spec: Obj = {
            "type": "ClusterIP",
            "ports": [{"name": PORT_NAME, "port": 443, "protocol": "TCP", "targetPort": self._port}],
            "sessionAffinity": "None",
        }
        if self._cluster_ip:
            spec |= {"clusterIP": self._cluster_ip, "clusterIPs": [self._cluster_ip]}
        return {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": _meta({"component": "apiserver", "provider": "kubernetes"}),
            "spec": spec,
        }

    def _endpoints(self) -> Obj:
        return {
            "apiVersion": "v1",
            "kind": "Endpoints",
            "metadata": _meta({endpoint_mirror.SKIP: "true"}),
            "subsets": [{"addresses": [{"ip": self._address}], "ports": [self._api_port()]}],
        }

    def _slice(self) -> Obj:
        return {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": _meta({endpoint_slices.SERVICE_NAME: KEY.name}),
            "addressType": endpoint_slices.family(self._address),
            "endpoints": [{"addresses": [self._address], "conditions": {"ready": True}}],
            "ports": [self._api_port()],
        }

    def _api_port(self) -> Obj:
        return {"name": PORT_NAME, "port": self._port, "protocol": "TCP"}


def _if_ours(obj: Obj) -> list[Key]:
    return [KEY] if objects.key(obj) == KEY else []


def _meta(labels: dict[str, str]) -> Obj:
    return {"name": KEY.name, "namespace": KEY.namespace, "labels": labels}
