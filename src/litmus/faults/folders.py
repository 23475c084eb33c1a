"""Where a folder of a container lies on its host, so that it is reached when the container is gone.

A container's own files are in the upper layer of an overlay, its volumes are folders of the host that are mounted into
it; both stand in proc_pid_mountinfo(5), the layer among the options of the file system
(Documentation/filesystems/overlayfs.rst). The helper needs SYS_PTRACE to follow ``/proc/<pid>/root``.
"""

import os
import re
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from . import daemons, processes
from .contract import FaultError

# The first process of the host, whose files are the host's: the helper pod shares the host's process namespace.
HOST = 1
# mountinfo writes blanks, tabs, line breaks and backslashes of a path as three octal digits.
_OCTAL = re.compile(r"\\([0-7]{3})")
BLOCK = 512  # the unit of st_blocks, whatever the file system's own blocks are (inode(7))


@dataclass(frozen=True, slots=True)
class Mount:
    """One line of mountinfo."""

    device: str  # major:minor
    root: str  # the folder of the file system that is mounted
    point: str
    kind: str
    options: dict[str, str]
    read_only: bool


def host(*, proc: Path = processes.PROC) -> int:
    """A process that sees the files of the host: the first one, or where that one is closed to us, a kubelet.

    Raises FaultError when neither can be used.
    """
    for pid in (HOST, *(kubelet.pid for kubelet in daemons.kubelets(proc=proc))):
        if os.access(proc / str(pid) / "root" / ".", os.X_OK):
            return pid
    raise FaultError("the host's files can't be reached; the helper pod needs hostPID and the capability SYS_PTRACE")


def mounts(pid: int, *, proc: Path = processes.PROC) -> list[Mount]:
    """All mounts that a process sees, in the order in which they were made. Empty when it has ended."""
    try:
        lines = (proc / str(pid) / "mountinfo").read_text().splitlines()
    except OSError:
        return []
    return [_mount(line) for line in lines]


def mount_of(path: str, seen: list[Mount]) -> Mount | None:
    """The mount that a path is in: the deepest mount point above it, and of several on one point the last."""
    holding = [mount for mount in seen if _inside(path, mount.point)]
    return max(reversed(holding), key=lambda mount: len(mount.point.rstrip("/")), default=None)


def on_host(pid: int, path: str, *, proc: Path = processes.PROC) -> str:
    """The same folder as the host names it; '' when it can't be told."""
    mount = mount_of(path, mounts(pid, proc=proc))
    if mount is None:
        return ""
    inner = _join(mount.root, _below(path, mount.point))
    if mount.kind == "overlay":
        upper = mount.options.get("upperdir", "")
        return _join(upper, inner) if upper.startswith("/") else ""
    for other in reversed(mounts(host(proc=proc), proc=proc)):
        if other.device == mount.device and _inside(inner, other.root):
            return _join(other.point, _below(inner, other.root))
    return ""


def upper_layer(pid: int, *, proc: Path = processes.PROC) -> Path | None:
    """What a container has written, as a folder of the host; None where its root file system is no overlay."""
    root = mount_of("/", mounts(pid, proc=proc))
    upper = root.options.get("upperdir", "") if root and root.kind == "overlay" else ""
    return seen_from_host(upper, proc=proc) if upper.startswith("/") else None


def seen_from_host(path: str, *, proc: Path = processes.PROC) -> Path:
    """A path of the host, from inside of a pod."""
    return proc / str(host(proc=proc)) / "root" / path.lstrip("/")


def open_in(pid: int, path: str, *, proc: Path = processes.PROC) -> int:
    """A descriptor of a folder of a process, which follows no symbolic link: a link would lead out of its root.

    Raises FaultError when it is no folder, FileNotFoundError or ProcessLookupError when it or the process is gone.
    """
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
    try:
        folder = os.open(proc / str(pid) / "root", flags)
    except PermissionError as error:
        raise FaultError(
            f"the files of process {pid} can't be reached; the helper pod needs the capability SYS_PTRACE"
        ) from error
    for part in Path(path).parts[1:]:
        try:
            inner = os.open(part, flags | os.O_NOFOLLOW, dir_fd=folder)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise FaultError(
                f"{path} in the container can't be opened: {part}: {error.strerror}; name a folder without symbolic "
                "links"
            ) from error
        finally:
            os.close(folder)
        folder = inner
    return folder


def bytes_in(top: Path, *, deadline_s: float) -> int:
    """The space that files take on their disk, as ``du`` counts: blocks, each hard link once, one file system.

    Raises FaultError when it takes longer.
    """
    give_up = time.monotonic() + deadline_s
    seen: set[int] = set()
    total = 0
    device = top.stat().st_dev
    for info in _walk(top):
        if info.st_dev != device or info.st_ino in seen:
            continue
        if info.st_nlink > 1 and not stat.S_ISDIR(info.st_mode):
            seen.add(info.st_ino)
        total += info.st_blocks * BLOCK
        if time.monotonic() > give_up:
            raise FaultError(f"counting what the container has written took longer than {deadline_s:g} s")
    return total


def _walk(top: Path) -> Iterator[os.stat_result]:
    waiting = [str(top)]
    yield top.stat()
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    yield entry.stat(follow_symlinks=False)
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
        except FileNotFoundError:
            continue  # the container removed it while we looked


def _mount(line: str) -> Mount:
    before, _, after = line.partition(" - ")
    fields, system = before.split(" "), after.split(" ")
    options = dict(word.partition("=")[::2] for word in system[2].split(",")) if len(system) > 2 else {}
    return Mount(
        device=fields[2],
        root=_plain(fields[3]),
        point=_plain(fields[4]),
        kind=system[0],
        options={name: _plain(value) for name, value in options.items()},
        read_only="ro" in fields[5].split(",") or "ro" in options,
    )


def _plain(text: str) -> str:
    return _OCTAL.sub(lambda found: chr(int(found.group(1), 8)), text)


def _inside(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _below(path: str, folder: str) -> str:
    return path[len(folder.rstrip("/")) :].lstrip("/")


def _join(folder: str, rest: str) -> str:
    return f"{folder.rstrip('/')}/{rest.lstrip('/')}".rstrip("/") or "/"
