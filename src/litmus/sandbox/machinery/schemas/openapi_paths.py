"""The paths of the OpenAPI documents: which requests a resource takes, with which parameters.

Clients look here for what a PATCH understands (``fieldValidation``, ``dryRun``), and for the kind behind a path.
Source: the Kubernetes API reference, "Operations", and the documents that a real server publishes.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.resources import Resource

from . import definitions, openapi_custom
from .openapi_types import PATCH, Dialect, reference

_STATUS, _DELETE = f"{definitions.META}.Status", f"{definitions.META}.DeleteOptions"
_SCALE = "io.k8s.api.autoscaling.v1.Scale"
_TYPES = ("application/json", "application/yaml", "application/vnd.kubernetes.protobuf")
_CUSTOM_TYPES = _TYPES[:2]
_PATCH_TYPES = (
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
    "application/apply-patch+cbor",
)
_CUSTOM_PATCH_TYPES = tuple(one for one in _PATCH_TYPES if "strategic" not in one)
_WRITE = ("dryRun", "fieldManager", "fieldValidation")
_LIST = (
    "allowWatchBookmarks", "continue", "fieldSelector", "labelSelector", "limit", "resourceVersion",
    "resourceVersionMatch", "sendInitialEvents", "timeoutSeconds", "watch",
)  # fmt: skip
_DELETION = ("dryRun", "gracePeriodSeconds", "orphanDependents", "propagationPolicy")
_PARAMETERS = {
    "allowWatchBookmarks": ("boolean", "Asks for BOOKMARK events in a watch."),
    "continue": ("string", "The token of the last page of a list, to go on from there."),
    "dryRun": ("string", "All: everything is done except that nothing is stored."),
    "fieldManager": ("string", "Whose change this is, at most 128 printable characters."),
    "fieldSelector": ("string", "Only objects whose fields match."),
    "fieldValidation": ("string", "What becomes of unknown and repeated fields: Ignore, Warn or Strict."),
    "force": ("boolean", "Server-side apply only: take fields that somebody else owns."),
    "gracePeriodSeconds": ("integer", "Seconds until the object goes; 0 at once."),
    "labelSelector": ("string", "Only objects whose labels match."),
    "limit": ("integer", "At most so many objects in one answer."),
    "orphanDependents": ("boolean", "Deprecated in favour of propagationPolicy."),
    "pretty": ("string", "true: the answer is indented."),
    "propagationPolicy": ("string", "What becomes of dependents: Orphan, Background or Foreground."),
    "resourceVersion": ("string", "Not older than this version."),
    "resourceVersionMatch": ("string", "How resourceVersion is meant in a list."),
    "sendInitialEvents": ("boolean", "A watch begins with what there is."),
    "timeoutSeconds": ("integer", "How long a list or watch goes on at most."),
    "watch": ("boolean", "Follow the changes instead of listing."),
}
_SHARED = {
    "name": "The name of the object.",
    "namespace": "The namespace of the object.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One request. ``body``, ``answer``: definitions, '' for none; ``gvk``: the kind that it concerns."""

    method: str
    action: str
    id: str
    gvk: tuple[str, str, str]
    answer: str
    body: str = ""
    query: tuple[str, ...] = ()
    custom: bool = False


def of(resource: Resource, dialect: Dialect) -> dict[str, Obj]:
    """Path → its requests."""
    return {path: _item(path, operations, dialect) for path, operations in _operations(resource)}


def definition(resource: Resource) -> str:
    """The name of the definition of a resource's kind."""
    if resource.custom:
        return openapi_custom.name(resource)
    return definitions.named(definitions.module(resource.group, resource.version), resource.kind)


