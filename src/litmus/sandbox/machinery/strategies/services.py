"""Services. Source: pkg/apis/core/{v1/defaults.go,validation}; documentation "Service".

Addresses are given out in admission, because they depend on the other services.
"""

import ipaddress
from typing import Any

from litmus.sandbox.machinery import names, status
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.status import Cause

from . import Strategy, causes, pod_spec

AFFINITY_S = 10800
AFFINITY_MAX_S = 86400
HEADLESS = "None"
WITH_ADDRESS = ("ClusterIP", "NodePort", "LoadBalancer")
WITH_NODE_PORTS = ("NodePort", "LoadBalancer")
_ADDRESSES = ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy")
_TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
_PROTOCOLS = ("SCTP", "TCP", "UDP")
_POLICIES = ("Cluster", "Local")


class Services(Strategy):
    """Which of its fields stand depends on its type."""

    def default(self, obj: Obj) -> None:
        spec = obj.setdefault("spec", {})
        kind = spec.setdefault("type", "ClusterIP")
        if spec.setdefault("sessionAffinity", "None") == "None":
            spec.pop("sessionAffinityConfig", None)
        elif spec["sessionAffinity"] == "ClientIP" and _timeout_s(spec) is None:
            spec["sessionAffinityConfig"] = {"clientIP": {"timeoutSeconds": AFFINITY_S}}
        for port in spec.get("ports", ()):
            port.setdefault("protocol", "TCP")
            if "port" in port:
                port["targetPort"] = port.get("targetPort") or port["port"]
        if _reachable_from_outside(spec):
            spec.setdefault("externalTrafficPolicy", "Cluster")
        if kind in WITH_ADDRESS:
            spec.setdefault("internalTrafficPolicy", "Cluster")
        if kind == "LoadBalancer":
            spec.setdefault("allocateLoadBalancerNodePorts", True)
        obj.setdefault("status", {}).setdefault("loadBalancer", {})

    def prepare_update(self, new: Obj, old: Obj) -> None:
        super().prepare_update(new, old)
        carry_over(new["spec"], old["spec"])

    def name_causes(self, name: str) -> list[Cause]:
        return causes.each("metadata.name", name, names.label_1035(name))

    def validate(self, obj: Obj) -> list[Cause]:
        spec = obj["spec"]
        said = _port_causes(spec)
        said += causes.labels("spec.selector", spec.get("selector"))
        said += _affinity_causes(spec)
        kind = spec["type"]
        if kind not in _TYPES:
            said.append(causes.unsupported("spec.type", kind, _TYPES))
        if kind == "ExternalName":
            said += _external_name_causes(spec)
        for index, address in enumerate(spec.get("externalIPs") or []):
            said += pod_spec.ip_address(address, f"spec.externalIPs[{index}]")
        return said + _address_causes(spec) + _policy_causes(spec)

    def validate_update(self, new: Obj, old: Obj) -> list[Cause]:
        """An address stays as long as the service is of a type that has one."""
        spec, known = new["spec"], old["spec"]
        if spec["type"] not in WITH_ADDRESS or known.get("type") not in WITH_ADDRESS or not known.get("clusterIP"):
            return []
        field = "spec.clusterIPs[0]"
        if not spec.get("clusterIP"):
            return [status.invalid_value(field, None, "primary clusterIP can not be unset")]
        if spec["clusterIP"] != known["clusterIP"]:
            return [status.invalid_value(field, [spec["clusterIP"]], "may not change once set")]
        return []


def carry_over(spec: Obj, old: Obj) -> None:
    """What an update means that says nothing of addresses and ports, or repeats those of another type.

    A client that replaces a service need not know what the server gave it; one that changes the type need not clear
    what the new type cannot have. Source: pkg/registry/core/service, patchAllocatedValues and dropTypeDependentFields.
    """
    if spec["type"] in WITH_ADDRESS and old.get("type") in WITH_ADDRESS:
        _carry_addresses(spec, old)
    _copy_ports(spec, old)
    _drop_of_other_types(spec, old)


def _carry_addresses(spec: Obj, old: Obj) -> None:
    if "clusterIP" in spec:
        if spec["clusterIP"] != old.get("clusterIP") and spec.get("clusterIPs") == old.get("clusterIPs"):
            spec["clusterIPs"] = [spec["clusterIP"]]
    elif "clusterIPs" not in spec:
        spec.update({field: old[field] for field in _ADDRESSES if field in old and field not in spec})
    elif not spec["clusterIPs"] or spec["clusterIPs"] == old.get("clusterIPs"):
        spec["clusterIPs"] = []  # the author took the address away: validation says that this cannot be
    else:
        spec["clusterIP"] = spec["clusterIPs"][0]


def _copy_ports(spec: Obj, old: Obj) -> None:
    if spec["type"] not in WITH_NODE_PORTS or old.get("type") not in WITH_NODE_PORTS:
        return
    known = {(port.get("protocol"), port.get("port")): port.get("nodePort") for port in old.get("ports", ())}
    used = {port["nodePort"] for port in spec.get("ports", ()) if port.get("nodePort")}
    for port in spec.get("ports", ()):
        before = known.get((port["protocol"], port.get("port")))
        if not port.get("nodePort") and before and before not in used:
            port["nodePort"] = before


