"""Where along a tunable a criterion breaks: bisection that knows that a measurement may be unsure, or wrong. Pure.

A run that says *broken* says so with certainty: it is wrong with at most the chance ``error``. *held* is what a run
says that met the criterion; it may be as *sure*, or only what was measured. Anything else is *unclear* and repeated.
A value that stays unclear is neither: the search goes on around it, in the middle of the widest piece that is left.

What comes out is a bracket: the last value that held, and the first that broke. That the criterion changes between the
two is measured. That it changes there only - that more is never better - is assumed of the application and not tested:
nothing is tried below a value that held or above one that broke. Each run may be wrong, so what is sure is as certain
as all runs together: 1 - runs * error (Boole's inequality, which assumes nothing of how they depend on each other).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

Answer = Literal["held", "broken", "unclear"]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One run at a value, what it said, and whether that is more than what was measured this once."""

    value: float
    answer: Answer
    sure: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What is searched: from ``low``, the mild end, to ``high``.

    ``steps`` is how many values between the ends are tried at most, ``repeat`` how many runs an unclear value gets,
    ``whole`` whether only whole numbers are values, ``error`` the chance that a sure answer is wrong.
    """

    low: float
    high: float
    steps: int = 6
    repeat: int = 3
    whole: bool = False
    error: float = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Bracket:
    """What is known. ``held`` is None when no value held, ``broken`` when none broke."""

    held: float | None
    broken: float | None
    unclear: tuple[float, ...]  # values between the two that no run was sure of
    runs: int
    sure: bool  # whether ``held`` is; ``broken`` always is
    confidence: float  # that what is sure is so

    def contains(self, threshold: float) -> bool:
        """Whether a threshold, from which on the criterion breaks, is where the bracket says."""
        return (self.held is None or self.held < threshold) and (self.broken is None or threshold <= self.broken)


def following(search: Search, attempts: Sequence[Attempt]) -> float | None:
    """The value of the next run, None when the search is over: the ends first, the mild one before the other."""
    said = _answers(attempts)
    if attempts and said[attempts[-1].value] == "unclear" and _tries(attempts, attempts[-1].value) < search.repeat:
        return attempts[-1].value
    if search.low not in said:
        return search.low
    if said[search.low] == "broken":
        return None
    if search.high not in said:
        return search.high
    if said[search.high] == "held" or len(said) - 2 >= search.steps:
        return None
    return _middle(search, said)


def bracket(search: Search, attempts: Sequence[Attempt]) -> Bracket:
    """What the runs so far have shown."""
    said = _answers(attempts)
    held, broken = _last_held(said), _first_broken(said)
    below = search.low if held is None else held
    above = search.high if broken is None else broken
    return Bracket(
        held=held,
        broken=broken,
        unclear=tuple(sorted(v for v, answer in said.items() if answer == "unclear" and below <= v <= above)),
        runs=len(attempts),
        sure=all(attempt.sure for attempt in attempts if attempt.value == held and attempt.answer == "held"),
        confidence=max(0.0, 1 - len(attempts) * search.error),
    )


def _answers(attempts: Sequence[Attempt]) -> dict[float, Answer]:
    """By value, in the order in which they were tried; the first sure answer is the last word."""
    said: dict[float, Answer] = {}
    for attempt in attempts:
        if said.get(attempt.value, "unclear") == "unclear":
            said[attempt.value] = attempt.answer
    return said


def _tries(attempts: Sequence[Attempt], value: float) -> int:
    return sum(attempt.value == value for attempt in attempts)


def _last_held(said: dict[float, Answer]) -> float | None:
    return max((value for value, answer in said.items() if answer == "held"), default=None)


def _first_broken(said: dict[float, Answer]) -> float | None:
    return min((value for value, answer in said.items() if answer == "broken"), default=None)


def _middle(search: Search, said: dict[float, Answer]) -> float | None:
    """Of the widest piece between two values tried, within what is open; of equal ones the mildest."""
    held, broken = _last_held(said), _first_broken(said)
    low = search.low if held is None else held
    high = search.high if broken is None else broken
    tried = sorted(value for value in said if low <= value <= high)
    left, right = max(pairwise(tried), key=lambda piece: (piece[1] - piece[0], -piece[0]))
    middle = (left + right) // 2 if search.whole else (left + right) / 2
    return middle if left < middle < right else None
