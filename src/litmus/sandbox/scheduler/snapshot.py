"""The cluster as one scheduling decision sees it: nodes with the pods on them and what those take.

Source: k8s.io/kube-scheduler/framework, NodeInfo. A pod that is being deleted takes its place until it is gone; one
that has ended takes none.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from litmus.sandbox.machinery import objects
from litmus.sandbox.machinery.objects import Obj

from . import amounts
from .amounts import Amounts

HostPort = tuple[str, str, int]  # protocol, address, port
ANY_ADDRESS = "0.0.0.0"


def over(pod: Obj) -> bool:
    """Whether all its containers have ended for good."""
    return (pod.get("status") or {}).get("phase") in {"Succeeded", "Failed"}


def node_of(pod: Obj) -> str:
    """The node that a pod is bound to, '' before."""
    found: str = pod["spec"].get("nodeName") or ""
    return found


def priority(pod: Obj) -> int:
    """Higher is more important; admission has set it from the priority class."""
    return int(pod["spec"].get("priority") or 0)


def host_ports(pod: Obj) -> set[HostPort]:
    """The ports of the node itself that the containers want."""
    containers = [*(pod["spec"].get("containers") or []), *(pod["spec"].get("initContainers") or [])]
    return {
        (port.get("protocol") or "TCP", port.get("hostIP") or ANY_ADDRESS, int(port["hostPort"]))
        for container in containers
        for port in container.get("ports") or []
        if port.get("hostPort")
    }


@dataclass(slots=True, eq=False)
class Place:
    """A node and what is on it."""

    node: Obj
    pods: list[Obj] = field(default_factory=list)
    taken: Amounts = field(default_factory=Counter)
    assumed: Amounts = field(default_factory=Counter)  # as nodes are compared by, see ``amounts.assumed``

    @property
    def name(self) -> str:
        return objects.name(self.node)

    @property
    def labels(self) -> dict[str, str]:
        return objects.labels(self.node)

    @property
    def allocatable(self) -> Amounts:
        status = self.node.get("status") or {}
        return amounts.of(status.get("allocatable") or status.get("capacity"))

    def add(self, pod: Obj) -> None:
        self.pods.append(pod)
        self.taken.update(amounts.requests(pod))
        self.assumed.update(amounts.assumed(pod))


class Snapshot:
    """``remembered`` keeps what several nodes' filters ask alike; it is forgotten when a pod is added."""

    def __init__(
        self,
        nodes: Iterable[Obj],
        pods: Iterable[Obj],
        *,
        namespaces: Iterable[Obj] = (),
        owners: Iterable[Obj] = (),
        claims: Iterable[Obj] = (),
        volumes: Iterable[Obj] = (),
    ) -> None:
        """``owners``: services and workloads, whose selectors say which pods belong together."""
        self.places = {objects.name(node): Place(node) for node in nodes}
        self.namespaces = {objects.name(namespace): objects.labels(namespace) for namespace in namespaces}
        self.owners = list(owners)
        self.claims = {objects.key(claim): claim for claim in claims}
        self.volumes = {objects.name(volume): volume for volume in volumes}
        self.nominated: list[Obj] = []
        self.remembered: dict[Any, Any] = {}
        for pod in pods:
            self.add(pod)

    def add(self, pod: Obj) -> None:
        """Counts a pod on its node; one that waits for victims to leave a node is kept in ``nominated``."""
        if over(pod):
            return
        if node_of(pod) in self.places:
            self.places[node_of(pod)].add(pod)
            self.remembered.clear()
        elif not node_of(pod) and (pod.get("status") or {}).get("nominatedNodeName") in self.places:
            self.nominated.append(pod)

    def pods(self) -> Iterator[tuple[Obj, Place]]:
        for place in self.places.values():
            for pod in place.pods:
                yield pod, place

    def with_nominated(self, pod: Obj) -> "Snapshot":
        """As ``pod`` has to see it: room made for others that are at least as important is theirs."""
        others = [
            {**other, "spec": {**other["spec"], "nodeName": other["status"]["nominatedNodeName"]}}
            for other in self.nominated
            if priority(other) >= priority(pod) and objects.uid(other) != objects.uid(pod)
        ]
        return self._changed(without=frozenset(), more=others) if others else self

    def without(self, pods: Iterable[Obj]) -> "Snapshot":
        """As if some pods were gone."""
        return self._changed(without=frozenset(objects.uid(pod) for pod in pods), more=[])

    def _changed(self, *, without: frozenset[str], more: list[Obj]) -> "Snapshot":
        changed = Snapshot([], [])
        changed.namespaces, changed.owners = self.namespaces, self.owners
        changed.claims, changed.volumes = self.claims, self.volumes
        for name, place in self.places.items():
            changed.places[name] = copy = Place(place.node)
            gone = [pod for pod in place.pods if objects.uid(pod) in without]
            copy.pods = [pod for pod in place.pods if objects.uid(pod) not in without]
            copy.taken, copy.assumed = Counter(place.taken), Counter(place.assumed)
            for pod in gone:
                copy.taken.subtract(amounts.requests(pod))
                copy.assumed.subtract(amounts.assumed(pod))
        for pod in more:
            changed.add(pod)
        return changed
