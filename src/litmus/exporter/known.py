"""What is known at the moment of a scrape, and what follows from it for several families."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from litmus.api import names, score

from . import seen
from .state import State

_OVER = ("completed", "stopped")


@dataclass(slots=True)
class Known:
    """One look at the state; the same for every family of a scrape, also when the state changes meanwhile."""

    state: State
    now: float = field(default_factory=time.time)
    engines: list[seen.Engine] = field(init=False)
    results: list[seen.Result] = field(init=False)
    latest: list[seen.Result] = field(init=False)
    by_name: dict[tuple[str, str], seen.Engine] = field(init=False)
    sources: list[tuple[str, bool, int]] = field(init=False)

    def __post_init__(self) -> None:
        self.engines = list(self.state.engines.known.values())
        self.results = list(self.state.results.known.values())
        self.by_name = {(engine.namespace, engine.name): engine for engine in self.engines}
        self.latest = _latest(self.results)
        self.sources = [(str(source.kind), source.up, len(source.known)) for source in self.state.sources]

    def engine_of(self, result: seen.Result) -> seen.Engine | None:
        return self.by_name.get((result.namespace, result.engine))

    def scores(self) -> Iterator[tuple[seen.Engine, float]]:
        """The resilience score of every engine whose runs are over; before that it would only count what is missing."""
        results = {(result.namespace, result.name): result for result in self.results}
        for engine in self.engines:
            if engine.status in _OVER and (value := _score(engine, results)) is not None:
                yield engine, value


def _latest(results: list[seen.Result]) -> list[seen.Result]:
    """One result for each experiment of an engine: that of the latest run, should somebody have made another one."""
    found: dict[tuple[str, str, str], seen.Result] = {}
    for result in results:
        other = found.get(result.key)
        if other is None or (other.started or 0.0) <= (result.started or 0.0):
            found[result.key] = result
    return list(found.values())


def _score(engine: seen.Engine, results: dict[tuple[str, str], seen.Result]) -> float | None:
    """As ``api.score`` has it for engines and results as they are in a cluster: what has no verdict counts 0."""
    return score.weighted(
        score.Part(
            engine=engine.name,
            experiment=entry.name,
            weight=entry.weight,
            percentage=_percentage(
                engine, entry, results.get((engine.namespace, names.result(engine.name, entry.name, entry.instance)))
            ),
            verdict=entry.verdict,
        )
        for entry in engine.entries
    )


def _percentage(engine: seen.Engine, entry: seen.Entry, result: seen.Result | None) -> float:
    if result is None or entry.verdict in ("N/A", "Awaited") or not result.final:
        return 0.0
    if result.engine_uid and engine.uid and result.engine_uid != engine.uid:
        return 0.0
    return result.percentage or 0.0
