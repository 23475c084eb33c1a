"""The janitor as its parent sees it: always there, also when somebody ends it, and let go at the end.

It is no child as the others are: it has to outlive this process, and it must be there before anything else is.
"""

import asyncio
import logging
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from litmus.sandbox.lifecycle import identity

from . import children

log = logging.getLogger(__name__)

MODULE = "litmus.sandbox.lifecycle.janitor"
RELEASE_DEADLINE_S = 15.0
_RESTART_S = 1.0


class Guard:
    """``lock``: the file descriptor of the claim on the folder, which the janitor holds as long as it lives."""

    def __init__(self, folder: Path, *, lock: int) -> None:
        self._folder, self._lock = folder, lock
        self._read_end, self._write_end = os.pipe()
        self._janitor = self._start()

    @property
    def janitor(self) -> identity.Process:
        """Who it is at present."""
        return identity.of(self._janitor.pid)

    async def keep(self, changed: Callable[[], None]) -> None:
        """Starts it again whenever it ends, until cancelled; ``changed`` is told of every new one."""
        while True:
            code = await self._ended()
            log.warning("the janitor ended with status %d and is started again", code)
            self._janitor = self._start()
            changed()
            await asyncio.sleep(_RESTART_S)  # one that can't live must not keep the machine busy

    def release(self) -> None:
        """Lets the janitor clear up, and returns when it is done."""
        os.close(self._read_end)
        os.close(self._write_end)
        try:
            self._janitor.wait(RELEASE_DEADLINE_S)
        except subprocess.TimeoutExpired:
            log.warning("the janitor (process %d) still clears up", self._janitor.pid)

    def _start(self) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [sys.executable, "-P", "-m", MODULE, str(self._folder)],
            stdin=self._read_end,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=[self._lock],
            start_new_session=True,
            cwd="/",
            env=children.environment(),
        )

    async def _ended(self) -> int:
        loop, ended = asyncio.get_running_loop(), asyncio.Event()
        handle = os.pidfd_open(self._janitor.pid)
        loop.add_reader(handle, ended.set)
        try:
            await ended.wait()
        finally:
            loop.remove_reader(handle)
            os.close(handle)
        return self._janitor.wait()
