"""Looking for a regular expression in what an application or a command said, with an end.

Python's expressions backtrack: a pattern such as ``(a+)+$`` needs hours for forty letters, and the whole run would wait
for it. So a search has ``BUDGET_S`` of processor time, kept by a timer of the process whose signal the matcher looks
for every few thousand steps. It counts them anew in each attempt, so that the attempts - one for each place of the
text - are ours to make. In text of the size that probes read, 1 MiB, a few thousand steps are a second or two at worst.
Only the main thread hears signals: that is where probes run.
"""

import re
import signal
from types import FrameType

from .contract import ProbeError

# Also what the run may stand still for, on a whole processor.
BUDGET_S = 0.5


class _TooLong(Exception):
    """The budget is used up."""


def found(pattern: re.Pattern[str], text: str) -> bool:
    """Whether it is anywhere in the text, as ``pattern.search`` has it. Raises ProbeError where that can't be told."""
    over = False

    def give_up(number: int, frame: FrameType | None) -> None:
        if not over:
            raise _TooLong

    before = signal.signal(signal.SIGVTALRM, give_up)
    try:
        signal.setitimer(signal.ITIMER_VIRTUAL, BUDGET_S)
        return any(pattern.match(text, place) for place in range(len(text) + 1))
    except _TooLong:
        raise ProbeError(
            f"the regular expression {pattern.pattern!r} comes to no end: {len(text)} characters took more than "
            f"{BUDGET_S:g} s of processor time; write it without a repetition inside a repetition, or use contains"
        ) from None
    finally:
        over = True
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, signal.SIG_DFL if before is None else before)
