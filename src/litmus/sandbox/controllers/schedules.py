"""When a CronJob is due: its five fields, ``@hourly`` and the like, in its time zone.

Documentation: "CronJob", "Schedule syntax" and "Time zones". The strategy of CronJobs knows what a schedule may look
like, cronsim does the arithmetic; what is written here is how Kubernetes (robfig/cron) differs from cronsim: ``?`` is
``*``, ``@every`` counts from the last time, and a day that no month has is no mistake but never comes.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import cronsim

from litmus.sandbox.machinery import objects
from litmus.sandbox.machinery.strategies import schedules

Malformed = schedules.Malformed

_DESCRIPTORS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_ZONE = re.compile(r"^(?:CRON_)?TZ=(\S*)\s+(.*)$")
_UNIT_S = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h)")


class UnknownZone(ValueError):
    """No time zone of that name; the message says so."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """A schedule: five fields in a time zone, or a fixed interval in seconds when that is not 0."""

    fields: str
    zone: ZoneInfo | None
    every_s: float = 0.0

    def after(self, moment: datetime) -> datetime | None:
        """The first time later than ``moment``, in the schedule's zone; None when there will never be one."""
        if self.every_s:
            return moment.replace(microsecond=0) + objects.span(self.every_s)
        try:
            return next(cronsim.CronSim(self.fields, moment.astimezone(self.zone or UTC)), None)
        except cronsim.CronSimError:
            return None  # the fields are sound, so it is a date that does not exist

    def between(self, earliest: datetime, latest: datetime) -> Iterator[datetime]:
        """The times later than ``earliest``, up to and with ``latest``."""
        due = self.after(earliest)
        while due is not None and due <= latest:
            yield due
            due = self.after(due)

    def last(self, earliest: datetime, latest: datetime) -> datetime | None:
        """The last of the times ``between`` the two, found in shorter and shorter strides rather than one by one."""
        found, stride_s = None, (latest - earliest).total_seconds()
        if self.every_s:
            times = stride_s // self.every_s
            return earliest.replace(microsecond=0) + timedelta(seconds=times * self.every_s) if times >= 1 else None
        while stride_s >= 1.0:
            later = self.after(max(found or earliest, latest - timedelta(seconds=stride_s)))
            found = later if later is not None and later <= latest else found
            stride_s /= 2
        return max(self.between(found or earliest, latest), default=found)


def parse(text: str, time_zone: str = "") -> Schedule:
    """The schedule of a CronJob; ``time_zone`` is its field of that name. Raises Malformed and UnknownZone."""
    found = _ZONE.match(text.strip())
    if found:
        time_zone, text = found[1], found[2]
    zone = _zone(time_zone) if time_zone else None
    text = text.strip()
    schedules.check(text)
    if text.startswith("@every "):
        return Schedule("", zone, _duration_s(text))
    text = _DESCRIPTORS.get(text, text)
    fields = [",".join(filter(None, field.split(","))) for field in text.split()]
    return Schedule(" ".join(re.sub(r"^\?", "*", field) for field in fields), zone)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UnknownZone(f"unknown time zone {name}") from error


def _duration_s(text: str) -> float:
    """Whole seconds, at least one."""
    seconds = sum(float(number) * _UNIT_S[unit] for number, unit in _DURATION.findall(text))
    return max(1.0, float(int(seconds)))
