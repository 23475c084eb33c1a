"""How each resource behaves: built-in kinds by their strategies and types, custom ones by their definitions.

The definitions in the store decide which custom resources there are; whoever changes one changes the catalogue in the
same write.
"""

from . import crds, schemas, strategies
from .objects import Obj
from .options import Options
from .registry import Registry
from .resources import Resource
from .schemas import Schema
from .store import DELETED, Event
from .strategies import Strategy

DEFINITIONS = "customresourcedefinitions.apiextensions.k8s.io"


_PLAIN = Strategy()


class Behaviour:
    """Answers the registry's questions about a resource."""

    def __init__(self) -> None:
        self._definitions: Strategy = Strategy()
        self._custom: dict[Resource, crds.CustomStrategy] = {}

    def attach(self, registry: Registry) -> None:
        """Follows the definitions in the registry's store, those that are there included."""
        self._definitions = crds.DefinitionStrategy(registry.catalogue, now=registry.now)

        def follow(event: Event) -> None:
            self._sync(registry, event.previous, None if event.type == DELETED else event.obj)

        registry.store.subscribe(DEFINITIONS, follow)
        for definition in registry.store.list(DEFINITIONS):
            self._sync(registry, None, definition)

    def _sync(self, registry: Registry, old: Obj | None, new: Obj | None) -> None:
        about = new or old or {}
        names = about["spec"]["names"]["plural"], about["spec"]["group"]
        self._custom = {known: how for known, how in self._custom.items() if (known.plural, known.group) != names}
        self._custom |= crds.sync(registry.catalogue, old, new)

    def strategy(self, resource: Resource) -> Strategy:
        """What is special about the kind."""
        if resource.custom:
            return self._custom.get(resource, _PLAIN)  # its definition was deleted a moment ago
        return self._definitions if resource.qualified == DEFINITIONS else strategies.of(resource)

    def custom(self, resource: Resource) -> crds.CustomStrategy | None:
        """How a custom resource behaves; None for a built-in one."""
        return self._custom.get(resource)

    def decode(self, resource: Resource, obj: Obj, *, asked: Options) -> Obj:
        """A private copy of what was sent, checked for types and unknown fields. Raises Refusal (400)."""
        custom = self._custom.get(resource)
        return custom.decode(obj, asked=asked) if custom else schemas.decode(resource, obj, asked=asked)

    def schema(self, resource: Resource) -> Schema | None:
        """For patches and the ownership of fields."""
        custom = self._custom.get(resource)
        return custom.schema if custom else schemas.of(resource.group, resource.version, resource.kind)
