"""Finding a container's processes on a node, without asking any container runtime.

Every runtime puts a container into a control group whose path has the container's id (64 hex digits), so the id in
``/proc/<pid>/cgroup`` is enough for Docker, containerd and CRI-O alike, in cgroup v1 and v2, with the cgroupfs and the
systemd driver. From inside a cgroup namespace the paths are relative (``/../<id>``) but still carry the id.
See proc_pid_cgroup(5), and namespaces(7) for ``NSpid``.
"""

import re
from dataclasses import dataclass
from pathlib import Path

_ID = re.compile(r"(?<![0-9a-f])([0-9a-f]{64})(?![0-9a-f])")
PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Process:
    """A process as the host sees it."""

    pid: int
    parent: int
    name: str
    started: int = 0  # clock ticks after boot


def bare_id(container_id: str) -> str:
    """The id without the runtime in front: ``containerd://4c5d…`` → ``4c5d…``."""
    return container_id.rpartition("/")[2]


def ids_in(cgroup: str) -> set[str]:
    """The container ids that a ``/proc/<pid>/cgroup`` names."""
    return set(_ID.findall(cgroup))


def of_container(container_id: str, *, proc: Path = PROC) -> list[Process]:
    """All processes of a container, in order of their pids; empty if it runs none here."""
    wanted = bare_id(container_id)
    found = []
    for entry in proc.iterdir():
        if not entry.name.isdigit():
            continue
        try:
            if wanted in ids_in((entry / "cgroup").read_text()):
                found.append(_process(entry))
        except OSError:
            continue  # it ended while we looked
    return sorted(found, key=lambda process: process.pid)


def main_process(container_id: str, *, proc: Path = PROC) -> Process | None:
    """The process that the container runtime started: the one whose parent is not in the container.

    Pid 1 of the container's namespace would miss pods that share one process namespace, and processes that were
    exec'ed into the container also have a foreign parent, but a later start: so the earliest of those counts.
    """
    members = of_container(container_id, proc=proc)
    pids = {process.pid for process in members}
    roots = [process for process in members if process.parent not in pids]
    return min(roots, key=lambda process: (process.started, process.pid), default=None)


def still_there(process: Process, *, proc: Path = PROC) -> bool:
    """Whether it still runs, and its pid has not come to mean another process."""
    try:
        fields = (proc / str(process.pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return False
    return fields[0] not in "ZX" and int(fields[19]) == process.started


def _process(entry: Path) -> Process:
    fields = dict(line.split(":", 1) for line in (entry / "status").read_text().splitlines() if ":" in line)
    # Field 22 of proc_pid_stat(5); the name in field 2 may itself hold spaces and brackets.
    started = (entry / "stat").read_text().rpartition(")")[2].split()[19]
    return Process(pid=int(entry.name), parent=int(fields["PPid"]), name=fields["Name"].strip(), started=int(started))
