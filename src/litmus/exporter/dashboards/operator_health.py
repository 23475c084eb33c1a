"""Whether the operator and the exporter are well: queue, reconciling, the reaper, what is watched."""

from . import chaos
from .model import Dashboard, Panel, Query, Row

_RATE = "[$__rate_interval]"
_SLOWNESS = f"sum by (le) (rate(litmus_operator_reconcile_seconds_bucket{_RATE}))"
# Other processes have metrics of these names, so only those are taken whose target has ours too.
_THEIRS = "on (job, instance) group_left () (count by (job, instance) ({series}))"


def _of_process(metric: str) -> list[Query]:
    return [
        Query(f"{metric} and {_THEIRS.format(series=series).replace('group_left () ', '')}", called)
        for series, called in (
            ("litmus_operator_up", "operator {{instance}}"),
            ("litmus_exporter_objects", "exporter {{instance}}"),
        )
    ]


DASHBOARD = Dashboard(
    uid="litmus-operator",
    title="Litmus: operator health",
    help="The operator, its reaper, and the exporter.",
    variables=chaos.choices(),
    annotations=chaos.bands(),
    rows=(
        Row(
            title="Operator",
            panels=(
                Panel(
                    title="Operators that act",
                    help="One acts, the others stand by.",
                    kind="stat",
                    width=6,
                    height=4,
                    queries=[Query("sum(litmus_operator_up) or vector(0)")],
                    below="red",
                    limits=[(1, "green")],
                ),
                Panel(
                    title="Waiting",
                    help="Objects that wait to be looked at.",
                    kind="stat",
                    width=6,
                    height=4,
                    queries=[Query("sum(litmus_operator_queue_depth)")],
                    limits=[(50, "orange"), (500, "red")],
                ),
                Panel(
                    title="Past their deadline",
                    help="Faults that should have been undone by now, of all namespaces.",
                    kind="stat",
                    width=6,
                    height=4,
                    queries=[Query("sum(litmus_faults_open_past_deadline) or vector(0)")],
                    limits=[(1, "red")],
                ),
                Panel(
                    title="Sources that fail",
                    help="Kinds that the exporter can't watch: a definition or a right is missing.",
                    kind="stat",
                    width=6,
                    height=4,
                    queries=[Query("count(litmus_exporter_source_up == 0) or vector(0)")],
                    limits=[(1, "red")],
                ),
                Panel(
                    title="Queue",
                    help="Objects that wait to be looked at.",
                    lowest=0,
                    queries=[Query("max by (instance) (litmus_operator_queue_depth)", "{{instance}}")],
                ),
                Panel(
                    title="Time to reconcile",
                    help="How long one look at an object takes.",
                    unit="s",
                    lowest=0,
                    queries=[
                        Query(f"histogram_quantile({share}, {_SLOWNESS})", f"{int(share * 100)} of 100")
                        for share in (0.5, 0.95, 0.99)
                    ],
                ),
                Panel(
                    title="Looks",
                    help="How many objects are looked at in a second.",
                    unit="ops",
                    lowest=0,
                    queries=[
                        Query(
                            f"sum by (instance) (rate(litmus_operator_reconcile_seconds_count{_RATE}))", "{{instance}}"
                        )
                    ],
                ),
                Panel(
                    title="Reaper",
                    help="What it did about faults whose experiment is gone or late, in each step of the graph.",
                    draw="bars",
                    stacked=True,
                    lowest=0,
                    queries=[
                        Query(f"sum by (result) (increase(litmus_reaper_actions_total{_RATE}))", "{{result}}"),
                    ],
                ),
            ),
        ),
        Row(
            title="Exporter",
            panels=(
                Panel(
                    title="Watched",
                    help="1 while the watch of a kind works.",
                    lowest=0,
                    highest=1,
                    queries=[Query("min by (kind) (litmus_exporter_source_up)", "{{kind}}")],
                ),
                Panel(
                    title="Objects",
                    help="How many of each kind the exporter knows.",
                    lowest=0,
                    queries=[Query("max by (kind) (litmus_exporter_objects)", "{{kind}}")],
                ),
                Panel(
                    title="Deliveries that failed",
                    help="Chaos windows that could not be told to an outlet, in each step of the graph.",
                    draw="bars",
                    lowest=0,
                    queries=[
                        Query(
                            f"sum by (outlet) (increase(litmus_exporter_webhook_failures_total{_RATE}))", "{{outlet}}"
                        )
                    ],
                ),
                Panel(
                    title="Scrapes",
                    help="How long Prometheus waits for the metrics.",
                    unit="s",
                    lowest=0,
                    queries=_of_process("scrape_duration_seconds"),
                ),
            ),
        ),
        Row(
            title="Processes",
            panels=(
                Panel(
                    title="Memory",
                    help="Resident.",
                    unit="bytes",
                    lowest=0,
                    queries=_of_process("process_resident_memory_bytes"),
                ),
                Panel(
                    title="Processor",
                    help="Processors in use.",
                    unit="none",
                    lowest=0,
                    queries=_of_process(f"rate(process_cpu_seconds_total{_RATE})"),
                ),
            ),
        ),
    ),
)
