"""NamespaceLifecycle: nothing is made in a namespace that is not there or is going, and some namespaces stay.

Source: documentation "Admission Control in Kubernetes", NamespaceLifecycle; k8s.io/apiserver/pkg/admission/plugin.
"""

from litmus.sandbox.machinery import objects, status

from .request import CREATE, DELETE, Request

IMMORTAL = ("default", "kube-system", "kube-public")
_REVIEWS = ("localsubjectaccessreviews.authorization.k8s.io",)


def admit(request: Request) -> None:
    """Raises Refusal 404 for a missing namespace, 403 for one that is ending or may not end."""
    if request.resource.qualified == "namespaces":
        if request.operation == DELETE and request.name in IMMORTAL:
            raise request.forbidden("this namespace may not be deleted")
        return
    if request.operation != CREATE or not request.namespace or request.resource.qualified in _REVIEWS:
        return
    namespace = request.reader.get("namespaces", request.namespace)
    if namespace is None:
        raise status.not_found("namespaces", "", request.namespace)
    if objects.leaving(namespace) or (namespace.get("status") or {}).get("phase") == "Terminating":
        raise _ending(request)


def _ending(request: Request) -> status.Refusal:
    why = f"unable to create new content in namespace {request.namespace} because it is being terminated"
    plain = request.forbidden(why)
    cause = {
        "reason": "NamespaceTerminating",
        "message": f"namespace {request.namespace} is being terminated",
        "field": "metadata.namespace",
    }
    return status.Refusal(403, "Forbidden", plain.message, **plain.details, causes=[cause])
