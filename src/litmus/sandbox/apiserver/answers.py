"""How an object, a list, a refusal goes over the wire.

Source: k8s.io/apiserver/pkg/endpoints/handlers/response.go and responsewriters; the documentation "Resource
representations" for tables and partial objects, RFC 7234 §5.5 for warnings.
"""

import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, cast, get_args

import msgspec
import yaml
from starlette.responses import Response

from litmus.sandbox.apiserver import negotiation
from litmus.sandbox.apiserver.call import Call
from litmus.sandbox.apiserver.negotiation import Accepted
from litmus.sandbox.machinery import conversion, status, tables
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.options import Listing
from litmus.sandbox.machinery.resources import Resource
from litmus.sandbox.machinery.status import Refusal

# Refusals that Kubernetes makes of the HTTP code alone carry details, be they empty.
_WITH_DETAILS = ("NotFound", "MethodNotAllowed", "Forbidden")
_GENERIC_DETAILS = (
    "406: Not Acceptable",
    "415: Unsupported Media Type",
    "the server rejected our request due to an error in our request",
)
_RETRY_AFTER_S = "retryAfterSeconds"


def encoded(content: Any, accept: Accepted) -> bytes:
    """The bytes of a JSON value in the form asked for."""
    if accept.media_type == negotiation.YAML:
        text: str = yaml.dump(content, Dumper=yaml.CSafeDumper, sort_keys=True, allow_unicode=True)
        return text.encode()
    if accept.pretty:
        return json.dumps(content, indent=2, ensure_ascii=False).encode()
    return msgspec.json.encode(content) + b"\n"


def respond(
    content: Any, accept: Accepted, *, code: int = 200, warnings: Sequence[str] = (), headers: Mapping[str, str] = {}
) -> Response:
    """An answer of this content, whatever it is."""
    response = Response(encoded(content, accept), status_code=code, media_type=accept.media_type)
    finish(response, warnings)
    for name, value in headers.items():
        response.headers[name] = value
    return response


def finish(response: Response, warnings: Sequence[str] = ()) -> None:
    """Adds what every answer carries, and the warnings to the client."""
    response.headers["audit-id"] = str(uuid.uuid4())
    response.headers["cache-control"] = "no-cache, private"
    warn(response, warnings)


def warn(response: Response, warnings: Sequence[str]) -> None:
    """Adds warnings to the client, each once."""
    for warning in dict.fromkeys(warnings):
        quoted = json.dumps(" ".join(warning.split()), ensure_ascii=True)
        response.raw_headers.append((b"warning", f"299 - {quoted}".encode()))


def text(content: str, *, code: int = 200, media_type: str = "text/plain") -> Response:
    """An answer in words."""
    response = Response(content, status_code=code, media_type=media_type)
    response.headers["x-content-type-options"] = "nosniff"
    finish(response)
    return response


def refused(refusal: Refusal, accept: Accepted | None = None) -> Response:
    """A Status object."""
    shown = refusal.status
    if refusal.reason in _WITH_DETAILS or refusal.message in _GENERIC_DETAILS:
        code = shown.pop("code")
        shown.setdefault("details", {})
        shown["code"] = code
    headers = {}
    if refusal.details.get(_RETRY_AFTER_S):
        headers["retry-after"] = str(refusal.details[_RETRY_AFTER_S])
    return respond(shown, accept or Accepted(), code=refusal.code, headers=headers)


def page_not_found() -> Response:
    """What answers below /apis for a group or version that nobody serves."""
    return text("404 page not found\n", code=404)


def success(
    call: Call, details: Mapping[str, str] | None = None, *, code: int = 200, warnings: Sequence[str] = ()
) -> Response:
    """A Status that says Success, about the object of the details."""
    shown: Obj = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
    if details:
        shown["details"] = {name: value for name, value in details.items() if value}
    if code != 200:
        shown["code"] = code
    return respond(shown, call.accepted(), code=code, warnings=warnings)


def one(call: Call, obj: Obj, *, code: int = 200, warnings: Sequence[str] = (), table: bool = True) -> Response:
    """An object. ``table``: whether its resource has columns. Raises Refusal 406."""
    accept = call.accepted(table=table)
    return respond(as_asked(call, accept, call.known, obj), accept, code=code, warnings=warnings)


def as_asked(call: Call, accept: Accepted, resource: Resource, obj: Obj) -> Obj:
    """The object itself, its metadata or its row. Raises Refusal 406."""
    if accept.transform == "Table":
        return table(call, resource, [obj], {"resourceVersion": obj.get("metadata", {}).get("resourceVersion", "")})
    if accept.transform == "PartialObjectMetadata":
        return tables.partial(obj)
    if accept.transform == "PartialObjectMetadataList":
        message = (
            f"you requested PartialObjectMetadataList, but the requested object is not a list (*core.{resource.kind})"
        )
        raise negotiation.unacceptable(message)
    return ordered(obj)


def ordered(obj: Obj) -> Obj:
    """With kind and apiVersion first, as people expect to read it."""
    if next(iter(obj), None) == "kind":
        return obj
    return {"kind": obj.get("kind"), "apiVersion": obj.get("apiVersion"), **obj}


def many(call: Call, listing: Listing) -> Response:
    """A list. Raises Refusal 406."""
    accept, resource = call.accepted(), call.known
    meta: Obj = {"resourceVersion": str(listing.revision)}
    if listing.continue_:
        meta["continue"] = listing.continue_
    if listing.remaining:
        meta["remainingItemCount"] = listing.remaining
    if accept.transform == "Table":
        return respond(table(call, resource, listing.items, meta), accept)
    if accept.transform == "PartialObjectMetadataList":
        items = [tables.partial(obj) for obj in listing.items]
        content = {"kind": "PartialObjectMetadataList", "apiVersion": tables.META, "metadata": meta, "items": items}
        return respond(content, accept)
    if accept.transform:
        said = f"you requested PartialObjectMetadata, but the requested object is a list (*core.{resource.kind}List)"
        raise negotiation.unacceptable(said)
    items = listing.items
    if resource.custom:
        meta.setdefault("continue", "")  # their lists say it on the last page, too
    else:  # the list says kind and apiVersion for all of them
        items = [{name: value for name, value in obj.items() if name not in ("kind", "apiVersion")} for obj in items]
    kind = {"kind": f"{resource.kind}List", "apiVersion": resource.group_version}
    return respond({**kind, "metadata": meta, "items": items}, accept)


def table(call: Call, resource: Resource, found: Sequence[Obj], meta: Obj, *, columns: bool = True) -> Obj:
    """A Table of the objects. Raises Refusal 400."""
    include = call.query.get("includeObject") or "Metadata"
    if include not in get_args(tables.Include):
        raise status.bad_request(
            f"Unable to convert to Table as requested: includeObject: Invalid value: {status.shown(include)}: "
            "must be 'Metadata', 'Object', 'None', or empty"
        )
    if resource.stored_as:  # columns speak of the form in which objects are stored
        found = [conversion.to_storage(resource, obj, version=resource.storage_api_version) for obj in found]
    return tables.of(
        resource,
        found,
        now=call.services.now(),
        meta=meta,
        include=cast(tables.Include, include),
        columns=columns,
        custom=call.registry.behaviour.custom(resource),
    )
