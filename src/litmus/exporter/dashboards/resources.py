"""Nodes and pods while chaos runs: processor, memory, disk, network, restarts.

The names are those of node-exporter, of cAdvisor in the kubelet, and of kube-state-metrics.
"""

from . import chaos
from .model import Dashboard, Panel, Query, Row, Variable

_NODE = 'instance=~"$node"'
_POD = 'namespace=~"$namespace",pod=~"$pod"'
_CONTAINER = f'{_POD},container!="",container!="POD"'
# Devices and interfaces that only mirror others.
_DISK = 'device!~"loop.*|ram.*|dm-.*"'
_WIRE = 'device!~"lo|veth.*|cali.*|cni.*|docker.*|flannel.*"'
_RATE = "[$__rate_interval]"


def _of_nodes(title: str, tells: str, expr: str, unit: str, *, highest: float | None = None) -> Panel:
    queries = [Query(expr, "{{instance}}")]
    return Panel(title=title, help=tells, unit=unit, lowest=0, highest=highest, queries=queries)


def _of_pods(title: str, tells: str, expr: str, unit: str) -> Panel:
    return Panel(title=title, help=tells, unit=unit, lowest=0, queries=[Query(expr, "{{pod}}")])


def _both_ways(metric: str, of: str, by: str, *, ways: tuple[str, str]) -> str:
    one, other = (f"rate({metric.format(way)}{{{of}}}{_RATE})" for way in ways)
    return f"sum by ({by}) ({one} + {other})"


DASHBOARD = Dashboard(
    uid="litmus-resources",
    title="Litmus: nodes and pods during chaos",
    help="What nodes and pods used while faults ran. Needs node-exporter, cAdvisor and kube-state-metrics.",
    variables=(
        *chaos.choices(),
        Variable(name="node", title="Node", series="node_uname_info", label="instance"),
        Variable(name="pod", title="Pod", series='kube_pod_info{namespace=~"$namespace"}', label="pod"),
    ),
    annotations=chaos.bands(),
    rows=(
        Row(
            title="Nodes",
            panels=(
                _of_nodes(
                    "Processor",
                    "Share of the time that is not idle.",
                    f'1 - avg by (instance) (rate(node_cpu_seconds_total{{{_NODE},mode="idle"}}{_RATE}))',
                    "percentunit",
                    highest=1,
                ),
                _of_nodes(
                    "Memory",
                    "Share that is not available.",
                    f"1 - node_memory_MemAvailable_bytes{{{_NODE}}} / node_memory_MemTotal_bytes{{{_NODE}}}",
                    "percentunit",
                    highest=1,
                ),
                _of_nodes(
                    "Disk",
                    "Bytes read and written.",
                    _both_ways("node_disk_{}_bytes_total", f"{_NODE},{_DISK}", "instance", ways=("read", "written")),
                    "Bps",
                ),
                _of_nodes(
                    "Disk busy",
                    "Share of the time in which the busiest disk had something to do.",
                    f"max by (instance) (rate(node_disk_io_time_seconds_total{{{_NODE},{_DISK}}}{_RATE}))",
                    "percentunit",
                ),
                _of_nodes(
                    "Network",
                    "Bytes in and out.",
                    _both_ways(
                        "node_network_{}_bytes_total", f"{_NODE},{_WIRE}", "instance", ways=("receive", "transmit")
                    ),
                    "Bps",
                ),
                _of_nodes(
                    "Space of file systems",
                    "Share of the fullest one that is used.",
                    "1 - min by (instance) ("
                    f'node_filesystem_avail_bytes{{{_NODE},fstype!~"tmpfs|overlay|squashfs"}}'
                    f' / node_filesystem_size_bytes{{{_NODE},fstype!~"tmpfs|overlay|squashfs"}})',
                    "percentunit",
                    highest=1,
                ),
                _of_nodes(
                    "Load",
                    "Over one minute, for each processor.",
                    f"sum by (instance) (node_load1{{{_NODE}}}) / "
                    f'count by (instance) (node_cpu_seconds_total{{{_NODE},mode="idle"}})',
                    "none",
                ),
                Panel(
                    title="Nodes that are not ready",
                    help="As kube-state-metrics tells.",
                    lowest=0,
                    queries=[
                        Query(
                            'sum by (node) (kube_node_status_condition{condition="Ready",status!="true"})', "{{node}}"
                        )
                    ],
                ),
            ),
        ),
        Row(
            title="Pods",
            panels=(
                _of_pods(
                    "Processor",
                    "Processors in use.",
                    f"sum by (pod) (rate(container_cpu_usage_seconds_total{{{_CONTAINER}}}{_RATE}))",
                    "none",
                ),
                _of_pods(
                    "Memory",
                    "The working set: what the kernel could not give back.",
                    f"sum by (pod) (container_memory_working_set_bytes{{{_CONTAINER}}})",
                    "bytes",
                ),
                _of_pods(
                    "Throttled",
                    "Share of the periods in which a container had to wait for processor time.",
                    f"sum by (pod) (rate(container_cpu_cfs_throttled_periods_total{{{_CONTAINER}}}{_RATE}))"
                    f" / sum by (pod) (rate(container_cpu_cfs_periods_total{{{_CONTAINER}}}{_RATE}))",
                    "percentunit",
                ),
                _of_pods(
                    "Network",
                    "Bytes in and out.",
                    _both_ways("container_network_{}_bytes_total", _POD, "pod", ways=("receive", "transmit")),
                    "Bps",
                ),
                _of_pods(
                    "Packets dropped",
                    "In and out.",
                    _both_ways("container_network_{}_packets_dropped_total", _POD, "pod", ways=("receive", "transmit")),
                    "pps",
                ),
                _of_pods(
                    "Disk",
                    "Bytes read and written.",
                    _both_ways("container_fs_{}_bytes_total", _CONTAINER, "pod", ways=("reads", "writes")),
                    "Bps",
                ),
                _of_pods(
                    "Restarts",
                    "Of containers, as kube-state-metrics tells.",
                    f"sum by (pod) (increase(kube_pod_container_status_restarts_total{{{_POD}}}{_RATE}))",
                    "none",
                ),
                _of_pods(
                    "Not ready",
                    "1 while a pod is not ready, as kube-state-metrics tells.",
                    f'sum by (pod) (kube_pod_status_ready{{{_POD},condition!="true"}}) > 0',
                    "none",
                ),
            ),
        ),
    ),
)
