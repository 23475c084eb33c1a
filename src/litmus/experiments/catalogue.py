"""All experiments: ours by name, those of other packages by the entry-point group ``litmus.experiments``.

Ours are imported one at a time, because a pod of a run needs only one and must start quickly.
"""

import difflib
import importlib
from typing import TYPE_CHECKING

from .declaration import Experiment

if TYPE_CHECKING:
    from importlib.metadata import EntryPoints

ENTRY_POINTS = "litmus.experiments"

_OWN = {
    "pod-delete": ("pod_delete", "PodDelete"),
    "container-kill": ("container_kill", "ContainerKill"),
    "pod-autoscaler": ("pod_autoscaler", "PodAutoscaler"),
    "node-drain": ("node_drain", "NodeDrain"),
    "node-taint": ("node_taint", "NodeTaint"),
    "disk-loss": ("disk_loss", "DiskLoss"),
    "k8-pod-delete": ("k8_pod_delete", "K8PodDelete"),
    "k8-service-kill": ("k8_service_kill", "K8ServiceKill"),
    "pod-cpu-hog": ("pod_cpu_hog", "PodCpuHog"),
    "pod-memory-hog": ("pod_memory_hog", "PodMemoryHog"),
    "pod-io-stress": ("pod_io_stress", "PodIoStress"),
    "node-cpu-hog": ("node_cpu_hog", "NodeCpuHog"),
    "node-memory-hog": ("node_memory_hog", "NodeMemoryHog"),
    "node-io-stress": ("node_io_stress", "NodeIoStress"),
    "disk-fill": ("disk_fill", "DiskFill"),
    "kubelet-service-kill": ("kubelet_service_kill", "KubeletServiceKill"),
    "docker-service-kill": ("docker_service_kill", "DockerServiceKill"),
    "node-restart": ("node_restart", "NodeRestart"),
    "pod-network-latency": ("pod_network_latency", "PodNetworkLatency"),
    "pod-network-loss": ("pod_network_loss", "PodNetworkLoss"),
    "pod-network-corruption": ("pod_network_corruption", "PodNetworkCorruption"),
    "pod-network-duplication": ("pod_network_duplication", "PodNetworkDuplication"),
}


class UnknownExperiment(LookupError):
    """No experiment of that name; the sentence lists what there is."""


def find(name: str) -> Experiment:
    """The experiment of that name. Raises UnknownExperiment."""
    if name in _OWN:
        module, cls = _OWN[name]
        found: Experiment = getattr(importlib.import_module(f"litmus.experiments.{module}"), cls)()
        return found
    for entry in _entry_points():
        if entry.name == name:
            loaded: Experiment = entry.load()()
            return loaded
    known = sorted([*_OWN, *(entry.name for entry in _entry_points())])
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"; did you mean {near[0]}?" if near else "."
    raise UnknownExperiment(f"there is no experiment {name!r}{hint} Known: {', '.join(known)}")


def everything() -> list[Experiment]:
    """Every experiment, ours first."""
    return [find(name) for name in [*_OWN, *(entry.name for entry in _entry_points() if entry.name not in _OWN)]]


def _entry_points() -> "EntryPoints":
    from importlib import metadata  # takes 20 ms, and a pod of ours does not need it

    return metadata.entry_points(group=ENTRY_POINTS)