def _operations(resource: Resource) -> Iterator[tuple[str, list[Operation]]]:
    root = f"/apis/{resource.group_version}" if resource.group else f"/api/{resource.version}"
    place = "/namespaces/{namespace}" if resource.namespaced else ""
    base = f"{root}{place}/{resource.plural}"
    collection = list(_collection(resource))
    if collection:
        yield base, collection
    if resource.namespaced and "list" in resource.verbs:
        yield f"{root}/{resource.plural}", [_list(resource, f"{resource.kind}ForAllNamespaces", namespaced=False)]
    single = list(_single(resource))
    if single:
        yield f"{base}/{{name}}", single
    for word in resource.subresources:
        yield f"{base}/{{name}}/{word}", list(_subresource(resource, word))
    for word, (kind, answer) in _CREATED_BELOW.items():
        if word in resource.connects and not resource.custom:
            yield f"{base}/{{name}}/{word}", [_created_below(resource, word, kind, answer)]


def _operation(resource: Resource, method: str, action: str, id_: str, **more: object) -> Operation:
    gvk = (resource.group, resource.version, resource.kind)
    details: dict[str, object] = {"gvk": gvk, "custom": resource.custom, "answer": definition(resource), **more}
    return Operation(method=method, action=action, id=id_, **details)  # type: ignore[arg-type]


def _id(resource: Resource, verb: str, rest: str = "", *, namespaced: bool | None = None) -> str:
    inside = resource.namespaced if namespaced is None else namespaced
    group = _camel(resource.group)
    return f"{verb}{group[0].upper()}{group[1:]}{resource.version.capitalize()}{'Namespaced' if inside else ''}{rest}"


def _camel(group: str) -> str:
    """``rbacAuthorization``, ``core``: a group in the ids of requests."""
    first, *rest = (group.removesuffix(".k8s.io") or "core").replace("-", ".").split(".")
    return first + "".join(word.capitalize() for word in rest)


def _list(resource: Resource, rest: str, *, namespaced: bool) -> Operation:
    answer = f"{definition(resource)}List"
    return _operation(
        resource, "get", "list", _id(resource, "list", rest, namespaced=namespaced), answer=answer, query=_LIST
    )


def _collection(resource: Resource) -> Iterator[Operation]:
    if "list" in resource.verbs:
        yield _list(resource, resource.kind, namespaced=resource.namespaced)
    if "create" in resource.verbs:
        id_ = _id(resource, "create", resource.kind)
        yield _operation(resource, "post", "post", id_, body=definition(resource), query=_WRITE)
    if "deletecollection" in resource.verbs:
        id_ = _id(resource, "deleteCollection", resource.kind, namespaced=resource.namespaced)
        query = tuple(sorted({*_LIST, *_DELETION} - {"watch", "allowWatchBookmarks"}))
        yield _operation(resource, "delete", "deletecollection", id_, answer=_STATUS, body=_DELETE, query=query)


def _single(resource: Resource) -> Iterator[Operation]:
    kind, name = resource.kind, definition(resource)
    if "get" in resource.verbs:
        yield _operation(resource, "get", "get", _id(resource, "read", kind))
    if "update" in resource.verbs:
        yield _operation(resource, "put", "put", _id(resource, "replace", kind), body=name, query=_WRITE)
    if "delete" in resource.verbs:
        id_ = _id(resource, "delete", kind)
        yield _operation(resource, "delete", "delete", id_, answer=_STATUS, body=_DELETE, query=_DELETION)
    if "patch" in resource.verbs:
        yield _operation(resource, "patch", "patch", _id(resource, "patch", kind), body=PATCH, query=(*_WRITE, "force"))


def _subresource(resource: Resource, word: str) -> Iterator[Operation]:
    rest = f"{resource.kind}{word.capitalize()}"
    scaled = word == "scale"
    shown: dict[str, object] = {"gvk": ("autoscaling", "v1", "Scale"), "answer": _SCALE} if scaled else {}
    body = _SCALE if scaled else definition(resource)
    yield _operation(resource, "get", "get", _id(resource, "read", rest), **shown)
    yield _operation(resource, "put", "put", _id(resource, "replace", rest), body=body, query=_WRITE, **shown)
    query = (*_WRITE, "force")
    yield _operation(resource, "patch", "patch", _id(resource, "patch", rest), body=PATCH, query=query, **shown)


