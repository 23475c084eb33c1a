"""What is counted while the exporter runs: each thing once, nothing of the time before."""

from typing import Any

import msgspec
import pytest

from litmus.exporter import seen, wire
from litmus.exporter.counting import Counted
from tests.exporter.stage import Object, engine, epoch, fault, result

BY_FAULT = {"namespace": "shop", "experiment": "pod-delete", "mechanism": "netem"}
RUNNING = {"step": "chaos", "chaosStartedAt": "2026-05-01T12:00:02Z", "chaosEndsAt": "2026-05-01T12:00:30Z"}
OVER = RUNNING | {"finishedAt": "2026-05-01T12:00:40Z"}


class Story:
    """Tells an exporter of one result after the other, at times of its clock."""

    def __init__(self) -> None:
        self.now = epoch(0)
        self.counted = Counted(lambda: self.now)
        self.last: seen.Result | None = None

    def there(self, **told: Any) -> None:
        """What the exporter finds at its start."""
        self.last = read(result(**told))
        self.counted.result(self.last, self.last)

    def tell(self, seconds: float, **told: Any) -> None:
        self.now = epoch(seconds)
        before, self.last = self.last, read(result(**told))
        self.counted.result(before, self.last)

    def value(self, name: str, **labels: str) -> float | None:
        return self.counted.registry.get_sample_value(name, labels)

    def probe(self, status: str) -> int | None:
        return self.counted.probes.get(("shop", "hit", "pod-delete", "front", "httpProbe", status))


def read(written: Object) -> seen.Result:
    written["metadata"]["namespace"] = "shop"
    return seen.result(msgspec.convert(written, wire.Result))


def stopping(**spec: Any) -> seen.Engine:
    written = engine(**spec)
    written["metadata"]["namespace"] = "shop"
    return seen.engine(msgspec.convert(written, wire.Engine))


def probe(verdict: str) -> list[Object]:
    return [{"name": "front", "type": "httpProbe", "status": {"verdict": verdict}}]


@pytest.fixture
def story() -> Story:
    return Story()


def test_a_fault_from_its_record_to_its_end(story: Story):
    story.tell(2, run=RUNNING, faults=[fault()])
    assert story.value("litmus_time_to_inject_seconds_count", **BY_FAULT) == 0
    story.tell(4.5, run=RUNNING, faults=[fault(state="injected")])
    story.tell(5, run=RUNNING, faults=[fault(state="proven")])
    assert story.value("litmus_time_to_inject_seconds_count", **BY_FAULT) == 1
    assert story.value("litmus_time_to_inject_seconds_sum", **BY_FAULT) == 2.5
    assert story.value("litmus_time_to_revert_seconds_count", **BY_FAULT) == 0

    story.tell(31.5, run=RUNNING, faults=[fault(state="reverted", updated=31)])
    story.tell(40, run=OVER, faults=[fault(state="reverted", updated=31)])
    assert story.value("litmus_time_to_revert_seconds_count", **BY_FAULT) == 1
    assert story.value("litmus_time_to_revert_seconds_sum", **BY_FAULT) == 1.5
    assert story.value("litmus_leftovers_total", mechanism="netem") == 0


def test_after_an_abort_the_revert_is_timed_from_there(story: Story):
    story.tell(2, run=RUNNING, faults=[fault(state="injected")])
    story.now = epoch(10)
    story.counted.engine(stopping(), stopping(engineState="stop"))
    story.now = epoch(11)
    story.counted.engine(stopping(engineState="stop"), stopping(engineState="stop"))
    story.tell(12, run=RUNNING, faults=[fault(state="reverted", updated=12)])

    assert story.value("litmus_time_to_revert_seconds_sum", **BY_FAULT) == 2


def test_a_kill_has_nothing_to_revert(story: Story):
    kill = {"mechanism": "delete", "undo": {"kind": "none"}}
    story.tell(2, run=RUNNING, faults=[fault(**kill)])
    story.tell(3, run=RUNNING, faults=[fault(state="injected", **kill)])
    story.tell(99, run=OVER, faults=[fault(state="moot", updated=99, **kill)])

    labels = BY_FAULT | {"mechanism": "delete"}
    assert story.value("litmus_time_to_inject_seconds_count", **labels) == 1
    assert story.value("litmus_time_to_revert_seconds_count", **labels) is None
    assert story.value("litmus_leftovers_total", mechanism="delete") is None


@pytest.mark.parametrize(
    ("run", "last"),
    [
        (OVER, {"state": "proven"}),  # its run is over
        (RUNNING, {"state": "reverted", "updated": 67}),  # more than 5 s after the deadline
        (RUNNING, {"state": "lost"}),
    ],
)
def test_a_leftover_counts_once(story: Story, run: Object, last: Object):
    story.tell(2, run=RUNNING, faults=[fault(state="injected")])
    for seconds in (67, 68):
        story.tell(seconds, run=run, faults=[fault(**last)])
        story.counted.overdue([])
    story.tell(99, run=run, faults=[fault(state="reverted", updated=99)])

    assert story.value("litmus_leftovers_total", mechanism="netem") == 1


def test_what_the_last_run_ended_as_is_not_counted_at_the_start(story: Story):
    story.there(run=OVER, verdict="Pass", faults=[fault(state="reverted")], probeStatuses=probe("Passed"))

    assert story.value("litmus_time_to_inject_seconds_count", **BY_FAULT) == 0
    assert story.value("litmus_leftovers_total", mechanism="netem") == 0
    assert (story.probe("Passed"), story.probe("Failed"), story.probe("N/A")) == (0, 0, 0)


def test_a_fault_that_was_left_over_before_the_start_is_not_a_new_one(story: Story):
    story.now = epoch(100)
    story.there(run=OVER, faults=[fault(state="proven")])
    assert story.last
    story.counted.overdue([story.last])
    story.tell(101, run=OVER, faults=[fault(state="reverted", updated=101)])

    assert story.value("litmus_leftovers_total", mechanism="netem") == 0


def test_a_probe_counts_once_in_each_run(story: Story):
    story.tell(2, run=RUNNING, probeStatuses=probe("Awaited"))
    assert story.probe("Passed") == 0
    story.tell(3, run=RUNNING, probeStatuses=probe("Passed"))
    story.tell(4, run=OVER, probeStatuses=probe("Passed"))
    assert story.probe("Passed") == 1
    story.tell(50, run={"number": 2, "startedAt": "2026-05-01T12:00:50Z"}, probeStatuses=probe("Passed"))
    story.tell(51, run={"number": 2, "startedAt": "2026-05-01T12:00:50Z"}, probeStatuses=probe("Failed"))

    assert (story.probe("Passed"), story.probe("Failed")) == (2, 1)


def test_nothing_is_kept_of_a_result_that_is_gone(story: Story):
    story.tell(2, run=RUNNING, faults=[fault()], probeStatuses=probe("Passed"))
    story.counted.result(story.last, None)

    assert story.counted.probes == {}
    assert story.counted._records == {}
    assert story.counted._series == {}
