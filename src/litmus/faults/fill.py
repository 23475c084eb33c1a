"""A file that fills a container's disk: real blocks, in a hidden file that carries the fault's id.

How much: bytes, or a percentage. A percentage is of the container's ephemeral-storage limit if it has one, and then
what the container has already written counts too; else it is the use of the whole file system, as ``df`` shows it.

It refuses to leave less than 5 % of the file system free, unless a percentage of the file system itself asks for that:
a full disk hits every pod of the node, and is meant only when somebody says so.
"""

import contextlib
import errno
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from . import folders, processes
from .contract import FaultError, Plan, Proof, TargetGoneError, Undo

RESERVE = 0.05
_STEP = 64 * 2**20  # allocated at once, so that a full disk is noticed with most of the file there
_ZEROS = bytes(2**20)
_COUNT_S = 10.0  # for counting what a container has written
_TOLERANCE = 0.02  # of what was asked; metadata and whole blocks take their part
_NO_ALLOCATION = frozenset({errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL})


@dataclass(slots=True, kw_only=True)
class Fill:
    """``percentage`` or ``size`` (bytes); ``limit``: the container's ephemeral-storage limit in bytes, 0 = none."""

    fault_id: str
    container_id: str
    percentage: float = 0.0
    size: int = 0
    limit: int = 0
    path: str = "/"
    _undo: dict[str, Any] = field(default_factory=dict)
    _asked: int = 0
    _used_before: int = 0

    def plan(self) -> Plan:
        """Raises FaultError when there is nothing to fill, or too little would be left."""
        if bool(self.percentage) == bool(self.size) or not 0 <= self.percentage <= 100 or self.size < 0:
            raise FaultError(f"percentage {self.percentage:g} and size {self.size}: give one, from 1 to 100 or above 0")
        target = processes.main_process(self.container_id)
        if target is None:
            raise FaultError(
                f"container {self._short} runs no process on this node; it ended, or the pod lacks hostPID"
            )
        try:
            folder = folders.open_in(target.pid, self.path)
        except FileNotFoundError as error:
            raise FaultError(f"there is no folder {self.path} in container {self._short}") from error
        try:
            disk = os.fstatvfs(folder)
        finally:
            os.close(folder)
        if disk.f_flag & os.ST_RDONLY:
            raise FaultError(f"{self.path} in the container is read-only; name a folder that it can write to")
        self._used_before = _used(disk)
        self._asked, why = self._wanted(target.pid, disk)
        self._refuse_too_much(disk)
        self._undo = {
            "kind": "fill",
            "fault_id": self.fault_id,
            "container_id": self.container_id,
            "path": self.path,
            "name": name_of(self.fault_id),
            "on_host": folders.on_host(target.pid, self.path),
        }
        return Plan(
            changes=f"{_shown(self._asked)} in {self.path} of container {self._short}: {why}",
            undo=dict(self._undo),
            capabilities=("DAC_OVERRIDE", "SYS_PTRACE"),
        )

    def inject(self) -> None:
        """Raises FaultError when the disk is full before the file is as large as asked."""
        if not self._undo:
            self.plan()
        with _folder(self._undo) as folder:
            if folder is None:
                raise TargetGoneError(f"container {self._short} has ended")
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            try:
                file = os.open(self._undo["name"], flags, 0o600, dir_fd=folder)
            except OSError as error:
                raise FaultError(f"no file can be made in {self.path} of the container: {error.strerror}") from error
        try:
            _allocate(file, self._asked)
        except OSError as error:
            # A disk that was to be filled to the brim, and is, needs no more.
            if error.errno not in (errno.ENOSPC, errno.EDQUOT) or not self._enough(os.fstat(file).st_blocks):
                raise FaultError(f"filling {self.path} of the container: {error.strerror}") from error
        finally:
            os.close(file)

    def prove(self) -> Proof:
        """The blocks of the file, and the use of its file system before and after."""
        asked = f"{_shown(self._asked)} in {self.path}"
        with _folder(self._undo) as folder:
            if folder is None:
                return Proof(asked=asked, delivered="the container has ended", holds=False)
            blocks = _blocks(folder, self._undo["name"])
            disk = os.fstatvfs(folder)
        delivered = f"{_shown(max(0, blocks) * folders.BLOCK)} in real blocks; the file system's use went from "
        delivered += f"{_shown(self._used_before)} to {_shown(_used(disk))} ({_percent(disk):.1f} %)"
        return Proof(
            asked=asked,
            delivered=delivered,
            holds=self._enough(blocks),
            asked_value=float(self._asked),
            delivered_value=float(max(0, blocks) * folders.BLOCK),
            unit="bytes",
        )

    def tend(self) -> None:
        """Raises TargetGoneError when the container ended, as it does when its pod is evicted for filling its disk."""
        with _folder(self._undo) as folder:
            if folder is None:
                raise TargetGoneError(f"container {self._short} has ended; the kubelet may have evicted its pod")
            if not self._enough(_blocks(folder, self._undo["name"])):
                raise FaultError(f"the file that fills {self.path} was removed or made smaller by somebody else")

    @staticmethod
    def revert(undo: Undo) -> None:
        """Removes the file wherever it can still be reached; a way that is blocked does not keep it from the other."""
        blocked = ""
        for place in _places(undo):
            try:
                with place as folder:
                    if folder is not None:
                        os.unlink(undo["name"], dir_fd=folder)
            except FileNotFoundError:
                continue
            except OSError as error:
                blocked = f"{undo['name']} in {undo['path']} can't be removed: {error.strerror}"
            except FaultError as error:
                blocked = str(error)
        if blocked := blocked or Fill.leftovers(undo):
            raise FaultError(blocked)

    @staticmethod
    def leftovers(undo: Undo) -> str:
        for place in _places(undo):
            with place as folder:
                if folder is not None and (blocks := _blocks(folder, undo["name"])) >= 0:
                    return f"{undo['name']} still takes {_shown(blocks * folders.BLOCK)} in {undo['path']}"
        return ""

    @property
    def _short(self) -> str:
        return processes.bare_id(self.container_id)[:12]

    def _wanted(self, pid: int, disk: os.statvfs_result) -> tuple[int, str]:
        """How many bytes, and why so many."""
        if self.size:
            return self.size, "as many as asked"
        share = self.percentage / 100
        if not self.limit:
            has, whole, of = _used(disk), _used(disk) + _free(disk), "its file system"
        else:
            has, whole, of = self._written(pid), self.limit, "its ephemeral-storage limit"
        wanted = int(share * whole) - has
        state = f"{self.percentage:g} % of {of}, {_shown(whole)}, of which {_shown(has)} are taken"
        if wanted < disk.f_frsize:
            raise FaultError(f"there is nothing to fill for {state}; ask for more, or for bytes")
        return wanted, state

    def _written(self, pid: int) -> int:
        upper = folders.upper_layer(pid)
        if upper is None:
            raise FaultError(
                "what the container has written can't be told, because its root file system is no overlay; "
                "ask for bytes instead of a percentage of the limit"
            )
        try:
            return folders.bytes_in(upper, deadline_s=_COUNT_S)
        except OSError as error:
            raise FaultError(f"what the container has written can't be counted: {error}") from error

    def _refuse_too_much(self, disk: os.statvfs_result) -> None:
        free = _free(disk)
        meant = self.percentage and not self.limit
        least = 0 if meant else int(RESERVE * (_used(disk) + free))
        if self._asked > free - least:
            raise FaultError(
                f"{_shown(self._asked)} do not fit: the file system of {self.path} has {_shown(free)} free, "
                f"of which {_shown(least)} must stay free for the rest of the node"
            )

    def _enough(self, blocks: int) -> bool:
        return blocks * folders.BLOCK >= self._asked * (1 - _TOLERANCE)