# Subresources to which something is posted: its kind, and its definition.
_CREATED_BELOW = {
    "binding": (("", "v1", "Binding"), "io.k8s.api.core.v1.Binding"),
    "eviction": (("policy", "v1", "Eviction"), "io.k8s.api.policy.v1.Eviction"),
    "token": (("authentication.k8s.io", "v1", "TokenRequest"), "io.k8s.api.authentication.v1.TokenRequest"),
}


def _created_below(resource: Resource, word: str, kind: tuple[str, str, str], answer: str) -> Operation:
    id_ = _id(resource, "create", f"{resource.kind}{word.capitalize()}")
    return _operation(resource, "post", "post", id_, gvk=kind, answer=answer, body=answer, query=_WRITE)


def _item(path: str, operations: list[Operation], dialect: Dialect) -> Obj:
    shared = [
        _parameter(word, ("string", text), dialect, place="path") | {"required": True}
        for word, text in _SHARED.items()
        if f"{{{word}}}" in path
    ]
    found: Obj = {one.method: _rendered(one, path, dialect) for one in operations}
    found["parameters"] = [*shared, _parameter("pretty", _PARAMETERS["pretty"], dialect)]
    return found


def _parameter(word: str, said: tuple[str, str], dialect: Dialect, *, place: str = "query") -> Obj:
    kind, text = said
    typed: Obj = {"type": kind, "uniqueItems": True}
    return {"name": word, "in": place, "description": text, **(typed if dialect == "v2" else {"schema": typed})}


def _rendered(one: Operation, path: str, dialect: Dialect) -> Obj:
    group, version, kind = one.gvk
    words = path.split("/")
    owner = _camel("" if words[1] == "api" else words[2])
    found: Obj = {
        "description": f"{one.action} {kind}",
        "operationId": one.id,
        "tags": [f"{owner}_{words[2] if words[1] == 'api' else words[3]}"],
        "x-kubernetes-action": one.action,
        "x-kubernetes-group-version-kind": {"group": group, "kind": kind, "version": version},
        "parameters": [_parameter(word, _PARAMETERS[word], dialect) for word in one.query],
    }
    return {**found, **(_traffic_v2(one, found) if dialect == "v2" else _traffic_v3(one))}


def _answers(one: Operation) -> list[tuple[str, str]]:
    more = {
        "post": [("201", "Created"), ("202", "Accepted")],
        "put": [("201", "Created")],
        "patch": [("201", "Created")],
    }
    return [("200", "OK"), *more.get(one.method, [])]


def _consumed(one: Operation) -> tuple[str, ...]:
    if one.method == "patch":
        return _CUSTOM_PATCH_TYPES if one.custom else _PATCH_TYPES
    return ("*/*",)


def _traffic_v2(one: Operation, found: Obj) -> Obj:
    parameters = list(found["parameters"])
    if one.body:
        required = {} if one.method == "delete" else {"required": True}
        parameters.insert(0, {"name": "body", "in": "body", **required, "schema": reference(one.body, "v2")})
    schema = reference(one.answer, "v2")
    return {
        "consumes": list(_consumed(one)),
        "produces": list(_CUSTOM_TYPES if one.custom else _TYPES),
        "schemes": ["https"],
        "parameters": parameters,
        "responses": {
            **{code: {"description": text, "schema": schema} for code, text in _answers(one)},
            "401": {"description": "Unauthorized"},
        },
    }


def _traffic_v3(one: Operation) -> Obj:
    content = {kind: {"schema": reference(one.answer, "v3")} for kind in (_CUSTOM_TYPES if one.custom else _TYPES)}
    found: Obj = {
        "responses": {
            **{code: {"description": text, "content": content} for code, text in _answers(one)},
            "401": {"description": "Unauthorized"},
        }
    }
    if one.body:
        body = {kind: {"schema": reference(one.body, "v3")} for kind in _consumed(one)}
        found["requestBody"] = {"content": body, **({} if one.method == "delete" else {"required": True})}
    return found
