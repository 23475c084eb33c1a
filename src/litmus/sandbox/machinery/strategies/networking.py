"""Ingresses, their classes, and network policies. They can be kept here; nothing acts on them in the sandbox.

Source: pkg/apis/networking/{v1/defaults.go,validation}; documentation "Ingress" and "Network Policies".
"""

import ipaddress
from typing import ClassVar

from litmus.sandbox.machinery import names, status
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.status import Cause

from . import Strategy, causes, handlers, pod_spec

_PATH_TYPES = ("Exact", "ImplementationSpecific", "Prefix")
_POLICY_TYPES = ("Ingress", "Egress")
_NO_CIDR = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
_PROTOCOLS = ("TCP", "UDP", "SCTP")


class Ingresses(Strategy):
    generation_of: ClassVar = ("spec",)

    def default(self, obj: Obj) -> None:
        obj.setdefault("spec", {})
        obj.setdefault("status", {}).setdefault("loadBalancer", {})

    def validate(self, obj: Obj) -> list[Cause]:
        spec = obj["spec"]
        said: list[Cause] = []
        if not spec.get("rules") and not spec.get("defaultBackend"):
            why = "either `defaultBackend` or `rules` must be specified"
            said.append(status.invalid_value("spec", None, why))
        if spec.get("defaultBackend"):
            said += _backend_causes(spec["defaultBackend"], "spec.defaultBackend")
        for index, rule in enumerate(spec.get("rules") or []):
            said += _rule_causes(rule, f"spec.rules[{index}]")
        for index, tls in enumerate(spec.get("tls") or []):
            said += _tls_causes(tls, f"spec.tls[{index}]")
        if spec.get("ingressClassName"):
            name = spec["ingressClassName"]
            said += causes.each("spec.ingressClassName", name, names.subdomain(name))
        return said


class IngressClasses(Strategy):
    generation_of: ClassVar = ("spec",)

    def default(self, obj: Obj) -> None:
        obj.setdefault("spec", {})

    def validate(self, obj: Obj) -> list[Cause]:
        controller = obj["spec"].get("controller", "")
        host, _, path = controller.partition("/")
        if not controller:
            return [status.required("spec.controller")]
        if not host or not path:
            why = 'must be a domain-prefixed path (such as "acme.io/foo")'
            return [status.invalid_value("spec.controller", controller, why)]
        return causes.each("spec.controller", host, names.subdomain(host))

    def validate_update(self, new: Obj, old: Obj) -> list[Cause]:
        return causes.immutable("spec.controller", new["spec"].get("controller"), old["spec"].get("controller"))


class NetworkPolicies(Strategy):
    generation_of: ClassVar = ("spec",)

    def default(self, obj: Obj) -> None:
        spec = obj.setdefault("spec", {})
        spec.setdefault("podSelector", {})
        if not spec.get("policyTypes"):
            spec["policyTypes"] = ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"]
        for rule in (*spec.get("ingress", ()), *spec.get("egress", ())):
            for port in rule.get("ports") or ():
                port.setdefault("protocol", "TCP")

    def validate(self, obj: Obj) -> list[Cause]:
        spec = obj["spec"]
        said = causes.label_selector("spec.podSelector", spec["podSelector"])
        for kind, peers in (("ingress", "from"), ("egress", "to")):
            for index, rule in enumerate(spec.get(kind) or []):
                field = f"spec.{kind}[{index}]"
                for number, port in enumerate(rule.get("ports") or []):
                    said += _port_causes(port, f"{field}.ports[{number}]")
                for number, peer in enumerate(rule.get(peers) or []):
                    said += _peer_causes(peer, f"{field}.{peers}[{number}]")
        types = spec["policyTypes"]
        return said + [
            causes.unsupported(f"spec.policyTypes[{index}]", kind, _POLICY_TYPES)
            for index, kind in enumerate(types)
            if kind not in _POLICY_TYPES
        ]


