"""What the method and path of a request are about: a verb on a resource, or a path that is no resource.

Source: k8s.io/apiserver/pkg/endpoints/request/requestinfo.go. The result is what authorisation and dispatch go by.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from litmus.sandbox.machinery import status
from litmus.sandbox.machinery.selectors import fields

_VERBS = {"POST": "create", "GET": "get", "HEAD": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_NAMESPACE_SUBRESOURCES = ("status", "finalize")
_GROUP_DEPTH = 3  # /apis/<group>/<version> is discovery; a resource begins behind it


class BadPath(Exception):
    """A path of which nothing can be made; the server answers 500 with the text, as Kubernetes does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestInfo:
    """A request as rules speak of it.

    ``verb`` is get, list, watch, create, … for a resource and the method in lower case otherwise. ``name`` stands in
    the path; ``selected_name`` is the one object that a field selector limits a list to. ``rest`` is what follows a
    subresource.
    """

    path: str
    method: str
    verb: str
    is_resource: bool = False
    group: str = ""
    version: str = ""
    namespace: str = ""
    resource: str = ""
    subresource: str = ""
    name: str = ""
    selected_name: str = ""
    rest: tuple[str, ...] = ()

    @property
    def authorized_name(self) -> str:
        """The name that ``resourceNames`` of a rule are compared with."""
        return self.name or self.selected_name


def truth(value: str | None) -> bool:
    """A boolean parameter: present means true, unless it says 0 or false."""
    return value is not None and value.lower() not in ("0", "false")


def info(method: str, path: str, query: Mapping[str, str]) -> RequestInfo:
    """Raises BadPath."""
    parts = [part for part in path.split("/") if part]
    plain = RequestInfo(path=path, method=method, verb=method.lower())
    if not parts or parts[0] not in ("api", "apis") or len(parts) < _GROUP_DEPTH:
        return plain
    group = ""
    if parts[0] == "apis":
        if len(parts) <= _GROUP_DEPTH:
            return plain
        group = parts.pop(1)
    version, parts = parts[1], parts[2:]
    verb = _VERBS.get(method, "")
    if parts[0] == "watch":  # the way before ?watch=1
        if len(parts) == 1:
            raise BadPath(f"unable to determine kind and namespace from url, {path}")
        verb, parts = "watch", parts[1:]
    namespace, parts = _namespace(parts)
    name = parts[1] if len(parts) > 1 else ""
    selected = ""
    if not name:
        # Only a read is about the one object that it selects: for other verbs a client could choose any name here.
        selected = _selected_name(query.get("fieldSelector", "")) if verb == "get" else ""
        verb = _of_many(verb, query)
    return RequestInfo(
        path=path,
        method=method,
        verb=verb,
        is_resource=True,
        group=group,
        version=version,
        namespace=namespace,
        resource=parts[0],
        name=name,
        subresource=parts[2] if len(parts) > 2 else "",
        selected_name=selected,
        rest=tuple(parts[3:]),
    )


def _namespace(parts: list[str]) -> tuple[str, list[str]]:
    """The namespace, and the parts that begin with the resource. A namespace itself lies in itself."""
    if parts[0] != "namespaces" or len(parts) == 1:
        return "", parts
    namespace = parts[1]
    inside = parts[2:]
    if inside and inside[0] not in _NAMESPACE_SUBRESOURCES:
        return namespace, inside
    return namespace, parts


def _of_many(verb: str, query: Mapping[str, str]) -> str:
    if verb == "get":
        return "watch" if truth(query.get("watch")) else "list"
    return "deletecollection" if verb == "delete" else verb


def _selected_name(selector: str) -> str:
    try:
        return fields.parse(selector).exact("metadata.name") or ""
    except status.Refusal:
        return ""  # the handler says what is wrong with it
