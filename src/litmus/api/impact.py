"""``status.impact`` of a ChaosResult: what a run did to the application, measured from its continuous signals."""

from typing import Annotated, Literal

from msgspec import Meta

from .meta import Shape

Judgement = Literal["met", "missed", "inconclusive"]


class Figure(Shape, frozen=True, kw_only=True):
    """A measured value with its confidence interval; ``value`` is absent where too little was seen to tell."""

    value: float | None = None
    low: float | None = None
    high: float | None = None
    unit: Annotated[str, Meta(description="%, s or ms.")] = ""
    note: Annotated[str, Meta(description="What the number leaves out, such as: not recovered when the run ended.")] = (
        ""
    )


class Window(Shape, frozen=True, kw_only=True):
    """Figures of the baseline, of the fault or of the recovery."""

    start: str
    end: str
    samples: int = 0
    availability: Figure = Figure(unit="%")
    errors: Annotated[dict[str, int], Meta(description="Failed samples by kind.")] = {}
    latency_p50: Figure = Figure(unit="ms")
    latency_p95: Figure = Figure(unit="ms")
    latency_p99: Figure = Figure(unit="ms")


class Criterion(Shape, frozen=True, kw_only=True):
    """A steady-state criterion of the engine, and how it was judged."""

    name: str
    asked: str
    observed: Figure = Figure()
    judgement: Judgement
    explanation: Annotated[str, Meta(description="One sentence: the value, and what would have met it.")] = ""


class Slice(Shape, frozen=True, kw_only=True):
    """A piece of the signal, for plots. Latencies in milliseconds."""

    at: Annotated[float, Meta(description="Start, in seconds after the first sample.")]
    good: int = 0
    bad: int = 0
    p50: float | None = None
    p95: float | None = None


class Signal(Shape, frozen=True, kw_only=True):
    """What one probe saw."""

    probe: str
    baseline: Window
    fault: Window
    recovery: Window
    time_to_impact: Annotated[Figure, Meta(description="Injection to the first sign of it.")] = Figure(unit="s")
    time_to_recover: Annotated[
        Figure, Meta(description="End of the chaos to steady state; of kills, from each to the next, the longest.")
    ] = Figure(unit="s")
    longest_outage: Figure = Figure(unit="s")
    impact_at: Annotated[str | None, Meta(description="When that first sign of it was.")] = None
    steady_at: Annotated[str | None, Meta(description="When it was steady again after that time to recover.")] = None
    differs: Annotated[
        Literal["worse", "no difference", "better", "inconclusive"],
        Meta(description="The fault's window against the baseline's, with error rate alpha."),
    ] = "inconclusive"
    alpha: float = 0.01
    slice_seconds: float = 1.0
    slices: list[Slice] = []


class Impact(Shape, frozen=True, kw_only=True):
    """Everything that was measured of the application during one run."""

    signals: list[Signal] = []
    criteria: list[Criterion] = []
