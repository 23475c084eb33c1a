"""One run of a container: its main process, what that process started, its output, its end.

As in a pid namespace, everything ends with the main process. There is no such namespace here, so what is left is found
by the mark in its environment and killed.
"""

import asyncio
import contextlib
import fcntl
import os
import secrets
import signal
import struct
import subprocess
import termios
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from . import process_one, processes, spawning
from .logs import Log, Stream

KILLED_WAIT_S = 5.0
STRAY_GENERATIONS = 10
"""How often the children of what was killed are looked for in turn."""
_CHUNK = 65536


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Everything that a run needs: the command line as it is really run, the whole environment, real places."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str]
    cwd: str
    log: Path
    mark: str
    """The node's folder, by which a later life of the node finds what this one left."""
    stop_signal: int = signal.SIGTERM
    stdin: bool = False
    stdin_once: bool = False
    terminal: bool = False


@dataclass(frozen=True, slots=True)
class Exit:
    """How a run ended. ``code`` is 128 + signal for one that a signal ended."""

    code: int
    signal: int
    at: datetime


@dataclass(slots=True)
class Container:
    """A run. ``exit`` is None while it runs."""

    recipe: Recipe
    id: str = field(default_factory=lambda: secrets.token_hex(32))
    exit: Exit | None = None
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    log: Log = field(init=False)
    _process: spawning.Process | None = None
    _outputs: list[asyncio.Future[None]] = field(default_factory=list)
    _stdin: int = -1
    _master: int = -1
    _ended: asyncio.Event = field(default_factory=asyncio.Event)
    _watcher: asyncio.Task[None] | None = None

    def __post_init__(self) -> None:
        self.log = Log(self.recipe.log)

    @property
    def pid(self) -> int:
        """The main process, 0 before it is started."""
        return self._process.pid if self._process else 0

    @property
    def env(self) -> dict[str, str]:
        """The environment with the marks, also for commands that are run in the container later."""
        known = {process_one.MAIN: str(self.pid)} if self.pid else {}
        return {**self.recipe.env, **known, processes.CONTAINER: self.id, processes.NODE: self.recipe.mark}

    async def start(self) -> None:
        """Starts the main process. Raises spawning.NotStarted, and OSError when the log can't be written."""
        self.log.open()
        try:
            async with _Ends(self.recipe) as ends:
                self._process = await spawning.spawn(
                    spawning.Command(
                        argv=self.recipe.argv,
                        env=self.env,
                        cwd=self.recipe.cwd,
                        stdin=ends.stdin,
                        stdout=ends.stdout,
                        stderr=ends.stderr,
                        terminal=self.recipe.terminal,
                    )
                )
                self._stdin, self._master = ends.keep()
                for stream, handle in ends.outputs:
                    self._outputs.append(_pump(handle, _writer(self.log, stream)))
        except BaseException:
            self.log.close()
            raise
        self.started_at = datetime.now(UTC)
        self._watcher = asyncio.create_task(self._follow(), name=f"container {self.recipe.name}")

    async def wait(self) -> Exit:
        """How it ended, once everything of it is gone and its log is complete; any number of tasks may wait."""
        await self._ended.wait()
        assert self.exit is not None
        return self.exit

    def interrupt(self) -> None:
        """The stop signal to the main process."""
        if self._process is not None:
            self._process.send(self.recipe.stop_signal)

    def kill(self) -> None:
        """SIGKILL to the main process; the rest follows it."""
        if self._process is not None:
            self._process.send(signal.SIGKILL)

    def write(self, text: bytes) -> bool:
        """Bytes to its standard input; False when it has none (any more) or does not read."""
        handle = self._master if self.recipe.terminal else self._stdin
        if handle < 0:
            return False
        try:
            os.write(handle, text)
        except (BlockingIOError, BrokenPipeError, OSError):
            return False
        return True

    def close_stdin(self) -> None:
        """The end of its standard input, unless a terminal is."""
        if self._stdin >= 0 and not self.recipe.terminal:
            os.close(self._stdin)
            self._stdin = -1

    def resize(self, *, columns: int, rows: int) -> None:
        """The size of its terminal; nothing without one."""
        if self._master >= 0:
            set_size(self._master, columns=columns, rows=rows)

    async def _follow(self) -> None:
        assert self._process is not None
        status = await self._process.wait()
        at = datetime.now(UTC)
        self._process.send_group(signal.SIGKILL)
        await asyncio.to_thread(_kill_rest, self.id)
        await asyncio.to_thread(_kill_strays, self.recipe)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(KILLED_WAIT_S):
                await asyncio.gather(*self._outputs)
        for output in self._outputs:
            output.cancel()
        self.close_stdin()
        if self._master >= 0:
            os.close(self._master)
            self._master = -1
        self.log.close()
        self.exit = Exit(128 - status if status < 0 else status, max(0, -status), at)
        self._ended.set()


