"""What a control group may use and has used, in cgroup v1 and v2.

The files are those of the kernel's admin-guide/cgroup-v1 (cpuacct.rst, memory.rst, blkio-controller.rst) and
admin-guide/cgroup-v2.rst. Limits are the narrowest of the group and of those around it, counters are the group's own.
"""

import os
import time
from dataclasses import dataclass
from pathlib import Path

from .cgroups import Groups
from .contract import TargetGoneError

# v1 has no word for "no limit": it shows the largest number of pages that fits, near 2**63 bytes.
_UNLIMITED = 1 << 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The counters of a group at one moment. ``written_bytes`` is None where the kernel does not count them.

    ``resident_bytes`` is anonymous memory: what processes allocate, without the page cache.
    """

    at: float
    cpu_s: float
    resident_bytes: int
    written_bytes: int | None
    oom_kills: int


def read(groups: Groups) -> Reading:
    """Raises TargetGoneError when the group is gone."""
    try:
        return Reading(
            at=time.monotonic(),
            cpu_s=_cpu_seconds(groups),
            resident_bytes=_resident(groups),
            written_bytes=_written(groups),
            oom_kills=_oom_kills(groups),
        )
    except OSError as error:
        raise TargetGoneError(f"control group {groups.folder('memory')} is gone") from error


def cpu_limit(groups: Groups) -> float:
    """How many processors' worth of time the group may use: by quota, by cpuset, and at most those of the node."""
    allowed = float(os.cpu_count() or 1)
    for folder in groups.lineage("cpu"):
        allowed = min(allowed, _quota(folder, v2=groups.v2("cpu")))
    if "cpuset" in groups.folders or groups.v2("cpu"):
        folder = groups.folder("cpuset")
        name = "cpuset.cpus.effective" if groups.v2("cpuset") else "cpuset.effective_cpus"
        allowed = min(allowed, _count_cpus(_text(folder / name)) or allowed)
    return allowed


def memory_limit(groups: Groups) -> int | None:
    """Bytes; None where no group around has a limit."""
    name = "memory.max" if groups.v2("memory") else "memory.limit_in_bytes"
    words = [_text(folder / name) for folder in groups.lineage("memory")]
    limits = [int(word) for word in words if word.isdecimal() and int(word) < _UNLIMITED]
    return min(limits, default=None)


def node_memory(meminfo: Path = Path("/proc/meminfo")) -> tuple[int, int]:
    """Total and available memory of the node in bytes (proc_meminfo(5))."""
    table = _table(meminfo.read_text())
    return table["MemTotal:"] * 1024, table["MemAvailable:"] * 1024


def _cpu_seconds(groups: Groups) -> float:
    if groups.v2("cpuacct"):
        return _table((groups.folder("cpuacct") / "cpu.stat").read_text())["usage_usec"] / 1e6
    return int((groups.folder("cpuacct") / "cpuacct.usage").read_text()) / 1e9


def _resident(groups: Groups) -> int:
    table = _table((groups.folder("memory") / "memory.stat").read_text())
    return table["anon"] if groups.v2("memory") else table.get("total_rss", table["rss"])


def _written(groups: Groups) -> int | None:
    if groups.v2("blkio"):
        if not groups.unified:
            return None
        # "8:0 rbytes=90430464 wbytes=299008000 rios=…"; the file is missing where no io controller is enabled.
        words = _text(groups.folder("blkio") / "io.stat", missing="none").split()
        counts = [int(word.removeprefix("wbytes=")) for word in words if word.startswith("wbytes=")]
        return None if words == ["none"] else sum(counts)
    folder = groups.folders["blkio"]
    for name in ("blkio.throttle.io_service_bytes_recursive", "blkio.throttle.io_service_bytes"):
        if text := _text(folder / name):
            # "8:0 Write 4096"
            lines = [line.split() for line in text.splitlines()]
            return sum(int(words[2]) for words in lines if len(words) == 3 and words[1] == "Write")
    return None


def _oom_kills(groups: Groups) -> int:
    name = "memory.events" if groups.v2("memory") else "memory.oom_control"
    return _table(_text(groups.folder("memory") / name)).get("oom_kill", 0)


def _quota(folder: Path, *, v2: bool) -> float:
    """Processors; infinite where there is no quota."""
    if v2:
        words = _text(folder / "cpu.max").split()  # "max 100000" or "20000 100000"
    else:
        words = [_text(folder / "cpu.cfs_quota_us"), _text(folder / "cpu.cfs_period_us")]  # -1 is none
    if len(words) != 2 or not all(word.isdecimal() for word in words):
        return float("inf")
    return int(words[0]) / int(words[1])


def _count_cpus(text: str) -> int:
    """``0-2,5`` has four; see cpuset(7), list format."""
    count = 0
    for part in text.split(",") if text else []:
        first, _, last = part.partition("-")
        count += int(last or first) - int(first) + 1
    return count


def _table(text: str) -> dict[str, int]:
    """Lines of a name and a number."""
    pairs = (line.split() for line in text.splitlines())
    return {words[0]: int(words[1]) for words in pairs if len(words) >= 2 and words[1].isdecimal()}


def _text(path: Path, *, missing: str = "") -> str:
    """The top groups lack most files, and a controller may be off."""
    try:
        return path.read_text().strip()
    except OSError:
        return missing
