"""The control groups of a process: where they are, joining them, leaving them, their limits.

cgroup v1 has one tree for each controller (or pair of controllers), v2 has one tree for all, and a hybrid host has v1
trees and an empty v2 tree beside them; see cgroups(7). ``/proc/<pid>/cgroup`` names a process's place in each tree as
the reader's own cgroup namespace sees it, so we enter the host's first. The host's trees are expected at
``/sys/fs/cgroup``; a helper pod mounts them there.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from . import namespaces, processes
from .contract import FaultError

ROOT = Path("/sys/fs/cgroup")
PROCS = "cgroup.procs"


def trees(root: Path = ROOT) -> Iterator[Path]:
    """The top folder of every hierarchy: of v2, or of each v1 controller, ``name=systemd`` included."""
    if (root / PROCS).exists():
        yield root
        return
    for folder in sorted(root.iterdir()):
        # `cpu` and `cpuacct` are links to `cpu,cpuacct` on most v1 hosts.
        if not folder.is_symlink() and (folder / PROCS).exists():
            yield folder


def move_to_root(pid: int, root: Path = ROOT) -> None:
    """Moves a process into the top group of every hierarchy, so that it outlives the pod that started it.

    The top group of v2 may have processes beside children with controllers, as no other group may (cgroups(7), "no
    internal processes"). Raises FaultError for the first tree that refuses, after having tried them all.
    """
    enter_host_namespace()
    found = list(trees(root))
    if not found:
        raise FaultError(f"{root} has no control groups; mount the host's /sys/fs/cgroup there")
    refused = [error for tree in found if (error := _add(pid, tree))]
    if refused:
        raise FaultError(refused[0])


def enter_host_namespace() -> None:
    """Enters the cgroup namespace of the host's init for good, unless this thread is in it.

    Where it can't be seen, because we are not root, paths are taken as they are shown.
    """
    try:
        same = os.stat(f"{processes.PROC}/1/ns/cgroup") == os.stat("/proc/thread-self/ns/cgroup")
    except OSError:
        return
    if not same:
        namespaces.join_host_cgroup_namespace()


def _add(pid: int, group: Path) -> str:
    """Writes a pid into a group; why it was refused, or ''."""
    try:
        (group / PROCS).write_text(str(pid))
    except OSError as error:
        return f"process {pid} can't be moved into {group}: {error.strerror}"
    return ""
