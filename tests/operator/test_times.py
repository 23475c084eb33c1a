"""When a schedule fires: its own clock, the two days a year on which clocks change, and what can never fire."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from litmus.api.schedule import When
from litmus.operator import times, timetable

CREATED = datetime(2026, 1, 1, tzinfo=UTC)
BERLIN = "Europe/Berlin"


def plan(when: dict[str, Any], *, created: datetime = CREATED, uid: str = "u") -> times.Times:
    return timetable.read(msgspec.convert(when, When), created=created, uid=uid)


def repeat(interval: Any, *, zone: str = "UTC", hours: str = "", days: str = "", **more: Any) -> dict[str, Any]:
    wanted: dict[str, Any] = {"properties": {"minChaosInterval": interval, "random": more.pop("random", False)}}
    if hours:
        wanted["workHours"] = {"includedHours": hours}
    if days:
        wanted["workDays"] = {"includedDays": days}
    if more:
        wanted["timeRange"] = more
    return {"repeat": wanted, "timeZone": zone}


def utc(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+00:00")


def fires(when: dict[str, Any], *, after: str, until: str, zone: str = "UTC", created: datetime = CREATED) -> list[str]:
    """The times until then, as the clock of the zone shows them, with its offset."""
    found, moment = [], utc(after)
    planned = plan(when, created=created)
    while len(found) < 12 and (moment := planned.after(moment)) and moment <= utc(until):
        found.append(moment.astimezone(ZoneInfo(zone)).strftime("%a %H:%M%z")[:-2])
    return found


@pytest.mark.parametrize(
    ("interval", "expected"),
    [
        ("10m", ["Thu 00:10+00", "Thu 00:20+00", "Thu 00:30+00"]),
        ({"minute": {"everyNthMinute": 10}}, ["Thu 00:10+00", "Thu 00:20+00", "Thu 00:30+00"]),
        ("2h", ["Thu 02:00+00", "Thu 04:00+00", "Thu 06:00+00"]),
        ({"hour": {"everyNthHour": 2}}, ["Thu 02:00+00", "Thu 04:00+00", "Thu 06:00+00"]),
        ({"hour": {"everyNthHour": 2, "minuteOfTheHour": 15}}, ["Thu 00:15+00", "Thu 02:15+00", "Thu 04:15+00"]),
        ("90m", ["Thu 01:30+00", "Thu 03:00+00", "Thu 04:30+00"]),
        ("1h30m", ["Thu 01:30+00", "Thu 03:00+00", "Thu 04:30+00"]),
        ("10h", ["Thu 10:00+00", "Thu 20:00+00", "Fri 00:00+00"]),
        ("24h", ["Fri 00:00+00", "Sat 00:00+00", "Sun 00:00+00"]),
        ("72h", ["Sun 00:00+00", "Wed 00:00+00", "Sat 00:00+00"]),
    ],
)
def test_an_interval_is_counted_from_midnight(interval: Any, expected: list[str]):
    assert fires(repeat(interval), after="2026-01-01T00:00", until="2026-01-12T00:00")[:3] == expected


@pytest.mark.parametrize(
    ("hours", "days", "expected"),
    [
        ("9-10,15", "", ["Thu 09:00", "Thu 10:00", "Thu 15:00", "Fri 09:00"]),
        ("22-1", "", ["Thu 01:00", "Thu 22:00", "Thu 23:00", "Fri 00:00"]),
        ("12", "Mon-Wed,Sun", ["Sun 12:00", "Mon 12:00", "Tue 12:00", "Wed 12:00"]),
        ("12", "sat-MON", ["Sat 12:00", "Sun 12:00", "Mon 12:00", "Sat 12:00"]),
        ("12", "Friday", ["Fri 12:00"] * 4),
    ],
)
def test_work_hours_and_work_days_narrow_it(hours: str, days: str, expected: list[str]):
    when = repeat("1h", hours=hours, days=days)
    found = fires(when, after="2026-01-01T00:30", until="2026-02-20T00:00")
    assert [text[:9] for text in found[:4]] == expected


def test_an_interval_of_a_day_is_on_the_first_of_the_hours_that_are_allowed():
    found = fires(repeat("24h", hours="9-17"), after="2026-01-01T00:30", until="2026-01-03T23:00")
    assert found == ["Thu 09:00+00", "Fri 09:00+00", "Sat 09:00+00"]


def test_the_hours_are_those_of_the_time_zone():
    found = fires(repeat("1h", hours="9", zone="Asia/Tokyo"), after="2026-01-01T00:30", until="2026-01-02T23:00")
    assert found == ["Fri 00:00+00"]


# In Berlin, on 29 March 2026 02:00 is followed by 03:00, and on 25 October 2026 02:00 to 02:59 come twice.
SPRING = {"after": "2026-03-28T23:30", "until": "2026-03-29T04:00", "zone": BERLIN}
AUTUMN = {"after": "2026-10-24T22:30", "until": "2026-10-25T04:00", "zone": BERLIN}


@pytest.mark.parametrize(
    ("interval", "more", "span", "expected"),
    [
        ("30m", {}, SPRING, ["01:00+01", "01:30+01", "03:00+02", "03:30+02", "04:00+02"]),
        ("1h", {}, SPRING, ["01:00+01", "03:00+02", "04:00+02", "05:00+02", "06:00+02"]),
        ("2h", {}, SPRING, ["04:00+02", "06:00+02"]),
        ({"hour": {"everyNthHour": 1, "minuteOfTheHour": 30}}, {"hours": "2"}, SPRING, ["03:00+02"]),
        ("10m", {"hours": "2"}, SPRING, ["03:00+02"]),
        ("24h", {"hours": "2"}, SPRING, ["03:00+02"]),
        ("30m", {}, AUTUMN, ["01:00+02", "01:30+02", "02:00+02", "02:30+02", "02:00+01", "02:30+01", "03:00+01"]),
        ("1h", {}, AUTUMN, ["01:00+02", "02:00+02", "02:00+01", "03:00+01", "04:00+01", "05:00+01"]),
        ("2h", {}, AUTUMN, ["02:00+02", "04:00+01"]),
        ("24h", {"hours": "2"}, AUTUMN, ["02:00+02"]),
    ],
)
def test_when_clocks_change_nothing_is_lost_and_nothing_comes_too_soon(interval, more, span, expected):
    found = [text[4:] for text in fires(repeat(interval, zone=BERLIN, **more), **span)]
    assert found[: len(expected)] == expected
    if len(expected) < 5:
        assert len(found) == len(expected)


def test_a_gap_at_midnight_moves_the_day_to_its_first_minute():
    # In Cairo on 24 April 2026 00:00 is followed by 01:00.
    when = repeat("24h", zone="Africa/Cairo")
    found = fires(when, after="2026-04-22T23:00", until="2026-04-25T00:00", zone="Africa/Cairo")
    assert found == ["Fri 01:00+03", "Sat 00:00+03"]


@pytest.mark.parametrize("zone", [BERLIN, "America/New_York", "Australia/Sydney"])
@pytest.mark.parametrize("month", [3, 4, 10, 11])
def test_an_hourly_schedule_fires_every_hour_whatever_the_clocks_do(zone: str, month: int):
    planned, moment, found = plan(repeat("1h", zone=zone)), CREATED.replace(month=month), []
    while len(found) < 8 * 24:
        moment = planned.after(moment)
        found.append(moment)
    assert {later - earlier for earlier, later in pairwise(found)} == {timedelta(hours=1)}


def test_a_range_begins_and_ends_it():
    when = repeat("1h", startTime="2026-01-02T09:30:00Z", endTime="2026-01-02T12:00:00Z")
    found = fires(when, after="2026-01-01T00:00", until="2026-02-01T00:00")
    assert found == ["Fri 10:00+00", "Fri 11:00+00", "Fri 12:00+00"]


def test_a_time_without_an_offset_is_of_the_time_zone():
    when = {"once": {"executionTime": "2026-07-01T12:00:00"}, "timeZone": BERLIN}
    assert plan(when).after(CREATED) == utc("2026-07-01T10:00")
    when["once"]["executionTime"] = "2026-07-01T12:00:00Z"
    assert plan(when).after(CREATED) == utc("2026-07-01T12:00")


def test_now_is_when_the_schedule_was_made_and_only_then():
    planned = plan({"now": True})
    assert planned.after(CREATED - timedelta(seconds=1)) == CREATED
    assert planned.after(CREATED) is None


def test_the_latest_due_time_and_the_number_of_those_before_are_known():
    planned = plan(repeat("10m"))
    assert planned.due(utc("2026-01-01T01:00"), utc("2026-01-01T02:05")) == (utc("2026-01-01T02:00"), 7)
    assert planned.due(utc("2026-01-01T01:01"), utc("2026-01-01T01:09")) == (None, 0)
    years = planned.due(utc("2026-01-01T01:00"), utc("2036-01-01T02:05"))
    assert years[0] == utc("2036-01-01T02:00")
    assert years[1] >= 1000


def drawn(uid: str, *, hours: str = "", interval: str = "2h") -> list[datetime]:
    planned, moment, found = plan(repeat(interval, random=True, hours=hours), uid=uid), CREATED, []
    while len(found) < 100:
        moment = planned.after(moment)
        found.append(moment)
    return found


def test_drawn_times_are_the_same_whenever_they_are_asked_for_and_others_for_another_schedule():
    assert drawn("a") == drawn("a") != drawn("b")
    planned = plan(repeat("2h", random=True), uid="a")
    for moment in drawn("a"):
        assert planned.after(moment - timedelta(seconds=1)) == moment
        assert planned.due(moment, moment) == (moment, 1)


def test_there_is_one_drawn_time_in_each_interval_and_they_are_spread_over_it():
    found = drawn("a")
    places = [(moment - CREATED) // timedelta(hours=2) for moment in found]
    assert places == list(range(places[0], places[0] + 100))
    minutes = [((moment - CREATED) % timedelta(hours=2)).total_seconds() / 60 for moment in found]
    assert min(minutes) < 9
    assert max(minutes) > 111
    assert 50 < sum(minutes) / len(minutes) < 70


def test_drawn_times_stay_within_the_work_hours():
    assert {moment.hour for moment in drawn("a", hours="9-12", interval="3h")} == {9, 10, 11, 12}


@settings(max_examples=20)
@given(
    minutes=st.integers(5, 1440),
    zone=st.sampled_from(["UTC", BERLIN, "America/St_Johns", "Australia/Lord_Howe", "Africa/Cairo"]),
    start=st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1)),  # noqa: DTZ001 - it is given its zone below
    drawing=st.booleans(),
)
def test_what_comes_next_is_what_is_due_then(minutes: int, zone: str, start: datetime, drawing: bool):
    planned = plan(repeat(f"{minutes}m", zone=zone, random=drawing))
    moment = start.replace(tzinfo=UTC)
    coming = planned.after(moment)
    assert coming > moment
    assert planned.due(moment + timedelta(microseconds=1), coming) == (coming, 1)
    assert planned.after(coming) > coming


MISTAKES = [
    ({}, "spec.schedule: give one of now: true, once and repeat; none is given"),
    ({"now": False}, "none is given"),
    ({"now": True, "once": {"executionTime": "2027-01-01T00:00:00Z"}}, "now and once is given"),
    ({"now": True, "timeZone": "Europe/Berln"}, "spec.schedule.timeZone: 'Europe/Berln' must be the IANA name"),
    ({"once": {"executionTime": "2026-13-01T00:00:00Z"}}, "spec.schedule.once.executionTime: '2026-13-01T00:00:00Z'"),
    ({"once": {"executionTime": "2025-12-31T23:00:00Z"}}, "was past when the schedule was made"),
    (repeat(None), "spec.schedule.repeat.properties.minChaosInterval: must be a time such as 10m"),
    (repeat("10"), "minChaosInterval: '10' must be a time with its unit"),
    (repeat("30s"), "'30s' must be whole minutes"),
    (repeat("0m"), "it can never fire: the interval must be at least one minute"),
    (repeat("36h"), "must be whole days, such as 48h"),
    (repeat({"hour": {"everyNthHour": 2}, "minute": {"everyNthMinute": 2}}), "must be a time such as 10m"),
    (repeat({"hour": {"everyNthHour": "2"}}), "minChaosInterval.hour.everyNthHour: '2' must be a whole number"),
    (repeat({"hour": {"everyNthHour": 1, "minuteOfTheHour": 60}}), "hour.minuteOfTheHour: 60 must be"),
    (repeat("1h", days="Mon,Tues"), "workDays.includedDays: 'Mon,Tues' must be days such as Mon-Fri,Sun"),
    (repeat("5h", hours="1-4,6-9"), "it can never fire: its times are 00:00, 05:00, 10:00, 15:00, 20:00, and none is"),
    (repeat("1h", endTime="2025-01-01T00:00:00Z"), "timeRange.endTime: it can never fire: this is not after its start"),
    (
        repeat("12h", startTime="2026-02-01T01:00:00Z", endTime="2026-02-01T02:00:00Z"),
        "no time of the schedule is in it",
    ),
]


@pytest.mark.parametrize(("when", "said"), MISTAKES, ids=[said[:40] for _, said in MISTAKES])
def test_a_schedule_that_makes_no_sense_or_never_fires_is_a_mistake_with_its_path(when: dict[str, Any], said: str):
    with pytest.raises(timetable.Mistake) as caught:
        plan(when)
    assert said in str(caught.value)
    assert str(caught.value).startswith("spec.schedule")
