"""Passing datagrams on: every client gets a socket of its own towards one target, and the answers of that.

A client that is silent for a while is forgotten, as the kernel's connection tracking does for kube-proxy.
"""

import asyncio
from typing import cast

from litmus.sandbox.machinery import ports

from .balance import Balancer
from .routes import Target

IDLE_S = 120.0

Address = tuple[str, int]


class _Back(asyncio.DatagramProtocol):
    """The socket towards the target of one client."""

    def __init__(self, front: "Listener", client: Address) -> None:
        self._front, self._client = front, client
        self.transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: object) -> None:
        self._front.answer(data, self._client)

    def error_received(self, exc: Exception) -> None:
        """The target refuses; a client of UDP learns nothing, as through a real service."""


class Listener(asyncio.DatagramProtocol):
    """One open UDP port."""

    def __init__(self, balancer: Balancer) -> None:
        self.balancer = balancer
        self._transport: asyncio.DatagramTransport | None = None
        self._backs: dict[Address, tuple[Target, _Back]] = {}
        self._idle: dict[Address, asyncio.TimerHandle] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._lock = asyncio.Lock()  # one socket a client, however fast it sends

    async def open(self, address: str, port: int) -> None:
        """Raises OSError when the port is not to be had."""
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=(address, port))
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Address) -> None:
        task = asyncio.get_running_loop().create_task(self._pass_on(data, addr))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _pass_on(self, data: bytes, client: Address) -> None:
        async with self._lock:
            target, back = self._backs.get(client, (None, None))
            if back is None or target not in self.balancer.route.targets:
                self._forget(client)
                back = await self._connected(client)
        if back.transport is not None:
            back.transport.sendto(data)
        self._keep(client)

    async def _connected(self, client: Address) -> _Back:
        target = self.balancer.choose(client[0])
        back = _Back(self, client)
        remote = (target.address, ports.reachable(target.port))
        await asyncio.get_running_loop().create_datagram_endpoint(lambda: back, remote_addr=remote)
        self._backs[client] = (target, back)
        return back

    def answer(self, data: bytes, client: Address) -> None:
        """From the target back to its client."""
        if self._transport is not None:
            self._transport.sendto(data, client)
        self._keep(client)

    def _keep(self, client: Address) -> None:
        if client in self._idle:
            self._idle[client].cancel()
        self._idle[client] = asyncio.get_running_loop().call_later(IDLE_S, self._forget, client)

    def _forget(self, client: Address) -> None:
        timer = self._idle.pop(client, None)
        if timer is not None:
            timer.cancel()
        _, back = self._backs.pop(client, (None, None))
        if back is not None and back.transport is not None:
            back.transport.close()

    def close(self) -> None:
        """Datagrams have no connections that could live on."""
        for client in list(self._backs):
            self._forget(client)
        if self._transport is not None:
            self._transport.close()
