"""The control groups of a process: where they are, joining them and leaving them.

cgroup v1 has one tree for each controller (or pair of controllers), v2 has one tree for all, and a hybrid host has v1
trees and a v2 tree without controllers beside them; see cgroups(7). ``/proc/<pid>/cgroup`` names a process's place in
each tree as the reader's own cgroup namespace sees it, so we enter the host's first. The host's trees are expected at
``/sys/fs/cgroup``; a helper pod mounts them there.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from . import namespaces, processes
from .contract import FaultError, TargetGoneError

ROOT = Path("/sys/fs/cgroup")
# The key of the v2 tree in Groups.
UNIFIED = ""
_PROCS = "cgroup.procs"
# A frozen v1 group holds even SIGKILL back, so what joins it could not be ended (freezer-subsystem.rst).
_NOT_JOINED = frozenset({"freezer"})


@dataclass(frozen=True, slots=True)
class Groups:
    """The folder of a process's group in each tree, by controller: ``cpu``, ``memory``, …; '' is the v2 tree.

    ``tops`` are the top folders of the same trees.
    """

    folders: Mapping[str, Path]
    tops: Mapping[str, Path]

    def folder(self, controller: str) -> Path:
        """Where the controller's files of this group are. Raises FaultError when it is in no tree here."""
        found = self.folders.get(controller) or self.folders.get(UNIFIED)
        if found is None:
            raise FaultError(f"the control group's {controller} files are not under {ROOT}; mount the host's there")
        return found

    def v2(self, controller: str) -> bool:
        return controller not in self.folders

    @property
    def unified(self) -> bool:
        """Whether the group is also in a v2 tree."""
        return UNIFIED in self.folders

    def lineage(self, controller: str) -> list[Path]:
        """The group and those around it, innermost first: a limit of any of them holds."""
        folder = self.folder(controller)
        top = self.tops.get(controller) or self.tops[UNIFIED]
        return [folder, *(parent for parent in folder.parents if parent.is_relative_to(top))]

    def add(self, pid: int) -> None:
        """Moves a process into the group, in every tree. Raises FaultError, TargetGoneError when the group is gone."""
        for folder in dict.fromkeys(path for name, path in self.folders.items() if name not in _NOT_JOINED):
            if refused := _add(pid, folder):
                if not folder.exists():
                    raise TargetGoneError(f"control group {folder} is gone")
                raise FaultError(refused)


def of_process(pid: int, *, root: Path = ROOT, proc: Path = processes.PROC) -> Groups:
    """The groups of a process. Raises TargetGoneError when it ended, FaultError when they are not under ``root``."""
    enter_host_namespace()
    try:
        lines = (proc / str(pid) / "cgroup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError) as error:
        raise TargetGoneError(f"process {pid} has ended") from error
    folders: dict[str, Path] = {}
    tops: dict[str, Path] = {}
    for line in lines:
        _, names, path = line.split(":", 2)
        top = _top(names, root)
        folder = _below(top, path) if top else None
        if top is None or folder is None:
            continue
        for name in names.split(","):
            folders[name], tops[name] = folder, top
    found = Groups(folders, tops)
    for controller in ("cpu", "memory"):
        found.folder(controller)
    return found


def trees(root: Path = ROOT) -> Iterator[Path]:
    """The top folder of every hierarchy: of v2, or of each v1 controller, ``name=systemd`` included."""
    if (root / _PROCS).exists():
        yield root
        return
    for folder in sorted(root.iterdir()):
        # `cpu` and `cpuacct` are links to `cpu,cpuacct` on most v1 hosts.
        if not folder.is_symlink() and (folder / _PROCS).exists():
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
    refused = [said for tree in found if (said := _add(pid, tree))]
    if refused:
        raise FaultError(refused[0])


def enter_host_namespace() -> None:
    """Enters the cgroup namespace of the host's init for good, unless this thread is in it.

    Where it can't be seen, paths are taken as they are shown: we are not root, or init is out of our reach.
    """
    try:
        same = (processes.PROC / "1/ns/cgroup").samefile("/proc/thread-self/ns/cgroup")
    except OSError:
        return
    if not same:
        namespaces.join_host_cgroup_namespace()


def _top(names: str, root: Path) -> Path | None:
    """The folder where a tree of ``/proc/<pid>/cgroup`` is mounted; None if it is not."""
    unified = (root / "cgroup.controllers").exists()
    if names == UNIFIED:
        return root if unified else _folder(root / "unified")
    if unified:
        return None
    wanted = set(names.removeprefix("name=").split(","))
    # `cpu,cpuacct` on most hosts, `cpuacct,cpu` on some.
    return next((tree for tree in trees(root) if set(tree.name.split(",")) == wanted), None)


def _below(top: Path, path: str) -> Path | None:
    """The folder of a path as the kernel shows it, also if it is shown from inside of another namespace.

    ``/../x`` is relative to a place that we don't know, and in a nested node (kind) the tree is mounted from further
    down than the path begins; the last names are the same in all of these.
    """
    names = [name for name in path.split("/") if name not in ("", "..")]
    for start in range(len(names)):
        if (exact := top.joinpath(*names[start:])).is_dir():
            return exact
    if not names:
        return top
    return next((found for found in sorted(top.rglob(names[-1])) if found.parts[-len(names) :] == tuple(names)), None)


def _folder(path: Path) -> Path | None:
    return path if path.is_dir() else None


def _add(pid: int, group: Path) -> str:
    """Writes a pid into a group; why it was refused, or ''."""
    try:
        (group / _PROCS).write_text(str(pid))
    except OSError as error:
        return f"process {pid} can't be moved into {group}: {error.strerror}"
    return ""
