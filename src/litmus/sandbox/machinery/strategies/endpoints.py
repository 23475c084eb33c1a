"""Endpoints and EndpointSlices.

Source: pkg/apis/{core,discovery}/{v1/defaults.go,validation}; documentation "EndpointSlices".
"""

import ipaddress
from typing import ClassVar

from litmus.sandbox.machinery import names, status
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.status import Cause

from . import Strategy, causes, pod_spec

_TYPES = ("FQDN", "IPv4", "IPv6")
_PROTOCOLS = ("SCTP", "TCP", "UDP")
_ENDPOINTS_MAX = 1000


class Endpoints(Strategy):
    create_on_update: ClassVar = True

    def default(self, obj: Obj) -> None:
        for subset in obj.get("subsets", ()):
            for port in subset.get("ports", ()):
                port.setdefault("protocol", "TCP")

    def validate(self, obj: Obj) -> list[Cause]:
        said: list[Cause] = []
        for index, subset in enumerate(obj.get("subsets") or []):
            said += _subset_causes(subset, f"subsets[{index}]")
        return said


class EndpointSlices(Strategy):
    generation_of: ClassVar = ("addressType", "endpoints", "ports")

    def default(self, obj: Obj) -> None:
        obj["endpoints"] = obj.get("endpoints") or None
        for endpoint in obj["endpoints"] or ():
            endpoint.setdefault("conditions", {})
        obj["ports"] = obj.get("ports") or None
        for port in obj["ports"] or ():
            port.setdefault("name", "")
            port.setdefault("protocol", "TCP")

    def validate(self, obj: Obj) -> list[Cause]:
        kind = obj.get("addressType", "")
        if not kind:
            return [status.required("addressType")]
        if kind not in _TYPES:
            return [causes.unsupported("addressType", kind, _TYPES)]
        said: list[Cause] = []
        endpoints = obj["endpoints"] or []
        if len(endpoints) > _ENDPOINTS_MAX:
            text = f"Too many: {len(endpoints)}: must have at most {_ENDPOINTS_MAX} items"
            said.append(Cause(status.TOO_MANY, "endpoints", text))
        for index, endpoint in enumerate(endpoints):
            said += _endpoint_causes(endpoint, kind, f"endpoints[{index}]")
        return said + _port_causes(obj["ports"] or [], "ports", named=False)

    def validate_update(self, new: Obj, old: Obj) -> list[Cause]:
        return causes.immutable("addressType", new.get("addressType"), old.get("addressType"))


def _subset_causes(subset: Obj, at: str) -> list[Cause]:
    said: list[Cause] = []
    if not subset.get("addresses") and not subset.get("notReadyAddresses"):
        said.append(status.required(at, "must specify `addresses` or `notReadyAddresses`"))
    for kind in ("addresses", "notReadyAddresses"):
        for index, address in enumerate(subset.get(kind) or []):
            said += _address_causes(address.get("ip", ""), f"{at}.{kind}[{index}].ip")
    ports = subset.get("ports") or []
    said += _port_causes(ports, f"{at}.ports", named=len(ports) > 1)
    for index, port in enumerate(ports):
        said += causes.each(f"{at}.ports[{index}].port", port.get("port", 0), names.port_number(port.get("port", 0)))
    return said


def _address_causes(value: str, field: str) -> list[Cause]:
    """Loopback addresses are refused by a real server; here every pod has one."""
    return pod_spec.ip_address(value, field)


def _endpoint_causes(endpoint: Obj, kind: str, at: str) -> list[Cause]:
    addresses = endpoint.get("addresses") or []
    if not addresses:
        return [status.required(f"{at}.addresses", "must contain at least 1 address")]
    said: list[Cause] = []
    for index, address in enumerate(addresses):
        field = f"{at}.addresses[{index}]"
        if kind == "FQDN":
            said += causes.each(field, address, names.subdomain(address))
        elif _address_causes(address, field) or f"IPv{ipaddress.ip_address(address).version}" != kind:
            said.append(status.invalid_value(field, address, f"must be a valid {kind} address"))
    return said


def _port_causes(ports: list[Obj], at: str, *, named: bool) -> list[Cause]:
    said: list[Cause] = []
    for index, port in enumerate(ports):
        field, name = f"{at}[{index}]", port.get("name", "")
        if named and not name:
            said.append(status.required(f"{field}.name"))
        elif name:
            said += causes.each(f"{field}.name", name, names.label(name))
        if port.get("protocol") not in _PROTOCOLS:
            said.append(causes.unsupported(f"{field}.protocol", port.get("protocol"), _PROTOCOLS))
    return said
