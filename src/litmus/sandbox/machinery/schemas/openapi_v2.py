"""``/openapi/v2``: all that is served in one Swagger document, which older clients read.

kubectl up to 1.2x asks for it as protobuf (``openapi_protobuf``).
Source: the Kubernetes documentation, "The Kubernetes API", OpenAPI V2.
"""

from collections.abc import Iterable

from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.resources import Catalogue

from . import openapi_custom, openapi_parts, openapi_paths, openapi_types


def document_v2(catalogue: Catalogue, crds: Iterable[Obj] = ()) -> Obj:
    """The document. ``crds``: the definitions of the custom resources in the catalogue."""
    known = openapi_parts.by_name(crds)
    paths: Obj = {}
    definitions: Obj = {}
    for resource in catalogue:
        paths |= openapi_paths.of(resource, "v2")
        if resource.custom and resource.qualified in known:
            definitions |= openapi_custom.of(resource, known[resource.qualified], "v2")
    needed = openapi_types.closure(openapi_parts.roots(catalogue))
    definitions |= {name: openapi_types.definition(name, "v2") for name in needed}
    return {
        "swagger": "2.0",
        "info": openapi_parts.INFO,
        "paths": dict(sorted(paths.items())),
        "definitions": dict(sorted(definitions.items())),
        "securityDefinitions": {"BearerToken": openapi_parts.BEARER},
        "security": [{"BearerToken": []}],
    }
