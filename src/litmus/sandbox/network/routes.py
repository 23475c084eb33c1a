"""What is answered where: services and their EndpointSlices as a table of routes. No I/O.

Source: "Virtual IPs and Service Proxies" of the Kubernetes documentation. A service without an endpoint that could
answer has no route, so that connecting to it is refused at once.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from litmus.sandbox.machinery import objects
from litmus.sandbox.machinery.objects import Key, Obj

SERVICE_NAME = "kubernetes.io/service-name"
NODE_ADDRESS = "127.0.0.1"  # where node ports are, as every node of a sandbox is this machine
AFFINITY_S = 10_800.0


class Place(NamedTuple):
    """Where to listen; ``protocol`` is TCP or UDP."""

    protocol: str
    address: str
    port: int

    def __str__(self) -> str:
        return f"{self.address}:{self.port}/{self.protocol}"


class Target(NamedTuple):
    """Where a pod answers."""

    address: str
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """What connections to a place are passed on to.

    ``affinity_s``: how long a client stays with a target, 0 for any target every time.
    """

    service: Key
    targets: tuple[Target, ...]
    affinity_s: float = 0.0


def table(services: Iterable[Obj], slices: Iterable[Obj]) -> dict[Place, Route]:
    """The routes of all services that have an address of their own."""
    by_service: dict[Key, list[Obj]] = {}
    for slice_ in slices:
        name = objects.labels(slice_).get(SERVICE_NAME)
        if name:
            by_service.setdefault(Key(objects.namespace(slice_), name), []).append(slice_)
    found: dict[Place, Route] = {}
    for service in services:
        key = objects.key(service)
        for port in service["spec"].get("ports") or []:
            targets = _targets(by_service.get(key, []), port.get("name") or "")
            if targets:
                route = Route(service=key, targets=targets, affinity_s=_affinity_s(service))
                found |= dict.fromkeys(_places(service, port), route)
    return found


def _places(service: Obj, port: Obj) -> list[Place]:
    spec, protocol = service["spec"], port.get("protocol") or "TCP"
    if protocol not in ("TCP", "UDP") or spec.get("type") == "ExternalName":
        return []
    addresses = [
        address for address in spec.get("clusterIPs") or [spec.get("clusterIP")] if address not in (None, "", "None")
    ]
    found = [Place(protocol, address, port["port"]) for address in addresses]
    if port.get("nodePort") and spec.get("type") in ("NodePort", "LoadBalancer"):
        found.append(Place(protocol, NODE_ADDRESS, port["nodePort"]))
    return found


def _targets(slices: list[Obj], port_name: str) -> tuple[Target, ...]:
    """The ready endpoints; when there are none, those that are being ended and still serve."""
    ready: set[Target] = set()
    ending: set[Target] = set()
    for slice_ in slices:
        numbers = [port["port"] for port in slice_.get("ports") or [] if (port.get("name") or "") == port_name]
        for endpoint in slice_.get("endpoints") or []:
            conditions: Mapping[str, bool] = endpoint.get("conditions") or {}
            found = {Target(address, number) for address in endpoint["addresses"][:1] for number in numbers}
            if conditions.get("ready", True) is not False:
                ready |= found
            elif conditions.get("serving") and conditions.get("terminating"):
                ending |= found
    return tuple(sorted(ready or ending))


def _affinity_s(service: Obj) -> float:
    spec = service["spec"]
    if spec.get("sessionAffinity") != "ClientIP":
        return 0.0
    asked = ((spec.get("sessionAffinityConfig") or {}).get("clientIP") or {}).get("timeoutSeconds")
    return float(asked or AFFINITY_S)
