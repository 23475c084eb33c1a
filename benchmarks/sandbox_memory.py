"""Resident memory of a sandbox's processes as proportional set size: a page that n processes share counts 1/n in each.

So the sum over all of them is what the sandbox takes of the machine. One MB is 1,024 kB of ``/proc``. Source:
proc_pid_smaps(5), ``smaps_rollup``.
"""

import statistics
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from table import NotMeasured

from litmus.sandbox.node import processes

_KB_PER_MB = 1024
_CONTROL = "litmus.sandbox.control"
_ROLES = {"litmus.sandbox.node": "node", "litmus.sandbox.network": "proxy"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """In MB. ``node`` and ``container``: the median of all there are; ``container`` is 0 where there is none."""

    control: float
    node: float
    proxy: float
    container: float
    everything: float


def read(folder: Path, *, proc: Path = processes.PROC) -> Memory:
    """The processes of the sandbox in that folder. Raises NotMeasured when it does not run."""
    roles: dict[str, list[float]] = defaultdict(list)
    containers: dict[str, float] = defaultdict(float)
    for member in processes.marked(processes.SANDBOX, str(folder), proc=proc):
        resident = pss(member.pid, proc=proc)
        if member.container:
            containers[member.container] += resident
        elif resident:
            roles[role(member.pid, proc=proc)].append(resident)
    if not roles["node"] or not roles["proxy"]:
        raise NotMeasured("the nodes and the service proxy of the sandbox were not found in /proc")
    own = pss(control(folder, proc=proc), proc=proc)
    return Memory(
        control=own,
        node=statistics.median(roles["node"]),
        proxy=statistics.median(roles["proxy"]),
        container=statistics.median(containers.values()) if containers else 0.0,
        everything=own + sum(map(sum, roles.values())) + sum(containers.values()),
    )


def control(folder: Path, *, proc: Path = processes.PROC) -> int:
    """The pid of the control process, which carries no mark. Raises NotMeasured when there is none."""
    for entry in proc.glob("[0-9]*"):
        words = _command(entry)
        if _CONTROL in words and str(folder) in words:
            return int(entry.name)
    raise NotMeasured(f"no control process runs for {folder}")


def _command(process: Path) -> list[str]:
    try:
        return (process / "cmdline").read_text(errors="replace").split("\0")
    except OSError:
        return []


def role(pid: int, *, proc: Path = processes.PROC) -> str:
    """What a process of the sandbox that is in no container is there for: "node", "proxy", else ""."""
    words = _command(proc / str(pid))
    return next((found for module, found in _ROLES.items() if module in words), "")


def pss(pid: int, *, proc: Path = processes.PROC) -> float:
    """In MB; 0 for a process that has ended."""
    try:
        lines = (proc / str(pid) / "smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / _KB_PER_MB for line in lines if line.startswith("Pss:")), 0.0)
