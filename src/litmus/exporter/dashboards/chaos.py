"""What every dashboard has: the choice of namespace, engine and experiment, and the red band over each injection.

**The band** is drawn from two time stamps of each run, not from when Prometheus happened to scrape: they are looked up
once at the end of the shown range (``@ end()``) and compared with the time of each step. So its edges are those of
the injection to within half a step of the graph, whatever the scrape interval: it is widened by that much on both
sides, so that a short injection is not lost between two steps of a long range. Grafana draws steps that follow each
other as one region.

A run whose result is deleted keeps its band as long as Prometheus remembers it, and a run that vanished while it was
running ends where it was last seen: there are no bands of ghosts.
"""

from .model import Annotation, Variable

LABELS = "namespace, engine, experiment"
RUN = f"{LABELS}, run"
OURS = 'namespace=~"$namespace",engine=~"$engine",experiment=~"$experiment"'
# What has no engine in its labels.
OF_EXPERIMENT = 'namespace=~"$namespace",experiment=~"$experiment"'

COLOURS = {
    "Awaited": "#FF7383",
    "Pass": "#37872D",
    "Fail": "#C4162A",
    "Error": "#8F3BB8",
    "Stopped": "#8E8E8E",
}
OVER = ("Pass", "Fail", "Error", "Stopped")

_STARTED = "litmus_chaos_started_timestamp_seconds"
_ENDED = "litmus_chaos_ended_timestamp_seconds"
_STEP_S = "$__interval_ms / 1000"
_HALF_STEP_S = "$__interval_ms / 2000"


def known(metric: str, matching: str = "") -> str:
    """The last value of each run whose series was there at any time of the range, at each step of it."""
    of = ",".join(filter(None, (OURS, matching)))
    return f"max by ({RUN}, verdict) (last_over_time({metric}{{{of}}}[$__range] @ end()))"


def over(verdict: str) -> str:
    """Above zero while the chaos went on of runs that ended with this verdict."""
    ended, started = (known(metric, f'verdict="{verdict}"') for metric in (_ENDED, _STARTED))
    return f"({ended} + {_HALF_STEP_S} >= time()) and on ({RUN}) ({started} - {_HALF_STEP_S} < time())"


def undecided() -> str:
    """Above zero while the chaos goes on or went on of runs that have no verdict yet.

    Exact for what is there at the end of the range; what vanished before its end is drawn as it was scraped.
    """
    of = f'{_STARTED}{{{OURS},verdict="Awaited"}}'
    now, then = (_unended(f"max by ({RUN}, verdict) ({series})") for series in (f"{of} @ end()", of))
    decided = known(_ENDED, 'verdict!="Awaited"')
    return f"({now} - {_HALF_STEP_S} < time()) or {then} or (({over('Awaited')}) unless on ({RUN}) {decided})"


def _unended(started: str) -> str:
    # The runs of a result that was deleted and made again are counted anew: an end before the start is another's.
    last = f"max by ({RUN}) ({known(_ENDED)})"
    return f"({started} unless on ({RUN}) ({last} >= on ({RUN}) max by ({RUN}) ({started})))"


def ended(verdict: str) -> str:
    """How many runs ended in each step of the graph with this verdict."""
    of = known(_ENDED, f'verdict="{verdict}"')
    return f"count(({of} <= time()) > time() - {_STEP_S})"


def bands() -> tuple[Annotation, ...]:
    """The red band: one annotation a verdict, because an annotation has one colour."""
    text = "{{namespace}}/{{engine}}: {{experiment}}, {{verdict}}"
    return (
        Annotation(name="Chaos going on", expr=undecided(), colour=COLOURS["Awaited"], text=text),
        *(Annotation(name=f"Chaos: {v}", expr=over(v), colour=COLOURS[v], text=text) for v in OVER),
    )


def choices(*, several: bool = True) -> tuple[Variable, ...]:
    """Namespace, engine, experiment, each of those that the ones before it leave."""
    info = "litmus_run_info"
    of_engine = f'{info}{{namespace=~"$namespace",engine=~"$engine"}}'
    return (
        Variable(name="namespace", title="Namespace", series=info, label="namespace", several=several),
        Variable(
            name="engine",
            title="Engine",
            series=f'{info}{{namespace=~"$namespace"}}',
            label="engine",
            several=several,
        ),
        Variable(name="experiment", title="Experiment", series=of_engine, label="experiment", several=several),
    )
