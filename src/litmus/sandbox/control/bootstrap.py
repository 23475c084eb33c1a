"""What every cluster has from the start: its namespaces and the priority classes.

Source: the Kubernetes documentation, "Initial namespaces" and "Pod Priority and Preemption". The default roles are in
``apiserver.bootstrap_policy``, the service ``kubernetes`` is a controller's.
"""

from litmus.sandbox.machinery import status
from litmus.sandbox.machinery.cluster import Cluster
from litmus.sandbox.machinery.objects import Obj

NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")
_PRIORITIES = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}


def bootstrap(cluster: Cluster) -> None:
    """Creates what is missing."""
    for name in NAMESPACES:
        _ensure(cluster, "namespaces", {"metadata": {"name": name}})
    for name, value in _PRIORITIES.items():
        _ensure(cluster, "priorityclasses.scheduling.k8s.io", {"metadata": {"name": name}, "value": value})


def _ensure(cluster: Cluster, resource: str, obj: Obj) -> None:
    try:
        cluster.create(resource, obj)
    except status.Refusal as refusal:
        if refusal.reason != "AlreadyExists":
            raise
