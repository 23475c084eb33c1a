"""Experiments that put a fault on pods for a while: choose pods, one helper a node, hold, revert, verify.

A subclass declares its mechanism and what that needs, and says in ``aims`` how one pod is hit.
"""

from abc import abstractmethod
from collections.abc import Sequence

from litmus import api
from litmus.api.targeting import AppTarget
from litmus.kube import Cluster
from litmus.kube.objects import ContainerStatus, Pod

from . import held, replacements, selection, verdicts
from .context import Context
from .declaration import Experiment
from .tunables import REPLACEMENTS, SEQUENCE, TARGET_CONTAINER, Tunable, Values


class PodFault(Experiment):
    """A fault that lasts, on pods of the application."""

    @abstractmethod
    def aims(self, pod: Pod, values: Values) -> list[held.Aim]:
        """How this pod is hit. Raises CannotRun with the tunable, its value and what is allowed. No I/O."""

    def vet(self, pods: Sequence[Pod], values: Values) -> None:
        for pod in pods:
            self.aims(pod, values)

    async def foresee(
        self, cluster: Cluster, targets: Sequence[AppTarget], values: Values, *, seed: str
    ) -> selection.Prospect:
        choice = await selection.choose(cluster, targets, values, seed=seed)
        aims = {pod.metadata.uid: self.aims(pod, values) for pod in choice.chosen}
        asked = {uid: "; ".join(aim.target.asked for aim in some) for uid, some in aims.items()}
        return selection.prospect(choice, asked=asked)

    async def inject(self, context: Context) -> None:
        choice = await context.choose(0, successors={})
        self.vet(choice.chosen, context.values)  # all of them, before the first one is touched
        serial = context.values[SEQUENCE] == "serial"
        for pods in [[pod] for pod in choice.chosen] if serial else [list(choice.chosen)]:
            aims = [aim for pod in pods for aim in self.aims(pod, context.values)]
            if context.values[REPLACEMENTS]:
                await replacements.hold(context, self, aims)
            else:
                await held.hold(context, self, aims)

    @classmethod
    def all_tunables(cls) -> tuple[Tunable, ...]:
        return (*super().all_tunables(), REPLACEMENTS)


def running_container(pod: Pod, wanted: str) -> ContainerStatus:
    """The container that TARGET_CONTAINER means. Raises CannotRun when the pod has none such, or it does not run."""
    name = wanted or (pod.spec.containers[0].name if pod.spec.containers else "")
    known = [container.name for container in pod.spec.containers]
    if name not in known:
        raise verdicts.CannotRun(
            f"TARGET_CONTAINER={wanted!r}: pod {pod.metadata.name} has no such container, only {', '.join(known)}",
            code=verdicts.TARGET_SELECTION,
        )
    status = pod.container(name)  # none before the kubelet has looked at the pod
    if status is None or not status.container_id or status.state.running is None:
        raise verdicts.CannotRun(
            f"container {name} of pod {pod.metadata.name} is not running", code=verdicts.TARGET_SELECTION
        )
    return status


def container_of(pod: Pod, values: Values, *, asked: str) -> tuple[api.Target, ContainerStatus]:
    """The target of the result and the running container for TARGET_CONTAINER. Raises CannotRun."""
    status = running_container(pod, values[TARGET_CONTAINER])
    target = api.Target(
        name=pod.metadata.name,
        namespace=pod.metadata.namespace,
        uid=pod.metadata.uid,
        node=pod.spec.node_name,
        container=status.name,
        asked=asked,
    )
    return target, status
