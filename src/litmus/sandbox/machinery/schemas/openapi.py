"""The OpenAPI documents as they go over the wire, made when they are asked for and kept until they change.

Making the v2 document takes a quarter of a second, and old clients ask for it with every command.
"""

from collections.abc import Callable, Iterable

import msgspec

from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.resources import Catalogue

from . import openapi_protobuf, openapi_v2, openapi_v3


class Documents:
    """The documents about a catalogue. ``crds``: the definitions of its custom resources at the moment."""

    def __init__(self, catalogue: Catalogue, crds: Callable[[], Iterable[Obj]]) -> None:
        self._catalogue = catalogue
        self._crds = crds
        self._made: dict[str, tuple[str, bytes]] = {}

    def index(self) -> bytes:
        """``/openapi/v3``"""
        return msgspec.json.encode(openapi_v3.index_v3(self._catalogue, self._crds()))

    def v3(self, group: str, version: str) -> bytes:
        """``/openapi/v3/apis/GROUP/VERSION``, ``/openapi/v3/api/v1``. Raises Refusal (404)."""
        name = openapi_v3.path(group, version)
        addresses = openapi_v3.index_v3(self._catalogue, self._crds())["paths"]
        state = addresses.get(name, {}).get("serverRelativeURL", "")

        def make() -> bytes:
            return msgspec.json.encode(openapi_v3.document_v3(self._catalogue, group, version, self._crds()))

        return self._kept(name, state, make)

    def v2(self) -> bytes:
        """``/openapi/v2`` as JSON."""
        return self._kept("v2", self._state(), lambda: msgspec.json.encode(self._v2()))

    def v2_protobuf(self) -> bytes:
        """``/openapi/v2`` as protobuf (``openapi_protobuf.MEDIA_TYPES``)."""
        return self._kept("v2 protobuf", self._state(), lambda: openapi_protobuf.encode(self._v2()))

    def _v2(self) -> Obj:
        return openapi_v2.document_v2(self._catalogue, self._crds())

    def _state(self) -> str:
        """Says the same as long as all documents do."""
        return self.index().decode()

    def _kept(self, name: str, state: str, make: Callable[[], bytes]) -> bytes:
        found = self._made.get(name)
        if found is None or found[0] != state:
            found = self._made[name] = (state, make())
        return found[1]
