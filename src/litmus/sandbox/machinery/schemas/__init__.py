"""The shapes of kinds: schemas for patches and apply, decoding of what clients send, and the OpenAPI documents.

``of`` answers for built-in kinds; the schema of a custom kind comes from its definition (``machinery.crds``).
Importing this is cheap: types are read when a kind is first asked for, texts when an OpenAPI document is.
"""

from collections.abc import Sequence

from litmus.sandbox.machinery import status
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.options import Options
from litmus.sandbox.machinery.resources import Resource

from . import built_in, decoding
from .decoding import Decoded, Mistyped
from .form import Schema, Struct

__all__ = [
    "Decoded",
    "Mistyped",
    "Schema",
    "Struct",
    "check",
    "decode",
    "handled",
    "object_meta",
    "of",
    "validate_fields",
]


def of(group: str, version: str, kind: str) -> Schema | None:
    """The schema of a built-in kind, None when there is no such kind."""
    return built_in.of(group, version, kind)


def object_meta() -> Schema:
    """The schema of ``metadata``."""
    found = built_in.of("", "v1", "Pod")
    assert found is not None
    return found.fields["metadata"]


def check(resource: Resource, obj: Obj) -> Decoded:
    """Reads an object of a built-in kind. Raises Refusal (400) for a value of a wrong type."""
    schema = of(resource.group, resource.version, resource.kind)
    if schema is None:
        raise status.internal(f"no schema for {resource.group_version}, Kind={resource.kind}")
    try:
        return decoding.decode(schema, obj)
    except Mistyped as why:
        raise handled(resource, str(why)) from why


def decode(resource: Resource, obj: Obj, *, asked: Options) -> Obj:
    """The decoder of built-in kinds for the registry: types checked, unknown fields dropped as ``asked`` says."""
    found = check(resource, obj)
    validate_fields(resource, found.unknown, asked=asked)
    return found.obj


def validate_fields(
    resource: Resource, unknown: Sequence[str], *, asked: Options, duplicate: Sequence[str] = ()
) -> None:
    """Field validation: Strict refuses (400) what is unknown or stands twice, Warn warns, Ignore is silent.

    Source: the API concepts, "Field validation".
    """
    said = [f'duplicate field "{path}"' for path in duplicate] + [f'unknown field "{path}"' for path in unknown]
    if not said or asked.field_validation == "Ignore":
        return
    if asked.field_validation == "Strict":
        raise handled(resource, f"strict decoding error: {', '.join(said)}")
    asked.warnings.extend(said)


def handled(resource: Resource, why: str) -> status.Refusal:
    """400: what was sent cannot be read as this kind."""
    kind = resource.kind
    return status.bad_request(f'{kind} in version "{resource.version}" cannot be handled as a {kind}: {why}')
