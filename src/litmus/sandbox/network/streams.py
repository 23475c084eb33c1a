"""Passing a TCP connection on: two sides, each of which writes what the other reads.

An end of sending (half close) is passed on as such, so that ``nc`` and HTTP/1.0 clients work; a broken side breaks the
other one, as a reset from the pod would. Nobody reads faster than the other side can write.
"""

import asyncio
import logging
import socket
import struct
from typing import cast

from litmus.sandbox.machinery import ports

from .balance import Balancer

log = logging.getLogger(__name__)

_BACKLOG = 1024
_TOO_MANY_S = 1.0  # until connections are accepted again after the files had run out
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: closing sends a reset


class _Side(asyncio.Protocol):
    """One of the two connections."""

    def __init__(self) -> None:
        self.other: _Side | None = None
        self.transport: asyncio.Transport | None = None
        self.ended = False  # its peer will say nothing more

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if self.other and self.other.transport:
            self.other.transport.write(data)

    def eof_received(self) -> bool:
        self.ended = True
        if self.other and self.other.transport and self.other.transport.can_write_eof():
            self.other.transport.write_eof()
        # The other direction goes on. When it has ended before, nothing is left to pass on, and both are closed.
        return not (self.other and self.other.ended)

    def pause_writing(self) -> None:
        if self.other and self.other.transport and not self.other.transport.is_closing():
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.other and self.other.transport and not self.other.transport.is_closing():
            self.other.transport.resume_reading()

    def connection_lost(self, error: Exception | None) -> None:
        if self.other and self.other.transport:
            if error:
                self.other.reset()
            else:
                self.other.transport.close()

    def reset(self) -> None:
        """Break the connection so that the peer notices at once."""
        if self.transport is None:
            return
        raw = self.transport.get_extra_info("socket")
        if raw is not None and raw.fileno() >= 0:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.transport.abort()


class _Front(_Side):
    """The side of the client; it finds itself a target when it is connected."""

    def __init__(self, balancer: Balancer, connections: "Connections") -> None:
        super().__init__()
        self._balancer = balancer
        self._connections = connections
        self._connecting: asyncio.Task[None] | None = None
        self._early = bytearray()  # what the client said before there was anybody to say it to
        self._early_end = False

    def data_received(self, data: bytes) -> None:
        if self.other is None:
            self._early += data  # no more than the socket gives at once: reading is paused, or about to be
        else:
            super().data_received(data)

    def eof_received(self) -> bool:
        self._early_end = self.other is None
        return super().eof_received()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if not self._connections.welcome(self):
            self.reset()
            return
        cast(asyncio.Transport, transport).pause_reading()
        self._connecting = asyncio.get_running_loop().create_task(self._connect())

    def connection_lost(self, error: Exception | None) -> None:
        self._connections.leave(self)
        if self._connecting is not None:
            self._connecting.cancel()
        super().connection_lost(error)

    async def _connect(self) -> None:
        assert self.transport is not None
        client = (self.transport.get_extra_info("peername") or ("",))[0]
        target = self._balancer.choose(client)
        back = _Side()
        back.other = self
        loop = asyncio.get_running_loop()
        try:
            await loop.create_connection(lambda: back, target.address, ports.reachable(target.port))
        except OSError:
            self.reset()
            return
        self.other = back
        self._connecting = None
        # Before 3.11.4 asyncio ignores a pause that connection_made asks for, so something may have come already.
        if self._early:
            super().data_received(bytes(self._early))
            self._early.clear()
        if self._early_end:
            super().eof_received()
        self.transport.resume_reading()


class Connections:
    """The connections of all listeners; they outlive the listener that they came through."""

    def __init__(self) -> None:
        self._fronts: set[_Front] = set()
        self._ended = False

    def welcome(self, front: _Front) -> bool:
        """A connection begins; one that was accepted at the very end comes too late."""
        if not self._ended:
            self._fronts.add(front)
        return not self._ended

    def leave(self, front: _Front) -> None:
        """A connection is over."""
        self._fronts.discard(front)

    def abort(self) -> None:
        """Break all of them, and those that come."""
        self._ended = True
        for front in list(self._fronts):
            front.reset()
            if front.other is not None:
                front.other.reset()


class Listener:
    """One open TCP port. Closing it leaves the connections that there are alone.

    It accepts by itself: an ``asyncio.Server`` that is closed loses what it has just accepted (Python 3.11), and the
    client would wait for ever.
    """

    def __init__(self, balancer: Balancer, connections: Connections) -> None:
        self.balancer = balancer
        self._connections = connections
        self._socket: socket.socket | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self, address: str, port: int) -> None:
        """Raises OSError when the port is not to be had."""
        self._socket = socket.create_server((address, port), backlog=_BACKLOG)
        self._socket.setblocking(False)
        self._listen()

    def _listen(self) -> None:
        if self._socket is not None:
            asyncio.get_running_loop().add_reader(self._socket, self._accept, self._socket)

    def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        try:
            accepted, _ = listening.accept()
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # asyncio does not see that this is TCP
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return
        except OSError as problem:  # too many open files: others must end first
            log.warning("connections to %s wait: %s", listening.getsockname(), problem)
            loop.remove_reader(listening)
            loop.call_later(_TOO_MANY_S, self._listen)
            return
        task = loop.create_task(self._adopt(accepted))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _adopt(self, accepted: socket.socket) -> None:
        accepted.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.connect_accepted_socket(lambda: _Front(self.balancer, self._connections), accepted)

    def close(self) -> None:
        """Connections are refused from now on."""
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()
            self._socket = None
