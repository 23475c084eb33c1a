"""Whose a sandbox's folder is: a lock on the folder itself (flock(2)), so that two commands never share one.

The control process takes it before it writes anything and its janitor holds it too, so it is free only when both are
gone, and the kernel frees it however they end. A folder that was removed and made anew is another folder: who got the
lock on the old one looks once more.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator

from .errors import SandboxError
from .folder import Folder, Settings

# A janitor ends what carries the mark and removes files: some tenths of a second, more on a machine that is busy.
JANITOR_DEADLINE_S = 10.0
_ATTEMPTS = 10


@contextlib.contextmanager
def taken(folder: Folder, settings: Settings) -> Iterator[tuple[int, Settings]]:
    """Claims a folder for a new start: the lock's file descriptor, and ``settings`` with what is kept from earlier.

    Raises SandboxError when it is in use, or holds what must not be lost or mixed up.
    """
    lock = _lock(folder, settings)
    try:
        yield lock, _reconciled(folder, settings)
    finally:
        with contextlib.suppress(OSError):
            if _same(folder, lock):
                folder.path.rmdir()  # only if it is empty: it was made for a start of which nothing came
        os.close(lock)


@contextlib.contextmanager
def left(folder: Folder) -> Iterator[bool]:
    """Claims a folder to clear it; False when it is gone. Raises SandboxError when somebody else holds it."""
    try:
        lock = _try(folder)
    except FileNotFoundError:
        yield False
        return
    if lock is None:
        raise _busy(folder)
    try:
        yield True
    finally:
        os.close(lock)


def _lock(folder: Folder, settings: Settings) -> int:
    """The lock of a folder that is made if need be. Raises SandboxError."""
    lock = _made(folder)
    if lock is None:
        holder = folder.load() or Settings()
        if holder.control.running():
            raise in_use(folder, settings, ready=holder.ready)
        if holder.janitor.running():
            holder.janitor.wait(JANITOR_DEADLINE_S)
            lock = _made(folder)
    if lock is None:
        raise _busy(folder)
    return lock


def _made(folder: Folder) -> int | None:
    """Makes the folder and tries its lock. Raises SandboxError when there can be no such folder."""
    for attempt in range(_ATTEMPTS):
        try:
            folder.make()
            return _try(folder)
        except OSError as error:
            if isinstance(error, FileNotFoundError) and attempt < _ATTEMPTS - 1:
                continue  # somebody removed it just now
            why = error.strerror or error
            raise SandboxError(
                f"{folder.path} can't be made ({why}); name another folder in LITMUS_SANDBOX_HOME"
            ) from error
    raise AssertionError("the last attempt returns or raises")


def _try(folder: Folder) -> int | None:
    """The lock, None while somebody holds it. Raises OSError, FileNotFoundError for a folder that is gone."""
    while True:
        lock = os.open(folder.path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _same(folder, lock):
                return lock
        except BlockingIOError:
            os.close(lock)
            return None
        except OSError:
            os.close(lock)
            raise
        os.close(lock)


def _same(folder: Folder, lock: int) -> bool:
    """Whether the lock is on the folder that is there now. Raises FileNotFoundError when there is none."""
    return os.path.samestat(os.fstat(lock), folder.path.lstat())


def _reconciled(folder: Folder, settings: Settings) -> Settings:
    """The settings to start with, after a look at what an earlier sandbox has left."""
    earlier = folder.load()
    if earlier is None:
        return settings
    if not earlier.persist:
        raise SandboxError(
            f"{folder.path} is left over from a sandbox that did not end well; "
            f"clear it with: litmus sandbox down{folder.option}"
        )
    if not settings.persist:
        raise SandboxError(
            f"{folder.path} keeps the objects of an earlier sandbox; go on from them with --persist, "
            f"or clear them with: litmus sandbox down{folder.option}"
        )
    settings.port = settings.port or earlier.port
    settings.network = earlier.network
    return settings


def in_use(folder: Folder, settings: Settings, *, ready: bool = True) -> SandboxError:
    """What to tell somebody who wants to start what runs."""
    if not ready:
        return SandboxError(
            f"the sandbox {settings.name!r} is just being started by another command; see: "
            f"litmus sandbox status{folder.option}"
        )
    return SandboxError(
        f"the sandbox {settings.name!r} is already up; use it with: export KUBECONFIG={folder.kubeconfig} "
        f"(or end it with: litmus sandbox down{folder.option})"
    )


def _busy(folder: Folder) -> SandboxError:
    return SandboxError(f"another command is just starting or ending the sandbox in {folder.path}; try again")
