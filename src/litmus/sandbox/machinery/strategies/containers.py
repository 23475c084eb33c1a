"""Containers and init containers of a pod. Source: pkg/apis/core/validation; API reference "Container"."""

from litmus.sandbox.machinery import names, status
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.status import Cause

from . import causes, container_resources, environment, handlers, volumes

_MESSAGE_POLICIES = ("File", "FallbackToLogsOnError")
_PULL_POLICIES = ("Always", "IfNotPresent", "Never")
_PROTOCOLS = ("SCTP", "TCP", "UDP")
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_ID_TEXT = "must be between 0 and 2147483647, inclusive"


def of_pod(spec: Obj, at: str) -> list[Cause]:
    """All containers of a pod's spec."""
    main, first = spec.get("containers") or [], spec.get("initContainers") or []
    mountable = [volume.get("name", "") for volume in spec.get("volumes") or []]
    said = _main(main, mountable, f"{at}.containers") if main else [status.required(f"{at}.containers")]
    return said + _init(first, main, mountable, f"{at}.initContainers")


def only_in_pods(spec: Obj, at: str) -> list[Cause]:
    """What templates may have and pods may not."""
    said: list[Cause] = []
    for kind in ("containers", "initContainers"):
        for index, container in enumerate(spec.get(kind) or []):
            image = container.get("image", "")
            if image != image.strip():
                why = "must not have leading or trailing whitespace"
                said.append(status.invalid_value(f"{at}.{kind}[{index}].image", image, why))
    return said


def _main(containers: list[Obj], mountable: list[str], at: str) -> list[Cause]:
    said: list[Cause] = []
    seen: set[str] = set()
    for index, container in enumerate(containers):
        field = f"{at}[{index}]"
        said += _common(container, mountable, field)
        name = container.get("name", "")
        if name in seen:
            said.append(status.duplicate(f"{field}.name", name))
        seen.add(name)
        said += _hooks(container, field)
    return said + _host_ports(containers, at)


def _init(containers: list[Obj], others: list[Obj], mountable: list[str], at: str) -> list[Cause]:
    said: list[Cause] = []
    seen = {container.get("name", "") for container in others}
    for index, container in enumerate(containers):
        field = f"{at}[{index}]"
        said += _common(container, mountable, field)
        name = container.get("name", "")
        if name in seen:
            said.append(status.duplicate(f"{field}.name", name))
        elif name:
            seen.add(name)
        if container.get("restartPolicy"):  # a sidecar: it goes on running beside the others
            if container["restartPolicy"] != "Always":
                said.append(causes.unsupported(f"{field}.restartPolicy", container["restartPolicy"], ("Always",)))
            said += _hooks(container, field)
            continue
        for kind in ("lifecycle", *_PROBES):
            if container.get(kind) is not None:
                why = "may not be set for init containers without restartPolicy=Always"
                said.append(status.forbidden_field(f"{field}.{kind}", why))
    return said


def _hooks(container: Obj, at: str) -> list[Cause]:
    said = handlers.lifecycle(container.get("lifecycle"), f"{at}.lifecycle")
    for name in _PROBES:
        said += handlers.probe(container, name, at)
    return said


def _common(container: Obj, mountable: list[str], at: str) -> list[Cause]:
    name = container.get("name", "")
    said = causes.each(f"{at}.name", name, names.label(name)) if name else [status.required(f"{at}.name")]
    if not container.get("image"):
        said.append(status.required(f"{at}.image"))
    policy = container.get("terminationMessagePolicy")
    if policy not in _MESSAGE_POLICIES:
        why = "must be 'File' or 'FallbackToLogsOnError'"
        said.append(status.invalid_value(f"{at}.terminationMessagePolicy", policy, why))
    said += _ports(container.get("ports") or [], f"{at}.ports")
    said += environment.variables(container.get("env") or [], f"{at}.env")
    said += environment.bulk(container.get("envFrom") or [], f"{at}.envFrom")
    said += volumes.mounts(container.get("volumeMounts") or [], mountable, f"{at}.volumeMounts")
    pull = container.get("imagePullPolicy")
    if pull not in _PULL_POLICIES:
        said.append(causes.unsupported(f"{at}.imagePullPolicy", pull, _PULL_POLICIES))
    said += container_resources.requirements(container.get("resources"), f"{at}.resources")
    return said + _security(container.get("securityContext"), f"{at}.securityContext")


def _ports(ports: list[Obj], at: str) -> list[Cause]:
    said: list[Cause] = []
    seen: set[str] = set()
    for index, port in enumerate(ports):
        field, name = f"{at}[{index}]", port.get("name", "")
        if name:
            said += causes.each(f"{field}.name", name, names.port_name(name))
            if name in seen:
                said.append(status.duplicate(f"{field}.name", name))
            seen.add(name)
        number = port.get("containerPort")
        if not number:
            said.append(status.required(f"{field}.containerPort"))
        else:
            said += causes.each(f"{field}.containerPort", number, names.port_number(number))
        if port.get("hostPort"):
            said += causes.each(f"{field}.hostPort", port["hostPort"], names.port_number(port["hostPort"]))
        if port.get("protocol") not in _PROTOCOLS:
            said.append(causes.unsupported(f"{field}.protocol", port.get("protocol"), _PROTOCOLS))
    return said


def _host_ports(containers: list[Obj], at: str) -> list[Cause]:
    """Two containers of a pod cannot have the same port of the node."""
    said: list[Cause] = []
    taken: set[str] = set()
    for index, container in enumerate(containers):
        for number, port in enumerate(container.get("ports") or []):
            if not port.get("hostPort"):
                continue
            what = f"{port.get('protocol')}/{port.get('hostIP', '')}/{port['hostPort']}"
            if what in taken:
                said.append(status.duplicate(f"{at}[{index}].ports[{number}].hostPort", what))
            taken.add(what)
    return said


def _security(context: Obj | None, at: str) -> list[Cause]:
    if not context:
        return []
    said = [
        status.invalid_value(f"{at}.{field}", context[field], _ID_TEXT)
        for field in ("runAsUser", "runAsGroup")
        if not 0 <= (context.get(field) or 0) <= 2**31 - 1
    ]
    if context.get("allowPrivilegeEscalation") is False and context.get("privileged"):
        why = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"
        said.append(status.invalid_value(at, context, why))
    return said
