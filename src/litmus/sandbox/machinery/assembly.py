"""The machinery put together: a registry with the rules of all kinds, over a store of its own."""

from collections.abc import Callable
from datetime import UTC, datetime

from . import resources
from .behaviour import Behaviour
from .objects import Obj
from .options import Options
from .registry import Registry
from .resources import Resource
from .store import Store
from .strategies import metadata

SERVICE_RANGE = "127.96.128.0/17"


def _admit(operation: str, resource: Resource, obj: Obj, old: Obj | None, *, subresource: str, asked: Options) -> None:
    return None


def assemble(
    *,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    service_range: str = SERVICE_RANGE,
    store: Store | None = None,
) -> Registry:
    """A registry of the built-in kinds and of the definitions in ``store``, which is a new one if need be.

    ``now``: the clock, in UTC; ``service_range``: where services get their addresses.
    """
    behaviour = Behaviour()
    registry = Registry(
        store=store or Store(),
        catalogue=resources.built_in(),
        behaviour=behaviour,
        meta_rules=metadata,
        admit=_admit,
        now=now,
    )
    behaviour.attach(registry)
    return registry
