"""What a pod with ``hostPID: true`` sees as /proc: the processes of this node's containers, with their control groups.

There are no control groups here, so ``/proc/<pid>/cgroup`` is the one file that has to be made; it names the container
as on a real node, ``/kubepods/pod<uid>/<64 hex>``. Everything else of a process is a link to the real /proc. The mirror
follows the machine while somebody needs it: at once when a container starts or ends, else five times a second.
"""

import asyncio
import contextlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from . import processes

PERIOD_S = 0.2
_LINKED = ("cmdline", "comm", "cwd", "environ", "exe", "fd", "io", "limits", "maps", "mountinfo", "ns", "oom_score_adj",
           "root", "sched", "smaps_rollup", "stat", "statm", "status", "task", "wchan")  # fmt: skip


@dataclass(slots=True)
class Mirror:
    """``mark``: the node's folder, which its processes carry. ``group_of``: container id → path of its group."""

    folder: Path
    mark: str
    group_of: Callable[[str], str]
    _users: int = 0
    _task: asyncio.Task[None] | None = None
    _again: asyncio.Event = field(default_factory=asyncio.Event)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def acquire(self) -> None:
        """A pod that needs it begins: from here on, until ``release``, it is kept fresh."""
        self._users += 1
        await self.refresh()
        if self._task is None:
            self._task = asyncio.create_task(self._follow(), name="mirror of /proc")

    def release(self) -> None:
        """The pod is over."""
        self._users -= 1
        if self._users == 0 and self._task is not None:
            self._task.cancel()
            self._task = None

    def changed(self) -> None:
        """A container has started or ended."""
        self._again.set()

    async def refresh(self) -> None:
        """Brings the mirror up to date; nothing while nobody needs it."""
        if self._users:
            async with self._lock:
                await asyncio.to_thread(self._scan)

    async def _follow(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PERIOD_S):
                    await self._again.wait()
            self._again.clear()
            await self.refresh()

    def _scan(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        alive = {str(member.pid): member for member in processes.marked(processes.NODE, self.mark)}
        known = {entry.name for entry in self.folder.iterdir()}
        for name in known - alive.keys():
            shutil.rmtree(self.folder / name, ignore_errors=True)
        for name in alive.keys() - known:
            self._add(name, alive[name].container)

    def _add(self, pid: str, container: str) -> None:
        """In one step, so that nobody sees a process without its group."""
        beside = self.folder / f".{pid}"
        beside.mkdir()
        (beside / "cgroup").write_text(f"0::{self.group_of(container)}\n")
        for name in _LINKED:
            (beside / name).symlink_to(f"/proc/{pid}/{name}")
        beside.rename(self.folder / pid)
