"""``runProperties`` of both spellings as one plan in seconds.

1.10 writes whole seconds and means by an attempt a window of probeTimeout seconds in which the probe asks again and
again, ``retry`` more such windows after the first; 3.x writes durations of Go and means one question that is given up
after probeTimeout (reference, 1.2). What is absent, or 0 as Go leaves it, gets a default: the original's where it has
one, else ours, since its zero would be a question that may hang for ever, or a loop without a pause.
"""

import re
from dataclasses import dataclass

from litmus.api.probe import RunProperties

from .contract import ProbeError

# Of one question. The original has none: its HTTP client and its commands may hang.
DEFAULT_TIMEOUT_S = 5.0
# Between attempts, and between the rounds of Continuous and OnChaos. The original has 0, which is a busy loop.
DEFAULT_INTERVAL_S = 1.0
DEFAULT_POLLING_S = 1.0
# What asks more often is a trafficProbe, whose rate is kept by the clock.
LEAST_POLLING_S = 0.01
LONGEST_S = 24 * 3600.0

_UNITS_S = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = r"(\d{1,12}(?:\.\d{0,9})?|\.\d{1,9})(ns|us|µs|μs|ms|s|m|h)"
_DURATION = re.compile(rf"\+?(?:{_PART})+", re.ASCII)
_DURATIONS = ("probe_timeout", "interval", "probe_polling_interval", "initial_delay", "evaluation_timeout")
_NAMES = {
    "probe_timeout": "probeTimeout",
    "probe_polling_interval": "probePollingInterval",
    "initial_delay": "initialDelay",
    "initial_delay_seconds": "initialDelaySeconds",
    "evaluation_timeout": "evaluationTimeout",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How a probe is asked. All times in seconds.

    ``timeout_s``: one question is given up after it - or, with ``window``, is asked again until then (1.10).
    ``interval_s``: pause after a failed one before the next. ``attempts``: so many have to fail in a row.
    ``polling_s``: pause between the rounds of Continuous and OnChaos. ``initial_delay_s``: before the first of a phase.
    ``evaluation_timeout_s``: of all attempts together, None for no bound. ``stop_on_failure``: None if it is not said.
    """

    timeout_s: float = DEFAULT_TIMEOUT_S
    interval_s: float = DEFAULT_INTERVAL_S
    attempts: int = 1
    window: bool = False
    polling_s: float = DEFAULT_POLLING_S
    initial_delay_s: float = 0.0
    evaluation_timeout_s: float | None = None
    stop_on_failure: bool | None = None


def read(given: RunProperties | None, *, path: str) -> Plan:
    """The plan of a probe. Raises ProbeError with the path, the value and the remedy."""
    given = given or RunProperties()
    delay = _delay(given, path)
    polling = _seconds(given, "probe_polling_interval", path)
    if polling is not None and polling < LEAST_POLLING_S:
        raise ProbeError(
            f"{path}.probePollingInterval: {given.probe_polling_interval!r} is below {LEAST_POLLING_S * 1000:g}ms; "
            "a trafficProbe asks at a high rate"
        )
    window = _in_whole_seconds(given)
    return Plan(
        timeout_s=_seconds(given, "probe_timeout", path) or DEFAULT_TIMEOUT_S,
        interval_s=_interval(given, path),
        attempts=_attempts(given, path, window=window),
        window=window and bool(given.probe_timeout),
        polling_s=polling or DEFAULT_POLLING_S,
        initial_delay_s=delay,
        evaluation_timeout_s=_seconds(given, "evaluation_timeout", path),
        stop_on_failure=given.stop_on_failure,
    )


def seconds(value: int | str, *, path: str) -> float:
    """Whole seconds, or a duration such as 500ms, 5s, 2m, 1h30m. Raises ProbeError with the path."""
    if isinstance(value, int):
        total = float(min(max(value, -1), 10**9))
    elif value.isascii() and value.isdecimal():
        total = float(value[:12])
    elif _DURATION.fullmatch(value):
        total = sum(float(number) * _UNITS_S[unit] for number, unit in re.findall(_PART, value, re.ASCII))
    else:
        raise ProbeError(f"{path}: {value!r} is no duration; write one such as 500ms, 5s, 2m or 1h30m")
    if total < 0:
        raise ProbeError(f"{path}: {value!r} is below 0")
    if total > LONGEST_S:
        raise ProbeError(f"{path}: {value!r} is longer than a day")
    return total


def _seconds(given: RunProperties, field: str, path: str) -> float | None:
    """None where nothing is said, or 0."""
    value = getattr(given, field)
    return None if value in (None, "") else seconds(value, path=f"{path}.{_NAMES.get(field, field)}") or None


def _interval(given: RunProperties, path: str) -> float:
    """0 is a pause of no length where somebody wrote it, except between the questions of a window."""
    if given.interval in (None, "") or (given.interval == 0 and _in_whole_seconds(given)):
        return DEFAULT_INTERVAL_S
    return seconds(given.interval or 0, path=f"{path}.interval")


def _delay(given: RunProperties, path: str) -> float:
    by_name = {
        _NAMES[field]: getattr(given, field)
        for field in ("initial_delay", "initial_delay_seconds")
        if getattr(given, field) not in (None, "")
    }
    delays = {seconds(value, path=f"{path}.{name}") for name, value in by_name.items()}
    if len(delays) > 1:
        told = " and ".join(f"{name} {value!r}" for name, value in by_name.items())
        raise ProbeError(f"{path}: {told} differ; keep one of them")
    return delays.pop() if delays else 0.0


def _in_whole_seconds(given: RunProperties) -> bool:
    """Whether the durations are those of 1.10."""
    values = [getattr(given, field) for field in _DURATIONS]
    return any(isinstance(value, int) for value in values) and not any(isinstance(value, str) for value in values)


def _attempts(given: RunProperties, path: str, *, window: bool) -> int:
    for name, count in (("attempt", given.attempt), ("retry", given.retry)):
        if count is not None and not 0 <= count <= 1000:
            raise ProbeError(f"{path}.{name}: {count} must be a number from 0 to 1000")
    if given.attempt:
        return given.attempt
    values = [getattr(given, field) for field in _DURATIONS]
    if given.retry and not window and any(isinstance(value, int) for value in values):
        raise ProbeError(
            f"{path}.retry: {given.retry} means {given.retry + 1} attempts in 1.10, whose times are whole seconds, and "
            f"{given.retry} in 3.x, whose times are durations such as 5s, and here are both; write attempt instead"
        )
    if window or not any(isinstance(value, str) for value in values):
        return (given.retry or 0) + 1
    return given.retry or 1
