"""docker-service-kill: the container runtime of a node, Docker or whichever it is, is stopped or frozen.

A kubelet notices a runtime that refuses calls after 30 s, and one that is frozen when its calls time out, after 2 min
(runtimeRequestTimeout). Until then the node stays Ready though no container can be started or stopped on it, so a
shorter fault is proven on the node alone.
"""

from litmus.kube.objects import Node

from . import node_restart, platforms, service_fault
from .context import Context
from .tunables import DURATION, NODE_LABEL, RAMP, TARGET_NODE


class DockerServiceKill(service_fault.ServiceFault):
    name = "docker-service-kill"
    title = "Docker service kill"
    help = "Puts the container runtime of a node out of service - Docker, containerd or CRI-O, whichever it is."
    breaks = "runtime"
    blow = "stop"
    keywords = ("node", "container runtime", "Docker", "containerd", "CRI-O", "systemd")
    platforms = platforms.UNITS
    maturity = "beta"
    created = "2026-11-22T00:00:00Z"
    links = {
        "Kubernetes: container runtimes": "https://kubernetes.io/docs/setup/production-environment/container-runtimes/"
    }
    service = "docker"
    shows_after_s = 170.0
    proof = (
        "systemd calls the unit inactive, or every thread of the process is stopped; a node whose runtime is out for "
        "170 s or longer has to turn NotReady."
    )
    tunables = (
        DURATION.listed("90", default="90"),
        RAMP.listed(),
        TARGET_NODE.listed(),
        NODE_LABEL,
    )

    def service_on(self, node: Node) -> str:
        version = node.status.node_info.container_runtime_version
        return f"container runtime ({version})" if version else "container runtime"

    async def inject(self, context: Context) -> None:
        for node in await context.choose_nodes():
            # Docker takes its containers down with it, unless it was told otherwise (live-restore); others do not.
            if node.status.node_info.container_runtime_version.startswith("docker:"):
                await node_restart.refuse_own_node(context, node, doing="left without Docker")
        await super().inject(context)
