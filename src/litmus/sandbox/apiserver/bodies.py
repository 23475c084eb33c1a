"""From the bytes of a request to an object of the expected kind.

Source: k8s.io/apimachinery/pkg/runtime/serializer and k8s.io/apiserver/pkg/endpoints/handlers (create.go, rest.go,
transformDecodeError): media types, defaults for a missing kind, and what is said about a wrong one.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from litmus.sandbox.apiserver import protobuf
from litmus.sandbox.apiserver.negotiation import JSON, PROTOBUF, YAML
from litmus.sandbox.machinery import schemas, status
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.patches import reading
from litmus.sandbox.machinery.resources import Resource
from litmus.sandbox.machinery.status import Refusal

_SUMMARY = 30  # characters of a body that an error shows
_SCHEME = '"k8s.io/kubernetes/pkg/api/legacyscheme/scheme.go:30"'
_UNKNOWN_FORMAT = "the body of the request was in an unknown format - accepted media types include: "


def unknown_format(accepted: Sequence[str] = (JSON, YAML, PROTOBUF)) -> Refusal:
    """415: none of the media types that the endpoint reads."""
    return status.unsupported_media_type(_UNKNOWN_FORMAT + ", ".join(accepted))


def media_type(content_type: str) -> str:
    """The media type of a Content-Type header; JSON when there is none."""
    return content_type.partition(";")[0].strip().lower() or JSON


def parse(body: bytes, content_type: str) -> Any:
    """Whatever the body says. Raises ValueError with what is wrong, and Refusal 415."""
    kind = media_type(content_type)
    if kind == JSON:
        return _json(body)
    if kind == YAML:
        return reading.from_yaml(body)
    if kind == PROTOBUF:
        return protobuf.decode(body)
    raise unknown_format()


def _json(body: bytes) -> Any:
    try:
        try:
            return reading.bounded(msgspec.json.decode(body))
        except (msgspec.DecodeError, RecursionError):
            return reading.from_json(body)  # slower, and finds Go's words for what is wrong
    except reading.Malformed as error:
        raise ValueError(f"json parse error: {error}") from error


def decode(body: bytes, content_type: str, expected: Resource, *, versions: Sequence[str] = ()) -> Obj:
    """The object, with its kind and apiVersion filled in where a built-in kind lacks them.

    ``versions``: further apiVersions under which the kind may come. Raises Refusal 400, 415, 422.
    """
    try:
        found = parse(body, content_type)
    except ValueError as error:
        raise _unrecognized(expected, f"couldn't get version/kind; {error}", body) from error
    if not isinstance(found, dict):
        raise _unrecognized(expected, no_kind(found), body)
    _check_kind(found, expected, (expected.group_version, *versions))
    return found


def no_kind(found: Any) -> str:
    """What is said about something that is no object at all."""
    kind = r'struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }'
    said = f"json: cannot unmarshal {reading.go_kind(found)} into Go value of type {kind}"
    return f"couldn't get version/kind; json parse error: {said}"


def _unrecognized(expected: Resource, why: str, body: bytes) -> Refusal:
    shown = body.decode(errors="replace")[:_SUMMARY] + ("..." if len(body) > _SUMMARY else "")
    message = f"the object provided is unrecognized (must be of type {expected.kind}): {why} ({shown or '<empty>'})"
    return status.bad_request(message)


def _check_kind(found: Obj, expected: Resource, versions: Sequence[str]) -> None:
    kind, version = found.get("kind"), found.get("apiVersion")
    if expected.custom:
        _check_custom(found, expected)
        return
    if kind == expected.kind and version in versions:
        return
    if not kind:
        found["kind"] = kind = expected.kind
    if not version:
        found["apiVersion"] = version = expected.group_version
    if kind == expected.kind and version in versions:
        return
    group, _, bare = str(version).rpartition("/")
    said = f'{kind} in version "{bare}" cannot be handled as a {expected.kind}: '
    if schemas.of(group, bare, str(kind)) is not None:
        internal = f"{_package(expected.group)}.{expected.kind}"
        raise status.bad_request(f"{said}converting ({bare}.{kind}) to ({internal}): unknown conversion")
    raise status.bad_request(f'{said}no kind "{kind}" is registered for version "{version}" in scheme {_SCHEME}')


def _package(group: str) -> str:
    """The Go package of a group's internal types: core, apps, rbac."""
    return group.partition(".")[0] or "core"


def _check_custom(found: Obj, expected: Resource) -> None:
    for field, name in (("kind", "Kind"), ("apiVersion", "apiVersion")):
        if not found.get(field):
            text = msgspec.json.encode(found).decode()
            said = f'{expected.kind} in version "{expected.version}" cannot be handled as a {expected.kind}: '
            raise status.bad_request(f"{said}unmarshalerDecoder: Object '{name}' is missing in '{text}'")
    version, kind = found["apiVersion"], found["kind"]
    if version != expected.group_version:
        message = f"the API version in the data ({version}) does not match the expected API version"
        raise status.bad_request(f"{message} ({expected.group_version})")
    if kind != expected.kind:
        name = (found.get("metadata") or {}).get("name", "")
        cause = status.invalid_value("kind", kind, f"must be {expected.kind}")
        raise status.invalid(kind, expected.group, name, [cause])
