"""From the body of a PATCH to a patch that the registry applies."""

from litmus.sandbox.machinery import patches
from litmus.sandbox.machinery.registry import Patch, Registry
from litmus.sandbox.machinery.resources import Resource

APPLY = patches.APPLY


def read(media_type: str, body: bytes, resource: Resource, *, registry: Registry) -> Patch:
    """Raises Refusal 400, 413 and 415."""
    return patches.read(media_type, body, resource, shapes=registry.behaviour.schema)
