"""LimitRanger: what containers get when they ask for nothing, and how much one of them may ask for.

Source: documentation "Limit Ranges"; plugin/pkg/admission/limitranger of Kubernetes.
"""

from collections.abc import Callable, Iterable

from litmus.sandbox.machinery import quantity
from litmus.sandbox.machinery.objects import Obj

from . import pod_resources
from .request import Request

ANNOTATION = "kubernetes.io/limit-ranger"
Amounts = dict[str, str]


def admit(request: Request) -> None:
    """Fills in the defaults of containers; raises Refusal 403 when a minimum, maximum or ratio is missed."""
    if request.creates("pods"):
        ranges = request.reader.list("limitranges", request.namespace)
        for found in ranges:
            _fill_in(request.obj, found)
        _check(request, ranges, _pod_mistakes)
    elif request.creates("persistentvolumeclaims"):
        _check(request, request.reader.list("limitranges", request.namespace), _claim_mistakes)


def _fill_in(pod: Obj, found: Obj) -> None:
    limits: Amounts = {}
    requests: Amounts = {}
    for item in _items(found):
        if item.get("type") == "Container":
            limits |= item.get("default") or {}
            requests |= item.get("defaultRequest") or {}
    said: list[str] = []
    for kind, word in (("containers", "container"), ("initContainers", "init container")):
        for container in pod["spec"].get(kind, ()):
            said += _merge(container, limits, requests, f"{word} {container.get('name', '')}")
    if said:
        annotations = pod["metadata"].setdefault("annotations", {})
        annotations[ANNOTATION] = "LimitRanger plugin set: " + "; ".join(said)


def _merge(container: Obj, limits: Amounts, requests: Amounts, about: str) -> list[str]:
    said = []
    resources = container.setdefault("resources", {})
    for kind, word, defaults in (("requests", "request", requests), ("limits", "limit", limits)):
        missing = {name: value for name, value in defaults.items() if name not in resources.get(kind, {})}
        if missing:
            resources[kind] = {**resources.get(kind, {}), **missing}
            said.append(f"{', '.join(sorted(missing))} {word} for {about}")
    return said


def _check(request: Request, ranges: Iterable[Obj], mistakes: Callable[[Obj, Obj], list[str]]) -> None:
    for found in ranges:
        said = [mistake for item in _items(found) for mistake in mistakes(request.obj, item)]
        said = list(dict.fromkeys(said))
        if said:
            raise request.forbidden(said[0] if len(said) == 1 else f"[{', '.join(said)}]")


def _items(found: Obj) -> list[Obj]:
    items: list[Obj] = found["spec"].get("limits") or []
    return items


def _pod_mistakes(pod: Obj, item: Obj) -> list[str]:
    kind = item.get("type", "")
    if kind == "Container":
        said: list[str] = []
        for group in ("containers", "initContainers"):
            for container in pod["spec"].get(group, ()):
                resources = container.get("resources") or {}
                said += _mistakes(item, resources.get("requests") or {}, resources.get("limits") or {})
        return said
    if kind == "Pod":
        return _mistakes(item, pod_resources.total(pod, "requests"), pod_resources.total(pod, "limits"))
    return []


def _claim_mistakes(claim: Obj, item: Obj) -> list[str]:
    if item.get("type") != "PersistentVolumeClaim":
        return []
    return _mistakes(item, claim["spec"]["resources"].get("requests") or {}, {})


def _mistakes(item: Obj, requests: Amounts, limits: Amounts) -> list[str]:
    kind = item["type"]
    said = []
    for name, least in (item.get("min") or {}).items():
        said += _too_little(f"minimum {name} usage per {kind} is {least}", least, requests.get(name), limits.get(name))
    for name, most in (item.get("max") or {}).items():
        only_requests = kind == "PersistentVolumeClaim"
        limit = requests.get(name) if only_requests else limits.get(name)
        word = "request" if only_requests else "limit"
        said += _too_much(f"maximum {name} usage per {kind} is {most}", most, requests.get(name), limit, word)
    for name, ratio in (item.get("maxLimitRequestRatio") or {}).items():
        said += _too_steep(f"{name} max limit to request ratio per {kind} is {ratio}", ratio, requests, limits, name)
    return said


def _too_little(rule: str, least: str, request: str | None, limit: str | None) -> list[str]:
    if request is None:
        return [f"{rule}.  No request is specified"]
    if quantity.of(request) < quantity.of(least):
        return [f"{rule}, but request is {request}"]
    if limit is not None and quantity.of(limit) < quantity.of(least):
        return [f"{rule}, but limit is {limit}"]
    return []


def _too_much(rule: str, most: str, request: str | None, limit: str | None, word: str) -> list[str]:
    if limit is None:
        return [f"{rule}.  No {word} is specified"]
    if quantity.of(limit) > quantity.of(most):
        return [f"{rule}, but {word} is {limit}"]
    if request is not None and quantity.of(request) > quantity.of(most):
        return [f"{rule}, but request is {request}"]
    return []


def _too_steep(rule: str, ratio: str, requests: Amounts, limits: Amounts, name: str) -> list[str]:
    request, limit = requests.get(name), limits.get(name)
    if request is None or not quantity.of(request).nano:
        return [f"{rule}, but no request is specified or request is 0"]
    if limit is None or not quantity.of(limit).nano:
        return [f"{rule}, but no limit is specified or limit is 0"]
    found = quantity.of(limit).nano / quantity.of(request).nano
    return [f"{rule}, but provided ratio is {found:.6f}"] if found > quantity.of(ratio).nano / quantity.NANO else []
