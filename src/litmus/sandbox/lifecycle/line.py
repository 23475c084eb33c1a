"""The line between the control process of a sandbox and the command that starts it.

A pair of sockets with one JSON message a line. The command sends the ``Order``, the control process answers with one
``Report``, and then the command says ``STAY``. A line that ends without that means that the command is gone, however it
went, and the sandbox goes with it: nobody would know of it. A command that never lets go has a sandbox that lives
exactly as long as itself.
"""

import select
import socket
import time
from collections.abc import Mapping

import msgspec

from litmus.sandbox.images.image import Image

from .folder import Settings

STAY = b"stay\n"
_MOST = 65536


class Order(msgspec.Struct, kw_only=True):
    """What to start. ``images`` come on top of the built-in ones."""

    settings: Settings
    images: Mapping[str, Image]


class Report(msgspec.Struct, omit_defaults=True):
    """What came of it: ready, or one sentence that says why not."""

    ready: bool = False
    error: str = ""


class Broken(Exception):
    """The other end is gone, and said nothing."""


def send(line: socket.socket, message: Order | Report) -> None:
    """Raises OSError when the other end is gone."""
    line.sendall(msgspec.json.encode(message) + b"\n")


def receive(line: socket.socket, *, deadline_s: float) -> bytes:
    """The next message, without its end of line. Raises TimeoutError, and Broken when there is none."""
    give_up = time.monotonic() + deadline_s
    content = b""
    while not content.endswith(b"\n"):
        readable, _, _ = select.select([line], [], [], max(0.0, give_up - time.monotonic()))
        if not readable:
            raise TimeoutError
        try:
            piece = line.recv(_MOST)
        except ConnectionError:
            piece = b""
        if not piece:
            raise Broken
        content += piece
    return content[:-1]
