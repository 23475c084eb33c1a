"""A cluster without HTTP and without nodes, on which controllers are watched at work: time is ours, pods do as told."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from litmus.sandbox.controllers import loop
from litmus.sandbox.machinery import assembly, objects, status
from litmus.sandbox.machinery.cluster import Cluster
from litmus.sandbox.machinery.objects import Key, Obj
from litmus.sandbox.machinery.options import User
from tests.sandbox import grounds

NAMESPACE = "shop"
Objects = list[Obj]  # the method `list` hides the type inside the class
Names = list[str]


class Strict(Cluster):
    """Refuses to create what the test says, as a quota would."""

    refusals: dict[str, status.Refusal]

    def create(self, resource: str, obj: Obj) -> Obj:
        if resource in self.refusals:
            raise self.refusals[resource]
        grounds.furnish(self.registry, resource, obj)
        made = super().create(resource, obj)
        return grounds.untaint(self, made) if resource == "nodes" else made


class Kubelet:
    """Places pods and makes them run at once, unless told otherwise; ends those that are to go."""

    name = "kubelet"

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.ready: Callable[[Obj], bool] = lambda pod: True
        self.ends = True
        """Whether pods that are to go do so."""
        self.watches = {"pods": lambda pod: [objects.key(pod)]}

    def reconcile(self, key: Key) -> float | None:
        pod = self.cluster.get("pods", key.name, key.namespace)
        if pod is None or pod.get("status", {}).get("phase") in ("Succeeded", "Failed"):
            return None
        if objects.leaving(pod):
            if self.ends:
                self.cluster.delete("pods", key.name, key.namespace, grace_s=0)
            return None
        if not pod["spec"].get("nodeName"):
            node = assigned(pod) or "node1"
            self.cluster.bind(pod, node)
            return None  # which brings us here again
        ready = "True" if self.ready(pod) else "False"
        current = next((c for c in pod.get("status", {}).get("conditions", []) if c["type"] == "Ready"), None)
        if current is None or current["status"] != ready:
            state: dict[str, Any] = {"phase": "Running", "conditions": [self._condition(ready)]}
            self.cluster.update_status("pods", {**pod, "status": state})
        return None

    def _condition(self, value: str) -> Obj:
        return {"type": "Ready", "status": value, "lastTransitionTime": objects.timestamp(self.cluster.now())}


def assigned(pod: Obj) -> str:
    """The node that a daemon pod's affinity names."""
    affinity = pod["spec"].get("affinity", {}).get("nodeAffinity", {})
    terms = affinity.get("requiredDuringSchedulingIgnoredDuringExecution", {}).get("nodeSelectorTerms", [])
    for term in terms:
        for field in term.get("matchFields", []):
            if field["key"] == "metadata.name":
                return str(field["values"][0])
    return ""


class Stage:
    def __init__(self, *controllers: Callable[[Cluster], loop.Controller]) -> None:
        self.moment = datetime(2030, 1, 1, tzinfo=UTC)
        registry = assembly.assemble(now=lambda: self.moment)
        self.cluster = Strict(registry, user=User(name="system:apiserver", groups=("system:masters",)))
        self.cluster.refusals = {}
        self.cluster.create("namespaces", {"metadata": {"name": NAMESPACE}})
        self.kubelet = Kubelet(self.cluster)
        self.controllers = [make(self.cluster) for make in controllers]

    def advance(self, by_s: float) -> None:
        self.moment += timedelta(seconds=by_s)

    def settle(self, for_s: float = 0.0, *, pods_live: bool = True) -> None:
        """Until nothing happens any more; then time goes on for ``for_s`` seconds, with all that comes due."""
        everyone = [*self.controllers, *([self.kubelet] if pods_live else [])]
        loop.settle(self.cluster, everyone, advance=self.advance, for_s=for_s)

    def create(self, resource: str, name: str, spec: Obj, **metadata: Any) -> Obj:
        made = {"metadata": {"name": name, "namespace": NAMESPACE, **metadata}, "spec": spec}
        return self.cluster.create(resource, made)

    def get(self, resource: str, name: str) -> Obj:
        found = self.cluster.get(resource, name, NAMESPACE)
        assert found is not None, f"{resource} {name}: {[objects.name(one) for one in self.list(resource)]}"
        return found

    def list(self, resource: str, labels: str = "") -> Objects:
        return self.cluster.list(resource, NAMESPACE, labels=labels)

    def names(self, resource: str, labels: str = "") -> Names:
        return [objects.name(one) for one in self.list(resource, labels)]

    def pods(self, labels: str = "") -> Objects:
        return self.list("pods", labels)

    def change(self, resource: str, name: str, change: Callable[[Obj], object]) -> Obj:
        """Writes an object after ``change`` has been applied to a copy in place."""
        copied = objects.copy(self.get(resource, name))
        change(copied)
        return self.cluster.update(resource, copied)

    def change_status(self, resource: str, name: str, **fields: Any) -> Obj:
        found = self.get(resource, name)
        return self.cluster.update_status(resource, {**found, "status": {**found.get("status", {}), **fields}})

    def end(self, pod: str, phase: str = "Succeeded", exit_code: int | None = None) -> None:
        """A pod's containers end for good."""
        code = exit_code if exit_code is not None else int(phase == "Failed")
        name = self.get("pods", pod)["spec"]["containers"][0]["name"]
        ended = {
            "exitCode": code,
            "finishedAt": objects.timestamp(self.moment),
            "reason": "Error" if code else "Completed",
        }
        states = [{"name": name, "restartCount": 0, "state": {"terminated": ended}}]
        self.change_status("pods", pod, phase=phase, conditions=[], containerStatuses=states)

    def refuse(self, resource: str, message: str = "exceeded quota: small") -> None:
        self.cluster.refusals[resource] = status.forbidden(resource, "", "x", message)

    def allow(self, resource: str) -> None:
        del self.cluster.refusals[resource]

    def events(self, reason: str = "", kind: str = "") -> Names:
        """The messages of events, the oldest first."""
        found = [
            event
            for event in self.list("events")
            if (not reason or event["reason"] == reason) and (not kind or event["involvedObject"]["kind"] == kind)
        ]
        found.sort(key=lambda event: int(event["metadata"]["resourceVersion"]))
        return [event["message"] for event in found]


def template(app: str, image: str = "nginx:1", **spec: Any) -> Obj:
    """A pod template; ``spec`` adds to its specification."""
    container = {"name": "c", "image": image, "resources": {}, "imagePullPolicy": "IfNotPresent"}
    return {
        "metadata": {"labels": {"app": app}},
        "spec": {"containers": [container], "restartPolicy": "Always", **spec},
    }
