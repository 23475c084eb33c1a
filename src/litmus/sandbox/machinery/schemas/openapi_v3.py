"""``/openapi/v3``: an index, and one document for each group and version.

A client keeps a document by the hash in its address, so the hash changes with what the document says.
Source: the Kubernetes documentation, "The Kubernetes API", OpenAPI V3.
"""

import hashlib
import json
from collections.abc import Iterable
from importlib.metadata import version as installed

from litmus.sandbox.machinery import status
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.resources import Catalogue, Resource

from . import openapi_custom, openapi_parts, openapi_paths, openapi_types


def path(group: str, version: str) -> str:
    """``api/v1``, ``apis/apps/v1``: a document's name in the index."""
    return f"apis/{group}/{version}" if group else f"api/{version}"


def index_v3(catalogue: Catalogue, crds: Iterable[Obj] = ()) -> Obj:
    """The index: where each document is."""
    known = openapi_parts.by_name(crds)
    served: dict[str, list[Resource]] = {}
    for resource in catalogue:
        served.setdefault(path(resource.group, resource.version), []).append(resource)
    return {
        "paths": {
            name: {"serverRelativeURL": f"/openapi/v3/{name}?hash={_hash(resources, known)}"}
            for name, resources in sorted(served.items())
        }
    }


def document_v3(catalogue: Catalogue, group: str, version: str, crds: Iterable[Obj] = ()) -> Obj:
    """The document of a group and version. Raises Refusal (404) for one that is not served."""
    resources = [one for one in catalogue if (one.group, one.version) == (group, version)]
    if not resources:
        raise status.path_not_found()
    known = openapi_parts.by_name(crds)
    paths: Obj = {}
    schemas: Obj = {}
    for resource in resources:
        paths |= openapi_paths.of(resource, "v3")
        if resource.custom and resource.qualified in known:
            schemas |= openapi_custom.of(resource, known[resource.qualified], "v3")
    needed = openapi_types.closure(openapi_parts.roots(resources))
    schemas |= {name: openapi_types.definition(name, "v3") for name in needed}
    return {
        "openapi": "3.0.0",
        "info": openapi_parts.INFO,
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "securitySchemes": {"BearerToken": openapi_parts.BEARER},
        },
    }


def _hash(resources: list[Resource], crds: dict[str, Obj]) -> str:
    """Of what the document is made from; that is much less than the document."""
    parts = [installed("lightkube-models"), *map(repr, resources)]
    parts += [json.dumps(crds[one.qualified]["spec"], sort_keys=True) for one in resources if one.qualified in crds]
    return hashlib.sha512("\n".join(parts).encode()).hexdigest().upper()
