"""Tunables: the environment variables that users know, with type, unit, default and help.

A value that can't be read is an Error before anything is touched: the sentence names the tunable, the value and what
is allowed.
"""

import dataclasses
import difflib
import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from litmus.faults import kill


class TunableError(ValueError):
    """A tunable has a value that is not allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tunable:
    """One tunable. ``read`` turns the text into a value and raises ValueError with what is allowed.

    ``default`` holds where nobody sets it; ``chart`` is what the installed ChaosExperiment sets, None where it does not
    list the tunable. The original has both, and they differ.
    """

    name: str
    default: str
    help: str
    read: Callable[[str], Any]
    unit: str = ""
    allowed: str = ""
    chart: str | None = None
    unneeded: bool = False  # accepted and without effect

    def listed(self, chart: str = "", *, default: str | None = None) -> "Tunable":
        """The same tunable, listed in the chart with this value; ``default`` where that of the experiment differs."""
        return dataclasses.replace(self, chart=chart, default=self.default if default is None else default)

    def value(self, text: str) -> Any:
        try:
            return self.read(text.strip())
        except ValueError as error:
            raise TunableError(f"{self.name}={text!r}: {error}") from None


@dataclass(frozen=True, slots=True)
class Range:
    """A number, or one drawn from low to high each time: ``5`` or ``5-10``."""

    low: float
    high: float

    def draw(self, rng: random.Random) -> float:
        return self.low if self.low == self.high else rng.uniform(self.low, self.high)

    def __str__(self) -> str:
        return f"{self.low:g}" if self.low == self.high else f"{self.low:g}-{self.high:g}"


_LONGEST_S = 30 * 86400


def number(text: str, *, least: float, most: float, what: str, ranges: bool = True) -> Range:
    """A number or, unless there may be none, a range of them. Raises ValueError with ``what`` is allowed."""
    low_text, dash, high_text = text.partition("-")
    try:
        low = float(low_text)
        high = float(high_text) if dash else low
    except ValueError:
        raise ValueError(f"must be {what}") from None
    if (dash and not ranges) or not least <= low <= high <= most:
        raise ValueError(f"must be {what}")
    return Range(low, high)


def whole_seconds(least: int) -> Callable[[str], int]:
    """Whole seconds of at least ``least``."""

    def read(text: str) -> int:
        if not (text.isascii() and text.isdecimal()) or not least <= int(text) <= _LONGEST_S:
            raise ValueError(f"must be a whole number of seconds from {least} to {_LONGEST_S}, without a unit")
        return int(text)

    return read


def seconds_or_none(text: str) -> int:
    """Whole seconds; empty means 0."""
    return whole_seconds(0)(text) if text else 0


def seconds_range(text: str) -> Range:
    """Seconds, or a range of seconds."""
    return number(text, least=0, most=86400, what="seconds such as 10, or a range such as 5-10")


def percent(text: str) -> Range:
    """0 to 100, or a range; empty means 0, which selects one target (reference, 5.2)."""
    return number(text or "0", least=0, most=100, what="a percentage from 0 to 100, or a range such as 20-40")


def boolean(text: str) -> bool:
    """true or false in any case; empty means false."""
    if text.lower() not in ("true", "false", ""):
        raise ValueError("must be true or false")
    return text.lower() == "true"


def choice(*words: str) -> Callable[[str], str]:
    """One of these words, in any case."""

    def read(text: str) -> str:
        if text.lower() not in words:
            raise ValueError(f"must be {' or '.join(words)}")
        return text.lower()

    return read


def word_list(text: str) -> tuple[str, ...]:
    """Words separated by commas, each once."""
    return tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))


def signal_name(text: str) -> str:
    """The full name of a signal that ends a process."""
    return kill.signal_number(text).name


def ignored(name: str, *, default: str = "") -> Tunable:
    """A tunable of the original that our mechanism does not need. Accepted, so that its manifests work unchanged."""
    why = "Accepted for compatibility; not needed here."
    return Tunable(name=name, default=default, help=why, read=str, unneeded=True)


DURATION = Tunable(
    name="TOTAL_CHAOS_DURATION", default="30", unit="s", read=whole_seconds(1), help="How long the chaos lasts in all."
)
RAMP = Tunable(
    name="RAMP_TIME", default="", unit="s", read=seconds_or_none, help="Wait before and after the chaos; empty is none."
)
INTERVAL = Tunable(
    name="CHAOS_INTERVAL",
    default="10",
    unit="s",
    read=seconds_range,
    help="Time between two rounds; a range such as 5-10 draws a new time each round.",
)
RANDOMNESS = Tunable(
    name="RANDOMNESS",
    default="false",
    read=boolean,
    allowed="true, false",
    help="Draw each interval between 1 s and CHAOS_INTERVAL.",
)
AFFECTED = Tunable(
    name="PODS_AFFECTED_PERC",
    default="",
    unit="%",
    read=percent,
    help="Share of the application's pods that a round hits, rounded down, at least one; empty or 0 hits one pod.",
)
TARGET_PODS = Tunable(
    name="TARGET_PODS",
    default="",
    read=word_list,
    help="Names of pods to hit, separated by commas, instead of a share. What replaces a named pod is hit next.",
)
TARGET_CONTAINER = Tunable(
    name="TARGET_CONTAINER",
    default="",
    read=str,
    help="Name of the container that is meant; empty means the first one of the pod.",
)
TARGET_NODES = Tunable(
    name="TARGET_NODES",
    default="",
    read=word_list,
    help="Names of nodes to hit, separated by commas; empty hits the node of a random pod of the application.",
)
TARGET_NODE = Tunable(
    name="TARGET_NODE",
    default="",
    read=word_list,
    help="Name of the node to hit; empty hits the node of a random pod of the application.",
)
NODES_AFFECTED = Tunable(
    name="NODES_AFFECTED_PERC",
    default="",
    unit="%",
    read=percent,
    help="Share of the nodes with NODE_LABEL that is hit, rounded down, at least one; empty or 0 hits one node.",
)
NODE_LABEL = Tunable(
    name="NODE_LABEL",
    default="",
    read=str,
    help="Hit only nodes with this label, or pods on them; needs the right to list nodes.",
)
SEQUENCE = Tunable(
    name="SEQUENCE",
    default="parallel",
    read=choice("parallel", "serial"),
    allowed="parallel, serial",
    help="Hit a round's targets all at once, or one after the other with the interval between them.",
)
REPLACEMENTS = Tunable(
    name="HIT_REPLACEMENTS",
    default="false",
    read=boolean,
    allowed="true, false",
    help="When a target is replaced in the middle of the fault, hit its replacement for the rest of the time.",
)
INSTANCE = Tunable(
    name="INSTANCE_ID", default="", read=str, help="Appended to the name of the result, to tell engines' runs apart."
)

# What every experiment of the original accepts and ours has no use for.
COMPATIBILITY = (
    ignored("LIB", default="litmus"),
    ignored("LIB_IMAGE"),
    ignored("LIB_IMAGE_PULL_POLICY"),
    ignored("TERMINATION_GRACE_PERIOD_SECONDS"),
    ignored("DEFAULT_HEALTH_CHECK"),
    ignored("SET_HELPER_DATA"),
    ignored("JOB_CLEANUP_POLICY"),
    ignored("STATUS_CHECK_DELAY"),
    ignored("STATUS_CHECK_TIMEOUT"),
    ignored("TARGETS"),
)


@dataclass(frozen=True, slots=True)
class Values:
    """The tunables of one run, read and checked."""

    _values: Mapping[str, Any]

    def __getitem__(self, tunable: Tunable) -> Any:
        return self._values[tunable.name]

    def get(self, tunable: Tunable) -> Any:
        """None when the experiment does not have this tunable at all."""
        return self._values.get(tunable.name)


def read(tunables: tuple[Tunable, ...], env: Mapping[str, str]) -> Values:
    """All values, from ``env``, where empty means the default (as in the original). Raises TunableError."""
    return Values({t.name: t.value(env.get(t.name, "").strip() or t.default) for t in tunables})


def check_names(names: Iterable[str], tunables: tuple[Tunable, ...], experiment: str) -> None:
    """Raises TunableError for a name that probably means a tunable but is none.

    ``PODS_AFFECTED_PERCENT`` would silently hit one pod; a variable that is near no tunable is somebody's own business.
    """
    known = [tunable.name for tunable in tunables]
    for name in names:
        near = [] if name in known else difflib.get_close_matches(name, known, n=1, cutoff=0.85)
        if near:
            raise TunableError(f"{name} is not a tunable of {experiment}; did you mean {near[0]}?")
