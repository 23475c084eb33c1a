"""Rows of nodes, namespaces, events and the small kinds that configure and guard a cluster.

Source: k8s.io/kubernetes/pkg/printers/internalversion; kube-aggregator for API services.
"""

from datetime import datetime
from typing import Any

from litmus.sandbox.machinery import objects
from litmus.sandbox.machinery.objects import Obj

from . import form
from .form import AGE, NAME, Column, Printer, wide

_ROLE = "node-role.kubernetes.io/"


def _node(obj: Obj, now: datetime) -> list[Any]:
    info = form.state(obj).get("nodeInfo") or {}
    return [
        objects.name(obj),
        _node_status(obj),
        ",".join(_roles(obj)) or form.NONE,
        form.age(obj, now),
        info.get("kubeletVersion", ""),
        _address(obj, "InternalIP"),
        _address(obj, "ExternalIP"),
        *(info.get(field) or form.UNKNOWN for field in ("osImage", "kernelVersion", "containerRuntimeVersion")),
    ]


def _node_status(obj: Obj) -> str:
    ready = [each for each in form.state(obj).get("conditions") or [] if each.get("type") == "Ready"]
    found = ("Ready" if ready[0].get("status") == "True" else "NotReady") if ready else "Unknown"
    return f"{found},SchedulingDisabled" if form.spec(obj).get("unschedulable") else found


def _roles(obj: Obj) -> list[str]:
    labels = objects.labels(obj)
    named = {label.removeprefix(_ROLE) for label in labels if label.startswith(_ROLE)}
    return sorted((named | {labels.get("kubernetes.io/role", "")}) - {""})


def _address(obj: Obj, kind: str) -> str:
    found = (each for each in form.state(obj).get("addresses") or [] if each.get("type") == kind)
    return next((str(each["address"]) for each in found if each.get("address")), form.NONE)


def _namespace(obj: Obj, now: datetime) -> list[Any]:
    return [objects.name(obj), form.state(obj).get("phase", ""), form.age(obj, now)]


def _event(obj: Obj, now: datetime) -> list[Any]:
    about, source, series = obj.get("involvedObject") or {}, obj.get("source") or {}, obj.get("series")
    first = form.since(obj.get("firstTimestamp") or obj.get("eventTime"), now)
    last = form.since(obj.get("lastTimestamp"), now) if obj.get("lastTimestamp") else first
    count = obj.get("count") or 1
    if series:  # it counts the repetitions
        last, count = form.since(series.get("lastObservedTime"), now), series.get("count", 0) + 1
    kind = about.get("kind", "").lower()
    reporter = source.get("component") or obj.get("reportingComponent", "")
    place = source.get("host") or obj.get("reportingInstance", "")
    return [
        last,
        obj.get("type", ""),
        obj.get("reason", ""),
        f"{kind}/{about['name']}" if about.get("name") else kind,
        about.get("fieldPath", ""),
        f"{reporter}, {place}" if place else reporter,
        obj.get("message", "").strip(),
        first,
        count,
        objects.name(obj),
    ]


def _config_map(obj: Obj, now: datetime) -> list[Any]:
    count = len(obj.get("data") or {}) + len(obj.get("binaryData") or {})
    return [objects.name(obj), count, form.age(obj, now)]


def _secret(obj: Obj, now: datetime) -> list[Any]:
    return [objects.name(obj), obj.get("type", ""), len(obj.get("data") or {}), form.age(obj, now)]


def _service_account(obj: Obj, now: datetime) -> list[Any]:
    return [objects.name(obj), len(obj.get("secrets") or []), form.age(obj, now)]


def _quota(obj: Obj, now: datetime) -> list[Any]:
    """Used of allowed: limits in the one cell, everything else in the other."""
    state = form.state(obj)
    hard, used = state.get("hard") or {}, state.get("used") or {}
    shown = {name: f"{name}: {used.get(name, '0')}/{most}" for name, most in sorted(hard.items())}
    limits = [text for name, text in shown.items() if "limits" in name]
    others = [text for name, text in shown.items() if "limits" not in name]
    return [objects.name(obj), ", ".join(others), ", ".join(limits), form.age(obj, now)]


def _lease(obj: Obj, now: datetime) -> list[Any]:
    return [objects.name(obj), form.spec(obj).get("holderIdentity") or "", form.age(obj, now)]


def _priority_class(obj: Obj, now: datetime) -> list[Any]:
    globally, preempts = obj.get("globalDefault", False), obj.get("preemptionPolicy", "PreemptLowerPriority")
    return [objects.name(obj), obj.get("value", 0), globally, form.age(obj, now), preempts]


def _component_status(obj: Obj, now: datetime) -> list[Any]:
    healthy: Obj = next((each for each in obj.get("conditions") or [] if each.get("type") == "Healthy"), {})
    status = {"True": "Healthy", "False": "Unhealthy"}.get(healthy.get("status", ""), "Unknown")
    return [objects.name(obj), status, healthy.get("message", ""), healthy.get("error", "")]


def _role_binding(obj: Obj, now: datetime) -> list[Any]:
    role, subjects = obj.get("roleRef") or {}, obj.get("subjects") or []
    named: dict[str, list[str]] = {"User": [], "Group": [], "ServiceAccount": []}
    for subject in subjects:
        name, namespace = subject.get("name", ""), subject.get("namespace", "")
        kind = subject.get("kind", "")
        named.setdefault(kind, []).append(f"{namespace}/{name}" if kind == "ServiceAccount" and namespace else name)
    who = [", ".join(named[kind]) for kind in ("User", "Group", "ServiceAccount")]
    return [objects.name(obj), f"{role.get('kind', '')}/{role.get('name', '')}", form.age(obj, now), *who]


