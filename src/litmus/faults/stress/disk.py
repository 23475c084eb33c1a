"""io-stress: workers that write files in the target's file system. Proof: bytes written, counted by the control group.

Each write waits for the disk (O_DSYNC). Otherwise a page would be written later by a kernel thread, which cgroup v1
counts for nobody and no limit of the container's holds back.
"""

import contextlib
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from .. import accounting, folders, marked, processes
from ..contract import FaultError, Proof, Undo
from . import folder
from .fault import Stress, _still_running

_MIB = 1 << 20
# What must be written within the time of the proof, unless less is asked.
_DELIVERED = 1 * _MIB
_WINDOW_S = 3.0
# stress-ng takes no less for a worker.
_LEAST = 1 * _MIB


@dataclass(slots=True, kw_only=True)
class IoStress(Stress):
    """``workers`` write and read files that take ``bytes`` together, or ``percent`` of the file system's free space.

    ``path``: a folder of the container, its root if empty; of the helper pod, its /tmp if empty, for a node.
    ``sync_workers`` call sync(2) again and again, which makes every file system of the node write.
    """

    kind: ClassVar[str] = "io-stress"

    workers: int = 4
    sync_workers: int = 0
    bytes: int = 0
    percent: float = 0.0
    path: str = ""
    _asked: int = 0

    def _size(self) -> str:
        if (self.bytes > 0) == (self.percent > 0) or self.percent > 100 or self.workers < 1:
            raise FaultError("either a number of bytes or a percentage up to 100 must be given, and at least 1 worker")
        parent = folder.enter(self._pid, self._path)
        try:
            free = folder.free_bytes(parent)
        finally:
            os.close(parent)
        self._asked = max(self.bytes or int(free * self.percent / 100), _LEAST * self.workers)
        if self._asked > free:
            raise FaultError(
                f"{self._asked / _MIB:.0f} MiB do not fit into {self._path}: {free / _MIB:.0f} MiB are free"
            )
        return f"{self.workers} workers write {self._asked / _MIB:.0f} MiB again and again into {self._path}"

    def _options(self, step: int, steps: int) -> list[str]:
        workers = self.workers * (step + 1) // steps - self.workers * step // steps
        size = max(self._asked * workers // self.workers, _LEAST * workers)
        return [
            *("--hdd", str(workers), "--hdd-bytes", str(size)),
            *("--hdd-write-size", "1m", "--hdd-opts", "dsync"),
            *(("--io", str(self.sync_workers)) if self.sync_workers and step == 0 else ()),
        ]

    @property
    def _divisible(self) -> int:
        return self.workers

    def prove(self) -> Proof:
        """Watches until enough is written, at most three seconds."""
        first = self._before or accounting.read(self._own_groups)
        least = min(_DELIVERED, self._asked)
        self._until(lambda: self._counted(first)[0] >= least, _WINDOW_S)
        # A moment longer, for a rate that means something.
        self._until(lambda: time.monotonic() >= self._begun_at + 1.0, 1.0)
        written, by = self._counted(first)
        rate = written / (time.monotonic() - self._begun_at)
        failure = self._failure()
        return Proof(
            asked=f"files of {self._asked / _MIB:.0f} MiB written again and again",
            delivered=failure or f"{written / _MIB:.1f} MiB written, {rate / _MIB:.1f} MiB/s, counted by {by}",
            holds=written >= least and not failure,
            asked_value=round(least / _MIB, 1),
            delivered_value=round(written / _MIB, 1),
            unit="MiB written",
        )

    @property
    def _pid(self) -> int:
        return self._main.pid if self._main else 0

    @property
    def _path(self) -> str:
        return self.path or ("/" if self.container_id else tempfile.gettempdir())

    def _open_folder(self) -> int:
        parent = folder.enter(self._pid, self._path)
        try:
            return folder.make(parent, self._path, self.fault_id)
        finally:
            os.close(parent)

    def _counted(self, first: accounting.Reading) -> tuple[int, str]:
        """Bytes written since the injection, and by whose count.

        The group counts what reached a disk. A file system without one (tmpfs, overlay on network storage) or a kernel
        without the counter (v1 without a throttling rule) leaves the processes' own count (proc_pid_io(5)).
        """
        now = accounting.read(self._own_groups)
        group = (now.written_bytes or 0) - (first.written_bytes or 0)
        own = sum(_written_by(pid) for pid in marked.find(self.fault_id))
        return (group, "the control group") if group > 0 else (own, "the processes themselves")

    def _undo(self) -> dict[str, object]:
        common = {"kind": self.kind, "fault_id": self.fault_id, "container_id": self.container_id}
        # A volume of the container outlives it, and is found again on the host.
        return {**common, "path": self._path, "on_host": folders.on_host(self._pid or os.getpid(), self._path)}

    @staticmethod
    def revert(undo: Undo) -> None:
        fault_id = str(undo["fault_id"])
        held = folder.held(fault_id)
        try:
            marked.end(fault_id)
            for place in held:
                folder.remove(place, fault_id)
        finally:
            for place in held:
                os.close(place)
        with _parent(undo) as parent:
            if parent >= 0:
                folder.remove_in(parent, fault_id)

    @staticmethod
    def leftovers(undo: Undo) -> str:
        fault_id = str(undo["fault_id"])
        running = _still_running(fault_id)
        if running:
            return running
        with _parent(undo) as parent:
            if parent >= 0 and folder.is_in(parent, fault_id):
                return f"folder {undo['path']}/{folder.name(fault_id)} is still there"
        return ""


@contextlib.contextmanager
def _parent(undo: Undo) -> Iterator[int]:
    """The folder in which the fault made its own, open; -1 when it is gone, with the container or before."""
    opened = _open_parent(undo)
    try:
        yield opened
    finally:
        if opened >= 0:
            os.close(opened)


def _open_parent(undo: Undo) -> int:
    container_id, path, on_host = (str(undo.get(key, "")) for key in ("container_id", "path", "on_host"))
    main = processes.main_process(container_id) if container_id else None
    try:
        if main is not None or not container_id:
            return folders.open_in(main.pid if main else os.getpid(), path)
        return os.open(folders.seen_from_host(on_host), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC) if on_host else -1
    except OSError:
        return -1


def _written_by(pid: int) -> int:
    """What a process made the kernel write to storage, or where there is none, to files in memory."""
    try:
        lines = (processes.PROC / str(pid) / "io").read_text().splitlines()
    except OSError:
        return 0
    counts = {name: int(count) for name, _, count in (line.partition(": ") for line in lines)}
    return counts["write_bytes"] or counts["wchar"]
