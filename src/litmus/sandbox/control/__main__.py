"""``python -m litmus.sandbox.control DIR [PIPE]``: the control process of a sandbox in the background.

PIPE is the number of an open file descriptor; one JSON line goes there when the sandbox is ready, or when it can't be.
"""

import asyncio
import logging
import os
import sys
from pathlib import Path

import msgspec

from litmus.sandbox.lifecycle import SandboxError
from litmus.sandbox.lifecycle.folder import Folder
from litmus.sandbox.lifecycle.launch import Report

from . import process

log = logging.getLogger(__name__)


def main(arguments: list[str]) -> int:
    """Runs until SIGTERM; exit status 0 after an orderly end."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    folder = Folder(Path(arguments[0]))
    pipe = int(arguments[1]) if len(arguments) > 1 else -1

    def report(said: Report) -> None:
        nonlocal pipe
        if pipe >= 0:
            os.write(pipe, msgspec.json.encode(said) + b"\n")
            os.close(pipe)
            pipe = -1

    try:
        asyncio.run(process.run(folder, on_ready=lambda: report(Report(ready=True))))
    except SandboxError as error:
        log.error("%s", error)
        report(Report(error=str(error)))
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
