"""Which container of a pod a request means, and whether the pod can be asked at all.

The refusals are those of the pod strategy of Kubernetes (pkg/registry/core/pod/strategy.go), found on a real server.
"""

from litmus.sandbox.machinery import objects, status
from litmus.sandbox.machinery.objects import Obj


def container(pod: Obj, name: str) -> str:
    """The container called so, or the only one of the pod, init containers not counted. Raises Refusal (400)."""
    spec, pod_name = pod.get("spec") or {}, objects.name(pod)
    kinds = ("initContainers", "containers", "ephemeralContainers")
    known = [each["name"] for kind in kinds for each in spec.get(kind) or []]
    if name:
        if name not in known:
            raise status.bad_request(f"container {name} is not valid for pod {pod_name}")
        return name
    mains: list[str] = [each["name"] for each in spec.get("containers") or []]
    if len(mains) != 1:
        choice = f", choose one of: [{' '.join(known)}]" if mains else ""
        raise status.bad_request(f"a container name must be specified for pod {pod_name}{choice}")
    return mains[0]


def require_node(pod: Obj) -> None:
    """Raises Refusal (400) while the pod has no node."""
    if not (pod.get("spec") or {}).get("nodeName"):
        raise status.bad_request(f"pod {objects.name(pod)} does not have a host assigned")


def full_name(pod: Obj) -> str:
    """``name_namespace``, as a kubelet speaks of a pod."""
    return f"{objects.name(pod)}_{objects.namespace(pod)}"


def over(pod: Obj) -> bool:
    """Whether none of its containers will run again."""
    return (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")
