"""Reading the times of a ChaosSchedule, in the spelling of 1.10 and of 3.x. Pure.

What makes no sense, and what can never fire, is a ``Mistake``: a schedule that silently does nothing would look like
one that passes.
"""

from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any

from litmus.api import calendars
from litmus.api.schedule import Properties, Repeat, When

from .times import START_WITHIN, Repeated, Single, Times

_DAY_M = 24 * 60


class Mistake(ValueError):
    """A schedule that makes no sense, or can never fire. The sentence has the path of the field and the remedy."""

    def __init__(self, path: str, sentence: str) -> None:
        super().__init__(f"spec.schedule{path}: {sentence}")


def read(when: When, *, created: datetime, uid: str) -> Times:
    """What a schedule says. Raises Mistake for what can't be understood, and for what can never fire."""
    zone = _read(".timeZone", when.time_zone, calendars.zone)
    given = [word for word in ("now", "once", "repeat") if getattr(when, word)]
    if len(given) != 1:
        raise Mistake("", f"give one of now: true, once and repeat; {' and '.join(given) or 'none'} is given")
    if when.repeat:
        return _repeated(when.repeat, zone, created=created, uid=uid)
    if when.once is None:
        return Single(created)
    at = _moment(".once.executionTime", when.once.execution_time, zone)
    if at < created - START_WITHIN:
        raise Mistake(
            ".once.executionTime", f"{when.once.execution_time} was past when the schedule was made; name a later time"
        )
    return Single(at)


def _repeated(repeat: Repeat, zone: tzinfo, *, created: datetime, uid: str) -> Repeated:
    path, span = ".repeat", repeat.time_range
    first = _moment(f"{path}.timeRange.startTime", span.start_time, zone) if span and span.start_time else None
    last = _moment(f"{path}.timeRange.endTime", span.end_time, zone) if span and span.end_time else None
    if last and last <= max(first or created, created):
        raise Mistake(f"{path}.timeRange.endTime", "it can never fire: this is not after its start; name a later time")
    work_hours, work_days = repeat.work_hours, repeat.work_days
    hours, days = frozenset(range(24)), frozenset(range(7))
    if work_hours:
        hours = _read(f"{path}.workHours.includedHours", work_hours.included_hours, calendars.hours)
    if work_days:
        days = _read(f"{path}.workDays.includedDays", work_days.included_days, calendars.days)
    interval, minute = _interval(repeat.properties)
    step = min(interval, _DAY_M)
    every = range(minute, _DAY_M, step) if interval < _DAY_M else range(minute, minute + 1)
    walls = tuple(wall for wall in every if wall // 60 in hours)
    if not walls and interval >= _DAY_M:
        walls = (min(hours) * 60 + minute,)  # once a day, in the first hour of those that are allowed
    if not walls:
        shown = ", ".join(f"{wall // 60:02}:{wall % 60:02}" for wall in every[:6])
        raise Mistake(
            f"{path}.workHours.includedHours",
            f"it can never fire: its times are {shown}{' …' if len(every) > 6 else ''}, and none is in these hours; "
            "name other hours or another minChaosInterval",
        )
    found = Repeated(
        zone=zone,
        interval=timedelta(minutes=interval),
        walls=walls,
        hours=hours,
        days=days,
        first=first,
        last=last,
        anchor=_anchor(max(first or created, created).astimezone(zone).date(), days),
        drawn_by=uid if repeat.properties.random else "",
    )
    if found.after(max(first or created, created) - timedelta(seconds=1)) is None:
        raise Mistake(f"{path}.timeRange", "it can never fire: no time of the schedule is in it; make it longer")
    return found


def _interval(properties: Properties) -> tuple[int, int]:
    """The interval in minutes, and the minute of the hour that it counts from."""
    path, wanted = ".repeat.properties.minChaosInterval", properties.min_chaos_interval
    forms = "must be a time such as 10m or 2h, hour: {everyNthHour: 2}, or minute: {everyNthMinute: 10}"
    minute = 0
    if isinstance(wanted, str):
        span = _read(path, wanted, calendars.duration)
        if span.total_seconds() % 60:
            raise Mistake(path, f"{wanted!r} must be whole minutes")
        interval = int(span.total_seconds()) // 60
    elif isinstance(wanted, dict) and len(given := {k: v for k, v in wanted.items() if v}) == 1:
        unit, value = next(iter(given.items()))
        name, factor = {"hour": ("everyNthHour", 60), "minute": ("everyNthMinute", 1)}.get(unit, ("", 0))
        if not name or not isinstance(value, dict):
            raise Mistake(path, forms)
        interval = _whole(f"{path}.{unit}.{name}", value.get(name, 0), least=0, most=366 * 24 * 60) * factor
        if unit == "hour":
            minute = _whole(f"{path}.hour.minuteOfTheHour", value.get("minuteOfTheHour", 0), least=0, most=59)
    else:
        raise Mistake(path, forms)
    if interval < 1:
        raise Mistake(path, "it can never fire: the interval must be at least one minute")
    if interval > _DAY_M and interval % _DAY_M:
        raise Mistake(path, "an interval of more than a day must be whole days, such as 48h or 72h")
    return interval, minute


def _whole(path: str, value: Any, *, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise Mistake(path, f"{value!r} must be a whole number from {least} to {most}")
    return value


def _moment(path: str, text: str, zone: tzinfo) -> datetime:
    try:
        found = datetime.fromisoformat(text.strip().upper().replace("Z", "+00:00"))
    except ValueError:
        raise Mistake(path, f"{text!r} must be a time such as 2026-03-29T02:30:00Z") from None
    return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)


def _read(path: str, text: str, reader: Any) -> Any:
    try:
        return reader(text)
    except ValueError as error:
        raise Mistake(path, f"{text!r} {error}") from None


def _anchor(day: date, days: frozenset[int]) -> date:
    """The first day that is allowed."""
    return next(at for step in range(7) if (at := day + timedelta(days=step)).weekday() in days)
