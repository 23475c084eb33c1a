"""What happens after an engine was applied, and when: read off the pods of its namespace. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from litmus.api import names
from litmus.kube.objects import Pod

ROLES = {names.RUNNER_COMPONENT: "runner", names.EXPERIMENT_COMPONENT: "experiment"}
FIRST_DELETION = "first pod deleted"
COMPLETED = "completed"
STAGES = (
    "runner pod created",
    "runner runs",
    "experiment pod created",
    "experiment runs",
    FIRST_DELETION,
    COMPLETED,
)


@dataclass(slots=True)
class Timeline:
    """``times`` is when each stage was first seen, ``containers`` the container of each role.

    ``originals`` are the uids of the application's pods before the engine was applied.
    """

    originals: frozenset[str]
    times: dict[str, float] = field(default_factory=dict)
    containers: dict[str, str] = field(default_factory=dict)

    def look(self, pods: Sequence[Pod], *, at: float) -> None:
        """Notes what these pods, all of the namespace, show for the first time. ``at``: a monotonic time."""
        staying = {pod.metadata.uid for pod in pods if pod.metadata.deletion_timestamp is None}
        if self.originals - staying:
            self.note(FIRST_DELETION, at=at)
        for pod in pods:
            role = ROLES.get(pod.metadata.labels.get(names.COMPONENT, ""))
            if role:
                self._look_at(role, pod, at=at)

    def note(self, stage: str, *, at: float) -> None:
        self.times.setdefault(stage, at)

    def _look_at(self, role: str, pod: Pod, *, at: float) -> None:
        self.note(f"{role} pod created", at=at)
        for status in pod.status.container_statuses:
            if status.container_id:
                self.containers[role] = status.container_id
            if status.state.running is not None or status.state.terminated is not None:
                self.note(f"{role} runs", at=at)

    def after(self, began: float) -> dict[str, float]:
        """The stages that were seen, in their usual order, in seconds after ``began``."""
        return {stage: self.times[stage] - began for stage in STAGES if stage in self.times}


def common(runs: Iterable[dict[str, float]]) -> dict[str, list[float]]:
    """The times of each stage over several runs."""
    seen = list(runs)
    return {stage: times for stage in STAGES if (times := [run[stage] for run in seen if stage in run])}
