"""The standby: a second container of the helper pod, which undoes a session when its helper and guardian are both dead.

Helper and guardian share a lock from before the guardian is forked. The kernel opens it when the last of them is gone,
however they went, and in that moment the standby has it: nobody has to ask, and neither the API server nor the kubelet
is needed. The journal tells whether anything is left to do.

The files lie beside the journal:

    <session>.alive    held by helper and guardian; it is there only once it is held
    <session>.standby  held by the standby: the helper changes nothing before that
"""

import contextlib
import fcntl
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import journal
from .contract import Fault, FaultError

_LOOK_EVERY_S = 0.05
# How much longer than a helper may take to begin, in seconds, somebody may wait for it.
_PATIENCE_S = 5.0


class Watched:
    """The helper's side: the lock, which whoever inherits it holds, too. Raises FaultError when it can't be made."""

    def __init__(self, session: str) -> None:
        self._alive, self._standby = _path(session, "alive"), _path(session, "standby")
        draft = self._alive.with_suffix(".draft")
        try:
            journal.FOLDER.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = draft.open("w")
            fcntl.flock(self._file, fcntl.LOCK_EX)
            draft.rename(self._alive)
        except OSError as error:
            raise FaultError(f"the lock {self._alive} can't be made: {error.strerror}") from error

    def fileno(self) -> int:
        return self._file.fileno()

    def await_standby(self, *, until: float, check: Callable[[], object]) -> None:
        """Returns when the standby watches. ``until``: Unix time. ``check`` raises when there is no use in waiting.

        Raises FaultError when it does not come.
        """
        while not _is_held(self._standby):
            check()
            if time.time() > until:
                raise FaultError("the second container of the helper pod, which would undo the fault, did not start")
            time.sleep(_LOOK_EVERY_S)

    def end(self) -> None:
        """All is undone. The lock itself opens with the end of the helper and its guardian."""
        _unlink(self._alive, self._standby)


def live(mechanism: type[Fault], session: str, *, start_by: float) -> tuple[str, dict[str, Any]]:
    """Waits until helper and guardian are gone and undoes what they left; what was found, and what is left by target.

    ``start_by``: Unix time after which a helper begins no more. Raises FaultError when the node's folder can't be used.
    """
    from . import session as sessions

    # The kubelet ends both containers of a pod at a time, and the helper reverts only then.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    alive, own = _path(session, "alive"), _path(session, "standby")
    try:
        journal.FOLDER.mkdir(mode=0o700, parents=True, exist_ok=True)
        with own.open("w") as mine:
            fcntl.flock(mine, fcntl.LOCK_EX)
            if not _await_file(alive, until=start_by + _PATIENCE_S):
                return "there was no helper", {}
            with alive.open() as theirs:
                fcntl.flock(theirs, fcntl.LOCK_EX)
    except OSError as error:
        raise FaultError(f"{error.filename or alive}: {error.strerror}") from error
    finally:
        _unlink(alive, own)
    if journal.read(session) is None:
        return "nothing was left to do", {}
    _, left = sessions.revert(mechanism, session, [])
    return "put back by the standby", left


def _await_file(path: Path, *, until: float) -> bool:
    while not path.exists():
        if time.time() > until:
            return False
        time.sleep(_LOOK_EVERY_S)
    return True


def _unlink(*paths: Path) -> None:
    for path in paths:
        with contextlib.suppress(OSError):
            path.unlink()


def _is_held(path: Path) -> bool:
    try:
        with path.open() as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False


def _path(session: str, kind: str) -> Path:
    return journal.path(session).with_suffix(f".{kind}")
