"""DefaultTolerationSeconds: a pod stays five minutes on a node that has gone quiet, then it is evicted.

Source: documentation "Taints and Tolerations", "Taint based Evictions"; plugin/pkg/admission/defaulttolerationseconds.
"""

from litmus.sandbox.machinery.objects import Obj

from .request import Request

NOT_READY = "node.kubernetes.io/not-ready"
UNREACHABLE = "node.kubernetes.io/unreachable"
SECONDS = 300


def admit(request: Request) -> None:
    """Adds what the pod does not say itself."""
    if not request.writes("pods"):
        return
    spec = request.obj["spec"]
    given: list[Obj] = spec.get("tolerations", [])
    missing = [key for key in (NOT_READY, UNREACHABLE) if not any(_tolerates(toleration, key) for toleration in given)]
    added = [{"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": SECONDS} for key in missing]
    if added:
        spec["tolerations"] = [*given, *added]


def _tolerates(toleration: Obj, key: str) -> bool:
    return toleration.get("key", "") in ("", key) and toleration.get("effect", "") in ("", "NoExecute")
