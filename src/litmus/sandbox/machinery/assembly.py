"""The machinery put together: a registry with the rules of all kinds, over a store of its own."""

from collections.abc import Callable
from datetime import UTC, datetime

from . import admission, resources
from .behaviour import Behaviour
from .registry import Registry
from .store import Store
from .strategies import metadata

SERVICE_RANGE = "127.96.128.0/17"


def assemble(
    *,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    service_range: str = SERVICE_RANGE,
    store: Store | None = None,
) -> Registry:
    """A registry of the built-in kinds and of the definitions in ``store``, which is a new one if need be.

    ``now``: the clock, in UTC; ``service_range``: where services get their addresses.
    """
    behaviour, catalogue, store = Behaviour(), resources.built_in(), store or Store()
    registry = Registry(
        store=store,
        catalogue=catalogue,
        behaviour=behaviour,
        meta_rules=metadata,
        admit=admission.chain(admission.StoreReader(store, catalogue), service_range=service_range),
        now=now,
    )
    behaviour.attach(registry)
    return registry