def _drop_of_other_types(spec: Obj, old: Obj) -> None:
    gone: list[str] = []
    if spec["type"] not in WITH_ADDRESS:
        gone += _ADDRESSES
        gone.append("internalTrafficPolicy")
    if spec["type"] != "LoadBalancer":
        gone += ("allocateLoadBalancerNodePorts", "loadBalancerClass")
    if not _reachable_from_outside(spec):
        gone.append("externalTrafficPolicy")
    for field in gone:
        if field in spec and spec[field] == old.get(field):
            del spec[field]
    if spec["type"] not in WITH_NODE_PORTS:
        known = {port.get("nodePort") for port in old.get("ports", ())}
        for port in spec.get("ports", ()):
            if port.get("nodePort") in known:
                port.pop("nodePort", None)


def _timeout_s(spec: Obj) -> Any:
    return ((spec.get("sessionAffinityConfig") or {}).get("clientIP") or {}).get("timeoutSeconds")


def _reachable_from_outside(spec: Obj) -> bool:
    return spec["type"] in ("NodePort", "LoadBalancer") or (
        spec["type"] == "ClusterIP" and bool(spec.get("externalIPs"))
    )


def _port_causes(spec: Obj) -> list[Cause]:
    ports = spec.get("ports") or []
    said: list[Cause] = []
    if not ports and spec["type"] != "ExternalName" and spec.get("clusterIP") != HEADLESS:
        said.append(status.required("spec.ports"))
    named: set[str] = set()
    numbered: set[tuple[str, int]] = set()
    for index, port in enumerate(ports):
        field, name, number = f"spec.ports[{index}]", port.get("name", ""), port.get("port", 0)
        if name:
            said += causes.each(f"{field}.name", name, names.label(name))
            if name in named:
                said.append(status.duplicate(f"{field}.name", name))
            named.add(name)
        elif len(ports) > 1:
            said.append(status.required(f"{field}.name"))
        said += causes.each(f"{field}.port", number, names.port_number(number))
        if port["protocol"] not in _PROTOCOLS:
            said.append(causes.unsupported(f"{field}.protocol", port["protocol"], _PROTOCOLS))
        said += _target_causes(port, field)
        if (port["protocol"], number) in numbered:
            shown = {"Name": "", "Protocol": port["protocol"], "AppProtocol": None, "Port": number}
            shown |= {"TargetPort": 0, "NodePort": 0}
            said.append(status.duplicate(field, shown))
        numbered.add((port["protocol"], number))
    return said + _node_port_causes(ports, spec["type"])


def _node_port_causes(ports: list[Obj], kind: str) -> list[Cause]:
    said: list[Cause] = []
    taken: set[tuple[str, int]] = set()
    for index, port in enumerate(ports):
        field, number = f"spec.ports[{index}].nodePort", port.get("nodePort")
        if not number:
            continue
        if kind == "ClusterIP":
            said.append(status.forbidden_field(field, "may not be used when `type` is 'ClusterIP'"))
        if (port["protocol"], number) in taken:
            said.append(status.duplicate(field, number))
        taken.add((port["protocol"], number))
    return said


def _target_causes(port: Obj, at: str) -> list[Cause]:
    target = port.get("targetPort", 0)
    if isinstance(target, str):
        return causes.each(f"{at}.targetPort", target, names.port_name(target))
    return causes.each(f"{at}.targetPort", target, names.port_number(target))


def _affinity_causes(spec: Obj) -> list[Cause]:
    affinity = spec["sessionAffinity"]
    if affinity not in ("ClientIP", "None"):
        return [causes.unsupported("spec.sessionAffinity", affinity, ("ClientIP", "None"))]
    timeout_s = _timeout_s(spec)
    if affinity == "ClientIP" and not 0 < timeout_s <= AFFINITY_MAX_S:
        why = f"must be greater than 0 and less than {AFFINITY_MAX_S}"
        return [status.invalid_value("spec.sessionAffinityConfig.clientIP.timeoutSeconds", timeout_s, why)]
    return []


def _external_name_causes(spec: Obj) -> list[Cause]:
    said: list[Cause] = []
    if spec.get("clusterIP"):
        said.append(status.forbidden_field("spec.clusterIPs", "may not be set for ExternalName services"))
    name = spec.get("externalName", "").removesuffix(".")
    if not name:
        return [*said, status.required("spec.externalName")]
    return said + causes.each("spec.externalName", name, names.subdomain(name))


def _address_causes(spec: Obj) -> list[Cause]:
    address = spec.get("clusterIP")
    if not address or address == HEADLESS or spec["type"] == "ExternalName":
        if address == HEADLESS and spec["type"] in ("NodePort", "LoadBalancer"):
            why = f"may not be set to 'None' for {spec['type']} services"
            return [status.invalid_value("spec.clusterIPs[0]", address, why)]
        return []
    try:
        ipaddress.ip_address(address)
    except ValueError:
        why = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
        return [status.invalid_value("spec.clusterIPs[0]", address, why)]
    listed = spec.get("clusterIPs")
    if listed and listed[0] != address:
        return [status.invalid_value("spec.clusterIPs", listed, "first value must match `clusterIP`")]
    return []


def _policy_causes(spec: Obj) -> list[Cause]:
    said: list[Cause] = []
    outside, inside = spec.get("externalTrafficPolicy"), spec.get("internalTrafficPolicy")
    if outside is not None and not _reachable_from_outside(spec):
        why = "may only be set for externally-accessible services"
        said.append(status.invalid_value("spec.externalTrafficPolicy", outside, why))
    elif outside is not None and outside not in _POLICIES:
        said.append(causes.unsupported("spec.externalTrafficPolicy", outside, _POLICIES))
    if inside is not None and inside not in _POLICIES:
        said.append(causes.unsupported("spec.internalTrafficPolicy", inside, _POLICIES))
    return said
