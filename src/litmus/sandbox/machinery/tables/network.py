"""Rows of services and what stands behind and before them.

Source: k8s.io/kubernetes/pkg/printers/internalversion.
"""

from datetime import datetime
from typing import Any

from litmus.sandbox.machinery import objects
from litmus.sandbox.machinery.objects import Obj

from . import form
from .form import AGE, NAME, Column, Printer, wide


def _service(obj: Obj, now: datetime) -> list[Any]:
    spec = form.spec(obj)
    own = spec.get("clusterIPs") or [spec.get("clusterIP")]
    ports = ",".join(map(_service_port, spec.get("ports") or []))
    return [
        objects.name(obj),
        spec.get("type", ""),
        own[0] or form.NONE,
        _external(obj),
        ports or form.NONE,
        form.age(obj, now),
        form.pairs(spec.get("selector")),
    ]


def _service_port(port: Obj) -> str:
    at_nodes = f":{port['nodePort']}" if port.get("nodePort") else ""
    return f"{port.get('port', 0)}{at_nodes}/{port.get('protocol', 'TCP')}"


def _external(obj: Obj) -> str:
    spec = form.spec(obj)
    given = spec.get("externalIPs") or []
    match spec.get("type"):
        case "ExternalName":
            return str(spec.get("externalName", ""))
        case "LoadBalancer":
            return ",".join([*_ingresses(obj), *given]) or "<pending>"
    return ",".join(given) or form.NONE


def _ingresses(obj: Obj) -> list[str]:
    """The addresses of a load balancer, each once."""
    found = (form.state(obj).get("loadBalancer") or {}).get("ingress") or []
    return sorted({each.get("ip") or each.get("hostname") or "" for each in found} - {""})


def _endpoints(obj: Obj, now: datetime) -> list[Any]:
    subsets = obj.get("subsets") or []
    found: list[str] = []
    for subset in subsets:
        addresses = [each.get("ip", "") for each in subset.get("addresses") or []]
        for port in subset.get("ports") or [None]:
            found += [_host_port(address, port) for address in addresses]
    return [objects.name(obj), form.some(found) if subsets else form.NONE, form.age(obj, now)]


def _host_port(address: str, port: Obj | None) -> str:
    if port is None:
        return address
    return f"[{address}]:{port.get('port', 0)}" if ":" in address else f"{address}:{port.get('port', 0)}"


def _endpoint_slice(obj: Obj, now: datetime) -> list[Any]:
    ports = [str(port.get("port") or port.get("name") or "*") for port in obj.get("ports") or []]
    found = [address for each in obj.get("endpoints") or [] for address in each.get("addresses") or []]
    return [
        objects.name(obj),
        obj.get("addressType", ""),
        form.some(ports) or form.UNSET,
        form.some(found) or form.UNSET,
        form.age(obj, now),
    ]


def _ingress(obj: Obj, now: datetime) -> list[Any]:
    spec = form.spec(obj)
    hosts = [rule["host"] for rule in spec.get("rules") or [] if rule.get("host")]
    return [
        objects.name(obj),
        spec.get("ingressClassName") or form.NONE,
        form.some(hosts) or "*",
        ",".join(_ingresses(obj)),
        "80, 443" if spec.get("tls") else "80",
        form.age(obj, now),
    ]


def _ingress_class(obj: Obj, now: datetime) -> list[Any]:
    spec = form.spec(obj)
    given = spec.get("parameters")
    shown = form.NONE
    if given:
        kind = ".".join(filter(None, (given.get("kind"), given.get("apiGroup"))))
        shown = f"{kind}/{given.get('name', '')}"
    return [objects.name(obj), spec.get("controller", ""), shown, form.age(obj, now)]


def _network_policy(obj: Obj, now: datetime) -> list[Any]:
    return [objects.name(obj), form.label_selector(form.spec(obj).get("podSelector") or {}), form.age(obj, now)]


PRINTERS = {
    "services": Printer(
        (
            NAME,
            Column("Type", "string", "core.v1.ServiceSpec.type"),
            Column("Cluster-IP", "string", "core.v1.ServiceSpec.clusterIP"),
            Column("External-IP", "string", "core.v1.ServiceSpec.externalIPs"),
            Column("Port(s)", "string", "core.v1.ServiceSpec.ports"),
            AGE,
            wide("Selector", "core.v1.ServiceSpec.selector"),
        ),
        _service,
    ),
    "endpoints": Printer((NAME, Column("Endpoints", "string", "core.v1.Endpoints.subsets"), AGE), _endpoints),
    "endpointslices.discovery.k8s.io": Printer(
        (
            NAME,
            Column("AddressType", "string", "discovery.v1.EndpointSlice.addressType"),
            Column("Ports", "string", "discovery.v1.EndpointSlice.ports"),
            Column("Endpoints", "string", "discovery.v1.EndpointSlice.endpoints"),
            AGE,
        ),
        _endpoint_slice,
    ),
    "ingresses.networking.k8s.io": Printer(
        (
            NAME,
            Column(
                "Class",
                "string",
                "The name of the IngressClass resource that should be used for additional configuration",
            ),
            Column("Hosts", "string", "Hosts that incoming requests are matched against before the ingress rule"),
            Column("Address", "string", "Address is a list containing ingress points for the load-balancer"),
            Column("Ports", "string", "Ports of TLS configurations that open"),
            AGE,
        ),
        _ingress,
    ),
    "ingressclasses.networking.k8s.io": Printer(
        (
            NAME,
            Column("Controller", "string", "Controller that is responsible for handling this class"),
            Column("Parameters", "string", "A reference to a resource with additional parameters"),
            AGE,
        ),
        _ingress_class,
    ),
    "networkpolicies.networking.k8s.io": Printer(
        (NAME, Column("Pod-Selector", "string", "networking.v1.NetworkPolicySpec.podSelector"), AGE), _network_policy
    ),
}