def _webhooks(obj: Obj, now: datetime) -> list[Any]:
    return [objects.name(obj), len(obj.get("webhooks") or []), form.age(obj, now)]


def _api_service(obj: Obj, now: datetime) -> list[Any]:
    service = form.spec(obj).get("service")
    place = f"{service.get('namespace', '')}/{service.get('name', '')}" if service else "Local"
    found = [each for each in form.state(obj).get("conditions") or [] if each.get("type") == "Available"]
    available = form.UNKNOWN
    if found:
        available = found[0].get("status", "")
        available = available if available == "True" else f"{available} ({found[0].get('reason', '')})"
    return [objects.name(obj), place, available, form.age(obj, now)]


def _binding_columns(kind: str) -> tuple[Column, ...]:
    shown = kind[:1].lower() + kind[1:]
    return (
        NAME,
        Column("Role", "string", f"rbac.v1.{kind}.roleRef"),
        AGE,
        *(wide(who, f"{who} in the {shown}") for who in ("Users", "Groups", "ServiceAccounts")),
    )


def _counted(name: str, about: str, type_: str = "string") -> tuple[Column, ...]:
    return (NAME, Column(name, type_, about), AGE)


_HOOKS = _counted("Webhooks", "Webhooks indicates the number of webhooks registered in this configuration", "integer")

PRINTERS = {
    "nodes": Printer(
        (
            NAME,
            Column("Status", "string", "The status of the node"),
            Column("Roles", "string", "The roles of the node"),
            AGE,
            Column("Version", "string", "core.v1.NodeSystemInfo.kubeletVersion"),
            wide("Internal-IP", "core.v1.NodeStatus.addresses"),
            wide("External-IP", "core.v1.NodeStatus.addresses"),
            wide("OS-Image", "core.v1.NodeSystemInfo.osImage"),
            wide("Kernel-Version", "core.v1.NodeSystemInfo.kernelVersion"),
            wide("Container-Runtime", "core.v1.NodeSystemInfo.containerRuntimeVersion"),
        ),
        _node,
    ),
    "namespaces": Printer(_counted("Status", "The status of the namespace"), _namespace),
    "events": Printer(
        (
            Column("Last Seen", "string", "core.v1.Event.lastTimestamp"),
            Column("Type", "string", "core.v1.Event.type"),
            Column("Reason", "string", "core.v1.Event.reason"),
            Column("Object", "string", "core.v1.Event.involvedObject"),
            wide("Subobject", "core.v1.ObjectReference.fieldPath"),
            wide("Source", "core.v1.Event.source"),
            Column("Message", "string", "core.v1.Event.message"),
            wide("First Seen", "core.v1.Event.firstTimestamp"),
            wide("Count", "core.v1.Event.count"),
            Column("Name", "string", NAME.about, format="name", priority=1),
        ),
        _event,
    ),
    "configmaps": Printer(_counted("Data", "core.v1.ConfigMap.data"), _config_map),
    "secrets": Printer(
        (NAME, Column("Type", "string", "core.v1.Secret.type"), Column("Data", "string", "core.v1.Secret.data"), AGE),
        _secret,
    ),
    "serviceaccounts": Printer(_counted("Secrets", "core.v1.ServiceAccount.secrets"), _service_account),
    "resourcequotas": Printer(
        (
            NAME,
            Column(
                "Request",
                "string",
                "Request represents a minimum amount of cpu/memory that a container may consume.",
            ),
            Column(
                "Limit",
                "string",
                "Limits control the maximum amount of cpu/memory that a container may use independent of contention "
                "on the node.",
            ),
            AGE,
        ),
        _quota,
    ),
    "leases.coordination.k8s.io": Printer(_counted("Holder", "coordination.v1.LeaseSpec.holderIdentity"), _lease),
    "priorityclasses.scheduling.k8s.io": Printer(
        (
            NAME,
            Column("Value", "integer", "scheduling.v1.PriorityClass.value"),
            Column("Global-Default", "boolean", "scheduling.v1.PriorityClass.globalDefault"),
            AGE,
            Column("PreemptionPolicy", "string", "scheduling.v1.PriorityClass.preemptionPolicy"),
        ),
        _priority_class,
    ),
    "componentstatuses": Printer(
        (
            NAME,
            Column("Status", "string", "Status of the component conditions"),
            Column("Message", "string", "Message of the component conditions"),
            Column("Error", "string", "Error of the component conditions"),
        ),
        _component_status,
    ),
    "rolebindings.rbac.authorization.k8s.io": Printer(_binding_columns("RoleBinding"), _role_binding),
    "clusterrolebindings.rbac.authorization.k8s.io": Printer(_binding_columns("ClusterRoleBinding"), _role_binding),
    "mutatingwebhookconfigurations.admissionregistration.k8s.io": Printer(_HOOKS, _webhooks),
    "validatingwebhookconfigurations.admissionregistration.k8s.io": Printer(_HOOKS, _webhooks),
    "apiservices.apiregistration.k8s.io": Printer(
        (
            NAME,
            Column("Service", "string", "The reference to the service that hosts this API endpoint."),
            Column("Available", "string", "Whether this service is available."),
            AGE,
        ),
        _api_service,
    ),
}