def _rule_causes(rule: Obj, at: str) -> list[Cause]:
    said: list[Cause] = []
    host = rule.get("host", "")
    if host:
        rules = names.wildcard_subdomain if "*" in host else names.subdomain
        said += causes.each(f"{at}.host", host, rules(host))
        if not pod_spec.ip_address(host, ""):
            said.append(status.invalid_value(f"{at}.host", host, "must be a DNS name, not an IP address"))
    http = rule.get("http")
    if http is None:
        return said
    if not http.get("paths"):
        said.append(status.required(f"{at}.http.paths"))
    for index, path in enumerate(http.get("paths") or []):
        field, kind = f"{at}.http.paths[{index}]", path.get("pathType")
        if not kind:
            said.append(status.required(f"{field}.pathType", "pathType must be specified"))
        elif kind not in _PATH_TYPES:
            said.append(causes.unsupported(f"{field}.pathType", kind, _PATH_TYPES))
        elif not path.get("path", "").startswith("/") and (kind != "ImplementationSpecific" or path.get("path")):
            said.append(status.invalid_value(f"{field}.path", path.get("path", ""), "must be an absolute path"))
        said += _backend_causes(path.get("backend") or {}, f"{field}.backend")
    return said


def _tls_causes(tls: Obj, at: str) -> list[Cause]:
    said: list[Cause] = []
    for index, host in enumerate(tls.get("hosts") or []):
        rules = names.wildcard_subdomain if "*" in host else names.subdomain
        said += causes.each(f"{at}.hosts[{index}]", host, rules(host))
    secret = tls.get("secretName")
    return said + (causes.each(f"{at}.secretName", secret, names.subdomain(secret)) if secret else [])


def _backend_causes(backend: Obj, at: str) -> list[Cause]:
    service, resource = backend.get("service"), backend.get("resource")
    if service and resource:
        return [status.invalid_value(at, "", "cannot set both resource and service backends")]
    if resource:
        return []
    if not service:
        return [status.invalid_value(at, "", "resource or service backend is required")]
    name, port = service.get("name", ""), service.get("port") or {}
    said = (
        causes.each(f"{at}.service.name", name, names.label_1035(name))
        if name
        else [status.required(f"{at}.service.name")]
    )
    if port.get("name") and port.get("number"):
        said.append(status.invalid_value(at, "", "cannot set both port name & port number"))
    elif port.get("name"):
        said += causes.each(f"{at}.service.port.name", port["name"], names.port_name(port["name"]))
    elif port.get("number"):
        said += causes.each(f"{at}.service.port.number", port["number"], names.port_number(port["number"]))
    else:
        said.append(status.required(at, "port name or number is required"))
    return said


def _port_causes(port: Obj, at: str) -> list[Cause]:
    said: list[Cause] = []
    if port["protocol"] not in _PROTOCOLS:
        said.append(causes.unsupported(f"{at}.protocol", port["protocol"], _PROTOCOLS))
    if "port" in port:
        said += handlers.port(port["port"], f"{at}.port")
    return said


def _peer_causes(peer: Obj, at: str) -> list[Cause]:
    given = [kind for kind in ("podSelector", "namespaceSelector", "ipBlock") if peer.get(kind) is not None]
    if not given:
        return [status.required(at, "must specify a peer")]
    if "ipBlock" in given and len(given) > 1:
        return [status.forbidden_field(at, "may not specify both ipBlock and another peer")]
    said: list[Cause] = []
    for kind in ("podSelector", "namespaceSelector"):
        said += causes.label_selector(f"{at}.{kind}", peer.get(kind))
    return said + (_block_causes(peer["ipBlock"], f"{at}.ipBlock") if "ipBlock" in given else [])


def _block_causes(block: Obj, at: str) -> list[Cause]:
    cidr = block.get("cidr")
    if not cidr:
        return [status.required(f"{at}.cidr")]
    whole = _network(cidr)
    if whole is None:
        return [status.invalid_value(f"{at}.cidr", cidr, _NO_CIDR)]
    said: list[Cause] = []
    for index, text in enumerate(block.get("except") or []):
        part, field = _network(text), f"{at}.except[{index}]"
        if part is None:
            said.append(status.invalid_value(field, text, _NO_CIDR))
        elif part.version != whole.version or part == whole or not _within(part, whole):
            said.append(status.invalid_value(field, text, "must be a strict subset of `cidr`"))
    return said


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    if "/" not in text or not text.rpartition("/")[2].isdecimal():
        return None  # Python also reads a single address and a mask in dots
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def _within(part: ipaddress.IPv4Network | ipaddress.IPv6Network, whole: object) -> bool:
    return part.subnet_of(whole)  # type: ignore[arg-type]  # of the same version, as was asked before
