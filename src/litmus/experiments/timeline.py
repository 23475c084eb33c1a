"""When the chaos of a run really was: the first injection, every further one, and its end, in seconds of UNIX time.

The clock of the chaos (``Context.start_chaos``) is what an experiment plans by; a fault that is held is injected and
proven before that clock starts, and undone a little after it has run out. What is measured of the application is cut at
these moments.
"""

import time
from dataclasses import dataclass, field

# How long the word of a helper may be under way to us, from its log, in seconds.
HEARD_LATE_S = 1.0


@dataclass(slots=True)
class Timeline:
    """``kills``: an injection is over at once, so that there is nothing to undo. ``ends``: planned, where it is not
    heard when a fault ends. ``over``: when the experiment was done with its chaos."""

    started: float | None = None
    planned_end: float | None = None
    injections: list[float] = field(default_factory=list)
    kills: bool = False
    ends: float | None = None
    undone: float | None = None
    over: float | None = None

    @property
    def begun(self) -> bool:
        """Whether anything may have been changed."""
        return self.started is not None or bool(self.injections)

    def clock_started(self, duration_s: float) -> None:
        self.started = self.started or time.time()
        self.planned_end = time.time() + duration_s

    def killing(self) -> None:
        """Something is about to be killed."""
        self.kills = True
        self.injections.append(time.time())

    def silenced(self, let_go: float, *, hold_s: float) -> None:
        """A fault was let go, at that moment, of which nothing will be heard until it is over."""
        self.injections.append(let_go)
        self.ends = time.time() + hold_s

    def moved(self, state: str) -> None:
        """Records of the ledger moved on. What is heard of a silent fault is heard too late to tell when it was."""
        if self.kills or self.ends is not None:
            return
        if state == "injected":
            self.injections.append(time.time())
        if state in ("reverted", "moot") and self.begun:
            self.undone = time.time()

    def chaos_start(self) -> float:
        """The first moment at which the application may have been touched. Only for a chaos that has begun."""
        moments = [*self.injections, *([self.started] if self.started else [])]
        return min(moments)

    def chaos_end(self) -> float:
        """When the last fault was over, or the chaos was given up."""
        now = self.over or time.time()
        if self.ends is not None:
            return min(self.ends, now)
        if self.kills:
            return max([min(self.planned_end or now, now), *self.injections[-1:]])
        return self.undone or now

    def unsure(self, moment: float) -> bool:
        """Whether it can't be told if that was before the first injection: its word was under way."""
        if self.kills or self.ends is not None or not self.injections:
            return False
        return self.chaos_start() - HEARD_LATE_S <= moment < self.chaos_start()
