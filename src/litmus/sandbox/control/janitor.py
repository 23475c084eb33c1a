"""Leaves nothing behind, whatever kills the sandbox: a small process that waits for the end of its parent.

Its standard input is a pipe that nobody writes to and that only the control process holds. When that ends - by
``sandbox down``, a crash, or ``kill -9`` - the pipe reports it, and the janitor ends every process that carries the
sandbox's mark in its environment and removes the folder. It runs in a session of its own, where no Ctrl-C reaches it.
"""

import os
import signal
import sys
from pathlib import Path

import msgspec

from litmus.sandbox.lifecycle import SandboxError
from litmus.sandbox.lifecycle import folder as folders
from litmus.sandbox.node import processes


def main(arguments: list[str]) -> int:
    """Waits for the end of the parent, then clears up."""
    path = Path(arguments[0])
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    while os.read(0, 1):
        pass
    clear(folders.Folder(path))
    return 0


def clear(folder: folders.Folder) -> None:
    """Ends what carries the sandbox's mark and removes its files, but for what ``--persist`` keeps."""
    processes.sweep(folder.path)
    try:
        settings = folder.load()
    except SandboxError:
        settings = None
    keep = bool(settings and settings.persist)
    if settings and keep:
        folder.save(msgspec.structs.replace(settings, pid=0, started=0.0, ready=False))
    folder.clear(keep_objects=keep)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
