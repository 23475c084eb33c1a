"""The downward API: a pod's own fields, and the resources of its containers, as text.

Source: Kubernetes documentation, "Downward API"; the order and quoting of labels is that of real nodes.
"""

import json
import re
from collections.abc import Mapping

from litmus.sandbox.machinery import objects, quantity
from litmus.sandbox.machinery.objects import Obj

_KEYED = re.compile(r"metadata\.(labels|annotations)\['(.+)'\]")


class Unknown(ValueError):
    """The field can't be had; the message is the kubelet's."""


def field(pod: Obj, path: str, *, ip: str, host_ip: str) -> str:
    """The text of a field. Raises Unknown."""
    keyed = _KEYED.fullmatch(path)
    if keyed:
        return str((objects.meta(pod).get(keyed[1]) or {}).get(keyed[2], ""))
    spec = pod.get("spec") or {}
    known = {
        "metadata.name": objects.name(pod),
        "metadata.namespace": objects.namespace(pod),
        "metadata.uid": objects.uid(pod),
        "metadata.labels": _lines(objects.labels(pod)),
        "metadata.annotations": _lines(objects.annotations(pod)),
        "spec.nodeName": spec.get("nodeName", ""),
        "spec.serviceAccountName": spec.get("serviceAccountName", ""),
        "status.hostIP": host_ip,
        "status.hostIPs": host_ip,
        "status.podIP": ip,
        "status.podIPs": ip,
    }
    if path not in known:
        raise Unknown(f"unsupported fieldPath: {path}")
    return str(known[path])


def resource(pod: Obj, selector: Obj, *, container: str, allocatable: Mapping[str, str]) -> str:
    """A resourceFieldRef: an amount divided by its divisor, rounded up. Raises Unknown.

    A limit that was not set is what the node has to give; a request that was not set is the limit, else 0.
    """
    wanted = selector.get("containerName") or container
    spec = pod.get("spec") or {}
    everyone = [*(spec.get("containers") or []), *(spec.get("initContainers") or [])]
    found = next((one for one in everyone if one["name"] == wanted), None)
    if found is None:
        raise Unknown(f"container {wanted} not found")
    kind, _, name = str(selector.get("resource", "")).partition(".")
    if kind not in ("limits", "requests") or not name:
        raise Unknown(f"unsupported container resource : {selector.get('resource')}")
    resources = found.get("resources") or {}
    value = (resources.get(kind) or {}).get(name)
    if value is None and kind == "limits":
        value = allocatable.get(name, "0")
    amount = quantity.of(value or "0")
    divisor = quantity.of(selector.get("divisor") or "0")
    step = divisor.nano or quantity.NANO
    return str(-(-amount.nano // step))


def _lines(pairs: Mapping[str, str]) -> str:
    """``key="value"`` a line, in the order of the keys."""
    return "\n".join(f"{key}={json.dumps(str(value), ensure_ascii=False)}" for key, value in sorted(pairs.items()))
