"""node-memory-hog: workers that hold memory of a node, at most what is available when they begin."""

from litmus.faults import stress
from litmus.kube import helpers
from litmus.kube.objects import Node

from . import held, node_fault, platforms
from .stress_tunables import (
    MEMORY_CONSUMPTION_MEBIBYTES,
    MEMORY_CONSUMPTION_PERCENTAGE,
    MEMORY_PERCENTAGE,
    MEMORY_WORKERS,
    STRESS_RAMP,
    common,
    node_memory,
)
from .tunables import DURATION, NODE_LABEL, NODES_AFFECTED, RAMP, SEQUENCE, TARGET_NODES, Values


class NodeMemoryHog(node_fault.NodeFault):
    name = "node-memory-hog"
    title = "Node memory hog"
    help = "Holds memory on nodes, so that the kubelet may have to evict pods."
    breaks = "node-memory"
    blow = "load"
    keywords = ("node", "memory", "stress", "OOM", "eviction")
    platforms = platforms.OF_NODES
    maturity = "beta"
    created = "2026-11-22T00:00:00Z"
    links = {
        "Kubernetes: eviction under pressure": "https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/"
    }
    mechanism = "memory-stress"
    needs = helpers.Needs(capabilities=stress.NODE_CAPABILITIES)
    proof = (
        "Resident memory of the helper pod's control group: it rises by 80 % of what is asked, or the kernel's OOM "
        "killer strikes."
    )
    undo = "The helper pod, its guardian or the operator ends every process with the fault's mark in its environment."
    sandbox = "The nodes of the sandbox are one and the same machine."
    tunables = (
        DURATION.listed("120", default="60"),
        RAMP.listed(),
        MEMORY_PERCENTAGE.listed(),
        MEMORY_CONSUMPTION_PERCENTAGE,
        MEMORY_CONSUMPTION_MEBIBYTES,
        MEMORY_WORKERS,
        STRESS_RAMP,
        TARGET_NODES.listed(),
        NODE_LABEL,
        NODES_AFFECTED.listed(),
        SEQUENCE.listed("parallel"),
    )

    def aim(self, node: Node, values: Values) -> held.Aim:
        size = node_memory(values)
        target = node_fault.target(node, asked=f"{size.describe('the memory for pods')} held")
        parameters = {**common(values), **size.parameters(), "workers": values[MEMORY_WORKERS]}
        return held.Aim(target=target, parameters=parameters)
