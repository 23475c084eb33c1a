"""All experiments: ours by name, those of other packages by the entry-point group ``litmus.experiments``.

Ours are imported one at a time, because a pod of a run needs only one and must start quickly. One of another package
that can't be used is told apart (``offered``) and never hides the others.
"""

import difflib
import importlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .declaration import Experiment

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint, EntryPoints

ENTRY_POINTS = "litmus.experiments"

_CLASS = f"subclass of {Experiment.__module__}.{Experiment.__name__}"
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")  # they become names of objects and parts of paths

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


class CannotLoad(UnknownExperiment):
    """An entry point of that name leads to no experiment; the sentence says why, and whose it is."""


@dataclass(frozen=True, slots=True)
class Unusable:
    """An experiment of another package that can't be used. ``reason`` is a sentence that names the package."""

    name: str
    package: str
    reason: str


def find(name: str) -> Experiment:
    """The experiment of that name. Raises UnknownExperiment, or CannotLoad, which is one."""
    if name in _OWN:
        return _own(name)
    entries = _entry_points()
    for entry in entries:
        if entry.name == name:
            return _loaded(entry)
    known = sorted({*_OWN, *(entry.name for entry in entries)})
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"; did you mean {near[0]}?" if near else "."
    raise UnknownExperiment(f"there is no experiment {name!r}{hint} Known: {', '.join(known)}")


def everything() -> list[Experiment]:
    """Every experiment that can be used, ours first."""
    return offered()[0]


def offered() -> tuple[list[Experiment], list[Unusable]]:
    """Every experiment that can be used, ours first, and those of other packages that can't, with the reason."""
    experiments = [_own(name) for name in _OWN]
    unusable: list[Unusable] = []
    whose = dict.fromkeys(_OWN, "litmus")
    for entry in _entry_points():
        try:
            if entry.name in whose:
                raise CannotLoad(
                    f"{_origin(entry)} has the name of one of {whose[entry.name] or 'another'}; give it another name"
                )
            experiments.append(_loaded(entry))
            whose[entry.name] = _package(entry)
        except CannotLoad as error:
            unusable.append(Unusable(entry.name, _package(entry), str(error)))
    return experiments, unusable


def _own(name: str) -> Experiment:
    module, cls = _OWN[name]
    found: Experiment = getattr(importlib.import_module(f"litmus.experiments.{module}"), cls)()
    return found


def _loaded(entry: "EntryPoint") -> Experiment:
    """What the entry point of another package leads to. Raises CannotLoad."""
    origin = _origin(entry)
    try:
        made = entry.load()()
    except Exception as error:  # it runs foreign code, which may raise anything
        said = " ".join(str(error).split())
        raise CannotLoad(f"{origin} can't be loaded: {type(error).__name__}: {said}") from error
    if not isinstance(made, Experiment):
        raise CannotLoad(
            f"{origin} leads to {entry.value}, which is no subclass of litmus.experiments.declaration.Experiment"
        )
    lacking = [name for name in ("name", "title", "help", "tunables") if not hasattr(made, name)]
    if lacking:
        raise CannotLoad(f"{origin} does not declare {' and '.join(lacking)}")
    if made.name != entry.name:
        raise CannotLoad(f"{origin} calls itself {made.name!r}; its name and that of its entry point must be the same")
    for what, label in (("name", made.name), ("chart", made.chart)):
        if not _LABEL.fullmatch(label):
            raise CannotLoad(f"{origin} has the {what} {label!r}; only small letters, digits and - are allowed")
    return made


def _origin(entry: "EntryPoint") -> str:
    package = _package(entry)
    return f"the experiment {entry.name!r}{f' of the package {package}' if package else ''}"


def _package(entry: "EntryPoint") -> str:
    return entry.dist.name if entry.dist else ""


def _entry_points() -> "EntryPoints":
    from importlib import metadata  # takes 20 ms, and a pod of ours does not need it

    return metadata.entry_points(group=ENTRY_POINTS)
