"""Starting a sandbox in the background, and ending it.

``up`` starts the control process in a session of its own and waits until that says that it is ready, or why it can't
be. ``down`` asks it to end and waits until it and its janitor are gone; what can't end in order is ended all the same,
and what nobody clears any more is cleared here.
"""

import contextlib
import enum
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO

import msgspec

from litmus.sandbox.images.image import Image
from litmus.sandbox.node import processes

from . import claim, extra, identity, janitor, line
from .errors import SandboxError
from .folder import Folder, Settings

READY_DEADLINE_S = 60.0
# Its nodes have 6 s for an orderly end, and the janitor 5 s for what is left.
DOWN_DEADLINE_S = 15.0
KILL_DEADLINE_S = 5.0
MODULE = "litmus.sandbox.control"
# Marks the control process itself, which the janitor must not take for a part of the sandbox that it left behind.
CONTROL = "LITMUS_SANDBOX_CONTROL"


START_NODES = signal.SIGUSR1


class Ended(enum.IntEnum):
    """What ``down`` came to: there was NOTHING, it is GONE, or it is gone and its objects are KEPT."""

    NOTHING = 0
    GONE = 1
    KEPT = 2


@dataclass(frozen=True, slots=True)
class State:
    """A sandbox as it is found."""

    folder: Folder
    settings: Settings | None
    running: bool


def look(folder: Folder) -> State:
    """What there is in a folder. Raises SandboxError when that can't be told."""
    settings = folder.load()
    return State(folder, settings, settings is not None and settings.control.running())


@dataclass(slots=True)
class Start:
    """A control process on its way. Until ``let_go`` its sandbox ends with ``close``, or with this process."""

    folder: Folder
    _process: "subprocess.Popen[bytes]"
    _line: socket.socket
    _said: IO[bytes] = field(repr=False)
    _ours: bool = True

    def await_ready(self, *, deadline_s: float = READY_DEADLINE_S) -> None:
        """Returns when all nodes are Ready. Raises SandboxError when that can't be, or takes longer (seconds)."""
        try:
            report = msgspec.json.decode(line.receive(self._line, deadline_s=deadline_s), type=line.Report)
        except TimeoutError:
            raise SandboxError(
                f"the sandbox was not ready within {deadline_s:g} s and is taken back; is this machine very busy?"
            ) from None
        except line.Broken:
            raise SandboxError(f"the sandbox ended while it started: {self._last_words()}") from None
        if not report.ready:
            raise SandboxError(report.error)

    def let_go(self) -> None:
        """From now on the sandbox lives until ``down``."""
        with contextlib.suppress(OSError):
            self._line.sendall(line.STAY)
        self._process.returncode = 0  # it is not this process's to wait for, nor to warn of
        self._ours = False

    def close(self) -> None:
        """Returns when nothing is left of a sandbox that was not let go."""
        with contextlib.suppress(OSError):
            self._line.shutdown(socket.SHUT_RDWR)  # also wakes a thread that waits for the report
        if self._ours:
            try:
                self._process.wait(DOWN_DEADLINE_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._line.close()
        self._said.close()

    def _last_words(self) -> str:
        """The last line that the process wrote before it had a log of its own."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(KILL_DEADLINE_S)
        self._said.seek(0)
        lines = self._said.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else f"its process ended with status {self._process.returncode}"


@contextlib.contextmanager
def started(folder: Folder, settings: Settings, *, images: Mapping[str, Image]) -> Iterator[Start]:
    """A sandbox that ends with this block, or with this process, unless it is let go. Raises SandboxError."""
    extra.expect()
    found = look(folder)
    if found.running:
        raise claim.in_use(folder, settings, ready=found.settings is None or found.settings.ready)
    ours, theirs = socket.socketpair()
    said = tempfile.TemporaryFile()  # noqa: SIM115 - Start.close
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", MODULE, str(folder.path), str(theirs.fileno())],
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            pass_fds=[theirs.fileno()],
            start_new_session=True,
            cwd="/",
            env={**os.environ, CONTROL: str(folder.path)},
        )
    start = Start(folder, process, ours, said)
    try:
        with contextlib.suppress(OSError):  # it ended at once; await_ready says why
            line.send(ours, line.Order(settings=settings, images=images))
        yield start
    finally:
        start.close()


def up(folder: Folder, settings: Settings, *, images: Mapping[str, Image]) -> None:
    """Starts a sandbox in the background and returns when its nodes are Ready; ``images`` come on top of the built-in
    ones. Raises SandboxError.
    """
    with started(folder, settings, images=images) as start:
        start.await_ready()
        start.let_go()


def down(folder: Folder) -> Ended:
    """Ends a sandbox and removes all of it but what ``--persist`` keeps, which a second ``down`` removes.

    Raises SandboxError when somebody else is just starting or ending it.
    """
    if not folder.path.is_dir():
        return Ended.NOTHING
    settings = _settings(folder)
    for process in {settings.control, *_marked(folder)}:
        _end(process, deadline_s=DOWN_DEADLINE_S)
    # The janitor ends by itself soon after. It may be another one by now, or have removed the file that names it.
    for process in {settings.janitor, _settings(folder).janitor}:
        _end(process, deadline_s=claim.JANITOR_DEADLINE_S, signals=())
    kept = settings.persist and settings.control.pid > 0
    with claim.left(folder) as there:
        if there:
            janitor.clear(folder, keep_objects=kept)
    return Ended.KEPT if kept else Ended.GONE


def start_nodes(settings: Settings) -> None:
    """Asks a running sandbox to start the nodes that are down."""
    settings.control.send(START_NODES)


def _settings(folder: Folder) -> Settings:
    """What the folder says, or that it says nothing."""
    try:
        return folder.load() or Settings()
    except SandboxError:
        return Settings()


def _marked(folder: Folder) -> list[identity.Process]:
    """The control processes of a folder, also one that has not written yet who it is."""
    return [identity.of(member.pid) for member in processes.marked(CONTROL, str(folder.path))]


def _end(
    process: identity.Process, *, deadline_s: float, signals: Sequence[signal.Signals] = (signal.SIGTERM,)
) -> None:
    """Waits for the end of a process that got ``signals``; one that takes longer than the deadline is killed."""
    for number in signals:
        process.send(number)
    if not process.wait(deadline_s):
        process.send(signal.SIGKILL)
        process.wait(KILL_DEADLINE_S)
        process.wait(KILL_DEADLINE_S)
