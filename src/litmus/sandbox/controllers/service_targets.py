"""Which pods stand behind a service, and on which ports: what Endpoints and EndpointSlices have in common.

Source: "Service" of the Kubernetes documentation; k8s.io/endpointslice/util.
"""

from collections.abc import Callable, Iterable

from ..machinery import conditions, objects, selectors
from ..machinery.cluster import Cluster
from ..machinery.objects import Key, Obj

CHANGED_AT = "endpoints.kubernetes.io/last-change-trigger-time"
HEADLESS = "service.kubernetes.io/headless"


def of_pod(cluster: Cluster) -> Callable[[Obj], Iterable[Key]]:
    """Pod → the keys of the services that select it."""

    def keys(pod: Obj) -> list[Key]:
        services = cluster.list("services", objects.namespace(pod))
        return [objects.key(service) for service in services if _selects(service, pod)]

    return keys


def _selects(service: Obj, pod: Obj) -> bool:
    selector = service["spec"].get("selector") or {}
    return bool(selector) and selector.items() <= objects.labels(pod).items()


def managed(service: Obj | None) -> bool:
    """Whether we say what stands behind it: not without a selector, and not when it is but a name in DNS."""
    if service is None or service["spec"].get("type") == "ExternalName":
        return False
    return bool(service["spec"].get("selector"))


def pods(cluster: Cluster, service: Obj, *, terminating: bool) -> list[Obj]:
    """The pods that have an address and can still be running; ``terminating``: also those that are being ended."""
    chosen = selectors.from_label_selector({"matchLabels": service["spec"]["selector"]})
    found = [pod for pod in cluster.list("pods", objects.namespace(service)) if chosen.matches(pod)]
    return [pod for pod in found if _belongs(pod, terminating=terminating)]


def _belongs(pod: Obj, *, terminating: bool) -> bool:
    status = pod.get("status") or {}
    if status.get("phase") in {"Succeeded", "Failed"} or not status.get("podIP"):
        return False
    return terminating or not objects.leaving(pod)


def ready(pod: Obj) -> bool:
    """The condition that probes and readiness gates have led to."""
    return (conditions.find(pod, "Ready") or {}).get("status") == "True"


def port_number(port: Obj, pod: Obj) -> int | None:
    """Where a pod answers for a port of the service; None when the target is a name that the pod has not."""
    target = port.get("targetPort") or port["port"]
    if isinstance(target, int):
        return target
    sidecars = [one for one in pod["spec"].get("initContainers") or [] if one.get("restartPolicy") == "Always"]
    for container in [*pod["spec"].get("containers", []), *sidecars]:
        for offered in container.get("ports") or []:
            if offered.get("name") == target and _protocol(offered) == _protocol(port):
                return int(offered["containerPort"])
    return None


def _protocol(port: Obj) -> str:
    return str(port.get("protocol") or "TCP")


def ports(service: Obj, pod: Obj) -> list[Obj]:
    """The ports that a pod really has, under the names that the service gives them."""
    found = []
    for port in service["spec"].get("ports") or []:
        number = port_number(port, pod)
        if number is None:
            continue
        named = {"name": port.get("name", ""), "port": number, "protocol": _protocol(port)}
        if port.get("appProtocol"):
            named["appProtocol"] = port["appProtocol"]
        found.append(named)
    return found


def hostname(service: Obj, pod: Obj) -> str:
    """The name of a pod below a headless service, '' when it has none."""
    spec = pod["spec"]
    if spec.get("subdomain") != objects.name(service):
        return ""
    return str(spec.get("hostname") or "")


def reference(pod: Obj) -> Obj:
    """The targetRef of an endpoint."""
    return {
        "kind": "Pod",
        "name": objects.name(pod),
        "namespace": objects.namespace(pod),
        "uid": objects.uid(pod),
    }


def headless(service: Obj) -> bool:
    """Without an address of its own: clients are told those of the pods."""
    return bool(service["spec"].get("clusterIP") == "None")


def labels(service: Obj) -> dict[str, str]:
    """The service's own labels, which its endpoints carry too."""
    found = {name: value for name, value in objects.labels(service).items() if name != HEADLESS}
    return {**found, HEADLESS: ""} if headless(service) else found


def publishes_unready(service: Obj) -> bool:
    """Whether its pods are to be found before they are ready, and while they end."""
    return bool(service["spec"].get("publishNotReadyAddresses"))
