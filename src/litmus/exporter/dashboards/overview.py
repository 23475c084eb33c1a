"""All chaos at a glance: what runs now, how it ended, and whether anything was left behind."""

from litmus.exporter import promql

from . import chaos
from .chaos import LABELS, OURS
from .model import Dashboard, Panel, Query, Row

_ENDINGS = ("passed", "failed", "stopped", "error")


def _total(ending: str) -> str:
    return f"(sum(litmus_experiments_{ending}_total{{{OURS}}}) or vector(0))"


_OF_ENGINE = 'namespace=~"$namespace",engine=~"$engine"'
_SCORE = f"max by (namespace, engine) (litmus_resilience_score{{{_OF_ENGINE}}})"
_PASS_RATE = f"{_total('passed')} / ({' + '.join(map(_total, _ENDINGS))})"

_REVERTED = promql.risen(f"litmus_time_to_revert_seconds_bucket{{{chaos.OF_EXPERIMENT}}}", "$__range")

DASHBOARD = Dashboard(
    uid="litmus-overview",
    title="Litmus: chaos overview",
    help="Verdicts over time, pass rate, resilience score, and what runs now.",
    variables=chaos.choices(),
    annotations=chaos.bands(),
    since="now-6h",
    rows=(
        Row(
            title="Now",
            panels=(
                Panel(
                    title="Faults going on",
                    help="Experiments between their first injection and the end of their chaos.",
                    kind="stat",
                    width=4,
                    height=4,
                    queries=[Query(f"sum(max by ({LABELS}) (litmus_chaos_active{{{OURS}}})) or vector(0)")],
                    limits=[(1, "red")],
                ),
                Panel(
                    title="Without a verdict yet",
                    help="Experiments whose verdict is Awaited.",
                    kind="stat",
                    width=4,
                    height=4,
                    queries=[
                        Query(f'count(count by ({LABELS}) (litmus_run_info{{{OURS},verdict="Awaited"}})) or vector(0)')
                    ],
                ),
                Panel(
                    title="Past their deadline",
                    help="Faults that should have been undone by now. Anything but 0 needs somebody to look.",
                    kind="stat",
                    width=4,
                    height=4,
                    queries=[Query(f"sum(litmus_faults_open_past_deadline{{{OURS}}}) or vector(0)")],
                    limits=[(1, "red")],
                ),
                Panel(
                    title="Left behind",
                    help="Faults that could not be undone, in the shown time.",
                    kind="stat",
                    width=4,
                    height=4,
                    queries=[Query(f"sum({promql.risen('litmus_leftovers_total', '$__range')}) or vector(0)")],
                    limits=[(0.5, "red")],
                ),
                Panel(
                    title="Pass rate",
                    help="Passed runs among all that ended, over the histories of the results there are.",
                    kind="stat",
                    unit="percentunit",
                    width=4,
                    height=4,
                    lowest=0,
                    highest=1,
                    queries=[Query(_PASS_RATE)],
                    below="red",
                    limits=[(0.5, "orange"), (0.9, "green")],
                ),
                Panel(
                    title="Resilience score",
                    help="Mean over the engines, 0 to 100.",
                    kind="gauge",
                    unit="none",
                    width=4,
                    height=4,
                    lowest=0,
                    highest=100,
                    queries=[Query(f"avg({_SCORE})")],
                    below="red",
                    limits=[(50, "orange"), (90, "green")],
                ),
            ),
        ),
        Row(
            title="Verdicts",
            panels=(
                Panel(
                    title="Chaos over time",
                    help="When each experiment broke something.",
                    kind="state-timeline",
                    width=24,
                    queries=[
                        Query(
                            f"max by ({LABELS}) (litmus_chaos_active{{{OURS}}})",
                            "{{namespace}}/{{engine}} {{experiment}}",
                        )
                    ],
                    texts=[(0, "quiet", "transparent"), (1, "chaos", chaos.COLOURS["Fail"])],
                ),
                Panel(
                    title="Runs that ended",
                    help="By verdict, in each step of the graph; also those whose results are deleted by now.",
                    draw="bars",
                    stacked=True,
                    lowest=0,
                    queries=[Query(chaos.ended(verdict), verdict) for verdict in chaos.OVER],
                    colours=[(verdict, chaos.COLOURS[verdict]) for verdict in chaos.OVER],
                ),
                Panel(
                    title="Last verdict of each experiment",
                    help="How many experiments stand at which verdict.",
                    stacked=True,
                    lowest=0,
                    queries=[
                        Query(
                            f"count by (verdict) (count by ({LABELS}, verdict) (litmus_run_info{{{OURS}}}))",
                            "{{verdict}}",
                        )
                    ],
                    colours=list(chaos.COLOURS.items()),
                ),
                Panel(
                    title="Experiments",
                    help="The newest run of each.",
                    kind="table",
                    height=10,
                    queries=[Query(f"max by ({LABELS}, verdict) (litmus_run_info{{{OURS}}})", instant=True)],
                    columns=["namespace", "engine", "experiment", "verdict"],
                ),
                Panel(
                    title="Resilience score of each engine",
                    help="0 to 100: the weighted share of what its experiments and probes asked for.",
                    unit="none",
                    height=10,
                    lowest=0,
                    highest=100,
                    queries=[Query(_SCORE, "{{namespace}}/{{engine}}")],
                ),
            ),
        ),
        Row(
            title="Faults",
            panels=(
                Panel(
                    title="Faults by mechanism and state",
                    help="The ledger: planned, injected, proven, reverted, moot (the target is gone) or lost.",
                    stacked=True,
                    lowest=0,
                    queries=[
                        Query(f"sum by (mechanism, state) (litmus_faults{{{OURS}}})", "{{mechanism}} {{state}}"),
                    ],
                ),
                Panel(
                    title="Time to revert",
                    help="From the end of the chaos until the fault was undone, 95 of 100 faults are at most here.",
                    unit="s",
                    lowest=0,
                    queries=[
                        Query(
                            f"histogram_quantile(0.95, sum by (le, mechanism) ({_REVERTED}))",
                            "{{mechanism}}",
                        )
                    ],
                ),
            ),
        ),
    ),
)
