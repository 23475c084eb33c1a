"""The machinery put together: a registry with the rules of all kinds, over a store of its own."""

from collections.abc import Callable
from datetime import UTC, datetime

from . import objects, resources, status, strategies
from .objects import Obj
from .options import Options
from .registry import Registry
from .resources import Resource
from .store import Store


class _NoRules:
    def create_causes(self, resource: Resource, obj: Obj) -> list[status.Cause]:
        return []

    def update_causes(self, resource: Resource, new: Obj, old: Obj) -> list[status.Cause]:
        return []


def _decode(resource: Resource, obj: Obj, *, asked: Options) -> Obj:
    return objects.copy(obj)


def _admit(operation: str, resource: Resource, obj: Obj, old: Obj | None, *, subresource: str, asked: Options) -> None:
    return None


def assemble(*, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Registry:
    """A registry of the built-in kinds with an empty store. ``now``: the clock, in UTC."""
    return Registry(
        store=Store(),
        catalogue=resources.built_in(),
        strategy=lambda resource: strategies.Strategy(),
        meta_rules=_NoRules(),
        decode=_decode,
        admit=_admit,
        now=now,
    )
