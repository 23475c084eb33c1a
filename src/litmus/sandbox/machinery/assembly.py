"""The machinery put together: a registry with the rules of all kinds, over a store of its own."""

from collections.abc import Callable
from datetime import UTC, datetime

from . import resources, schemas, strategies
from .objects import Obj
from .options import Options
from .registry import Registry
from .resources import Resource
from .store import Store
from .strategies import metadata


def _admit(operation: str, resource: Resource, obj: Obj, old: Obj | None, *, subresource: str, asked: Options) -> None:
    return None


def assemble(*, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Registry:
    """A registry of the built-in kinds with an empty store. ``now``: the clock, in UTC."""
    return Registry(
        store=Store(),
        catalogue=resources.built_in(),
        strategy=strategies.of,
        meta_rules=metadata,
        decode=schemas.decode,
        admit=_admit,
        now=now,
    )
