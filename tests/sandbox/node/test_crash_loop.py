"""Back-off as on a real node: nothing, 10 s, 20 s, … 5 min; forgotten after ten quiet minutes."""

import pytest

from litmus.sandbox.node import addresses, crash_loop
from litmus.sandbox.node.crash_loop import BackOff


def test_the_pauses_double_up_to_five_minutes() -> None:
    back_off = BackOff()
    pauses = [back_off.failed("c", now=0.0) for _ in range(8)]
    assert pauses == [0, 10, 20, 40, 80, 160, 300, 300]


def test_containers_do_not_share_a_pause() -> None:
    back_off = BackOff()
    back_off.failed("a", now=0.0)
    assert back_off.failed("a", now=1.0) == 10
    assert back_off.failed("b", now=1.0) == 0


@pytest.mark.parametrize(("quiet_s", "pause_s"), [(600.0, 20.0), (601.0, 0.0)])
def test_ten_quiet_minutes_are_forgiven(quiet_s: float, pause_s: float) -> None:
    back_off = BackOff()
    back_off.failed("c", now=0.0)
    back_off.failed("c", now=0.0)
    assert back_off.failed("c", now=quiet_s) == pause_s


def test_what_succeeded_begins_anew() -> None:
    back_off = BackOff()
    back_off.failed("c", now=0.0)
    back_off.forget("c")
    assert back_off.failed("c", now=1.0) == 0


@pytest.mark.parametrize(("pause_s", "text"), [(10, "10s"), (60, "1m0s"), (80, "1m20s"), (300, "5m0s")])
def test_a_pause_is_shown_as_go_shows_it(pause_s: float, text: str) -> None:
    assert crash_loop.shown(pause_s) == text


def test_addresses_are_neither_the_networks_nor_the_nodes_nor_the_last() -> None:
    pool = addresses.Pool.of("127.5.1.0/29")
    assert pool.own == "127.5.1.1"
    assert [pool.take() for _ in range(5)] == [f"127.5.1.{number}" for number in range(2, 7)]
    with pytest.raises(addresses.Exhausted, match=r"127\.5\.1\.0/29"):
        pool.take()


def test_an_address_that_was_given_back_is_the_last_to_be_used_again() -> None:
    pool = addresses.Pool.of("127.5.1.0/29")
    first = pool.take()
    pool.give_back(first)
    assert pool.take() != first


@pytest.mark.parametrize(
    ("wanted", "got"), [("127.5.1.5", "127.5.1.5"), ("127.5.1.1", "127.5.1.2"), ("10.0.0.1", "127.5.1.2")]
)
def test_a_pod_that_comes_back_gets_its_address_if_it_is_one(wanted: str, got: str) -> None:
    assert addresses.Pool.of("127.5.1.0/29").take(wanted) == got


@pytest.mark.parametrize("text", ["127.5.1.0/31", "nonsense", "::/64"])
def test_a_range_without_room_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no range of addresses for pods"):
        addresses.Pool.of(text)
