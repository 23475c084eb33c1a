"""Which pods a drain takes away, by the rules of ``kubectl drain``. Pure.

Source: k8s.io/kubectl/pkg/drain/filters.go. Beyond it, pods of chaos runs and the operator stay: a drain that ends the
run that has to undo it would be one for ever.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from litmus.api import names
from litmus.kube.objects import Pod

_MIRROR = "kubernetes.io/config.mirror"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sorted:
    """The pods of a node: those that go, those that stay, and why a drain would be refused."""

    going: tuple[Pod, ...]
    daemons: tuple[Pod, ...]
    mirrors: tuple[Pod, ...]
    ours: tuple[Pod, ...]
    obstacles: tuple[str, ...]

    def staying(self) -> str:
        """For people; '' if all go."""
        parts = [f"{len(self.daemons)} of daemon sets"] if self.daemons else []
        parts += [f"{len(self.mirrors)} mirror pods"] if self.mirrors else []
        parts += [f"litmus' own {', '.join(pod.metadata.name for pod in self.ours)}"] if self.ours else []
        return ", ".join(parts)


def sort(pods: Sequence[Pod], *, force: bool, delete_empty_dir: bool) -> Sorted:
    """``force``: bare pods go, too, and nobody brings them back. ``delete_empty_dir``: so do pods with such volumes."""
    mirrors = [pod for pod in pods if _MIRROR in pod.metadata.annotations]
    ours = [pod for pod in _without(pods, mirrors) if is_ours(pod)]
    daemons = [pod for pod in _without(pods, mirrors, ours) if pod.owner[0] == "DaemonSet" and not pod.over]
    going = _without(pods, mirrors, ours, daemons)
    obstacles = []
    for pod in going:
        where = f"{pod.metadata.namespace}/{pod.metadata.name}"
        if not force and not pod.owner[0] and not pod.over:
            obstacles.append(f"pod {where} has no controller that would bring it back (FORCE=true evicts it)")
        if not delete_empty_dir and not pod.over and any("emptyDir" in volume for volume in pod.spec.volumes):
            obstacles.append(f"pod {where} would lose its emptyDir (DELETE_EMPTYDIR_DATA=true evicts it)")
    return Sorted(
        going=tuple(going),
        daemons=tuple(daemons),
        mirrors=tuple(mirrors),
        ours=tuple(ours),
        obstacles=tuple(obstacles),
    )


def is_ours(pod: Pod) -> bool:
    """Whether a pod belongs to a chaos run or is the operator."""
    return names.CHAOS_UID in pod.metadata.labels or is_operator(pod)


def is_operator(pod: Pod) -> bool:
    """Whether a pod is the operator, ours or the original's."""
    return pod.metadata.labels.get("name") == "chaos-operator"


def _without(pods: Iterable[Pod], *others: Iterable[Pod]) -> list[Pod]:
    known = {pod.metadata.uid for group in others for pod in group}
    return [pod for pod in pods if pod.metadata.uid not in known]
