"""What a server fills into pods and pod templates.

Source: pkg/apis/core/v1/defaults.go of Kubernetes and the API reference of PodSpec; compared with a real server.
"""

from typing import Any

from litmus.sandbox.machinery.objects import Obj

from . import amounts

GRACE_S = 30
TOKEN_EXPIRATION_S = 3600
FILE_MODE = 0o644
CONTAINER_LISTS = ("initContainers", "containers", "ephemeralContainers")
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_MODED = ("configMap", "secret", "downwardAPI", "projected")


def pod(obj: Obj) -> None:
    """The defaults of a Pod: those of a template, and requests from limits. Raises quantity.Malformed."""
    spec = obj.setdefault("spec", {})
    pod_spec(spec)
    for container in (*spec.get("initContainers", ()), *spec.get("containers", ())):
        resources = container["resources"]
        if resources.get("limits"):
            resources["requests"] = {**resources["limits"], **resources.get("requests", {})}
        for port in container.get("ports", ()) if spec.get("hostNetwork") else ():
            if not port.get("hostPort") and port.get("containerPort"):
                port["hostPort"] = port["containerPort"]
    spec.setdefault("enableServiceLinks", True)


def template(holder: Obj) -> None:
    """The defaults of ``holder["template"]``. Raises quantity.Malformed."""
    found = holder.setdefault("template", {})
    found.setdefault("metadata", {})
    pod_spec(found.setdefault("spec", {}))


def pod_spec(spec: Obj) -> None:
    """The defaults of a PodSpec wherever it stands. Raises quantity.Malformed."""
    spec.setdefault("containers", [])
    for kind in CONTAINER_LISTS:
        for container in spec.get(kind, ()):
            _container(container)
    for volume in spec.get("volumes", ()):
        _volume(volume)
    spec.setdefault("restartPolicy", "Always")
    spec.setdefault("terminationGracePeriodSeconds", GRACE_S)
    spec.setdefault("dnsPolicy", "ClusterFirst")
    spec.setdefault("securityContext", {})
    spec.setdefault("schedulerName", "default-scheduler")
    if account := spec.get("serviceAccountName") or spec.get("serviceAccount"):
        spec["serviceAccountName"] = spec["serviceAccount"] = account
    amounts.resource_list(spec.get("overhead"))


def pull_policy(image: str) -> str:
    """Always for an image that may move under its name: tag ``latest``, or neither tag nor digest."""
    name, _, digest = image.partition("@")
    _, _, tag = name.rpartition("/")[2].partition(":")
    moves = tag == "latest" or (bool(image) and not tag and not digest)
    return "Always" if moves else "IfNotPresent"


def _container(container: Obj) -> None:
    container.setdefault("imagePullPolicy", pull_policy(container.get("image", "")))
    container.setdefault("terminationMessagePath", "/dev/termination-log")
    container.setdefault("terminationMessagePolicy", "File")
    resources = container.setdefault("resources", {})
    amounts.resource_list(resources.get("limits"))
    amounts.resource_list(resources.get("requests"))
    for port in container.get("ports", ()):
        port.setdefault("protocol", "TCP")
    for variable in container.get("env", ()):
        _value_source(variable.get("valueFrom"))
    for name in _PROBES:
        if isinstance(probe := container.get(name), dict):
            _probe(probe)
    for hook in (container.get("lifecycle") or {}).values():
        if isinstance(hook, dict):
            _handler(hook)


def _value_source(source: Obj | None) -> None:
    if source and "fieldRef" in source:
        source["fieldRef"].setdefault("apiVersion", "v1")
    if source and "resourceFieldRef" in source:
        source["resourceFieldRef"].setdefault("divisor", "0")


def _probe(probe: Obj) -> None:
    _handler(probe)
    for field, value in (
        ("timeoutSeconds", 1),
        ("periodSeconds", 10),
        ("successThreshold", 1),
        ("failureThreshold", 3),
    ):
        probe.setdefault(field, value)


def _handler(handler: Obj) -> None:
    if isinstance(http := handler.get("httpGet"), dict):
        http["path"] = http.get("path") or "/"
        http.setdefault("scheme", "HTTP")
    if isinstance(grpc := handler.get("grpc"), dict):
        grpc.setdefault("service", "")


def _volume(volume: Obj) -> None:
    if set(volume) <= {"name"}:
        volume["emptyDir"] = {}
    for kind in _MODED:
        if isinstance(source := volume.get(kind), dict):
            source.setdefault("defaultMode", FILE_MODE)
    if isinstance(host := volume.get("hostPath"), dict):
        host.setdefault("type", "")
    _items(volume.get("downwardAPI"))
    for source in (volume.get("projected") or {}).get("sources", ()):
        _items(source.get("downwardAPI"))
        if isinstance(token := source.get("serviceAccountToken"), dict):
            token.setdefault("expirationSeconds", TOKEN_EXPIRATION_S)


def _items(source: Any) -> None:
    for item in (source or {}).get("items", ()):
        _value_source(item)
