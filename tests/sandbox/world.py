"""A cluster without processes, for tests of what keeps it up: a registry, a clock that stands, and things to put in."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from litmus.sandbox.controllers import loop
from litmus.sandbox.machinery import assembly, conditions, objects
from litmus.sandbox.machinery.cluster import Cluster
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.options import User
from tests.sandbox import grounds

KCM = User(name="system:kube-controller-manager", groups=("system:masters",))


class Clock:
    """Stands until it is moved on."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment

    def advance(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


class World(Cluster):
    """A cluster and its clock; each maker returns the object as stored."""

    def __init__(self) -> None:
        self.clock = Clock()
        super().__init__(assembly.assemble(now=self.clock), user=KCM)
        self._queues: dict[tuple[int, ...], loop.Queue] = {}

    def create(self, resource: str, obj: Obj) -> Obj:
        grounds.furnish(self.registry, resource, obj)
        made = super().create(resource, obj)
        return grounds.untaint(self, made) if resource == "nodes" else made

    def settle(self, *controllers: loop.Controller, for_s: float = 0) -> None:
        """Until nothing is left to do, and ``for_s`` seconds longer; what happens between two calls is heard too."""
        identity = tuple(map(id, controllers))
        if identity not in self._queues:
            self._queues[identity] = loop.Queue(self, controllers)
            self._queues[identity].start()
        queue = self._queues[identity]
        end = queue.now_s() + for_s
        for _ in range(20_000):
            if queue.turn(resilient=False):
                continue
            left_s, wait_s = end - queue.now_s(), queue.next_due_s()
            if left_s < loop.CLOCK_TICK_S:
                return
            self.clock.advance(left_s if wait_s is None else min(left_s, max(wait_s, loop.CLOCK_TICK_S)))
        raise loop.Unsettled(", ".join(queue.pending))

    def make(self, resource: str, obj: Obj, status: Obj | None = None) -> Obj:
        made = self.create(resource, obj)
        return made if status is None else self.update_status(resource, {**made, "status": status})

    def change(self, resource: str, obj: Obj, **fields: Any) -> Obj:
        """The object as it is by now, with some top-level fields replaced."""
        there = self.get(resource, objects.name(obj), objects.namespace(obj))
        assert there is not None
        changed = {**objects.copy(there), **fields}
        return self.update_status(resource, changed) if "status" in fields else self.update(resource, changed)

    def namespace(self, name: str, labels: dict[str, str] | None = None) -> Obj:
        return self.make(
            "namespaces", {"metadata": {"name": name, "labels": labels or {}}, "spec": {"finalizers": ["kubernetes"]}}
        )

    def node(
        self,
        name: str,
        *,
        labels: dict[str, str] | None = None,
        taints: Sequence[Obj] = (),
        cpu: str = "4",
        pods: int = 110,
        ready: str = "True",
    ) -> Obj:
        allocatable = {"cpu": cpu, "memory": "8Gi", "ephemeral-storage": "10Gi", "pods": str(pods)}
        meta = {"name": name, "labels": {"kubernetes.io/hostname": name, **(labels or {})}}
        spec = {"taints": list(taints)} if taints else {}
        status: Obj = {"capacity": allocatable, "allocatable": allocatable}
        conditions.put({"status": status}, "Ready", ready, now=self.now(), reason="KubeletReady")
        return self.make("nodes", {"metadata": meta, "spec": spec}, status)

    def pod(
        self,
        name: str,
        *,
        namespace: str = "default",
        labels: dict[str, str] | None = None,
        node: str = "",
        cpu: str = "",
        ready: bool | None = None,
        ip: str = "",
        phase: str = "",
        owner: Obj | None = None,
        ports: Sequence[Obj] = (),
        **spec: Any,
    ) -> Obj:
        """``ready``: with a status that says so, on its node."""
        container: Obj = {"name": "c", "image": "nginx", "ports": list(ports)}
        if cpu:
            container["resources"] = {"requests": {"cpu": cpu}}
        meta: Obj = {"name": name, "namespace": namespace, "labels": labels or {}}
        if owner is not None:
            meta["ownerReferences"] = [reference(owner)]
        whole = {"metadata": meta, "spec": {"containers": [container], **({"nodeName": node} if node else {}), **spec}}
        status: Obj = {"phase": phase or ("Pending" if ready is None else "Running")}
        if ip:
            status |= {"podIP": ip, "podIPs": [{"ip": ip}]}
        if ready is not None:
            conditions.put({"status": status}, "Ready", str(ready), now=self.now())
        return self.make("pods", whole, status)

    def there(self, resource: str, namespace: str = "") -> list[str]:
        return [objects.name(obj) for obj in self.list(resource, namespace)]

    def said(self, reason: str) -> list[str]:
        """The messages of the events with a reason."""
        return [event["message"] for event in self.list("events") if event["reason"] == reason]


def reference(owner: Obj, *, controller: bool = True, block: bool = True) -> Obj:
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": objects.name(owner),
        "uid": objects.uid(owner),
        "controller": controller,
        "blockOwnerDeletion": block,
    }
