"""The guardian: a process that undoes a session when its helper can't.

It is forked before the injection with everything that it needs already loaded, and leaves the pod's control groups, so
that it outlives the pod - a force-deleted one, too. It waits for one of three things: the word of the helper that all
is undone, the death of the helper, or the end of its time. After the last two it undoes the session itself, and goes on
until nothing is left.
"""

import contextlib
import ctypes
import os
import select
import signal
import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from . import cgroups, journal, undoing
from .contract import Fault, FaultError, Undo

NAME = b"litmus-guardian"
_PR_SET_NAME = 15
# How much longer than its time a helper may take to begin to revert, and then to revert, in seconds.
_LATE_S = 1.5
_REVERTING_S = 20.0
# A process that the helper had started may still be at work when the helper is dead: clean counts when it stays clean.
_CLEAN_LOOKS = 3
_LOOK_AGAIN_S = 0.5
_LONGEST_PAUSE_S = 5.0
_DEATH_S = 2.0
# The words of the helper, one a line; the last has a time by ``now()`` behind it.
_DONE, _REVERTING, _UNTIL = "done", "reverting", "until"


def now() -> float:
    """Seconds on a clock that goes on while the machine is suspended."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Guardian:
    """The helper's side of its guardian."""

    def __init__(self, pid: int, line: int) -> None:
        self._pid = pid
        self._line = line

    @classmethod
    def start(
        cls,
        mechanism: type[Fault],
        recipes: Sequence[tuple[str, Undo]],
        *,
        session: str,
        until: float,
        keep: Collection[int] = (),
        leave: Callable[[int], None] = cgroups.move_to_root,
    ) -> "Guardian":
        """Returns when it watches. ``until``: by ``now()``, when the fault must be over; ``keep``: open files.

        Raises FaultError when it can't leave the pod's control groups: without it nothing may be touched.
        """
        orders, line = os.pipe()
        answer, say = os.pipe()
        try:
            helper = os.pidfd_open(os.getpid())
            pid = os.fork()
        except OSError as error:
            raise FaultError(f"the guardian could not start: {error.strerror}") from error
        if pid == 0:
            os.close(line)
            os.close(answer)
            _live(
                mechanism,
                recipes,
                session=session,
                until=until,
                orders=orders,
                say=say,
                helper=helper,
                keep=keep,
                leave=leave,
            )
        for descriptor in (orders, say, helper):
            os.close(descriptor)
        with os.fdopen(answer) as words:
            said = words.read()
        if said != "watching":
            os.close(line)
            os.waitpid(pid, 0)
            raise FaultError(f"the guardian could not start: {said or 'it died'}")
        return cls(pid, line)

    def extend(self, until: float) -> None:
        """The fault ends at another time than it was planned to, by ``now()``."""
        self._tell(f"{_UNTIL} {until:.3f}")

    def check(self) -> None:
        """Raises FaultError when it died: a fault must not go on without it."""
        with contextlib.suppress(ChildProcessError):
            if os.waitpid(self._pid, os.WNOHANG) == (0, 0):
                return
        raise FaultError("the guardian was ended by somebody, and without it the fault must not go on")

    def reverting(self) -> None:
        """The helper has begun to revert and may take its time."""
        self._tell(_REVERTING)

    def stand_down(self) -> None:
        """Everything is undone. Returns when the guardian is gone."""
        self._tell(_DONE)
        os.close(self._line)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self._pid, 0)

    def _tell(self, words: str) -> None:
        with contextlib.suppress(BrokenPipeError):  # it took over already
            os.write(self._line, f"{words}\n".encode())  # so short that it arrives whole (pipe(7))


def _live(
    mechanism: type[Fault],
    recipes: Sequence[tuple[str, Undo]],
    *,
    session: str,
    until: float,
    orders: int,
    say: int,
    helper: int,
    keep: Collection[int],
    leave: Callable[[int], None],
) -> None:
    """The guardian's life; never returns."""
    try:
        if why := _detached(leave, keep=(orders, say, helper, *keep)):
            os.write(say, why.encode())
            return
        os.write(say, b"watching")
        os.close(say)
        if _is_needed(orders, helper, until):
            _undo(mechanism, recipes)
            journal.remove(session)
    finally:
        os._exit(0)


def _detached(leave: Callable[[int], None], *, keep: Collection[int]) -> str:
    """Why it could not be, '' if it is."""
    try:
        _detach(leave)
        _let_go(keep)
    except (FaultError, OSError) as error:
        return str(error) or type(error).__name__
    return ""


def _detach(leave: Callable[[int], None]) -> None:
    """Out of the helper's session, signals and control groups: whoever ends the pod must not end this."""
    os.setsid()
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    leave(os.getpid())
    ctypes.CDLL(None).prctl(_PR_SET_NAME, NAME, 0, 0, 0)
    for score in ("0", "-998"):  # a pod without requests is the first that a machine out of memory kills
        with contextlib.suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text(score)


def _let_go(keep: Collection[int]) -> None:
    """Of all that the helper had open: a runtime waits for the end of its output, an experiment for its answers.

    Each becomes the null device and is not closed: its owner among the helper's objects may still close the number.
    """
    nothing = os.open(os.devnull, os.O_RDWR)
    opened = {int(link.name) for link in Path("/proc/self/fd").iterdir()}
    for descriptor in opened - {nothing, *keep} | {0, 1, 2}:
        os.dup2(nothing, descriptor, inheritable=descriptor <= 2)


def _is_needed(orders: int, helper: int, until: float) -> bool:
    """As ``_needed``; a guardian that can't tell undoes the session, which is the safer of its two mistakes."""
    try:
        return _needed(orders, helper, until)
    except Exception:  # noqa: BLE001 - whatever it is: who goes without undoing breaks the promise
        return True


def _needed(orders: int, helper: int, until: float) -> bool:
    """Waits; whether the session has to be undone here."""
    limit = until + _LATE_S
    poll = select.poll()
    poll.register(orders, select.POLLIN)
    poll.register(helper, select.POLLIN)
    while True:
        ready = dict(poll.poll(max(0.0, limit - now()) * 1000))
        if orders in ready:
            words = os.read(orders, select.PIPE_BUF).decode().split()
            if not words:
                return True  # the helper's end is closed: it is dead
            if _DONE in words:
                return False
            if _REVERTING in words:
                limit = now() + _REVERTING_S
            elif _UNTIL in words:
                limit = float(words[-1]) + _LATE_S
        elif helper in ready:
            return True
        elif not ready:
            # A helper that hangs might still change something after we have undone it.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                signal.pidfd_send_signal(helper, signal.SIGKILL)
            poll.unregister(orders)
            poll.poll(_DEATH_S * 1000)
            return True


def _undo(mechanism: type[Fault], recipes: Sequence[tuple[str, Undo]]) -> None:
    clean, pause = 0, _LOOK_AGAIN_S
    while clean < _CLEAN_LOOKS:
        left = undoing.look(mechanism, recipes)
        clean = 0 if left else clean + 1
        pause = min(pause * 2, _LONGEST_PAUSE_S) if left else _LOOK_AGAIN_S
        if clean < _CLEAN_LOOKS:
            time.sleep(pause)
