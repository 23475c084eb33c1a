"""The signals of one run, analysed: windows, times, the difference to the baseline, criteria."""

from collections.abc import Mapping, Sequence

from litmus import api

from .samples import Sample


def analyse(
    signals: Mapping[str, Sequence[Sample]],
    *,
    chaos_start: float,
    chaos_end: float,
    run_end: float,
    injections: Sequence[float],
    criteria: Mapping[str, str],
    seed: int,
    instant: bool | None = None,
) -> api.impact.Impact:
    """What the run did to the application, as the continuous signals tell it, by the name of their probe.

    All times in seconds of UNIX time. ``instant``: whether an injection is over at once, as a kill is, so that recovery
    counts from each of them and not from ``chaos_end``; when None, it is if there was more than one.
    Raises ValueError for criteria that ``read_criteria`` refuses.
    """
    raise NotImplementedError("the analysis comes with the next commits")
