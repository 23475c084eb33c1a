"""node-cpu-hog: workers that compute on a node, as a pod without requests does."""

from litmus.faults import stress
from litmus.kube import helpers
from litmus.kube.objects import Node

from . import held, node_fault, platforms
from .stress_tunables import CPU_LOAD, NODE_CPU_CORE, STRESS_RAMP, common
from .tunables import DURATION, NODE_LABEL, NODES_AFFECTED, RAMP, SEQUENCE, TARGET_NODES, Values


class NodeCpuHog(node_fault.NodeFault):
    name = "node-cpu-hog"
    title = "Node CPU hog"
    help = "Computes on nodes, so that everything on them competes for processor time."
    breaks = "node-processor"
    blow = "load"
    keywords = ("node", "CPU", "stress", "noisy neighbour")
    platforms = platforms.OF_NODES
    maturity = "beta"
    created = "2026-11-22T00:00:00Z"
    links = {
        "Kubernetes: resources of containers": "https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/"
    }
    mechanism = "cpu-stress"
    needs = helpers.Needs(capabilities=stress.NODE_CAPABILITIES)
    proof = "CPU seconds per second of the workers: 80 % of what is asked, or a node with less than 10 % idle time."
    undo = "The helper pod, its guardian or the operator ends every process with the fault's mark in its environment."
    sandbox = "The nodes of the sandbox are one and the same machine."
    tunables = (
        DURATION.listed("60"),
        RAMP.listed(),
        NODE_CPU_CORE.listed(),
        CPU_LOAD.listed("100"),
        STRESS_RAMP,
        TARGET_NODES.listed(),
        NODE_LABEL,
        NODES_AFFECTED.listed(),
        SEQUENCE.listed("parallel"),
    )

    def aim(self, node: Node, values: Values) -> held.Aim:
        workers, load = values[NODE_CPU_CORE], values[CPU_LOAD]
        what = f"{workers} workers" if workers else "a worker for each processor"
        target = node_fault.target(node, asked=f"{what}, {load:g} % busy")
        return held.Aim(target=target, parameters={**common(values), "workers": workers, "load_percent": load})
