"""A connection to a port of a pod, copied both ways between the pod and a client of port-forward."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from litmus.sandbox.machinery import objects, ports
from litmus.sandbox.machinery.objects import Obj

from . import targets

_CONNECT_S = 10.0
_CHUNK_BYTES = 32_768


async def dial(pod: Obj, port: int) -> "Connection":
    """Raises OSError with what the client is told."""
    address = (pod.get("status") or {}).get("podIP", "")
    try:
        if not address:
            raise OSError("the pod has no address yet")
        async with asyncio.timeout(_CONNECT_S):
            return Connection(*await asyncio.open_connection(address, ports.reachable(port)))
    except OSError as failed:  # a TimeoutError is one
        why = f"connect: {os.strerror(failed.errno).lower()}" if failed.errno else str(failed) or "i/o timeout"
        where = f"pod {targets.full_name(pod)}, uid {objects.uid(pod)}"
        raise OSError(f"error forwarding port {port} to {where}: dial tcp {address}:{port}: {why}") from failed


@dataclass(frozen=True, slots=True)
class Connection:
    """The pod's end. The pod's last byte ends it; the client may have finished long before."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def run(self, chunks: AsyncIterator[bytes], tell: Callable[[bytes], Awaitable[None]]) -> None:
        """Copy until the pod has sent all or the client is gone: then ``chunks`` or ``tell`` raise OSError."""
        sending = asyncio.create_task(self._send(chunks))
        try:
            while data := await self.reader.read(_CHUNK_BYTES):
                await tell(data)
        except OSError:
            pass  # either of both is gone, and the other learns it by the end of its stream
        finally:
            sending.cancel()
            await asyncio.wait([sending])
            self.writer.close()

    async def _send(self, chunks: AsyncIterator[bytes]) -> None:
        try:
            async for data in chunks:
                self.writer.write(data)
                await self.writer.drain()
            self.writer.write_eof()
        except OSError:
            self.writer.transport.abort()
