"""``componentstatuses``: the parts of the control plane, all in this process and therefore well.

Source: k8s.io/kubernetes/pkg/registry/core/componentstatus.
"""

from starlette.responses import Response

from litmus.sandbox.apiserver import answers, handlers
from litmus.sandbox.apiserver.call import Call
from litmus.sandbox.machinery import status
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.options import Listing

_MESSAGES = {"controller-manager": "ok", "etcd-0": "ok", "scheduler": "ok"}


def _component(name: str) -> Obj:
    condition = {"type": "Healthy", "status": "True", "message": _MESSAGES[name]}
    return {"kind": "ComponentStatus", "apiVersion": "v1", "metadata": {"name": name}, "conditions": [condition]}


async def serve(call: Call) -> Response:
    """Raises Refusal 404 and 405."""
    if call.info.verb not in call.known.verbs:
        raise handlers.method_not_allowed()
    if not call.info.name:
        listing = Listing(items=[_component(name) for name in _MESSAGES], revision=call.registry.store.revision)
        return answers.many(call, listing)
    if call.info.name not in _MESSAGES:
        raise status.Refusal(404, "NotFound", f"Component not found: {call.info.name}", name=call.info.name)
    return answers.one(call, _component(call.info.name))
