"""What admission does to new objects and expects to be there, for tests that are about something else."""

from litmus.sandbox.machinery import objects
from litmus.sandbox.machinery.cluster import Cluster
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.registry import Registry

_NOT_READY = "node.kubernetes.io/not-ready"


def furnish(registry: Registry, resource: str, obj: Obj) -> None:
    """The namespace of an object, and for a pod its service account, unless the test has made them itself."""
    namespace = objects.namespace(obj)
    if not namespace:
        return
    _ensure(registry, "namespaces", "Namespace", {"metadata": {"name": namespace}, "status": {"phase": "Active"}})
    if resource == "pods":
        name = obj.get("spec", {}).get("serviceAccountName", "default")
        meta = {"name": name, "namespace": namespace}
        _ensure(registry, "serviceaccounts", "ServiceAccount", {"metadata": meta})
        priority = obj.get("spec", {}).get("priority")
        if priority is not None:  # which only a class can give
            obj["spec"]["priorityClassName"] = named = f"p{priority}"
            given = {"metadata": {"name": named}, "value": priority}
            given["preemptionPolicy"] = obj["spec"].get("preemptionPolicy", "PreemptLowerPriority")
            _ensure(registry, "priorityclasses.scheduling.k8s.io", "PriorityClass", given)


def _ensure(registry: Registry, resource: str, kind: str, obj: Obj) -> None:
    key = objects.key(obj)
    if registry.store.get(resource, key) is None:
        meta = {"uid": f"{resource}-{key}", "creationTimestamp": objects.timestamp(registry.now()), **obj["metadata"]}
        registry.store.put(resource, key, {**obj, "apiVersion": "v1", "kind": kind, "metadata": meta})


def untaint(cluster: Cluster, node: Obj) -> Obj:
    """A node as the test wants it: one that is new has the taint of one that is not ready yet."""
    taints = [taint for taint in node["spec"].get("taints", []) if taint["key"] != _NOT_READY]
    return cluster.update("nodes", {**node, "spec": {**node["spec"], "taints": taints}})
