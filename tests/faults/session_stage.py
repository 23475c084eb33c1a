"""A stage for sessions: a real helper process with a real guardian, and a mechanism that leaves a file behind."""

import ctypes
import json
import os
import select
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from litmus.faults import guardian, journal, session, undoing
from litmus.faults.contract import FaultError, Plan, Proof, TargetGoneError, Undo

# Much longer than anything here takes.
DEADLINE_S = 30.0
_PR_SET_CHILD_SUBREAPER = 36


@dataclass(slots=True, kw_only=True)
class Lamp:
    """A fault that can be seen from outside: the file ``path`` exists. Files beside it, ``path.<word>``, rule it.

    Of inject: ``defect`` raises KeyError, ``refuse`` FaultError after the change; of prove: ``dim`` holds not; of tend:
    ``gone``, ``lost``; of revert: ``stubborn`` holds the number of times that it still fails.
    """

    path: str
    fault_id: str = "f"
    words: str = "it is lit"

    def plan(self) -> Plan:
        if _is(self.path, "impossible"):
            raise FaultError("no such socket")
        return Plan(
            changes="lights a lamp", undo={"kind": "lamp", "fault_id": self.fault_id, "path": self.path, "before": None}
        )

    def inject(self) -> None:
        Path(self.path).touch()
        if _is(self.path, "defect"):
            raise KeyError("bulb")
        if _is(self.path, "refuse"):
            raise FaultError("the fuse blew")

    def prove(self) -> Proof:
        return Proof(asked="light", delivered=self.words, holds=not _is(self.path, "dim"))

    def tend(self) -> None:
        if _is(self.path, "gone"):
            raise TargetGoneError("the lamp was taken away")
        if _is(self.path, "lost"):
            raise FaultError("somebody put it out")
        if _is(self.path, "silent"):
            raise FaultError

    @staticmethod
    def revert(undo: Undo) -> None:
        with suppress(FileNotFoundError), Path(f"{undo['path']}.stubborn").open("r+") as counter:
            if (left := int(counter.read())) > 0:
                counter.seek(0)
                counter.write(f"{left - 1:09}")  # in place: the file may be removed by the test meanwhile
                raise FaultError("the switch is stuck")
        Path(undo["path"]).unlink(missing_ok=True)

    @staticmethod
    def leftovers(undo: Undo) -> str:
        return "it is still lit" if Path(undo["path"]).exists() else ""


def _is(path: str, word: str) -> bool:
    return Path(f"{path}.{word}").exists()


@dataclass(slots=True)
class Helper:
    """A helper process. ``events`` are what it has said so far."""

    pid: int
    output: int
    events: list[dict[str, Any]] = field(default_factory=list)
    _rest: bytes = b""

    def until(self, wanted: str, **what: Any) -> dict[str, Any]:
        """The event, once it is said. Fails when the helper falls silent."""
        while True:
            for event in self.events:
                if event["event"] == wanted and what.items() <= event.items():
                    return event
            assert self._hear(), f"it ended without {wanted}: {self.events}"

    def hear_out(self) -> None:
        """Reads until the end of its output."""
        while self._hear():
            pass

    def _hear(self) -> bool:
        ready, _, _ = select.select([self.output], [], [], DEADLINE_S)
        assert ready, f"silent after {self.events}"
        chunk = os.read(self.output, 65536)
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        self.events += [json.loads(line) for line in lines]
        return bool(chunk)

    def guardian(self) -> int:
        """The pid of its guardian."""
        [found] = [pid for pid in _pids() if _stat(pid)[:2] == (guardian.NAME.decode(), self.pid)]
        return found

    def signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def ended(self) -> int:
        """Waits for its end: the exit status, or minus the signal."""
        return wait(self.pid)

    def said(self) -> list[str]:
        return [event["event"] for event in self.events]


def _pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()]


def _stat(pid: int) -> tuple[str, int, str]:
    """Name, parent and state of a process."""
    try:
        name, _, rest = Path(f"/proc/{pid}/stat").read_text().partition(" (")[2].rpartition(") ")
    except (FileNotFoundError, ProcessLookupError):
        return "", 0, ""
    state, parent, *_ = rest.split()
    return name, int(parent), state


def state(pid: int) -> str:
    """R, S, T (stopped), Z (zombie); '' when there is no such process."""
    return _stat(pid)[2]


def wait(pid: int) -> int:
    """Waits for the end of a child or of a child's orphan, which must be in time."""
    pidfd = os.pidfd_open(pid)
    try:
        poll = select.poll()
        poll.register(pidfd, select.POLLIN)
        assert poll.poll(DEADLINE_S * 1000), f"process {pid} does not end"
    finally:
        os.close(pidfd)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@contextmanager
def orphans_are_ours() -> Iterator[None]:
    """While it lasts, who loses its parent becomes our child (prctl(2), PR_SET_CHILD_SUBREAPER)."""
    libc = ctypes.CDLL(None)
    libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        yield
    finally:
        libc.prctl(_PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


def stay(_pid: int) -> None:
    """Leaves no control group: what a user without privileges can do."""


def quick(monkeypatch: Any, folder: Path) -> None:
    """Pauses of a real helper made short, and journals in a folder of the test."""
    monkeypatch.setattr(journal, "FOLDER", folder)
    monkeypatch.setattr(session, "_TEND_S", 0.01)
    monkeypatch.setattr(undoing, "_AGAIN_S", 0.01)
    monkeypatch.setattr(session, "_PATIENCE_S", 0.05)
    monkeypatch.setattr(guardian, "_LOOK_AGAIN_S", 0.01)
    monkeypatch.setattr(guardian, "_LONGEST_PAUSE_S", 0.02)


def start(request: session.Request, *, leave: Any = stay) -> Helper:
    """A helper that carries out the request in a process of its own; its words go to its standard output."""
    output, words = os.pipe()
    pid = os.fork()
    if pid:
        os.close(words)
        return Helper(pid, output)
    try:
        os.close(output)
        os.dup2(words, 1)
        os.close(words)
        os._exit(session.Session(request, say, lambda *args, **more: _watch(*args, leave=leave, **more)).run())
    finally:
        os._exit(99)


def _watch(*args: Any, **more: Any) -> guardian.Guardian:
    return guardian.Guardian.start(*args, **more)


def say(event: str, **what: Any) -> None:
    os.write(1, json.dumps({"event": event, **what}).encode() + b"\n")


def kill(helper: Helper) -> None:
    helper.signal(signal.SIGKILL)
    assert helper.ended() == -signal.SIGKILL
