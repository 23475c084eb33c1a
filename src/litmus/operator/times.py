"""When a schedule fires, in moments of UTC. Pure; ``timetable`` reads what a user wrote.

The rules, which docs/schedules.md tells users:

* An interval is counted on the clock of the schedule's time zone, from midnight, as cron does: every 2 h is 00:00,
  02:00, 04:00 …; one of several days counts whole days.
* A clock time that does not exist, because the clocks go forward, is left out; a day of which no time is left fires
  when that gap ends. One that exists twice fires again only if the interval has passed.
* ``random`` draws each time within the interval that begins with it, the same one whenever it is asked: the draw
  is seeded by the schedule's uid and the interval.
"""

import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

# A time that was missed - nobody was there to act - is made up for within this time, and not later.
START_WITHIN = timedelta(minutes=5)

_DAY = timedelta(days=1)
# No calendar of ours pauses longer than its interval and a week.
_PATIENCE_DAYS = 20
_TRIES = 50
_COUNTED = 1000


@dataclass(frozen=True, slots=True)
class Single:
    """One moment: ``now`` and ``once``."""

    at: datetime

    repeats = False

    def after(self, moment: datetime) -> datetime | None:
        """The first time after the moment."""
        return self.at if self.at > moment else None

    def due(self, first: datetime, now: datetime) -> tuple[datetime | None, int]:
        """The latest time from ``first`` until now, and how many there were."""
        return (self.at, 1) if first <= self.at <= now else (None, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeated:
    """Again and again. ``walls`` are minutes of the day; an interval of several days counts from ``anchor``."""

    zone: tzinfo
    interval: timedelta
    walls: tuple[int, ...]
    hours: frozenset[int]
    days: frozenset[int]
    first: datetime | None
    last: datetime | None
    anchor: date
    drawn_by: str  # '' for times that are not drawn

    repeats = True

    def after(self, moment: datetime) -> datetime | None:
        """The first time after the moment, None if there is none."""
        if self.first and moment < self.first:
            moment = self.first - timedelta(microseconds=1)
        day = moment.astimezone(self.zone).date() - self._reach()
        for _ in range(_PATIENCE_DAYS + 8 * max(1, self.interval.days)):
            for time in self._times(day, later_than=moment):
                if time > moment:
                    return None if self.last and time > self.last else time
            day += _DAY
        return None

    def due(self, first: datetime, now: datetime) -> tuple[datetime | None, int]:
        """The latest time from ``first`` until now, and how many there were - no more than are worth counting."""
        latest, number = None, 0
        day, begin = now.astimezone(self.zone).date(), first.astimezone(self.zone).date() - self._reach()
        while day >= begin and number < _COUNTED:
            for time in reversed(self._times(day, later_than=first - timedelta(seconds=1))):
                if first <= time <= now and not (self.last and time > self.last):
                    latest, number = latest or time, number + 1
            day -= _DAY
        return latest, number

    def _reach(self) -> timedelta:
        """How far a drawn time may be from the day of its interval."""
        return self.interval + _DAY if self.drawn_by else timedelta()

    def _times(self, day: date, *, later_than: datetime) -> list[datetime]:
        """The times of a day; those that are surely not later may be left out."""
        slots = self._slots(day)
        if not self.drawn_by:
            return slots
        return [self._drawn(slot, day) for slot in slots if slot + self.interval > later_than]

    def _slots(self, day: date) -> list[datetime]:
        several = max(1, self.interval.days)
        if day.weekday() not in self.days or (day - self.anchor).days % several:
            return []
        walls = [datetime.combine(day, datetime.min.time()) + timedelta(minutes=minute) for minute in self.walls]
        found = sorted((moment, again) for wall in walls for again, moment in enumerate(_moments(wall, self.zone)))
        kept: list[datetime] = []
        for moment, again in found:
            if not (again and kept and moment - kept[-1] < self.interval):
                kept.append(moment)
        if not kept and walls:
            kept = [_end_of_gap(walls[0], self.zone)]
        return [moment for moment in kept if not self.first or moment >= self.first]

    def _drawn(self, slot: datetime, day: date) -> datetime:
        """A time within the interval that begins with ``slot``, and within what the schedule allows."""
        rng = random.Random(f"{self.drawn_by}/{slot.timestamp():.0f}")
        # From midnight the intervals are counted anew, and the last one of a day may be cut short by that.
        anew = datetime.combine(day + _DAY, datetime.min.time(), self.zone) + timedelta(minutes=self.walls[0])
        several = self.interval >= _DAY
        end = slot + self.interval if several else min(slot + self.interval, anew.astimezone(UTC))
        for _ in range(_TRIES):
            moment = slot + timedelta(seconds=int(rng.random() * (end - slot).total_seconds()))
            local = moment.astimezone(self.zone)
            inside = local.hour in self.hours and local.weekday() in self.days
            if inside and not (self.last and moment > self.last):
                return moment
        return slot


Times = Single | Repeated


def _moments(wall: datetime, zone: tzinfo) -> list[datetime]:
    """When a clock shows this: never, once, or twice."""
    found: list[datetime] = []
    for fold in (0, 1):
        moment = wall.replace(tzinfo=zone, fold=fold).astimezone(UTC)
        if moment.astimezone(zone).replace(tzinfo=None) == wall and moment not in found:
            found.append(moment)
    return found


def _end_of_gap(wall: datetime, zone: tzinfo) -> datetime:
    """When the clock has gone forward over a time that it never shows."""
    low, high = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (1, 0))
    before = low.astimezone(zone).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) / 2
        low, high = (middle, high) if middle.astimezone(zone).utcoffset() == before else (low, middle)
    return high.replace(microsecond=0)
