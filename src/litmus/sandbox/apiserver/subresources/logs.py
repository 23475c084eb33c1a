"""``pods/<name>/log``: what a container has written, from the node that ran it.

Source: k8s.io/kubernetes/pkg/registry/core/pod/strategy.go (LogLocation) and ValidatePodLogOptions.
"""

from datetime import datetime

from starlette.responses import Response

from litmus.sandbox.apiserver import answers, query
from litmus.sandbox.apiserver.call import Call
from litmus.sandbox.apiserver.requests import truth
from litmus.sandbox.apiserver.streams import targets
from litmus.sandbox.machinery import objects, status
from litmus.sandbox.machinery.objects import Key
from litmus.sandbox.machinery.status import Cause

from . import kubelet

_FLAGS = ("follow", "previous", "timestamps")
_NUMBERS = {"sinceSeconds": 1, "tailLines": 0, "limitBytes": 1}


async def serve(call: Call) -> Response:
    """Raises Refusal 400, 404, 422 and what the kubelet refuses. 204 while the pod has no node."""
    parameters = _parameters(call)
    pod = call.registry.get(call.known, call.key)
    container = targets.container(pod, call.query.get("container", ""))
    node = (pod.get("spec") or {}).get("nodeName")
    if not node:
        empty = Response(status_code=204)
        answers.finish(empty)
        return empty
    if call.registry.store.get("nodes", Key("", node)) is None:
        raise status.not_found("pods", "", node)  # so says a real server: it looks the node up as its pod does
    path = f"/containerLogs/{objects.namespace(pod)}/{objects.name(pod)}/{container}"
    return await kubelet.fetch(call, node, path, parameters, about="pods/log")


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
