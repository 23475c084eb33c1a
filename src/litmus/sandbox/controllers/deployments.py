"""Deployments: declarative updates for pods through replica sets, one a template.

Documentation: "Deployments" - "Updating a Deployment", "Rolling Back", "Scaling", "Pausing and Resuming a rollout",
"Deployment status", "Strategy". A reconcile takes one step at a time: find or make the new set, scale one side up or
the other down within maxSurge and maxUnavailable, say in the status how far it has come.
Source of the order of steps: pkg/controller/deployment.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from litmus.sandbox.machinery import conditions, objects, status
from litmus.sandbox.machinery.cluster import Cluster
from litmus.sandbox.machinery.objects import Key, Obj

from . import deployment_history, deployment_status, owners, pods, rollouts, templates
from .deployment_status import PROGRESSING

RESOURCE = "deployments.apps"
SETS = "replicasets.apps"


@dataclass(slots=True)
class _Work:
    """One reconcile. ``deployment`` is a private copy whose annotations and status are written in the end."""

    deployment: Obj
    new: Obj | None
    old: list[Obj]

    @property
    def sets(self) -> list[Obj]:
        return [*self.old, *([self.new] if self.new is not None else [])]

    @property
    def active(self) -> list[Obj]:
        return [one for one in self.sets if rollouts.replicas(one) > 0]

    def replace(self, changed: Obj) -> None:
        """Takes a set as it is after a write."""
        if self.new is not None and objects.uid(self.new) == objects.uid(changed):
            self.new = changed
        self.old = [changed if objects.uid(one) == objects.uid(changed) else one for one in self.old]


class Deployments:
    """Keeps Deployments."""

    name = "deployment-controller"

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        concerned = owners.concerned(cluster, RESOURCE, kind="Deployment", selector=owners.by_selector)
        self.watches: Mapping[str, Callable[[Obj], Iterable[Key]]] = {
            RESOURCE: owners.itself,
            SETS: concerned,
            "pods": self._waiting_for,
        }

    def _waiting_for(self, pod: Obj) -> Iterable[Key]:
        """Only Recreate waits for pods themselves: the new ones come when the last old one is gone."""
        owner = objects.controller_of(pod)
        if owner is None or owner["kind"] != "ReplicaSet":
            return
        replica_set = self._cluster.get(SETS, owner["name"], objects.namespace(pod))
        above = objects.controller_of(replica_set) if replica_set is not None else None
        if above is not None and above["kind"] == "Deployment":
            deployment = self._cluster.get(RESOURCE, above["name"], objects.namespace(pod))
            if deployment is not None and not rollouts.is_rolling(deployment):
                yield objects.key(deployment)

    def reconcile(self, key: Key) -> float | None:
        """Takes one step of the rollout and writes the status."""
        stored = self._cluster.get(RESOURCE, key.name, key.namespace)
        if stored is None:
            return None
        deployment = objects.copy(stored)
        sets = owners.claim(self._cluster, deployment, SETS, deployment["spec"]["selector"])
        new, old = deployment_history.split(deployment, sets)
        work = _Work(deployment, new, old)
        if objects.leaving(deployment):
            return self._report(work, stored, rollout=False)
        self._note_pause(deployment)
        if deployment["spec"].get("paused") or self._was_scaled(work):
            self._number(work)
            self._scale(work)
            if deployment["spec"].get("paused"):
                deployment_history.forget(self._cluster, deployment, work.old)
            return self._report(work, stored, rollout=False)
        try:
            step = self._roll if rollouts.is_rolling(deployment) else self._recreate
            step(work)
        except status.Refusal:
            self._report(work, stored, rollout=False)
            raise
        return self._report(work, stored, rollout=True)

    # What to do

    def _roll(self, work: _Work) -> None:
        self._find_new(work)
        if self._grow_new(work) or self._shrink_old(work):
            return
        self._forget_when_complete(work)

    def _recreate(self, work: _Work) -> None:
        self._number(work)
        shrunk = [self._resize(work, one, 0) for one in work.old if rollouts.replicas(one) > 0]
        if shrunk or self._old_pods_run(work):
            return
        self._find_new(work)
        if work.new is not None:
            self._resize(work, work.new, rollouts.replicas(work.deployment))
        self._forget_when_complete(work)

    def _old_pods_run(self, work: _Work) -> bool:
        new = objects.uid(work.new) if work.new is not None else ""
        sets = {objects.uid(one) for one in work.old} - {new}
        return any(
            not pods.is_over(pod) and (objects.controller_of(pod) or {}).get("uid") in sets
            for pod in self._cluster.list("pods", objects.namespace(work.deployment))
        )

    def _grow_new(self, work: _Work) -> bool:
        new, wanted = work.new, rollouts.replicas(work.deployment)
        if new is None or rollouts.replicas(new) == wanted:
            return False
        size = wanted
        if rollouts.replicas(new) < wanted:
            all_pods = rollouts.total(work.sets)
            size = rollouts.new_size(work.deployment, new=rollouts.replicas(new), all_pods=all_pods)
        return self._resize(work, new, size)

    def _shrink_old(self, work: _Work) -> bool:
        """First the replicas that are not healthy anyway, then healthy ones as far as enough stay available."""
        if rollouts.total(work.old) == 0 or work.new is None:
            return False
        least = rollouts.replicas(work.deployment) - rollouts.room(work.deployment).unavailable
        missing_new = rollouts.replicas(work.new) - rollouts.counted([work.new], "availableReplicas")
        most = rollouts.total(work.sets) - least - missing_new
        if most <= 0:
            return False
        shrunk = 0
        for one in list(work.old):
            unhealthy = rollouts.replicas(one) - rollouts.counted([one], "availableReplicas")
            step = min(most - shrunk, unhealthy)
            if rollouts.replicas(one) > 0 and step > 0:
                self._resize(work, one, rollouts.replicas(one) - step)
                shrunk += step
        spare = rollouts.counted(work.sets, "availableReplicas") - least
        for one in list(work.old):
            step = min(spare, rollouts.replicas(one))
            if step > 0:
                self._resize(work, one, rollouts.replicas(one) - step)
                spare -= step
                shrunk += step
        return shrunk > 0

    def _was_scaled(self, work: _Work) -> bool:
        wanted = rollouts.replicas(work.deployment)
        remembered = [rollouts.annotated(one, rollouts.DESIRED) for one in work.active]
        return any(size is not None and size != wanted for size in remembered)

    def _scale(self, work: _Work) -> None:
        """To a new number of replicas: the only set that has any takes it all, several keep their proportions."""
        deployment, wanted = work.deployment, rollouts.replicas(work.deployment)
        if len(work.active) <= 1:
            latest = [work.new] if work.new is not None else work.old[-1:]
            for one in work.active or latest:
                if rollouts.replicas(one) != wanted or self._was_scaled(work):
                    self._resize(work, one, wanted)
            return
        if work.new is not None and self._is_saturated(work.new, wanted):
            for one in list(work.old):
                if rollouts.replicas(one) > 0:
                    self._resize(work, one, 0)
            return
        if rollouts.is_rolling(deployment):
            by_name = {objects.name(one): one for one in work.active}
            for name, size in rollouts.proportional(deployment, work.active).items():
                self._resize(work, by_name[name], size)

    def _is_saturated(self, new: Obj, wanted: int) -> bool:
        sizes = (
            rollouts.replicas(new),
            rollouts.annotated(new, rollouts.DESIRED),
            rollouts.counted([new], "availableReplicas"),
        )
        return sizes == (wanted, wanted, wanted)

    # The new replica set and its number

    def _number(self, work: _Work) -> None:
        """Gives the new set, should it exist, the highest revision, and the Deployment the same."""
        if work.new is None:
            return
        number = max(map(deployment_history.revision, work.old), default=0) + 1
        annotated = deployment_history.annotated(work.deployment, work.new, number)
        if annotated != work.new:
            work.replace(self._cluster.update(SETS, annotated))
        shown = objects.annotations(work.new).get(deployment_history.REVISION, str(number))
        work.deployment["metadata"].setdefault("annotations", {})[deployment_history.REVISION] = shown
        listed = work.deployment.get("status", {}).get("conditions")
        if deployment_status.has_deadline(work.deployment) and conditions.named(listed, PROGRESSING) is None:
            self._say(
                work.deployment, "True", "FoundNewReplicaSet", f'Found new replica set "{objects.name(work.new)}"'
            )

    def _find_new(self, work: _Work) -> None:
        if work.new is not None:
            self._number(work)
            return
        deployment = work.deployment
        number = max(map(deployment_history.revision, work.old), default=0) + 1
        size = rollouts.new_size(deployment, new=0, all_pods=rollouts.total(work.old))
        try:
            while work.new is None:
                work.new = deployment_history.create(self._cluster, deployment, number=number, size=size)
                if work.new is None:
                    before = deployment.setdefault("status", {}).get("collisionCount", 0)
                    deployment["status"]["collisionCount"] = before + 1
        except status.Refusal as refusal:
            if deployment_status.has_deadline(deployment):
                name = f"{objects.name(deployment)}-{templates.digest(deployment['spec']['template'])}"
                message = f'Failed to create new replica set "{name}": {refusal.message}'
                self._say(deployment, "False", "ReplicaSetCreateError", message)
            raise
        if size > 0:
            self._tell(deployment, f"Scaled up replica set {objects.name(work.new)} from 0 to {size}")
        deployment["metadata"].setdefault("annotations", {})[deployment_history.REVISION] = str(number)
        if deployment_status.has_deadline(deployment):
            message = f'Created new replica set "{objects.name(work.new)}"'
            self._say(deployment, "True", "NewReplicaSetCreated", message)

    def _forget_when_complete(self, work: _Work) -> None:
        if deployment_status.is_complete(work.deployment, work.deployment.get("status", {})):
            deployment_history.forget(self._cluster, work.deployment, work.old)

    def _resize(self, work: _Work, replica_set: Obj, size: int) -> bool:
        """Scales a set and refreshes what it remembers of the Deployment's size; whether its size changed."""
        before = rollouts.replicas(replica_set)
        changed = objects.copy(replica_set)
        changed["spec"]["replicas"] = size
        changed["metadata"].setdefault("annotations", {}).update(deployment_history.size_annotations(work.deployment))
        if changed == replica_set:
            return False
        work.replace(self._cluster.update(SETS, changed))
        if size != before:
            direction = "up" if size > before else "down"
            name = objects.name(replica_set)
            self._tell(work.deployment, f"Scaled {direction} replica set {name} from {before} to {size}")
        return size != before

    # What to say

    def _note_pause(self, deployment: Obj) -> None:
        """A pause stops the clock of the progress deadline, and resuming starts it anew."""
        if not deployment_status.has_deadline(deployment):
            return
        current = conditions.named(deployment.get("status", {}).get("conditions"), PROGRESSING) or {}
        if current.get("reason") == "ProgressDeadlineExceeded":
            return
        paused, said = bool(deployment["spec"].get("paused")), current.get("reason") == "DeploymentPaused"
        if paused and not said:
            self._say(deployment, "Unknown", "DeploymentPaused", "Deployment is paused")
        elif said and not paused:
            self._say(deployment, "Unknown", "DeploymentResumed", "Deployment is resumed")

    def _say(self, deployment: Obj, value: str, reason: str, message: str) -> None:
        said = deployment_status.condition(PROGRESSING, value, reason, message, self._cluster.now())
        known = deployment.setdefault("status", {})
        known["conditions"] = conditions.merged(known.get("conditions"), said)

    def _tell(self, deployment: Obj, message: str) -> None:
        self._cluster.event(deployment, reason="ScalingReplicaSet", message=message, component=self.name)

    def _report(self, work: _Work, stored: Obj, *, rollout: bool) -> float | None:
        deployment, now = work.deployment, self._cluster.now()
        found = deployment_status.figures(deployment, work.new, work.old, now)
        if rollout:
            found = deployment_status.with_progress(deployment, found, work.new, now)
            found = deployment_status.with_failure(found, work.new, work.old)
        deployment["status"] = found
        if deployment != stored:
            self._cluster.update_status(RESOURCE, deployment)
        return deployment_status.next_check_s(deployment, found, now) if rollout else None
