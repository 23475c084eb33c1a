"""``python -m litmus.sandbox.control DIR LINE``: the control process of a sandbox in the background.

LINE is the number of an open socket: the line to the command that starts the sandbox (``lifecycle.line``).
"""

import asyncio
import contextlib
import logging
import os
import socket
import sys
from pathlib import Path

import msgspec

from litmus.sandbox.lifecycle import SandboxError
from litmus.sandbox.lifecycle import line as lines
from litmus.sandbox.lifecycle.folder import Folder

from . import process

log = logging.getLogger(__name__)

_ORDER_DEADLINE_S = 10.0


def main(arguments: list[str]) -> int:
    """Runs until SIGTERM; exit status 0 after an orderly end."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    folder = Folder(Path(arguments[0]))
    with socket.socket(fileno=int(arguments[1])) as line:
        try:
            order = msgspec.json.decode(lines.receive(line, deadline_s=_ORDER_DEADLINE_S), type=lines.Order)
        except (lines.Broken, TimeoutError):
            return 2  # nobody is there any more
        line.setblocking(False)
        try:
            asyncio.run(_run(folder, order, line))
        except SandboxError as error:
            log.error("%s", error)
            with contextlib.suppress(OSError):
                lines.send(line, lines.Report(error=str(error)))
            return 2
    return 0


async def _run(folder: Folder, order: lines.Order, line: socket.socket) -> None:
    stop = asyncio.Event()
    tie = asyncio.create_task(_tied(line, stop))

    def ready() -> None:
        with contextlib.suppress(OSError):  # the task knows
            lines.send(line, lines.Report(ready=True))

    try:
        await process.run(folder, order.settings, images=order.images, on_ready=ready, log_to=_redirect, stop=stop)
    finally:
        tie.cancel()


def _redirect(file: Path) -> None:
    """Standard output and errors go to a file from now on."""
    with file.open("ab") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)


async def _tied(line: socket.socket, stop: asyncio.Event) -> None:
    """Ends the sandbox with the command that started it, unless that lets it go."""
    try:
        said = await asyncio.get_running_loop().sock_recv(line, len(lines.STAY))
    except OSError:
        said = b""
    if said != lines.STAY:
        log.info("the command that started the sandbox is gone")
        stop.set()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
