"""``/binding``: a scheduler says on which node a pod is to run.

Source: k8s.io/kubernetes/pkg/registry/core/pod/storage (BindingREST, LegacyBindingREST) and ValidatePodBinding.
"""

from starlette.responses import Response

from litmus.sandbox.apiserver import answers, handlers
from litmus.sandbox.apiserver.call import Call
from litmus.sandbox.machinery import objects, status
from litmus.sandbox.machinery.objects import Key
from litmus.sandbox.machinery.resources import Resource
from litmus.sandbox.machinery.status import Refusal

BINDING = Resource(group="", version="v1", plural="bindings", singular="binding", kind="Binding")


async def serve(call: Call) -> Response:
    """POST pods/<name>/binding. Raises Refusal 400, 404, 409, 500."""
    return await _bind(call, call.info.name)


async def serve_legacy(call: Call) -> Response:
    """POST bindings: the pod is the one that the binding is called after."""
    if call.info.verb != "create" or not call.info.namespace or call.info.name:
        raise handlers.method_not_allowed()
    return await _bind(call, "")


async def _bind(call: Call, name: str) -> Response:
    asked = call.options()
    found = await call.read(BINDING, asked=asked)
    if name and objects.name(found) != name:
        raise status.bad_request("name in URL does not match name in Binding object")
    target = found.get("target") or {}
    causes = []
    if target.get("kind") not in (None, "", "Node"):
        supported = '"Node", "<empty>"'
        said = f"Unsupported value: {status.shown(target['kind'])}: supported values: {supported}"
        causes.append(f"target.kind: {said}")
    if not target.get("name"):
        causes.append("target.name: Required value")
    if causes:  # a defect of Kubernetes that clients see: these are no Invalid
        raise Refusal(500, "", causes[0] if len(causes) == 1 else f"[{', '.join(causes)}]")
    call.registry.bind(Key(call.info.namespace, objects.name(found)), target["name"], asked=asked)
    return answers.success(call, code=201, warnings=asked.warnings)
