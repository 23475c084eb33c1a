"""``namespaces/<name>/finalize``: the one way to change ``spec.finalizers`` of a namespace.

Source: k8s.io/kubernetes/pkg/registry/core/namespace/storage (FinalizeREST).
"""

from starlette.responses import Response

from litmus.sandbox.apiserver import answers
from litmus.sandbox.apiserver.call import Call


async def serve(call: Call) -> Response:
    """Raises Refusal 400, 404, 409, 422."""
    asked = call.options()
    obj = await call.decoded(call.known, asked=asked)
    made = call.registry.update(call.known, call.key, obj, subresource="finalize", asked=asked)
    return answers.one(call, made, warnings=asked.warnings)
