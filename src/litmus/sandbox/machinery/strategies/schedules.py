"""The five fields of a cron schedule: whether a text is one, and what a real server says when it is not.

Source: documentation "Writing a CronJob spec" and the parser that Kubernetes uses (robfig/cron v3, ParseStandard):
names of months and days, ``@daily`` and its like, ``@every 1h30m``, ranges, steps and lists.
"""

import re

DESCRIPTORS = ("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIELDS: tuple[tuple[int, int, dict[str, int]], ...] = (
    (0, 59, {}),
    (0, 23, {}),
    (1, 31, {}),
    (1, 12, {name: number for number, name in enumerate(_MONTHS, 1)}),
    (0, 6, {name: number for number, name in enumerate(_DAYS)}),
)
_DURATION = re.compile(r"[-+]?((\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h))+")

_UNIT = re.compile(r"^[-+]?[0-9.]+([^0-9.]+)")


class Malformed(ValueError):
    """The text is no schedule; the message is the parser's."""


def check(text: str) -> None:
    """Raises Malformed unless the text is a schedule."""
    if not text:
        raise Malformed("empty spec string")
    if text.startswith("@"):
        _descriptor(text)
        return
    fields = text.split()
    if len(fields) != len(_FIELDS):
        listed = "[" + " ".join(fields) + "]"
        raise Malformed(f"expected exactly 5 fields, found {len(fields)}: {listed}")
    for expression, (low, high, words) in zip(fields, _FIELDS, strict=True):
        for part in expression.split(","):
            if part:
                _range(part, low, high, words)


def _descriptor(text: str) -> None:
    if text in DESCRIPTORS:
        return
    if text.startswith("@every "):
        span = text.removeprefix("@every ")
        if _DURATION.fullmatch(span) or span == "0":
            return
        unit = _UNIT.search(span)
        known = f'unknown unit "{unit[1]}" in' if unit else "invalid"
        raise Malformed(f'failed to parse duration {text}: time: {known} duration "{span}"')
    raise Malformed(f"unrecognized descriptor: {text}")


def _range(expression: str, low: int, high: int, words: dict[str, int]) -> None:
    span, slash, step_text = expression.partition("/")
    first, dash, last = span.partition("-")
    if "-" in last:
        raise Malformed(f"too many hyphens: {expression}")
    if first in ("*", "?"):
        start, end = low, high
    else:
        start = _number(first, words)
        end = _number(last, words) if dash else start
    if "/" in step_text:
        raise Malformed(f"too many slashes: {expression}")
    step = 1
    if slash:
        step = _number(step_text, {})
        if not dash:
            end = high
    if start < low:
        raise Malformed(f"beginning of range ({start}) below minimum ({low}): {expression}")
    if end > high:
        raise Malformed(f"end of range ({end}) above maximum ({high}): {expression}")
    if start > end:
        raise Malformed(f"beginning of range ({start}) beyond end of range ({end}): {expression}")
    if step == 0:
        raise Malformed(f"step of range should be a positive number: {expression}")


def _number(text: str, words: dict[str, int]) -> int:
    if text.lower() in words:
        return words[text.lower()]
    try:
        number = int(text)
    except ValueError:
        why = f'strconv.Atoi: parsing "{text}": invalid syntax'
        raise Malformed(f"failed to parse int from {text}: {why}") from None
    if number < 0:
        raise Malformed(f"negative number ({number}) not allowed: {text}")
    return number
