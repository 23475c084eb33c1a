"""Leaves nothing behind, whatever kills the sandbox: a small process that waits for the end of its parent.

Its standard input is a pipe that nobody writes to and that only the control process holds. When that ends - by
``sandbox down``, a crash, or ``kill -9`` - the pipe reports it, and the janitor ends every process that carries the
sandbox's mark in its environment and removes the folder. It runs in a session of its own, where no Ctrl-C reaches it,
and holds the lock on the folder, so that nobody starts there before it is done.
"""

import logging
import os
import signal
import sys
from pathlib import Path

import msgspec

from litmus.sandbox.node import processes

from . import folder as folders
from .errors import SandboxError
from .identity import Process

log = logging.getLogger(__name__)


def main(arguments: list[str]) -> int:
    """Waits for the end of the parent, then clears up."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    folder = folders.Folder(Path(arguments[0]))
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    while os.read(0, 1):
        pass
    try:
        settings = folder.load()
    except SandboxError as error:
        log.warning("%s", error)
        settings = None
    clear(folder, keep_objects=settings is not None and settings.persist)
    return 0


def clear(folder: folders.Folder, *, keep_objects: bool) -> None:
    """Ends what carries the sandbox's mark and removes its files, but for what ``--persist`` keeps."""
    try:
        processes.sweep(folder.path)
    except TimeoutError as error:
        log.warning("%s", error)
    if not folder.path.exists():
        return
    settings = folder.load() if keep_objects else None
    if settings:
        ended = msgspec.structs.replace(settings, control=Process(), janitor=Process(), started=0.0, ready=False)
        folder.save(ended)
    folder.clear(keep_objects=keep_objects)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
