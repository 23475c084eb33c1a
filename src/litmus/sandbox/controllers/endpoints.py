"""Endpoints: all addresses behind a service in one object, the ready ones apart from the others.

Source: "Service", section "Endpoints", of the Kubernetes documentation (an API that EndpointSlices have succeeded, and
that many clients still read); k8s.io/kubernetes/pkg/controller/endpoint.
"""

import functools
import ipaddress
from collections.abc import Callable, Hashable, Iterable, Mapping

from ..machinery import objects
from ..machinery.cluster import Cluster
from ..machinery.objects import Key, Obj
from . import service_targets

MANAGED_BY = {"endpoints.kubernetes.io/managed-by": "endpoint-controller"}


class Endpoints:
    """One Endpoints object for each service with a selector, under the same name."""

    name = "endpoints"

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self.watches: Mapping[str, Callable[[Obj], Iterable[Key]]] = {
            "services": lambda service: [objects.key(service)],
            "pods": service_targets.of_pod(cluster),
            "endpoints": _ours,
        }

    def reconcile(self, key: Key) -> None:
        """Make the Endpoints of one service say what there is; those of a service that is gone go with it."""
        service = self._cluster.get("services", key.name, key.namespace)
        if service is None:
            self._cluster.delete("endpoints", key.name, key.namespace)
            return
        if not service_targets.managed(service) or objects.leaving(service):
            return
        self._write(service, self._cluster.get("endpoints", key.name, key.namespace))

    def _write(self, service: Obj, current: Obj | None) -> None:
        found = subsets(service, self._pods(service))
        labels = {**service_targets.labels(service), **MANAGED_BY}
        if current is not None and (current.get("subsets") or []) == found and objects.labels(current) == labels:
            return
        endpoints: Obj = {
            "apiVersion": "v1",
            "kind": "Endpoints",
            "metadata": {
                **objects.meta(current or {}),
                "name": objects.name(service),
                "namespace": objects.namespace(service),
                "labels": labels,
                "annotations": {service_targets.CHANGED_AT: objects.timestamp(self._cluster.now())},
            },
        }
        if found:
            endpoints["subsets"] = found
        if current is None:
            self._cluster.create("endpoints", endpoints)
        else:
            self._cluster.update("endpoints", endpoints)

    def _pods(self, service: Obj) -> list[Obj]:
        everyone = service_targets.publishes_unready(service)
        return service_targets.pods(self._cluster, service, terminating=everyone)


def _ours(endpoints: Obj) -> list[Key]:
    """Only what this controller wrote concerns it: a user may have Endpoints of any name without a service."""
    managed = MANAGED_BY.items() <= objects.labels(endpoints).items()
    return [objects.key(endpoints)] if managed else []


def subsets(service: Obj, pods: Iterable[Obj]) -> list[Obj]:
    """Pods with the same ports together, addresses in order."""
    grouped: dict[Hashable, Obj] = {}
    unready_too = service_targets.publishes_unready(service)
    without_ports = service_targets.headless(service) and not service["spec"].get("ports")
    for pod in sorted(pods, key=_order):
        ports = service_targets.ports(service, pod)
        if not ports and not without_ports:
            continue
        side = "addresses" if unready_too or service_targets.ready(pod) else "notReadyAddresses"
        group = grouped.setdefault(tuple(tuple(port.items()) for port in ports), {"ports": ports})
        group.setdefault(side, []).append(_address(service, pod))
    return [_subset(group) for group in grouped.values()]


def _order(pod: Obj) -> bytes:
    return _packed(pod["status"]["podIP"])


@functools.lru_cache(maxsize=4096)
def _packed(address: str) -> bytes:
    return ipaddress.ip_address(address).packed


def _subset(group: Obj) -> Obj:
    found: Obj = {side: group[side] for side in ("addresses", "notReadyAddresses") if side in group}
    if group["ports"]:
        found["ports"] = [{name: value for name, value in port.items() if value != ""} for port in group["ports"]]
    return found


def _address(service: Obj, pod: Obj) -> Obj:
    found = {
        "ip": pod["status"]["podIP"],
        "nodeName": pod["spec"].get("nodeName"),
        "targetRef": service_targets.reference(pod),
    }
    hostname = service_targets.hostname(service, pod)
    return {**found, "hostname": hostname} if hostname else found
