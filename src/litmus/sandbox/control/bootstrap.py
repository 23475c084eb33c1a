"""What every cluster has from the start: its namespaces, the service of the API server, the priority classes.

Source: the Kubernetes documentation, "Initial namespaces" and "Pod Priority and Preemption"; the default roles are in
``apiserver.bootstrap_policy``.
"""

from litmus.sandbox.machinery import objects, status
from litmus.sandbox.machinery.cluster import Cluster
from litmus.sandbox.machinery.objects import Obj

NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")
_PRIORITIES = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}


def bootstrap(cluster: Cluster, *, cluster_ip: str, address: str, port: int) -> None:
    """Creates what is missing. ``address`` and ``port``: where the API server listens."""
    for name in NAMESPACES:
        _ensure(cluster, "namespaces", {"metadata": {"name": name}})
    for name, value in _PRIORITIES.items():
        _ensure(cluster, "priorityclasses.scheduling.k8s.io", {"metadata": {"name": name}, "value": value})
    labels = {"component": "apiserver", "provider": "kubernetes"}
    meta = {"name": "kubernetes", "namespace": "default", "labels": labels}
    ports = [{"name": "https", "port": 443, "targetPort": port, "protocol": "TCP"}]
    _ensure(cluster, "services", {"metadata": meta, "spec": {"clusterIP": cluster_ip, "ports": ports}})
    _endpoints(cluster, address=address, port=port)


def _ensure(cluster: Cluster, resource: str, obj: Obj) -> None:
    try:
        cluster.create(resource, obj)
    except status.Refusal as refusal:
        if refusal.reason != "AlreadyExists":
            raise


def _endpoints(cluster: Cluster, *, address: str, port: int) -> None:
    """The API server writes its own endpoints (reconcilers in k8s.io/kubernetes/pkg/controlplane)."""
    meta = {"name": "kubernetes", "namespace": "default", "labels": {"endpointslice.kubernetes.io/skip-mirror": "true"}}
    subsets = [{"addresses": [{"ip": address}], "ports": [{"name": "https", "port": port, "protocol": "TCP"}]}]
    _replace(cluster, "endpoints", {"metadata": meta, "subsets": subsets})
    slice_meta = {**meta, "labels": {"kubernetes.io/service-name": "kubernetes"}}
    ports = [{"name": "https", "port": port, "protocol": "TCP"}]
    endpoints = [{"addresses": [address], "conditions": {"ready": True}}]
    content = {"metadata": slice_meta, "addressType": "IPv4", "ports": ports, "endpoints": endpoints}
    _replace(cluster, "endpointslices.discovery.k8s.io", content)


def _replace(cluster: Cluster, resource: str, obj: Obj) -> None:
    found = cluster.get(resource, objects.name(obj), objects.namespace(obj))
    if found is None:
        cluster.create(resource, obj)
    else:
        cluster.update(resource, {**objects.copy(found), **obj, "metadata": objects.copy(found["metadata"])})
