"""Cassandra under chaos: do requests succeed, how slow are they, does a node fall behind?

The names are those that the JMX exporter makes with its example rules for Cassandra, whose list of beans has to have
``type=ClientRequest,*`` added: ``cassandra_clientrequest_latency_seconds_count{clientrequest="Read"}``.
"""

from . import chaos
from .model import Dashboard, Panel, Query, Row, Variable

_JOB = 'job=~"$cassandra"'
_NODE = f'{_JOB},instance=~"$node"'
_RATE = "[$__rate_interval]"
_LOAD = "cassandra_storage_load_count"
_REQUESTS = "cassandra_clientrequest"
_KINDS = 'clientrequest=~"Read|Write"'


def _line(title: str, tells: str, expr: str, legend: str, unit: str = "short") -> Panel:
    return Panel(title=title, help=tells, unit=unit, lowest=0, queries=[Query(expr, legend)])


def _failures(name: str) -> Query:
    return Query(
        f"sum by (clientrequest) (rate({_REQUESTS}_{name}_count{{{_NODE},{_KINDS}}}{_RATE}))",
        f"{{{{clientrequest}}}} {name}",
    )


def _latency(share: str) -> Query:
    of = f'{_NODE},{_KINDS},quantile="{share}"'
    return Query(f"max by (clientrequest) ({_REQUESTS}_latency_seconds{{{of}}})", f"{{{{clientrequest}}}} {share}")


DASHBOARD = Dashboard(
    uid="litmus-cassandra",
    title="Litmus: Cassandra under chaos",
    help="Requests, latency, failures and the state of the nodes of Cassandra, with the windows of chaos over them.",
    tags=("cassandra",),
    variables=(
        *chaos.choices(),
        Variable(name="cassandra", title="Job", series=_LOAD, label="job"),
        Variable(name="node", title="Node", series=f"{_LOAD}{{{_JOB}}}", label="instance"),
    ),
    annotations=chaos.bands(),
    rows=(
        Row(
            title="Requests",
            panels=(
                _line(
                    "Requests",
                    "In a second, at all coordinators.",
                    f"sum by (clientrequest) (rate({_REQUESTS}_latency_seconds_count{{{_NODE},{_KINDS}}}{_RATE}))",
                    "{{clientrequest}}",
                    "ops",
                ),
                Panel(
                    title="Latency",
                    help="Of the slowest coordinator.",
                    unit="s",
                    lowest=0,
                    queries=[_latency("0.50"), _latency("0.95"), _latency("0.99")],
                ),
                Panel(
                    title="Requests that failed",
                    help="Timeouts: replicas answered too late. Unavailables: too few were there. In a second.",
                    unit="ops",
                    lowest=0,
                    queries=[_failures(name) for name in ("timeouts", "unavailables", "failures")],
                ),
                _line(
                    "Share that failed",
                    "Timeouts and unavailables among all requests.",
                    f"sum by (clientrequest) (rate({_REQUESTS}_timeouts_count{{{_NODE},{_KINDS}}}{_RATE})"
                    f" + rate({_REQUESTS}_unavailables_count{{{_NODE},{_KINDS}}}{_RATE}))"
                    f" / sum by (clientrequest) (rate({_REQUESTS}_latency_seconds_count{{{_NODE},{_KINDS}}}{_RATE}))",
                    "{{clientrequest}}",
                    "percentunit",
                ),
            ),
        ),
        Row(
            title="Nodes",
            panels=(
                _line(
                    "Nodes that answer",
                    "Whose exporter can be scraped.",
                    f"sum by (job) (up{{{_NODE}}} and on (job) last_over_time({_LOAD}[$__range]))",
                    "{{job}}",
                ),
                _line(
                    "Clients",
                    "Connections of clients at each node.",
                    f"max by (instance) (cassandra_client_connectednativeclients{{{_NODE}}})",
                    "{{instance}}",
                ),
                _line(
                    "Hints",
                    "Writes kept in a second for nodes that are down.",
                    f"sum by (instance) (rate(cassandra_storage_totalhints_count{{{_NODE}}}{_RATE}))",
                    "{{instance}}",
                    "ops",
                ),
                _line(
                    "Messages dropped",
                    "In a second: a node had no time for them.",
                    f"sum by (droppedmessage) (rate(cassandra_droppedmessage_dropped_count{{{_NODE}}}{_RATE}))",
                    "{{droppedmessage}}",
                    "ops",
                ),
                _line(
                    "Tasks that wait",
                    "In the pools of threads.",
                    f"sum by (threadpools) (cassandra_threadpools_pendingtasks{{{_NODE}}}) > 0",
                    "{{threadpools}}",
                ),
                _line(
                    "Compactions that wait",
                    "At each node.",
                    f"sum by (instance) (cassandra_compaction_pendingtasks{{{_NODE}}})",
                    "{{instance}}",
                ),
                _line(
                    "Repairs of reads",
                    "In a second: replicas did not agree.",
                    f"sum by (instance) (rate(cassandra_readrepair_repairedblocking_count{{{_NODE}}}{_RATE}))",
                    "{{instance}}",
                    "ops",
                ),
                _line(
                    "Load",
                    "Bytes on the disk of each node.",
                    f"max by (instance) (cassandra_storage_load_count{{{_NODE}}})",
                    "{{instance}}",
                    "bytes",
                ),
            ),
        ),
    ),
)
