"""From the body of a PATCH to a patch that the registry applies."""

from litmus.sandbox.machinery import patches, schemas
from litmus.sandbox.machinery.registry import Patch
from litmus.sandbox.machinery.resources import Resource
from litmus.sandbox.machinery.schemas import Schema

APPLY = patches.APPLY


def read(media_type: str, body: bytes, resource: Resource) -> Patch:
    """Raises Refusal 400, 413 and 415."""
    return patches.read(media_type, body, resource, shapes=_shape)


def _shape(resource: Resource) -> Schema | None:
    return None if resource.custom else schemas.of(resource.group, resource.version, resource.kind)