def _kill_rest(container_id: str) -> None:
    with contextlib.suppress(TimeoutError):
        processes.sweep(container_id, name=processes.CONTAINER, deadline_s=KILLED_WAIT_S)


def _kill_strays(recipe: Recipe) -> None:
    """What has cleared its environment, and with it the mark, is known by its folder once it is an orphan."""
    if not recipe.cwd.startswith(f"{recipe.mark}/") or "/containers/" not in recipe.cwd:
        return  # others may be there, too
    for _ in range(STRAY_GENERATIONS):
        found = {pid for pid in spawning.adopted() if processes.is_in(pid, recipe.cwd)}
        if not found:
            return
        processes.kill_all(found, wait_s=KILLED_WAIT_S)


def _writer(log: Log, stream: Stream) -> Callable[[bytes], None]:
    return lambda chunk: log.write(stream, chunk)


def set_size(terminal: int, *, columns: int, rows: int) -> None:
    """TIOCSWINSZ (ioctl_tty(2))."""
    with contextlib.suppress(OSError):
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def _pump(handle: int, sink: Callable[[bytes], None]) -> asyncio.Future[None]:
    """Gives what comes out of ``handle`` to ``sink``; the future is done, and the handle closed, at its end."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()
    os.set_blocking(handle, False)

    def ready() -> None:
        try:
            chunk = os.read(handle, _CHUNK)
        except BlockingIOError:
            return
        except OSError:  # EIO: nobody has the terminal open any more
            chunk = b""
        if chunk:
            sink(chunk)
        elif not done.done():
            done.set_result(None)

    def finish(_: asyncio.Future[None]) -> None:
        loop.remove_reader(handle)
        os.close(handle)

    done.add_done_callback(finish)
    loop.add_reader(handle, ready)
    return done


pump = _pump


class _Ends:
    """Both ends of a container's standard streams: the child's are closed on leaving, ours too if it did not start."""

    def __init__(self, recipe: Recipe) -> None:
        self.stdin = self.stdout = self.stderr = subprocess.DEVNULL
        self.outputs: list[tuple[Stream, int]] = []
        self._theirs: list[int] = []
        self._input = self._master = -1
        self._kept = False
        if recipe.terminal:
            self._master, slave = os.openpty()
            self._theirs.append(slave)
            self.stdin = self.stdout = self.stderr = slave
            self.outputs.append(("stdout", os.dup(self._master)))
            return
        for stream in ("stdout", "stderr"):
            ours, theirs = os.pipe()
            self._theirs.append(theirs)
            setattr(self, stream, theirs)
            self.outputs.append((stream, ours))
        if recipe.stdin:
            theirs, self._input = os.pipe()
            os.set_blocking(self._input, False)
            self._theirs.append(theirs)
            self.stdin = theirs

    async def __aenter__(self) -> "_Ends":
        return self

    def keep(self) -> tuple[int, int]:
        """Our ends stay open: the input (-1 without one) and the terminal (-1 without one)."""
        self._kept = True
        return self._input, self._master

    async def __aexit__(self, *_: object) -> None:
        for handle in self._theirs:
            os.close(handle)
        if not self._kept:
            for handle in (self._input, self._master, *(ours for _, ours in self.outputs)):
                if handle >= 0:
                    os.close(handle)
