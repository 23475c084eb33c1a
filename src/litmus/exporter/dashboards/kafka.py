"""Kafka under chaos: is it written to and read from, are partitions replicated, does a consumer fall behind?

Two usual exporters, either of which may be missing: kafka-exporter (``kafka_topic_*``, ``kafka_consumergroup_*``), and
the JMX exporter with its example rules for Kafka 2 and later (``kafka_server_*``, ``kafka_network_*``).
"""

from . import chaos
from .model import Dashboard, Panel, Query, Row, Variable

_TOPIC = 'topic=~"$topic"'
_GROUP = f'consumergroup=~"$group",{_TOPIC}'
_RATE = "[$__rate_interval]"
_BROKER_TOPICS = "kafka_server_brokertopicmetrics"


def _sum(title: str, tells: str, metric: str, bad: float = 1) -> Panel:
    query = Query(f"sum({metric})")
    return Panel(title=title, help=tells, kind="stat", width=4, height=4, queries=[query], limits=[(bad, "red")])


def _rates(title: str, tells: str, named: dict[str, str], unit: str) -> Panel:
    queries = [
        Query(f'sum by (instance) (rate({metric}{{topic=""}}{_RATE}))', f"{called} {{{{instance}}}}")
        for metric, called in named.items()
    ]
    return Panel(title=title, help=tells, unit=unit, lowest=0, queries=queries)


DASHBOARD = Dashboard(
    uid="litmus-kafka",
    title="Litmus: Kafka under chaos",
    help="Throughput, replication, latency and lag of Kafka, with the windows of chaos over them.",
    tags=("kafka",),
    variables=(
        *chaos.choices(),
        Variable(name="topic", title="Topic", series="kafka_topic_partitions", label="topic"),
        Variable(name="group", title="Consumer group", series="kafka_consumergroup_lag", label="consumergroup"),
    ),
    annotations=chaos.bands(),
    rows=(
        Row(
            title="The cluster",
            panels=(
                Panel(
                    title="Brokers",
                    help="That kafka-exporter finds.",
                    kind="stat",
                    width=4,
                    height=4,
                    queries=[Query("max(kafka_brokers)")],
                    below="red",
                    limits=[(1, "orange"), (3, "green")],
                ),
                Panel(
                    title="Controllers",
                    help="Exactly one broker has to be it.",
                    kind="stat",
                    width=4,
                    height=4,
                    queries=[Query("sum(kafka_controller_kafkacontroller_activecontrollercount)")],
                    below="red",
                    limits=[(1, "green"), (2, "red")],
                ),
                _sum(
                    "Partitions without a leader",
                    "Nobody can write to them.",
                    "kafka_controller_kafkacontroller_offlinepartitionscount",
                ),
                _sum(
                    "Under-replicated",
                    "Partitions with a replica that lags or is gone.",
                    f"kafka_topic_partition_under_replicated_partition{{{_TOPIC}}}",
                ),
                _sum(
                    "Below the least replicas",
                    "Partitions that refuse writes which want all replicas to confirm.",
                    "kafka_server_replicamanager_underminisrpartitioncount",
                ),
                _sum("Lag", "Messages that consumers have not read.", f"kafka_consumergroup_lag{{{_GROUP}}}", 10_000),
            ),
        ),
        Row(
            title="Writing and reading",
            panels=(
                Panel(
                    title="Messages written",
                    help="How far the newest offset of each topic moves in a second.",
                    unit="ops",
                    lowest=0,
                    queries=[
                        Query(
                            f"sum by (topic) (rate(kafka_topic_partition_current_offset{{{_TOPIC}}}{_RATE}))",
                            "{{topic}}",
                        )
                    ],
                ),
                Panel(
                    title="Messages read",
                    help="How far the offset of each consumer group moves in a second.",
                    unit="ops",
                    lowest=0,
                    queries=[
                        Query(
                            "sum by (consumergroup, topic) "
                            f"(rate(kafka_consumergroup_current_offset{{{_GROUP}}}{_RATE}))",
                            "{{consumergroup}} {{topic}}",
                        )
                    ],
                ),
                Panel(
                    title="Lag",
                    help="Messages that each consumer group has not read.",
                    lowest=0,
                    queries=[
                        Query(
                            f"sum by (consumergroup, topic) (kafka_consumergroup_lag{{{_GROUP}}})",
                            "{{consumergroup}} {{topic}}",
                        )
                    ],
                ),
                Panel(
                    title="Members of consumer groups",
                    help="A rebalance shows as a dip.",
                    lowest=0,
                    queries=[
                        Query(
                            'sum by (consumergroup) (kafka_consumergroup_members{consumergroup=~"$group"})',
                            "{{consumergroup}}",
                        )
                    ],
                ),
                _rates(
                    "Bytes",
                    "In and out of each broker.",
                    {f"{_BROKER_TOPICS}_bytesin_total": "in", f"{_BROKER_TOPICS}_bytesout_total": "out"},
                    "Bps",
                ),
                _rates(
                    "Requests that failed",
                    "Of producers and consumers, at each broker.",
                    {
                        f"{_BROKER_TOPICS}_failedproducerequests_total": "produce",
                        f"{_BROKER_TOPICS}_failedfetchrequests_total": "fetch",
                    },
                    "ops",
                ),
            ),
        ),
        Row(
            title="Replication and latency",
            panels=(
                Panel(
                    title="Replicas in sync",
                    help="Share of the replicas of each topic.",
                    unit="percentunit",
                    lowest=0,
                    highest=1,
                    queries=[
                        Query(
                            f"sum by (topic) (kafka_topic_partition_in_sync_replica{{{_TOPIC}}})"
                            f" / sum by (topic) (kafka_topic_partition_replicas{{{_TOPIC}}})",
                            "{{topic}}",
                        )
                    ],
                ),
                Panel(
                    title="Replicas that left or came back",
                    help="Shrinks and expansions of the sets of replicas in sync.",
                    unit="ops",
                    lowest=0,
                    queries=[
                        Query(f"sum(rate(kafka_server_replicamanager_isrshrinks_total{_RATE}))", "left"),
                        Query(f"sum(rate(kafka_server_replicamanager_isrexpands_total{_RATE}))", "came back"),
                    ],
                ),
                Panel(
                    title="Latency of requests",
                    help="99 of 100 requests take at most so long, at the slowest broker.",
                    unit="ms",
                    lowest=0,
                    queries=[
                        Query(
                            "max by (request) (kafka_network_requestmetrics_totaltimems"
                            '{request=~"Produce|FetchConsumer|FetchFollower",quantile="0.99"})',
                            "{{request}}",
                        )
                    ],
                ),
                Panel(
                    title="Leaders of each broker",
                    help="Partitions that each broker leads: a failover moves them.",
                    lowest=0,
                    queries=[Query("sum by (instance) (kafka_server_replicamanager_leadercount)", "{{instance}}")],
                ),
            ),
        ),
    ),
)
