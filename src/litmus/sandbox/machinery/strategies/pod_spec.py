"""The spec of a pod, in a Pod or in a template. Source: pkg/apis/core/validation, ValidatePodSpec."""

import ipaddress

from litmus.sandbox.machinery import names, status
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.status import Cause

from . import causes, containers, placement, volumes

RESTART_POLICIES = ("Always", "OnFailure", "Never")
_DNS_POLICIES = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
_INT32_MAX = 2**31 - 1


def causes_of(spec: Obj, at: str) -> list[Cause]:
    """What is wrong with a spec that stands at the path ``at``."""
    said = volumes.of_pod(spec.get("volumes") or [], f"{at}.volumes")
    said += containers.of_pod(spec, at)
    for name, allowed in (("restartPolicy", RESTART_POLICIES), ("dnsPolicy", _DNS_POLICIES)):
        if spec.get(name) not in allowed:
            said.append(causes.unsupported(f"{at}.{name}", spec.get(name), allowed))
    said += causes.labels(f"{at}.nodeSelector", spec.get("nodeSelector"))
    said += _host_network(spec, f"{at}.containers")
    said += placement.affinity(spec.get("affinity"), f"{at}.affinity")
    said += _dns(spec, f"{at}.dnsConfig")
    said += placement.spread(spec.get("topologySpreadConstraints") or [], f"{at}.topologySpreadConstraints")
    for name in ("serviceAccountName", "nodeName"):
        if spec.get(name):
            said += causes.each(f"{at}.{name}", spec[name], names.subdomain(spec[name]))
    said += _deadline(spec.get("activeDeadlineSeconds"), f"{at}.activeDeadlineSeconds")
    for name in ("hostname", "subdomain"):
        if spec.get(name):
            said += causes.each(f"{at}.{name}", spec[name], names.label(spec[name]))
    said += placement.tolerations(spec.get("tolerations") or [], f"{at}.tolerations")
    said += _host_aliases(spec.get("hostAliases") or [], f"{at}.hostAliases")
    for name in ("priorityClassName", "runtimeClassName"):
        if spec.get(name):
            said += causes.each(f"{at}.{name}", spec[name], names.subdomain(spec[name]))
    return said


def template_causes(template: Obj, at: str) -> list[Cause]:
    """A PodTemplateSpec: labels, annotations and the spec."""
    meta = template.get("metadata") or {}
    said = causes.labels(f"{at}.labels", meta.get("labels"))
    for key in sorted(meta.get("annotations") or {}):
        said += causes.each(f"{at}.annotations", key, names.qualified(key.lower()))
    return said + causes_of(template["spec"], f"{at}.spec")


def _deadline(value: int | None, field: str) -> list[Cause]:
    if value is None or 1 <= value <= _INT32_MAX:
        return []
    return [status.invalid_value(field, value, f"must be between 1 and {_INT32_MAX}, inclusive")]


def _host_network(spec: Obj, at: str) -> list[Cause]:
    if not spec.get("hostNetwork"):
        return []
    return [
        status.invalid_value(
            f"{at}[{index}].ports[{number}].containerPort",
            port.get("containerPort"),
            "must match `hostPort` when `hostNetwork` is true",
        )
        for index, container in enumerate(spec.get("containers") or [])
        for number, port in enumerate(container.get("ports") or [])
        if port.get("hostPort", port.get("containerPort")) != port.get("containerPort")
    ]


def _dns(spec: Obj, at: str) -> list[Cause]:
    config = spec.get("dnsConfig")
    if spec.get("dnsPolicy") == "None" and not config:
        return [status.required(at, "must provide `dnsConfig` when `dnsPolicy` is None")]
    servers = (config or {}).get("nameservers") or []
    if spec.get("dnsPolicy") == "None" and not servers:
        why = "must provide at least one DNS nameserver when `dnsPolicy` is None"
        return [status.required(f"{at}.nameservers", why)]
    said: list[Cause] = []
    for index, server in enumerate(servers):
        said += ip_address(server, f"{at}.nameservers[{index}]")
    return said


def _host_aliases(aliases: list[Obj], at: str) -> list[Cause]:
    said: list[Cause] = []
    for index, alias in enumerate(aliases):
        said += ip_address(alias.get("ip", ""), f"{at}[{index}].ip")
        for number, name in enumerate(alias.get("hostnames") or []):
            said += causes.each(f"{at}[{index}].hostnames[{number}]", name, names.subdomain(name))
    return said


def ip_address(value: str, field: str) -> list[Cause]:
    """An IPv4 or IPv6 address."""
    try:
        ipaddress.ip_address(value)
    except ValueError:
        why = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
        return [status.invalid_value(field, value, why)]
    return []
