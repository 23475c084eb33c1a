"""Spans of time and moments, short enough for a column."""

from datetime import datetime

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def span(seconds: float) -> str:
    """For people: two units at most, the smaller one only where it says something."""
    whole = round(abs(seconds))
    if whole < 2 * _MINUTE:
        return f"{whole} s"
    if whole < 2 * _HOUR:
        return f"{whole // _MINUTE} min"
    if whole < 2 * _DAY:
        hours, minutes = divmod(whole // _MINUTE, 60)
        return f"{hours} h {minutes} min" if hours < 10 and minutes else f"{hours} h"
    return f"{whole // _DAY} d"


def moment(when: datetime, now: datetime) -> str:
    """The time of day, with the date where it is not that of now."""
    return f"{when:%H:%M:%S}" if when.date() == now.date() else f"{when:%Y-%m-%d %H:%M:%S}"
