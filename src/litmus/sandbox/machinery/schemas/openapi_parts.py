"""What the OpenAPI documents of both dialects have in common."""

from collections.abc import Iterable, Iterator

from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.resources import Resource

from . import definitions, openapi_custom, openapi_paths
from .openapi_types import PATCH

INFO: Obj = {"title": "Kubernetes", "version": "v1.37.0"}
BEARER: Obj = {
    "type": "apiKey",
    "name": "authorization",
    "in": "header",
    "description": "Bearer Token authentication",
}
_SCALE = "io.k8s.api.autoscaling.v1.Scale"
_BELOW = {
    "binding": "io.k8s.api.core.v1.Binding",
    "eviction": "io.k8s.api.policy.v1.Eviction",
    "token": "io.k8s.api.authentication.v1.TokenRequest",
}


def by_name(crds: Iterable[Obj]) -> dict[str, Obj]:
    """Definitions of custom kinds by the qualified names of their resources."""
    return {crd["metadata"]["name"]: crd for crd in crds}


def roots(resources: Iterable[Resource]) -> set[str]:
    """The built-in definitions that the paths of these resources name."""
    found = {PATCH, f"{definitions.META}.Status", f"{definitions.META}.DeleteOptions"}
    for resource in resources:
        found.update(_roots(resource))
    return found


def _roots(resource: Resource) -> Iterator[str]:
    if resource.custom:
        yield from openapi_custom.built_in_needs()
    else:
        kind = openapi_paths.definition(resource)
        yield kind
        if "list" in resource.verbs:
            yield f"{kind}List"
        yield from (_BELOW[word] for word in resource.connects if word in _BELOW)
    if "scale" in resource.subresources:
        yield _SCALE
