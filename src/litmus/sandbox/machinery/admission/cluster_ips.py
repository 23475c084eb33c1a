"""Addresses and node ports of services: given out on request or by choice, and never twice.

There is no list of what is taken: the services that exist are that list, so an address is free as soon as its service
is gone. The lower part of the range is left to who asks for a certain address.
Source: documentation "Service ClusterIP allocation"; pkg/registry/core/service/storage/alloc.go.
"""

import ipaddress
import secrets
from collections.abc import Callable, Iterator

from litmus.sandbox.machinery import objects, status
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.strategies import services

from .request import CREATE, Request

NODE_PORTS = range(30000, 32768)
_SINGLE, _PREFER, _REQUIRE = "SingleStack", "PreferDualStack", "RequireDualStack"
_NO_DUAL_STACK = "Cluster is not configured for dual stack services"
_TRIES = 64


class ClusterIPs:
    """``addresses`` is the service range, ``127.<n>.128.0/17``; ``choose(n)`` gives a number below n."""

    def __init__(self, addresses: str, *, choose: Callable[[int], int] = secrets.randbelow) -> None:
        self._range = ipaddress.IPv4Network(addresses)
        self._choose = choose
        # The reserved band: a sixteenth of the range, between 16 and 256 addresses.
        self._band = min(max(16, self._range.num_addresses // 16), 256)

    def admit(self, request: Request) -> None:
        """Raises Refusal 422 for an address or port that is taken or not ours to give."""
        if not request.writes("services"):
            return
        spec = request.obj["spec"]
        old = (request.old or {}).get("spec") or {}
        if request.operation != CREATE:
            services.carry_over(spec, old)
        if spec["type"] in services.WITH_ADDRESS:
            self._address(request, old)
            _families(request)
        if spec["type"] in services.WITH_NODE_PORTS and spec.get("allocateLoadBalancerNodePorts", True):
            self._node_ports(request)

    def _address(self, request: Request, old: Obj) -> None:
        spec = request.obj["spec"]
        given = spec.get("clusterIP")
        if given == services.HEADLESS:
            spec["clusterIPs"] = [services.HEADLESS]
            return
        if given and given == old.get("clusterIP"):
            return
        if old.get("clusterIP") and old.get("type") in services.WITH_ADDRESS:
            return  # validation says that it can be neither taken away nor changed
        taken = {found["spec"].get("clusterIP") for found in _others(request)}
        if given:
            self._check_address(request, given, taken)
        else:
            spec["clusterIP"] = given = self._free_address(request, taken)
        spec["clusterIPs"] = [given]

    def _check_address(self, request: Request, given: str, taken: set[str | None]) -> None:
        try:
            address = ipaddress.ip_address(given)
        except ValueError:
            return  # validation says so
        ends = (self._range.network_address, self._range.broadcast_address)
        if address not in self._range or address in ends:
            why = f"the provided IP ({given}) is not in the valid range. The range of valid IPs is {self._range}"
        elif given in taken:
            why = "provided IP is already allocated"
        else:
            return
        detail = f"failed to allocate IP {given}: {why}"
        raise _invalid(request, status.invalid_value("spec.clusterIPs", [given], detail))

    def _free_address(self, request: Request, taken: set[str | None]) -> str:
        last = self._range.num_addresses - 1  # the broadcast address is not given out
        for _ in range(_TRIES):
            address = str(self._range[self._band + 1 + self._choose(last - self._band - 1)])
            if address not in taken:
                return address
        for number in (*range(self._band + 1, last), *range(1, self._band + 1)):
            if (address := str(self._range[number])) not in taken:
                return address
        raise status.internal("failed to allocate a serviceIP: range is full")

    def _node_ports(self, request: Request) -> None:
        taken = {
            (port.get("protocol"), port["nodePort"])
            for found in _others(request)
            for port in found["spec"].get("ports", ())
            if port.get("nodePort")
        }
        ports = request.obj["spec"].get("ports", [])
        for index, port in enumerate(ports):
            if port.get("nodePort"):
                _check_port(request, index, port, taken)
        mine = {(port["protocol"], port["nodePort"]) for port in ports if port.get("nodePort")}
        for port in ports:
            if not port.get("nodePort"):
                port["nodePort"] = self._free_port(port["protocol"], taken | mine)
                mine.add((port["protocol"], port["nodePort"]))

    def _free_port(self, protocol: str, taken: set[tuple[str, int]]) -> int:
        start = self._choose(len(NODE_PORTS))
        for offset in range(len(NODE_PORTS)):
            port = NODE_PORTS[(start + offset) % len(NODE_PORTS)]
            if (protocol, port) not in taken:
                return port
        raise status.internal("failed to allocate a nodePort: range is full")


def _check_port(request: Request, index: int, port: Obj, taken: set[tuple[str, int]]) -> None:
    if port["nodePort"] not in NODE_PORTS:
        ends = f"{NODE_PORTS.start}-{NODE_PORTS.stop - 1}"
        why = f"provided port is not in the valid range. The range of valid ports is {ends}"
    elif (port["protocol"], port["nodePort"]) in taken:
        why = "provided port is already allocated"
    else:
        return
    raise _invalid(request, status.invalid_value(f"spec.ports[{index}].nodePort", port["nodePort"], why))


def _families(request: Request) -> None:
    """One family is what there is; only a headless service without selector may speak of two."""
    spec = request.obj["spec"]
    policy = spec.get("ipFamilyPolicy")
    headless = spec.get("clusterIP") == services.HEADLESS and not spec.get("selector")
    if headless:
        spec.setdefault("ipFamilyPolicy", _REQUIRE)
        spec.setdefault("ipFamilies", ["IPv4", "IPv6"] if spec["ipFamilyPolicy"] != _SINGLE else ["IPv4"])
        return
    if policy == _REQUIRE:
        raise _invalid(request, status.invalid_value("spec.ipFamilyPolicy", policy, _NO_DUAL_STACK))
    for index, family in enumerate(spec.get("ipFamilies", ())):
        if family != "IPv4":
            why = "not configured on this cluster"
            raise _invalid(request, status.invalid_value(f"spec.ipFamilies[{index}]", family, why))
    spec.setdefault("ipFamilies", ["IPv4"])
    spec.setdefault("ipFamilyPolicy", _SINGLE)


def _others(request: Request) -> Iterator[Obj]:
    mine = (request.namespace, request.name)
    return (
        found for found in request.reader.list("services") if (objects.namespace(found), objects.name(found)) != mine
    )


def _invalid(request: Request, cause: status.Cause) -> status.Refusal:
    return status.invalid("Service", "", request.name, [cause])
