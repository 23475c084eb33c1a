"""The ports that are open at the moment, brought in line with the table of routes."""

import errno
import logging
from collections.abc import Mapping
from typing import Protocol

from litmus.sandbox.machinery import ports

from . import datagrams, streams
from .balance import Balancer
from .routes import Place, Route

log = logging.getLogger(__name__)


class _Listener(Protocol):
    @property
    def balancer(self) -> Balancer: ...
    async def open(self, address: str, port: int) -> None: ...
    def close(self) -> None: ...


class Listeners:
    """``open`` on the places of a table; whose route has changed goes on with the new one."""

    def __init__(self) -> None:
        self._open: dict[Place, _Listener] = {}
        self._connections = streams.Connections()

    @property
    def places(self) -> list[Place]:
        return sorted(self._open)

    async def follow(self, table: Mapping[Place, Route]) -> dict[Place, str]:
        """Close what is no longer in the table, open what is new; returns why places could not be opened."""
        for place in [place for place in self._open if place not in table]:
            self._open.pop(place).close()
        failures: dict[Place, str] = {}
        for place, route in table.items():
            if place in self._open:
                self._open[place].balancer.route = route
                continue
            listener = self._listener(place, Balancer(route))
            try:
                await listener.open(place.address, ports.reachable(place.port))
            except OSError as problem:
                failures[place] = _why(place, problem)
                continue
            self._open[place] = listener
        return failures

    def _listener(self, place: Place, balancer: Balancer) -> _Listener:
        if place.protocol == "UDP":
            return datagrams.Listener(balancer)
        return streams.Listener(balancer, self._connections)

    def close(self) -> None:
        """Everything, the connections too."""
        for listener in self._open.values():
            listener.close()
        self._open.clear()
        self._connections.abort()


def _why(place: Place, problem: OSError) -> str:
    where = f"{place.address}:{ports.reachable(place.port)}"
    if problem.errno == errno.EADDRINUSE:
        return f"{where} is in use by another program"
    return f"cannot listen on {where}: {problem.strerror or problem}"
