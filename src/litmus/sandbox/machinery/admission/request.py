"""What a plug-in is asked: a write, who makes it, and a look at the rest of the cluster.

Source: k8s.io/apiserver/pkg/admission, Attributes.
"""

from dataclasses import dataclass
from typing import Protocol

from litmus.sandbox.machinery import status
from litmus.sandbox.machinery.objects import Key, Obj
from litmus.sandbox.machinery.options import Options, User
from litmus.sandbox.machinery.resources import Catalogue, Resource
from litmus.sandbox.machinery.store import Store

CREATE, UPDATE, DELETE = "CREATE", "UPDATE", "DELETE"
Objects = list[Obj]


class Reader(Protocol):
    """The cluster as a plug-in sees it; what it returns is shared and must not be changed."""

    def get(self, resource: str, name: str, namespace: str = "") -> Obj | None:
        """The object, or None."""

    def list(self, resource: str, namespace: str = "") -> Objects:
        """All objects, ``namespace`` '' means those of all namespaces."""


class StoreReader:
    """Reads where the objects lie. A resource that the catalogue does not know has no objects."""

    def __init__(self, store: Store, catalogue: Catalogue) -> None:
        self._store = store
        self._catalogue = catalogue

    def get(self, resource: str, name: str, namespace: str = "") -> Obj | None:
        storage = self._storage(resource)
        return self._store.get(storage, Key(namespace, name)) if storage else None

    def list(self, resource: str, namespace: str = "") -> Objects:
        storage = self._storage(resource)
        return self._store.list(storage, namespace) if storage else []

    def _storage(self, resource: str) -> str:
        try:
            return self._catalogue.named(resource).storage
        except status.Refusal:
            return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One write. ``obj`` may be changed in place, except in a deletion; ``old`` is shared."""

    operation: str
    resource: Resource
    subresource: str
    obj: Obj
    old: Obj | None
    namespace: str
    name: str
    user: User
    options: Options
    reader: Reader

    def creates(self, qualified: str) -> bool:
        """Whether it makes a new object of this resource."""
        return self.operation == CREATE and not self.subresource and self.resource.qualified == qualified

    def writes(self, qualified: str) -> bool:
        """Whether it makes or replaces an object of this resource."""
        return self.operation != DELETE and not self.subresource and self.resource.qualified == qualified

    def forbidden(self, why: str) -> status.Refusal:
        """The refusal (403) of this request."""
        return status.forbidden(self.resource.plural, self.resource.group, self.name, why)
