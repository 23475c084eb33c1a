"""``pods/<name>/log``: what a container has written, from the node that ran it.

Source: k8s.io/kubernetes/pkg/registry/core/pod/strategy.go (LogLocation) and ValidatePodLogOptions.
"""

from datetime import datetime

from starlette.responses import Response

from litmus.sandbox.apiserver import answers, query
from litmus.sandbox.apiserver.call import Call
from litmus.sandbox.apiserver.requests import truth
from litmus.sandbox.machinery import objects, status
from litmus.sandbox.machinery.objects import Key, Obj
from litmus.sandbox.machinery.status import Cause

from . import kubelet

_FLAGS = ("follow", "previous", "timestamps")
_NUMBERS = {"sinceSeconds": 1, "tailLines": 0, "limitBytes": 1}
_KINDS_OF_CONTAINERS = ("containers", "initContainers", "ephemeralContainers")


async def serve(call: Call) -> Response:
    """Raises Refusal 400, 404, 422 and what the kubelet refuses. 204 while the pod has no node."""
    parameters = _parameters(call)
    pod = call.registry.get(call.known, call.key)
    container = container_of(pod, call.query.get("container", ""))
    node = (pod.get("spec") or {}).get("nodeName")
    if not node:
        empty = Response(status_code=204)
        answers.finish(empty)
        return empty
    if call.registry.store.get("nodes", Key("", node)) is None:
        raise status.not_found("pods", "", node)  # so says a real server: it looks the node up as its pod does
    path = f"/containerLogs/{objects.namespace(pod)}/{objects.name(pod)}/{container}"
    return await kubelet.fetch(call, node, path, parameters, about="pods/log")


def container_of(pod: Obj, asked: str) -> str:
    """The container that is meant: the one asked for, or the only one. Raises Refusal 400."""
    spec, name = pod.get("spec") or {}, objects.name(pod)
    names = {kind: [one["name"] for one in spec.get(kind) or []] for kind in _KINDS_OF_CONTAINERS}
    if asked:
        if not any(asked in known for known in names.values()):
            raise status.bad_request(f"container {asked} is not valid for pod {name}")
        return asked
    if len(names["containers"]) == 1:
        return str(names["containers"][0])
    message = f"a container name must be specified for pod {name}"
    if names["containers"]:
        message += f", choose one of: [{' '.join(names['containers'])}]"
    if names["initContainers"]:
        message += f" or one of the init containers: [{' '.join(names['initContainers'])}]"
    raise status.bad_request(message)


def _parameters(call: Call) -> dict[str, str]:
    """What the kubelet is asked for. Raises Refusal 400 and 422."""
    found = {name: "true" for name in _FLAGS if truth(call.query.get(name))}
    causes: list[Cause] = []
    for name, least in _NUMBERS.items():
        value = query.number(call.query, name)
        if value is None:
            continue
        if value < least:
            bound = "greater than 0" if least else "greater than or equal to 0"
            causes.append(status.invalid_value(name, value, f"must be {bound}"))
        found[name] = str(value)
    since = call.query.get("sinceTime")
    if since:
        found["sinceTime"] = _time(since)
    if since and "sinceSeconds" in found:
        why = "at most one of `sinceTime` or `sinceSeconds` may be specified"
        causes.append(status.forbidden_field("[]", why))
    if causes:
        raise status.invalid("PodLogOptions", "", call.info.name, causes)
    return found


def _time(text: str) -> str:
    try:
        datetime.fromisoformat(text)
    except ValueError as error:
        shown, layout = status.shown(text), '"2006-01-02T15:04:05Z07:00"'
        raise status.bad_request(f'parsing time {shown} as {layout}: cannot parse {shown} as "2006"') from error
    return text
