"""A server of gRPC's health service on loopback, with the HTTP/2 of the library ``h2``, to be met by ours."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, RequestReceived, StreamEnded

SERVING, NOT_SERVING = 1, 2
PATH = "/grpc.health.v1.Health/Check"


@dataclass
class Health:
    """``statuses`` by service; one that is not among them is answered as gRPC does, with trailers and no message."""

    statuses: dict[str, int] = field(default_factory=lambda: {"": SERVING})
    ping: bool = False
    port: int = 0
    headers: list[dict[str, str]] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        connection.initiate_connection()
        if self.ping:
            connection.ping(b"are you?")
        body = b""
        try:
            writer.write(connection.data_to_send())
            while piece := await reader.read(65536):
                for event in connection.receive_data(piece):
                    if isinstance(event, RequestReceived):
                        self.headers.append(dict(event.headers))
                    elif isinstance(event, DataReceived):
                        body += event.data
                    elif isinstance(event, StreamEnded):
                        self._answer(connection, event.stream_id, body)
                writer.write(connection.data_to_send())
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    def _answer(self, connection: H2Connection, stream: int, body: bytes) -> None:
        head = [(":status", "200"), ("content-type", "application/grpc")]
        status = self.statuses.get(_service(body))
        if self.headers[-1][":path"] != PATH or status is None:
            connection.send_headers(stream, [*head, ("grpc-status", "5")], end_stream=True)
            return
        message = bytes((8, status)) if status else b""
        connection.send_headers(stream, head)
        connection.send_data(stream, b"\0" + len(message).to_bytes(4) + message)
        connection.send_headers(stream, [("grpc-status", "0")], end_stream=True)


def _service(body: bytes) -> str:
    """Of a message of gRPC with a HealthCheckRequest in it; the length of its name is a varint."""
    assert body[0] == 0
    assert int.from_bytes(body[1:5]) == len(body) - 5
    message = body[5:]
    if not message:
        return ""
    assert message[0] == 0x0A
    length, at, shift = 0, 1, 0
    while True:
        length |= (message[at] & 127) << shift
        if message[at] < 128:
            break
        at, shift = at + 1, shift + 7
    name = message[at + 1 :]
    assert len(name) == length
    return name.decode()


@asynccontextmanager
async def serving(**options: object) -> AsyncIterator[Health]:
    health = Health(**options)  # type: ignore[arg-type]
    server = await asyncio.start_server(health.serve, "127.0.0.1", 0)
    health.port = server.sockets[0].getsockname()[1]
    try:
        yield health
    finally:
        server.close()
