"""One experiment in detail: what it did to whom, what the application made of it, and whether it is all put back."""

from litmus.exporter import promql

from . import chaos
from .chaos import LABELS, OF_EXPERIMENT, OURS
from .model import Dashboard, Panel, Query, Row

_VERDICTS = [(i, verdict, colour) for i, (verdict, colour) in enumerate(chaos.COLOURS.items())]
# A number for each verdict, because a panel of states draws numbers.
_VERDICT = " or ".join(
    f'max by ({LABELS}) (litmus_run_info{{{OURS},verdict="{verdict}"}}) * {i}' for i, verdict, _ in _VERDICTS
)


def _quantiles(metric: str) -> list[Query]:
    risen = promql.risen(f"{metric}_bucket{{{OF_EXPERIMENT}}}", "$__range")
    of = f"sum by (le, mechanism) ({risen})"
    return [
        Query(f"histogram_quantile({share}, {of})", f"{{{{mechanism}}}}, {int(share * 100)} of 100")
        for share in (0.5, 0.95)
    ]


DASHBOARD = Dashboard(
    uid="litmus-experiment",
    title="Litmus: one experiment",
    help="The impact, the targets and the faults of one experiment.",
    variables=chaos.choices(several=False),
    annotations=chaos.bands(),
    refresh="5s",
    rows=(
        Row(
            title="The run",
            panels=(
                Panel(
                    title="Verdict",
                    help="Of the newest run.",
                    kind="stat",
                    width=6,
                    height=4,
                    queries=[Query(_VERDICT)],
                    texts=_VERDICTS,
                ),
                Panel(
                    title="Began",
                    help="When the newest run began.",
                    kind="stat",
                    unit="dateTimeFromNow",
                    width=6,
                    height=4,
                    queries=[Query(f"max(litmus_run_started_timestamp_seconds{{{OURS}}}) * 1000")],
                ),
                Panel(
                    title="Took",
                    help="From the begin of the newest run to its end; until now while it goes on.",
                    kind="stat",
                    unit="s",
                    width=6,
                    height=4,
                    queries=[
                        Query(
                            f"(max(litmus_run_finished_timestamp_seconds{{{OURS}}} > 0) or vector(time()))"
                            f" - max(litmus_run_started_timestamp_seconds{{{OURS}}})"
                        )
                    ],
                ),
                Panel(
                    title="Chaos",
                    help="Whether anything is broken at this moment.",
                    kind="stat",
                    width=6,
                    height=4,
                    queries=[Query(f"max(litmus_chaos_active{{{OURS}}})")],
                    texts=[(0, "none", "green"), (1, "going on", chaos.COLOURS["Fail"])],
                ),
            ),
        ),
        Row(
            title="Impact",
            panels=(
                Panel(
                    title="Availability",
                    help="Share of good samples of each signal before, during and after the fault.",
                    kind="bargauge",
                    unit="percentunit",
                    lowest=0,
                    highest=1,
                    queries=[
                        Query(
                            f"min by (signal, window) (litmus_availability_ratio{{{OURS}}})", "{{signal}}, {{window}}"
                        )
                    ],
                    below="red",
                    limits=[(0.95, "orange"), (0.99, "green")],
                ),
                Panel(
                    title="Recovery",
                    help="From the end of the fault until the signal was as before.",
                    kind="bargauge",
                    unit="s",
                    lowest=0,
                    queries=[Query(f"max by (signal) (litmus_recovery_seconds{{{OURS}}})", "{{signal}}")],
                    limits=[(30, "orange"), (120, "red")],
                ),
                Panel(
                    title="Outcomes of probes",
                    help="How often each probe came to which end since the exporter began to count.",
                    kind="bargauge",
                    queries=[
                        Query(
                            f"sum by (probe, type, status) (litmus_probe_outcomes_total{{{OURS}}})",
                            "{{probe}} ({{type}}), {{status}}",
                        )
                    ],
                ),
                Panel(
                    title="Outcomes of probes over time",
                    help="How many each minute.",
                    lowest=0,
                    queries=[
                        Query(
                            "sum by (probe, status) "
                            f"(rate(litmus_probe_outcomes_total{{{OURS}}}[$__rate_interval])) * 60",
                            "{{probe}}, {{status}}",
                        )
                    ],
                ),
            ),
        ),
        Row(
            title="Targets",
            panels=(
                Panel(
                    title="Delivered of what was asked",
                    help="Measured in the target. A fault that was not delivered is an Error, never a Pass.",
                    unit="percentunit",
                    lowest=0,
                    queries=[
                        Query(
                            f"max by (mechanism, target, unit) (litmus_delivered_value{{{OURS}}}) / "
                            f"(max by (mechanism, target, unit) (litmus_asked_value{{{OURS}}}) != 0)",
                            "{{mechanism}} {{target}}",
                        )
                    ],
                ),
                Panel(
                    title="What was asked",
                    help="Of each target of the newest run.",
                    kind="table",
                    queries=[
                        Query(f"max by (mechanism, target, unit) (litmus_asked_value{{{OURS}}})", instant=True),
                    ],
                    columns=["mechanism", "target", "Value", "unit"],
                ),
                Panel(
                    title="Ready pods",
                    help="Of the namespace, as kube-state-metrics tells.",
                    lowest=0,
                    queries=[
                        Query(
                            'sum by (namespace) (kube_pod_status_ready{namespace=~"$namespace",condition="true"})',
                            "{{namespace}}",
                        )
                    ],
                ),
                Panel(
                    title="Restarts of containers",
                    help="Of the namespace, as kube-state-metrics tells.",
                    lowest=0,
                    queries=[
                        Query(
                            "sum by (pod) (increase(kube_pod_container_status_restarts_total"
                            '{namespace=~"$namespace"}[$__rate_interval])) > 0',
                            "{{pod}}",
                        )
                    ],
                ),
            ),
        ),
        Row(
            title="Faults",
            panels=(
                Panel(
                    title="Ledger",
                    help="Faults by state. In the end all are reverted, or moot because their target is gone.",
                    stacked=True,
                    lowest=0,
                    queries=[Query(f"sum by (mechanism, state) (litmus_faults{{{OURS}}})", "{{mechanism}} {{state}}")],
                ),
                Panel(
                    title="Past their deadline",
                    help="Faults that should have been undone by now.",
                    lowest=0,
                    queries=[
                        Query(f"sum by (mechanism) (litmus_faults_open_past_deadline{{{OURS}}})", "{{mechanism}}")
                    ],
                    limits=[(1, "red")],
                ),
                Panel(
                    title="Time to inject",
                    help="Over the runs of the shown time.",
                    unit="s",
                    lowest=0,
                    queries=_quantiles("litmus_time_to_inject_seconds"),
                ),
                Panel(
                    title="Time to revert",
                    help="Over the runs of the shown time.",
                    unit="s",
                    lowest=0,
                    queries=_quantiles("litmus_time_to_revert_seconds"),
                ),
            ),
        ),
    ),
)
