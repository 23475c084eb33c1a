"""How many pods of an application may be disrupted right now: the status of PodDisruptionBudgets.

Source: "Disruptions" and "Specifying a Disruption Budget for your Application" of the Kubernetes documentation;
k8s.io/kubernetes/pkg/controller/disruption. The eviction subresource spends what is allowed here.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta

from ..machinery import conditions, objects, selectors
from ..machinery.cluster import Cluster
from ..machinery.objects import Key, Obj

RESOURCE = "poddisruptionbudgets.policy"
COMPONENT = "controllermanager"
FORGOTTEN_S = 120.0  # an eviction that has deleted nothing by then did not take place
_SCALED = ("deployments.apps", "replicasets.apps", "statefulsets.apps", "replicationcontrollers")


class _Failure(Exception):
    """How many pods there ought to be cannot be said."""


class Disruption:
    """One budget at a time."""

    name = "disruption-controller"

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self.watches: Mapping[str, Callable[[Obj], Iterable[Key]]] = {
            RESOURCE: lambda budget: [objects.key(budget)],
            "pods": self._covering,
            **dict.fromkeys(_SCALED, self._all),
        }

    def _covering(self, pod: Obj) -> list[Key]:
        found = self._cluster.list(RESOURCE, objects.namespace(pod))
        return [objects.key(budget) for budget in found if _selector(budget).matches(pod)]

    def _all(self, workload: Obj) -> list[Key]:
        return [objects.key(budget) for budget in self._cluster.list(RESOURCE, objects.namespace(workload))]

    def reconcile(self, key: Key) -> float | None:
        """Count; seconds until an eviction that has not happened counts as not having happened."""
        budget = self._cluster.get(RESOURCE, key.name, key.namespace)
        if budget is None or objects.leaving(budget):
            return None
        chosen = _selector(budget)
        pods = [pod for pod in self._cluster.list("pods", key.namespace) if chosen.matches(pod)]
        disrupted, again_s = self._disrupted(budget, pods)
        healthy = sum(_healthy(pod) and objects.name(pod) not in disrupted for pod in pods)
        try:
            expected, desired = self._expected(budget, pods)
        except _Failure as failure:
            self._fail(budget, str(failure))
            return again_s
        self._write(budget, expected=expected, desired=desired, healthy=healthy, disrupted=disrupted)
        return again_s

    def _disrupted(self, budget: Obj, pods: list[Obj]) -> tuple[dict[str, str], float | None]:
        """The evictions that are under way, and when the next of them is forgotten."""
        now = self._cluster.now()
        there = {objects.name(pod): pod for pod in pods if not objects.leaving(pod)}
        found: dict[str, str] = {}
        waits: list[float] = []
        for name, since in ((budget.get("status") or {}).get("disruptedPods") or {}).items():
            if name not in there:
                continue
            left_s = (objects.moment(since) + timedelta(seconds=FORGOTTEN_S) - now).total_seconds()
            if left_s <= 0:
                message = "Pod was expected by PDB to be deleted but it wasn't"
                about = there[name]
                self._cluster.event(about, reason="NotDeleted", message=message, component=COMPONENT, kind="Warning")
                continue
            found[name] = since
            waits.append(left_s)
        return found, min(waits, default=None)

    def _expected(self, budget: Obj, pods: list[Obj]) -> tuple[int, int]:
        """How many pods there ought to be, and how many of them healthy."""
        spec = budget["spec"]
        if spec.get("maxUnavailable") is not None:
            expected = self._scale(budget, pods)
            return expected, max(0, expected - _share(spec["maxUnavailable"], expected))
        least = spec.get("minAvailable")
        if least is None:
            return len(pods), 0
        if isinstance(least, int):
            return len(pods), least
        expected = self._scale(budget, pods)
        return expected, _share(least, expected)

    def _scale(self, budget: Obj, pods: list[Obj]) -> int:
        """What the owners of the pods have been asked for, each owner once."""
        scales: dict[str, int] = {}
        alone: list[str] = []
        for pod in pods:
            owner = objects.controller_of(pod)
            if owner is None:
                alone.append(objects.name(pod))
                continue
            uid, replicas = self._owner(pod, owner)
            scales[uid] = replicas
        if alone:
            message = f"found unmanaged pods associated with this PDB: {' '.join(alone)}"
            self._cluster.event(budget, reason="UnmanagedPods", message=message, component=COMPONENT, kind="Warning")
        return sum(scales.values())

    def _owner(self, pod: Obj, reference: Obj) -> tuple[str, int]:
        """The uid and the replicas of what scales a pod: for that of a Deployment's ReplicaSet the Deployment."""
        where = objects.namespace(pod)
        resource = self._cluster.registry.catalogue.of_kind(reference["apiVersion"], reference["kind"])
        owner = self._cluster.get(resource.qualified, reference["name"], where) if resource else None
        if resource is None or owner is None or objects.uid(owner) != reference["uid"]:
            raise _Failure(f'found no controllers for pod "{objects.name(pod)}"')
        above = objects.controller_of(owner)
        if resource.qualified == "replicasets.apps" and above is not None and above["kind"] == "Deployment":
            return self._owner(owner, above)
        if "scale" not in resource.subresources:
            raise _Failure(f"{resource.qualified} does not implement the scale subresource")
        return objects.uid(owner), int((owner.get("spec") or {}).get("replicas", 1))

    def _write(self, budget: Obj, *, expected: int, desired: int, healthy: int, disrupted: dict[str, str]) -> None:
        allowed = max(0, healthy - desired) if expected > 0 else 0
        changed = objects.copy(budget)
        generation = objects.meta(budget).get("generation", 0)
        status = changed.setdefault("status", {})
        status |= {
            "currentHealthy": healthy,
            "desiredHealthy": desired,
            "disruptionsAllowed": allowed,
            "expectedPods": expected,
            "observedGeneration": generation,
        }
        status.pop("disruptedPods", None)
        if disrupted:
            status["disruptedPods"] = disrupted
        self._condition(changed, allowed=allowed > 0, reason="SufficientPods" if allowed > 0 else "InsufficientPods")
        self._cluster.update_status(RESOURCE, changed)

    def _fail(self, budget: Obj, why: str) -> None:
        """What cannot be counted must not be disrupted."""
        message = f"Failed to calculate the number of expected pods: {why}"
        reason = "NoControllers" if "no controllers" in why else "CalculateExpectedPodCountFailed"
        self._cluster.event(budget, reason=reason, message=message, component=COMPONENT, kind="Warning")
        changed = objects.copy(budget)
        changed.setdefault("status", {})["disruptionsAllowed"] = 0
        changed["status"]["observedGeneration"] = objects.meta(budget).get("generation", 0)
        self._condition(changed, allowed=False, reason="SyncFailed", message=why)
        self._cluster.update_status(RESOURCE, changed)

    def _condition(self, budget: Obj, *, allowed: bool, reason: str, message: str = "") -> None:
        conditions.put(
            budget, "DisruptionAllowed", str(allowed), now=self._cluster.now(), reason=reason, message=message
        )
        found = conditions.find(budget, "DisruptionAllowed")
        assert found is not None
        # metav1.Condition has both fields always.
        found["message"] = message
        found["observedGeneration"] = objects.meta(budget).get("generation", 0)


def _selector(budget: Obj) -> selectors.Selector:
    """In policy/v1 an empty selector means all pods of the namespace."""
    return selectors.from_label_selector(budget["spec"].get("selector"))


def _healthy(pod: Obj) -> bool:
    return not objects.leaving(pod) and (conditions.find(pod, "Ready") or {}).get("status") == "True"


def _share(value: int | str, total: int) -> int:
    """A number, or a percentage of ``total`` rounded up."""
    if isinstance(value, int):
        return value
    return math.ceil(int(value.removesuffix("%")) * total / 100)
