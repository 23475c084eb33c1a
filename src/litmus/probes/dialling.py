"""A new connection for every request, and what goes wrong with it as one word out of a bounded set.

A kept connection would stay with the pod that it found first. The name is looked up anew once a second at most and by
one look-up at a time, because look-ups run in threads that can't be cancelled: with a broken name server they would
pile up. No proxy of the environment is used: the time until a proxy answers says little of the application.
"""

import asyncio
import errno
import socket
import ssl
from dataclasses import dataclass
from functools import lru_cache

from . import failures
from .aim import Aim
from .contract import ProbeError

FRESH_S = 1.0
# A name that could not be looked up may be there a moment later, and tells when the name server recovers.
_AGAIN_S = 0.1

# Above this rate, in requests a second, connections that we close first would use up the ports of this node.
_MANY = 100.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one request ended. ``error``: its kind, '' of a good one. ``observed``: for people; few different ones."""

    error: str
    observed: str


@lru_cache(maxsize=1024)
def outcome(error: str, observed: str) -> Outcome:
    """The same object for the same words, as hours of samples keep them."""
    return Outcome(error, observed)


@dataclass(slots=True)
class Trace:
    """What a request is doing now, so that one that takes too long can tell what it waited for."""

    doing: str = "dns"

    def too_long(self, timeout_s: float) -> Outcome:
        """Of a request that is given up now."""
        if self.doing == "dns":
            return outcome("dns", f"no name server answered within {timeout_s:g} s")
        return outcome("timeout", f"no {self.doing} within {timeout_s:g} s")


class Dialler:
    """Connects to one address, with TLS where the scheme says so."""

    def __init__(self, aim: Aim) -> None:
        self._aim = aim
        self._tls = _tls(insecure=aim.insecure) if aim.scheme == "https" else None
        self._looking: asyncio.Task[list[str]] | None = None
        self._stale_at = 0.0

    async def connect(self, trace: Trace) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """The first of the host's addresses that lets us in. Raises OSError."""
        addresses = await self._addresses()
        trace.doing = "connection"
        for address in addresses[:-1]:
            try:
                return await self._open(address)
            except OSError as error:
                shortage(error)
        return await self._open(addresses[-1])

    async def aclose(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait({self._looking})

    async def _open(self, address: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        name = self._aim.host if self._tls else None
        reader, writer = await asyncio.open_connection(address, self._aim.port, ssl=self._tls, server_hostname=name)
        if self._aim.scheme == "tcp" and self._aim.rate > _MANY:
            # Closed by a reset, which leaves no port behind that waits for a minute.
            connection: socket.socket = writer.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        return reader, writer

    async def _addresses(self) -> list[str]:
        """Those of the last look-up while it is fresh, as its failure is. Raises OSError."""
        looking = self._looking
        if looking is None or (looking.done() and asyncio.get_running_loop().time() >= self._stale_at):
            looking = self._looking = asyncio.create_task(self._look_up())
            looking.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(looking)

    async def _look_up(self) -> list[str]:
        loop = asyncio.get_running_loop()
        fresh_s = _AGAIN_S
        try:
            found = await loop.getaddrinfo(self._aim.host, self._aim.port, type=socket.SOCK_STREAM)
            fresh_s = FRESH_S
        finally:
            self._stale_at = loop.time() + fresh_s
        return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def failed(error: Exception) -> Outcome:
    """The kind of a failure of the network. Raises ProbeError for one that is ours."""
    match error:
        case socket.gaierror() | UnicodeError():
            return outcome("dns", "name can't be resolved")
        case ssl.SSLCertVerificationError():
            return outcome("tls", f"TLS failed: {error.verify_message or 'the certificate is not trusted'}")
        case ssl.SSLError():
            return outcome("tls", f"TLS failed: {(error.reason or 'no handshake').lower().replace('_', ' ')}")
        case ConnectionRefusedError():
            return outcome("refused", "connection refused")
        case ConnectionError() | asyncio.IncompleteReadError():
            return outcome("reset", "connection closed before the answer was complete")
        case TimeoutError():
            return outcome("timeout", "the network gave up the connection")
        case OSError() if error.errno in failures.UNREACHABLE:
            return outcome("unreachable", "host unreachable")
        case OSError():
            shortage(error)
            return outcome("network", f"network failed: {errno.errorcode.get(error.errno or 0, 'unknown')}")
    raise error


def shortage(error: OSError) -> None:
    """Raises ProbeError where the failure is a shortage of our own, which says nothing of the application."""
    if why := failures.shortage(error):
        raise ProbeError(f"the traffic can't be sent: {why}; lower rate or timeout") from error


def _tls(*, insecure: bool) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