def name_of(fault_id: str) -> str:
    """Hidden, and found again by the id."""
    return f".litmus-fill-{fault_id}"


def _places(undo: Undo) -> list[AbstractContextManager[int | None]]:
    """All ways to the folder that may still be open: through the container, and on the host's own file system."""
    host = undo.get("on_host", "")
    return [_folder(undo), *([_host_folder(undo)] if host else [])]


@contextlib.contextmanager
def _folder(undo: Undo) -> Iterator[int | None]:
    """The folder in the running container; None when the container has ended, or the folder is gone."""
    target = processes.main_process(undo["container_id"])
    folder = None
    if target is not None:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            folder = folders.open_in(target.pid, undo["path"])
    try:
        yield folder
    finally:
        if folder is not None:
            os.close(folder)


@contextlib.contextmanager
def _host_folder(undo: Undo) -> Iterator[int | None]:
    """The folder as the host has it: an upper layer outlives its container, a volume its pod's processes.

    None when it is gone, or when another file system is there now.
    """
    folder = None
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        folder = os.open(folders.seen_from_host(undo["on_host"]), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield folder
    finally:
        if folder is not None:
            os.close(folder)


def _allocate(file: int, size: int) -> None:
    """Blocks for ``size`` bytes, without writing them where the file system can do so (posix_fallocate(3))."""
    for offset in range(0, size, _STEP):
        length = min(_STEP, size - offset)
        try:
            os.posix_fallocate(file, offset, length)
        except OSError as error:
            if error.errno not in _NO_ALLOCATION:
                raise
            _write_zeros(file, offset, length)
    os.fsync(file)


def _write_zeros(file: int, offset: int, length: int) -> None:
    end = offset + length
    while offset < end:
        offset += os.pwrite(file, _ZEROS[: end - offset], offset)


def _blocks(folder: int, name: str) -> int:
    """Blocks of 512 bytes; -1 when the file is not there."""
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False).st_blocks
    except FileNotFoundError:
        return -1


def _used(disk: os.statvfs_result) -> int:
    return (disk.f_blocks - disk.f_bfree) * disk.f_frsize


def _free(disk: os.statvfs_result) -> int:
    """What a process without privileges can still take."""
    return disk.f_bavail * disk.f_frsize


def _percent(disk: os.statvfs_result) -> float:
    """As ``df`` counts it: the blocks that are kept for root do not count."""
    whole = _used(disk) + _free(disk)
    return 100 * _used(disk) / whole if whole else 100.0


def _shown(size: int) -> str:
    return f"{size / 2**20:.1f} MiB"
