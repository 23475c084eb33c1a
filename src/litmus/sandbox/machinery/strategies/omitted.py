"""What a real server leaves out of an object: fields whose empty value means the same as their absence.

Kubernetes decodes an object into Go structs and writes them back; a null never survives that, nor does an empty string,
list or map, a false or a 0 in a field marked ``omitempty``. Fields behind a pointer keep their empty value
(``replicas: 0``), so the fields are listed here and not guessed. Source: k8s.io/api/core/v1/types.go.
"""

from typing import Any

from litmus.sandbox.machinery.objects import Obj

_METADATA = (
    *("annotations", "finalizers", "generateName", "labels", "managedFields", "namespace", "ownerReferences"),
    "selfLink",
)
_POD = frozenset(
    {
        *("add", "args", "command", "dnsPolicy", "drop", "effect", "env", "envFrom"),
        *("ephemeralContainers", "fsType", "host", "hostAliases", "hostIP", "hostIPC", "hostNetwork", "hostPID"),
        *("hostPort", "hostname", "hostnames", "httpHeaders", "image", "imagePullPolicy", "imagePullSecrets"),
        *("initContainers", "initialDelaySeconds", "items", "matchExpressions", "matchLabels", "medium", "nameservers"),
        *("namespaces", "nodeName", "nodeSelector", "operator", "options", "overhead", "periodSeconds", "ports"),
        *("preferredDuringSchedulingIgnoredDuringExecution", "prefix", "priorityClassName", "protocol", "readOnly"),
        *("readinessGates", "resourceClaims", "restartPolicy", "scheduler", "schedulerName", "schedulingGates"),
        *("searches", "secretName", "serviceAccount", "serviceAccountName", "stdin", "stdinOnce"),
        *("subPath", "subPathExpr", "subdomain", "successThreshold", "failureThreshold", "supplementalGroups"),
        *("sysctls", "terminationMessagePath", "terminationMessagePolicy", "timeoutSeconds", "tolerations"),
        *("topologySpreadConstraints", "tty", "value", "values", "volumeDevices", "volumeMounts", "volumes"),
        *("workingDir", "limits", "requests", "claims", "scheme"),
    }
)
# Keys of these are the user's own words and not fields.
_FREE = frozenset({"annotations", "labels", "matchLabels", "nodeSelector", "limits", "requests", "overhead", "data"})
_NOTHING: tuple[Any, ...] = (None, "", 0, False)


def nulls(value: Any) -> None:
    """Removes every null that stands for an absent field, at any depth."""
    if isinstance(value, dict):
        for name in [name for name, inner in value.items() if inner is None]:
            del value[name]
        for inner in value.values():
            if isinstance(inner, dict | list):
                nulls(inner)
    elif isinstance(value, list):
        for inner in value:
            nulls(inner)


def fields(obj: Obj, *names: str) -> None:
    """Removes the named fields where they are empty."""
    for name in names:
        if name in obj and _is_nothing(obj[name]):
            del obj[name]


def metadata(meta: Obj) -> None:
    """The same for the metadata of an object or of a template."""
    nulls(meta)
    fields(meta, *_METADATA)


def pod_spec(spec: Obj) -> None:
    """The same for everything in a pod's spec."""
    _walk(spec)


def _walk(value: Any) -> None:
    if isinstance(value, list):
        for inner in value:
            _walk(inner)
    if not isinstance(value, dict):
        return
    for name in list(value):
        inner = value[name]
        if inner is None or (name in _POD and _is_nothing(inner)):
            del value[name]
        elif name not in _FREE and isinstance(inner, dict | list):
            _walk(inner)


def _is_nothing(value: Any) -> bool:
    return not value if isinstance(value, dict | list) else value in _NOTHING
