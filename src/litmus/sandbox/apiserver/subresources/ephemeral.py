"""``/ephemeralcontainers``: read as the pod; a node of the sandbox cannot add containers to a running pod.

Source: the documentation "Ephemeral Containers".
"""

from starlette.responses import Response

from litmus.sandbox.apiserver import answers
from litmus.sandbox.apiserver.call import Call
from litmus.sandbox.machinery import status

_WHY = (
    "nodes of the sandbox cannot add an ephemeral container to a running pod; "
    "use kubectl exec, or kubectl debug --copy-to to debug a copy of the pod"
)


async def get(call: Call) -> Response:
    """Raises Refusal 404."""
    return answers.one(call, call.registry.get(call.known, call.key))


async def refuse(call: Call) -> Response:
    """Raises Refusal 403, and 404 for a pod that is not there."""
    call.registry.get(call.known, call.key)
    raise status.forbidden("pods", "", call.info.name, _WHY)
