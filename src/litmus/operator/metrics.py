"""What the operator tells Prometheus of itself: whether it acts, how far it is behind, and what its reaper had to do.

They live in a registry of their own, not in the library's global one: two operators in one process (a test's) must not
count for each other. Label values are bounded: a mechanism is a word of a result, and who may write results must not be
able to fill the operator's memory with them.
"""

from collections.abc import Callable
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, disable_created_metrics
from prometheus_client.exposition import choose_encoder

Reaped = Literal["reverted", "moot", "failed"]

# A look takes milliseconds, a step with writes tenths of a second; an abort waits for pods to end.
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_MECHANISMS_AT_MOST = 100
_OTHER = "other"

# They would double the number of series, and Prometheus sees for itself when a counter began anew.
disable_created_metrics()  # type: ignore[no-untyped-call]


class Figures:
    """The metrics of one operator."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._up = Gauge(
            "litmus_operator_up",
            "1 while this operator leads and watches, 0 while it starts or stands by.",
            registry=self.registry,
        )
        self._depth = Gauge(
            "litmus_operator_queue_depth",
            "Engines and schedules whose next step is due, under way, or to be tried again.",
            registry=self.registry,
        )
        self._reconciled = Histogram(
            "litmus_operator_reconcile_seconds",
            "Duration of one step for one engine or schedule; the stop of an engine includes the end of its pods.",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._reaped = Counter(
            "litmus_reaper_actions_total",
            "Tries of the operator to undo what a run left behind, by what came of them.",
            ["result"],
            registry=self.registry,
        )
        self._leftovers = Counter(
            "litmus_reaper_leftovers_total",
            "Faults that were still there after the operator's first try to undo them.",
            ["mechanism"],
            registry=self.registry,
        )
        self._mechanisms: set[str] = set()
        for result in ("reverted", "moot", "failed"):
            self._reaped.labels(result)  # a series that is 0 from the beginning can be seen to rise
        ProcessCollector(registry=self.registry)

    def leads(self, is_so: bool) -> None:
        """Whether this operator acts."""
        self._up.set(is_so)

    def queue(self, depth: Callable[[], int]) -> None:
        """How many objects wait; asked at each scrape."""
        self._depth.set_function(depth)

    def reconciled(self, seconds: float) -> None:
        """One step took so long, whatever came of it."""
        self._reconciled.observe(seconds)

    def reaped(self, result: Reaped) -> None:
        """The reaper has tried to undo a fault."""
        self._reaped.labels(result).inc()

    def left_over(self, mechanism: str) -> None:
        """A fault is still there after the first try; told once for each record."""
        if mechanism not in self._mechanisms and len(self._mechanisms) >= _MECHANISMS_AT_MOST:
            mechanism = _OTHER
        self._mechanisms.add(mechanism)
        self._leftovers.labels(mechanism).inc()

    def text(self, accept: str = "") -> tuple[bytes, str]:
        """All of it in the format that the client accepts, and the content type of that."""
        encode, content_type = choose_encoder(accept)
        return encode(self.registry), content_type
