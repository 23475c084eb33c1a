"""OpenEBS under chaos: are volumes healthy, how many replicas are left, how fast and how full are they?

The names are those of the exporter beside each cStor and Jiva volume and each cStor pool (``openebs_*``).
"""

from . import chaos
from .model import Dashboard, Panel, Query, Row, Variable

_VOLUME = 'openebs_pv=~"$volume"'
_RATE = "[$__rate_interval]"
_STATES = [(1, "offline", "red"), (2, "degraded", "orange"), (3, "healthy", "green"), (4, "unknown", "purple")]


def _of_volumes(title: str, tells: str, expr: str, unit: str = "short") -> Panel:
    return Panel(title=title, help=tells, unit=unit, lowest=0, queries=[Query(expr, "{{openebs_pv}}")])


def _each(metric: str) -> str:
    return f"max by (openebs_pv) ({metric}{{{_VOLUME}}})"


def _two(read: str, write: str, unit: str, title: str, tells: str) -> Panel:
    queries = [
        Query(f"sum by (openebs_pv) (rate({metric}{{{_VOLUME}}}{_RATE}))", f"{called} {{{{openebs_pv}}}}")
        for metric, called in ((read, "read"), (write, "write"))
    ]
    return Panel(title=title, help=tells, unit=unit, lowest=0, queries=queries)


def _slowness(of: str) -> Query:
    time, count = (
        f"sum by (openebs_pv) (rate({metric}{{{_VOLUME}}}{_RATE}))"
        for metric in (f"openebs_{of}_time", f"openebs_{of}s")
    )
    return Query(f"{time} / ({count} > 0)", f"{of} {{{{openebs_pv}}}}")


DASHBOARD = Dashboard(
    uid="litmus-openebs",
    title="Litmus: OpenEBS under chaos",
    help="Health, replicas, speed and space of the volumes and pools of OpenEBS, with the windows of chaos over them.",
    tags=("openebs",),
    variables=(
        *chaos.choices(),
        Variable(name="volume", title="Volume", series="openebs_size_of_volume", label="openebs_pv"),
    ),
    annotations=chaos.bands(),
    rows=(
        Row(
            title="Health",
            panels=(
                Panel(
                    title="State of the volumes",
                    help="Offline, degraded or healthy.",
                    kind="state-timeline",
                    width=24,
                    queries=[Query(_each("openebs_volume_status"), "{{openebs_pv}}")],
                    texts=_STATES,
                ),
                Panel(
                    title="Replicas",
                    help="Of each volume: healthy ones, and those that are rebuilt or only read.",
                    lowest=0,
                    queries=[
                        Query(_each("openebs_healthy_replica_count"), "healthy {{openebs_pv}}"),
                        Query(_each("openebs_degraded_replica_count"), "degraded {{openebs_pv}}"),
                    ],
                ),
                _of_volumes(
                    "Replicas that are missing",
                    "Connected replicas that are not healthy.",
                    f"{_each('openebs_total_replica_count')} - {_each('openebs_healthy_replica_count')}",
                ),
                _of_volumes(
                    "Uptime",
                    "Since the volume was registered: a restart begins anew.",
                    _each("openebs_volume_uptime"),
                    "s",
                ),
                Panel(
                    title="Trouble with connections",
                    help="Errors and new attempts of the exporter, in each step of the graph.",
                    lowest=0,
                    queries=[
                        Query(f"sum(increase(openebs_connection_error_total{_RATE}))", "errors"),
                        Query(f"sum(increase(openebs_connection_retry_total{_RATE}))", "new attempts"),
                    ],
                ),
            ),
        ),
        Row(
            title="Speed",
            panels=(
                _two("openebs_reads", "openebs_writes", "iops", "Operations", "In a second."),
                _two(
                    "openebs_total_read_bytes",
                    "openebs_total_write_bytes",
                    "Bps",
                    "Throughput",
                    "Bytes in a second (cStor).",
                ),
                Panel(
                    title="Latency",
                    help="Mean of an operation.",
                    unit="ns",
                    lowest=0,
                    width=24,
                    queries=[_slowness("read"), _slowness("write")],
                ),
            ),
        ),
        Row(
            title="Space",
            panels=(
                _of_volumes(
                    "Used of each volume",
                    "Share of its size.",
                    f"{_each('openebs_actual_used')} / ({_each('openebs_size_of_volume')} > 0)",
                    "percentunit",
                ),
                Panel(
                    title="Used of each pool",
                    help="In percent (cStor).",
                    unit="percent",
                    lowest=0,
                    highest=100,
                    queries=[Query("max by (pool) (openebs_used_pool_capacity_percent)", "{{pool}}")],
                ),
            ),
        ),
    ),
)
