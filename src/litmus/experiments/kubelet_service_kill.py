"""kubelet-service-kill: the kubelet of a node is stopped, or frozen where it is no unit of systemd."""

from . import platforms, service_fault
from .tunables import DURATION, NODE_LABEL, RAMP, TARGET_NODE


class KubeletServiceKill(service_fault.ServiceFault):
    name = "kubelet-service-kill"
    title = "Kubelet service kill"
    help = "Puts the kubelet of a node out of service, so that the cluster calls the node NotReady, and back again."
    breaks = "kubelet"
    blow = "stop"
    keywords = ("node", "kubelet", "NotReady", "systemd")
    platforms = platforms.UNITS
    maturity = "beta"
    created = "2026-11-22T00:00:00Z"
    links = {"Kubernetes: nodes": "https://kubernetes.io/docs/concepts/architecture/nodes/"}
    service = "kubelet"
    tunables = (
        DURATION.listed("90", default="90"),
        RAMP.listed(),
        TARGET_NODE.listed(),
        NODE_LABEL,
    )
