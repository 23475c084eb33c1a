from datetime import UTC, datetime

import pytest

from litmus.sandbox.controllers import schedules

START = datetime(2030, 1, 1, 12, 30, 15, 500_000, tzinfo=UTC)  # a Tuesday


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("* * * * *", "2030-01-01T12:31:00+00:00"),
        ("*/5 * * * *", "2030-01-01T12:35:00+00:00"),
        ("30 12 * * *", "2030-01-02T12:30:00+00:00"),
        ("0 0 13 * 5", "2030-01-04T00:00:00+00:00"),  # the 13th or a Friday
        ("0 0 ? * MON", "2030-01-07T00:00:00+00:00"),
        ("0 0 1 jan-mar/2 *", "2030-03-01T00:00:00+00:00"),
        ("5/20 * * * *", "2030-01-01T12:45:00+00:00"),
        ("@hourly", "2030-01-01T13:00:00+00:00"),
        ("@daily", "2030-01-02T00:00:00+00:00"),
        ("@weekly", "2030-01-06T00:00:00+00:00"),
        ("@monthly", "2030-02-01T00:00:00+00:00"),
        ("@yearly", "2031-01-01T00:00:00+00:00"),
        ("@every 1h30m", "2030-01-01T14:00:15+00:00"),
        ("@every 10ms", "2030-01-01T12:30:16+00:00"),
        ("TZ=Asia/Tokyo 0 9 * * *", "2030-01-02T09:00:00+09:00"),
        ("CRON_TZ=America/New_York @daily", "2030-01-02T00:00:00-05:00"),
    ],
)
def test_the_next_time(text: str, expected: str) -> None:
    found = schedules.parse(text).after(START)
    assert found is not None
    assert found.isoformat() == expected


def test_the_field_time_zone_says_whose_clock_is_meant() -> None:
    found = schedules.parse("0 9 * * *", "Asia/Tokyo").after(START)
    assert found == datetime(2030, 1, 2, 0, 0, tzinfo=UTC)


def test_a_day_that_no_month_has_never_comes() -> None:
    assert schedules.parse("0 0 31 2 *").after(START) is None


@pytest.mark.parametrize(
    "text", ["", "* * * *", "0 * * * * *", "61 * * * *", "* * * * 7", "@never", "x * * * *", "0 0 L * *"]
)
def test_what_is_no_schedule_is_malformed(text: str) -> None:
    with pytest.raises(schedules.Malformed):
        schedules.parse(text)


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../etc/passwd"])
def test_an_unknown_zone_is_said(zone: str) -> None:
    with pytest.raises(schedules.UnknownZone, match="unknown time zone"):
        schedules.parse("@daily", zone)


@pytest.mark.parametrize("text", ["* * * * *", "17 3 * * 1", "0 0 29 2 *", "@every 7m"])
def test_the_last_of_many_missed_times_is_found(text: str) -> None:
    schedule = schedules.parse(text)
    earliest = datetime(2029, 10, 1, tzinfo=UTC)
    every = list(schedule.between(earliest, START))
    assert schedule.last(earliest, START) == (every[-1] if every else None)
