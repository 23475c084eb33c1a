"""Times as Kubernetes writes them."""

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from litmus.kube import clock


@given(st.datetimes(timezones=st.just(UTC)).filter(lambda when: when.year >= 1970))
def test_a_time_that_was_written_is_read_back_to_the_second(when):
    assert clock.parse(clock.stamp(when)) == when.replace(microsecond=0)


def test_a_time_is_written_in_whole_seconds_of_utc():
    assert clock.stamp(datetime(2026, 2, 3, 4, 5, 6, 789, UTC)) == "2026-02-03T04:05:06Z"


def test_the_present_is_written_in_utc_when_no_time_is_given():
    assert clock.parse(clock.stamp()).utcoffset() == timedelta(0)


def test_micro_times_and_other_zones_are_read_too():
    assert clock.parse("2026-02-03T04:05:06.123456Z") == datetime(2026, 2, 3, 4, 5, 6, 123456, UTC)
    assert clock.parse("2026-02-03T06:05:06+02:00") == datetime(2026, 2, 3, 6, 5, 6, 0, timezone(timedelta(hours=2)))


@given(st.datetimes(timezones=st.just(UTC)).filter(lambda when: when.year >= 1970))
def test_what_is_measured_is_read_back_to_the_millisecond(when):
    assert clock.parse(clock.precise(when)) == when.replace(microsecond=when.microsecond // 1000 * 1000)


def test_what_is_measured_is_written_with_milliseconds_of_utc():
    assert clock.precise(datetime(2026, 2, 3, 6, 5, 6, 0, timezone(timedelta(hours=2)))) == "2026-02-03T04:05:06.000Z"
