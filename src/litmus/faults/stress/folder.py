"""A working folder in a container's file system, for io stress, and its removal by whoever finds it."""

import contextlib
import os
import shutil

from .. import folders, marked, processes
from ..contract import FaultError, TargetGoneError

_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


def name(fault_id: str) -> str:
    """What the fault's folder is called."""
    return f".litmus-{fault_id}"


def enter(pid: int, path: str) -> int:
    """An open descriptor of a folder as process ``pid`` sees it; of ``path`` as we see it for pid 0.

    Raises FaultError when it is no folder, TargetGoneError when the process has ended.
    """
    try:
        return folders.open_in(pid or os.getpid(), path)
    except (FileNotFoundError, ProcessLookupError) as error:
        if pid and not (processes.PROC / str(pid)).exists():
            raise TargetGoneError(f"process {pid} has ended") from error
        raise FaultError(f"{path} is not there; name a folder that is") from error


def make(parent: int, path: str, fault_id: str) -> int:
    """The fault's own folder in an open one; there already is fine. Raises FaultError when it may not be written."""
    try:
        with contextlib.suppress(FileExistsError):
            os.mkdir(name(fault_id), mode=0o700, dir_fd=parent)
        return os.open(name(fault_id), _FLAGS | os.O_NOFOLLOW, dir_fd=parent)
    except OSError as error:
        raise FaultError(f"{path} can't be written ({error.strerror}); name a writable folder") from error


def free_bytes(folder: int) -> int:
    """What others than root may still write on the folder's file system (statvfs(3))."""
    status = os.fstatvfs(folder)
    return status.f_bavail * status.f_frsize


def held(fault_id: str) -> list[int]:
    """Open descriptors of the folders that the fault's processes work in.

    They lead there also when the container is gone and only its volumes are left.
    """
    found = []
    for pid in marked.find(fault_id):
        with contextlib.suppress(OSError):
            link = processes.PROC / str(pid) / "cwd"
            if link.readlink().name == name(fault_id):
                found.append(os.open(link, _FLAGS))
    return found


def remove(folder: int, fault_id: str) -> None:
    """Removes the fault's folder through its own descriptor. Raises FaultError when it can't be."""
    try:
        parent = os.open("..", _FLAGS, dir_fd=folder)
    except FileNotFoundError:
        return
    try:
        remove_in(parent, fault_id)
    finally:
        os.close(parent)


def remove_in(parent: int, fault_id: str) -> None:
    """Removes the fault's folder from an open one; not there is fine. Raises FaultError when it can't be."""
    try:
        shutil.rmtree(name(fault_id), dir_fd=parent)
    except FileNotFoundError:
        return
    except OSError as error:
        raise FaultError(f"{name(fault_id)} can't be removed: {error.strerror}") from error


def is_in(parent: int, fault_id: str) -> bool:
    """Whether the fault's folder is in an open one."""
    try:
        os.stat(name(fault_id), dir_fd=parent, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True
