"""What an engine may ask of its application under chaos: a criterion is a figure, a comparison and a limit.

======================  ============================  =====================================
figure                  written                       of
======================  ============================  =====================================
``availability``        ``>= 99%``                    the fault's window
``recovery``            ``<= 20s``                    from the end of the chaos, or each kill
``outage``              ``<= 5s``                     the longest time without an answer
``timeToImpact``        ``>= 5s``                     from the injection to the first sign
``latencyP50/P95/P99``  ``<= 300ms``, ``<= 2x baseline``  the fault's window
======================  ============================  =====================================

Durations are a number with ms, s or m. A criterion has one direction, so the opposite sign is a mistake, not a wish.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

QUANTILES: dict[str, float] = {"latencyP50": 0.50, "latencyP95": 0.95, "latencyP99": 0.99}

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0}
_NUMBER = r"(?P<number>\d+(?:\.\d+)?|\.\d+)"
_PERCENT = re.compile(rf"\s*>=\s*{_NUMBER}\s*%\s*")
_AT_MOST = re.compile(rf"\s*<=\s*{_NUMBER}\s*(?P<unit>ms|s|m)\s*")
_AT_LEAST = re.compile(rf"\s*>=\s*{_NUMBER}\s*(?P<unit>ms|s|m)\s*")
_TIMES = re.compile(rf"\s*<=\s*{_NUMBER}\s*x\s*(?:the\s+)?baseline\s*")

_SHAPES: dict[str, tuple[re.Pattern[str], ...]] = {
    "availability": (_PERCENT,),
    "recovery": (_AT_MOST,),
    "outage": (_AT_MOST,),
    "timeToImpact": (_AT_LEAST,),
    **dict.fromkeys(QUANTILES, (_AT_MOST, _TIMES)),
}
_ALLOWED = {
    "availability": "'>= ' and a percentage, such as '>= 99%'",
    "recovery": "'<= ' and a duration, such as '<= 20s'",
    "outage": "'<= ' and a duration, such as '<= 5s'",
    "timeToImpact": "'>= ' and a duration, such as '>= 5s'",
    **dict.fromkeys(QUANTILES, "'<= ' and a duration or a factor, such as '<= 300ms' or '<= 2x baseline'"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A criterion, read. ``limit`` is in the figure's unit (%, s, ms); if ``relative``, a factor of the baseline."""

    name: str
    asked: str
    limit: float
    relative: bool = False

    @property
    def at_least(self) -> bool:
        """Whether more is better."""
        return self.name in ("availability", "timeToImpact")

    def allows(self, value: float) -> bool:
        """Whether a value, or a factor of the baseline, keeps the limit."""
        return value >= self.limit if self.at_least else value <= self.limit


def read_criteria(criteria: Mapping[str, str]) -> tuple[Wanted, ...]:
    """The criteria of an engine, in its order.

    Raises ValueError: one sentence with the name (``impact.NAME``), the value and what is allowed.
    """
    return tuple(_read(name, asked) for name, asked in criteria.items())


def _read(name: str, asked: str) -> Wanted:
    if name not in _SHAPES:
        raise ValueError(f"impact.{name}: there is no such criterion; use one of {', '.join(_SHAPES)}")
    found = next((match for shape in _SHAPES[name] if (match := shape.fullmatch(asked))), None)
    if found is None:
        raise ValueError(f"impact.{name}: {asked!r} is not understood; write {_ALLOWED[name]}")
    limit, unit = float(found["number"]), found.groupdict().get("unit")
    if name == "availability" and not 0 < limit <= 100:
        raise ValueError(
            f"impact.{name}: {asked!r} is outside of what can be; write a percentage above 0 and up to 100"
        )
    if name != "availability" and limit == 0:
        raise ValueError(f"impact.{name}: {asked!r} could never be measured; write a number above 0")
    if unit:
        limit *= _SECONDS[unit] * (1000 if name in QUANTILES else 1)
    return Wanted(name=name, asked=asked.strip(), limit=limit, relative=unit is None and name in QUANTILES)
