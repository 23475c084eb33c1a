"""The words in which people say when chaos may happen: days of the week, hours, clock times, durations, time zones.

Schedules and maintenance windows read the same words. A word that can't be read is a ValueError with what is allowed.
"""

import re
from collections.abc import Callable
from datetime import UTC, time, timedelta, tzinfo

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_FULL = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def days(text: str) -> frozenset[int]:
    """``Mon-Fri,Sun`` as numbers from 0 for Monday; a range may go over the end of the week."""
    return _members(text, _day, 7, f"days such as Mon-Fri,Sun ({', '.join(DAYS)})")


def hours(text: str) -> frozenset[int]:
    """``0-12,15`` as hours of the day; a range holds both its ends and may go over midnight."""
    return _members(text, _hour, 24, "hours from 0 to 23 such as 0-12,15")


def zone(name: str) -> tzinfo:
    """A time zone by its IANA name; UTC needs no data base."""
    if name in ("", "UTC", "Etc/UTC", "Z"):
        return UTC
    import zoneinfo  # with it comes what a pod of a run can do without

    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("must be the IANA name of a time zone that this system knows, such as Europe/Berlin") from None


def clock_time(text: str) -> time:
    """``22:30``; ``24:00`` is the end of the day and therefore 00:00 of the next."""
    match = re.fullmatch(r"(\d{1,2}):(\d{2})", text.strip())
    if not match or int(match[1]) > 24 or int(match[2]) > 59 or (int(match[1]) == 24 and int(match[2])):
        raise ValueError("must be a time of the day such as 22:30")
    return time(int(match[1]) % 24, int(match[2]))


def duration(text: str) -> timedelta:
    """``90s``, ``10m``, ``2h``, ``1d``, or several such as ``1h30m``; a bare number has no unit and is refused."""
    parts = re.findall(r"(\d+)([smhd])", text.strip())
    if not parts or "".join(number + unit for number, unit in parts) != text.strip():
        raise ValueError("must be a time with its unit such as 90s, 10m, 2h or 1h30m")
    try:
        return timedelta(seconds=sum(int(number) * _UNITS[unit] for number, unit in parts))
    except OverflowError:
        raise ValueError("must be a time with its unit, and less than a lifetime") from None


def _members(text: str, read: Callable[[str], int], size: int, allowed: str) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        first, dash, last = part.partition("-")
        try:
            low = read(first)
            high = read(last) if dash else low
        except ValueError:
            raise ValueError(f"must be {allowed}") from None
        found |= {(low + step) % size for step in range((high - low) % size + 1)}
    return frozenset(found)


def _day(text: str) -> int:
    word = text.strip().lower()
    return _FULL.index(word) if word in _FULL else [day.lower() for day in DAYS].index(word)


def _hour(text: str) -> int:
    if not re.fullmatch(r"\d{1,2}", text.strip()) or int(text) > 23:
        raise ValueError(text)
    return int(text)
