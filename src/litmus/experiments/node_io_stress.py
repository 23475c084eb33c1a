"""node-io-stress: workers that write files on a node's disk, in an emptyDir, and make its file systems sync."""

from litmus.faults import stress
from litmus.kube import helpers
from litmus.kube.objects import Node

from . import held, node_fault, platforms
from .stress_tunables import FILESYSTEM_BYTES, FILESYSTEM_PERCENTAGE, IO_WORKERS, STRESS_RAMP, common, files
from .tunables import DURATION, NODE_LABEL, NODES_AFFECTED, RAMP, SEQUENCE, TARGET_NODES, Values


class NodeIoStress(node_fault.NodeFault):
    name = "node-io-stress"
    title = "Node IO stress"
    help = "Writes files on nodes' disks and calls sync, so that everything on them competes for the disk."
    breaks = "node-storage"
    blow = "load"
    keywords = ("node", "disk", "IO", "stress", "noisy neighbour")
    platforms = platforms.OF_NODES
    maturity = "beta"
    created = "2026-11-22T00:00:00Z"
    links = {
        "Kubernetes: eviction under pressure": "https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/"
    }
    mechanism = "io-stress"
    needs = helpers.Needs(capabilities=stress.NODE_CAPABILITIES)
    proof = "Bytes written, by the helper pod's control group where the kernel counts them there: 1 MiB within 3 s."
    undo = (
        "The helper pod, its guardian or the operator ends every process with the fault's mark in its environment and "
        "removes the folder that they wrote in; the kubelet removes what belongs to the helper pod."
    )
    sandbox = "The nodes of the sandbox are one and the same machine."
    tunables = (
        DURATION.listed("120", default="120"),
        RAMP.listed(),
        FILESYSTEM_PERCENTAGE.listed(),
        FILESYSTEM_BYTES.listed(),
        IO_WORKERS.listed("4"),
        STRESS_RAMP,
        TARGET_NODES.listed(),
        NODE_LABEL,
        NODES_AFFECTED.listed(),
        SEQUENCE.listed("parallel"),
    )

    def aim(self, node: Node, values: Values) -> held.Aim:
        size, workers = files(values), values[IO_WORKERS]
        target = node_fault.target(node, asked=f"{workers} workers write {size.describe('the free space')}")
        parameters = {**common(values), **size.parameters(), "workers": workers, "sync_workers": workers}
        return held.Aim(target=target, parameters=parameters)
