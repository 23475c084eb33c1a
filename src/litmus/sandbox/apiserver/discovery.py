"""What the server serves: groups, versions and their resources, in the old documents and in the aggregated one.

Source: the documentation "Discovery API"; k8s.io/apiserver/pkg/endpoints/discovery. Clients find every path from here.
"""

import base64
import hashlib
from collections.abc import Iterable, Iterator

import msgspec
from starlette.responses import Response

from litmus.sandbox.apiserver import answers, negotiation
from litmus.sandbox.apiserver.call import Call
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.resources import Catalogue, Resource

_AGGREGATED = "apidiscovery.k8s.io"
_AGGREGATED_VERSIONS = ("v2", "v2beta1")
_LIST = "APIGroupDiscoveryList"
_OF_OBJECTS = ("get", "patch", "update")
_CUSTOM_VERBS = ("delete", "deletecollection", "get", "list", "patch", "create", "update", "watch")
_STREAMED = ("create", "get")
# Subresource → the kind that goes over the wire, as group, version, kind; None for the kind of the resource; its verbs.
_SUBRESOURCES: dict[str, tuple[tuple[str, str, str] | None, tuple[str, ...]]] = {
    "status": (None, _OF_OBJECTS),
    "scale": (("autoscaling", "v1", "Scale"), _OF_OBJECTS),
    "attach": (("", "", "PodAttachOptions"), _STREAMED),
    "binding": (("", "", "Binding"), ("create",)),
    "ephemeralcontainers": (None, _OF_OBJECTS),
    "eviction": (("policy", "v1", "Eviction"), ("create",)),
    "exec": (("", "", "PodExecOptions"), _STREAMED),
    "finalize": (None, ("update",)),
    "log": (None, ("get",)),
    "portforward": (("", "", "PodPortForwardOptions"), _STREAMED),
    "proxy": (("", "", "{kind}ProxyOptions"), ("create", "delete", "get", "patch", "update")),
    "token": (("authentication.k8s.io", "v1", "TokenRequest"), ("create",)),
}


def _resources(catalogue: Catalogue, group: str, version: str) -> list[Resource]:
    found = [one for one in catalogue if (one.group, one.version) == (group, version)]
    return sorted(found, key=lambda one: one.plural)


def _verbs(resource: Resource) -> list[str]:
    if resource.custom:
        return [verb for verb in _CUSTOM_VERBS if verb in resource.verbs]
    return sorted(resource.verbs)


def _subresources(resource: Resource) -> list[str]:
    return list(resource.subresources) if resource.custom else sorted((*resource.subresources, *resource.connects))


def _subresource(resource: Resource, name: str) -> tuple[tuple[str, str, str], tuple[str, ...]]:
    """Group, version ('' for those of the resource) and kind; the verbs."""
    about, verbs = _SUBRESOURCES[name]
    group, version, kind = about or ("", "", resource.kind)
    return (group, version, kind.format(kind=resource.kind)), verbs


def storage_version_hash(resource: Resource) -> str:
    """Tells clients when the stored form of a resource changes. Source: discovery.StorageVersionHash."""
    version = resource.storage_version or resource.version
    digest = hashlib.sha256(f"{resource.group}/{version}/{resource.kind}".encode()).digest()
    return base64.b64encode(digest[:8]).decode()


def resource_list(catalogue: Catalogue, group: str, version: str) -> Obj | None:
    """The APIResourceList of a group and version, None when nothing is there."""
    found = _resources(catalogue, group, version)
    if not found:
        return None
    group_version = found[0].group_version
    kind: Obj = {"kind": "APIResourceList", **({"apiVersion": "v1"} if group else {}), "groupVersion": group_version}
    return {**kind, "resources": [entry for resource in found for entry in _entries(resource)]}


def _entries(resource: Resource) -> Iterator[Obj]:
    entry: Obj = {
        "name": resource.plural,
        "singularName": resource.singular,
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": _verbs(resource),
    }
    if resource.short_names:
        entry["shortNames"] = list(resource.short_names)
    if resource.categories:
        entry["categories"] = list(resource.categories)
    if {"create", "list"} <= set(resource.verbs):
        entry["storageVersionHash"] = storage_version_hash(resource)
    yield entry
    for name in _subresources(resource):
        (group, version, kind), verbs = _subresource(resource, name)
        place = {"group": group, "version": version} if version else {}
        yield {
            "name": f"{resource.plural}/{name}",
            "singularName": "",
            "namespaced": resource.namespaced,
            **place,
            "kind": kind,
            "verbs": list(verbs),
        }


def groups(catalogue: Catalogue) -> list[Obj]:
    """The named groups, each as an APIGroup without kind and apiVersion."""
    return [_group(name, versions) for name, versions in catalogue.groups().items() if name]


def _group(name: str, versions: Iterable[str]) -> Obj:
    listed = [{"groupVersion": f"{name}/{version}", "version": version} for version in versions]
    return {"name": name, "versions": listed, "preferredVersion": listed[0]}


def aggregated(catalogue: Catalogue, version: str, *, core: bool) -> Obj:
    """The APIGroupDiscoveryList of /api (``core``) or /apis, in v2 or v2beta1."""
    items = [
        {
            "metadata": {"name": name, "creationTimestamp": None} if name else {"creationTimestamp": None},
            "versions": [_discovered(catalogue, name, one) for one in versions],
        }
        for name, versions in catalogue.groups().items()
        if core != bool(name)
    ]
    return {"kind": _LIST, "apiVersion": f"{_AGGREGATED}/{version}", "metadata": {}, "items": items}


def _discovered(catalogue: Catalogue, group: str, version: str) -> Obj:
    resources = [_discovered_resource(resource) for resource in _resources(catalogue, group, version)]
    return {"version": version, "resources": resources, "freshness": "Current"}


def _discovered_resource(resource: Resource) -> Obj:
    entry: Obj = {
        "resource": resource.plural,
        "responseKind": {"group": resource.group, "version": resource.version, "kind": resource.kind},
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": resource.singular,
        "verbs": _verbs(resource),
    }
    if resource.short_names:
        entry["shortNames"] = list(resource.short_names)
    if resource.categories:
        entry["categories"] = list(resource.categories)
    subresources = []
    for name in _subresources(resource):
        (group, version, kind), verbs = _subresource(resource, name)
        if not version:
            group, version = resource.group, resource.version
        shown = {"group": group, "version": version, "kind": kind}
        subresources.append({"subresource": name, "responseKind": shown, "verbs": list(verbs)})
    return {**entry, "subresources": subresources} if subresources else entry


def respond(call: Call, parts: list[str]) -> Response | None:
    """Answers /api, /apis and what is below them; None for a path that is no discovery. Raises Refusal 406."""
    catalogue = call.services.catalogue
    if len(parts) == 1:
        return _root(call, core=parts[0] == "api")
    if parts[0] == "api":
        return _document(call, resource_list(catalogue, "", parts[1])) if len(parts) == 2 else None
    name = parts[1]
    versions = catalogue.groups().get(name)
    if not versions:
        return answers.page_not_found()
    if len(parts) == 2:
        return _document(call, {"kind": "APIGroup", "apiVersion": "v1", **_group(name, versions)})
    return _document(call, resource_list(catalogue, name, parts[2])) if len(parts) == 3 else None


def _document(call: Call, content: Obj | None) -> Response | None:
    if content is None:
        return None
    accept = negotiation.negotiate(call.headers.get("accept", ""), pretty=call.pretty)
    return answers.respond(content, accept)


def _root(call: Call, *, core: bool) -> Response:
    transforms = [(_AGGREGATED, version, _LIST) for version in _AGGREGATED_VERSIONS]
    accept = negotiation.negotiate(call.headers.get("accept", ""), transforms=transforms, pretty=call.pretty)
    catalogue = call.services.catalogue
    if accept.transform:
        return _tagged(call, aggregated(catalogue, accept.version, core=core), accept)
    if not core:
        return answers.respond({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups(catalogue)}, accept)
    host, port = call.request.scope.get("server") or ("127.0.0.1", 443)
    addresses = [{"clientCIDR": "0.0.0.0/0", "serverAddress": f"{host}:{port}"}]
    content = {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": addresses}
    return answers.respond(content, accept)


def _tagged(call: Call, content: Obj, accept: negotiation.Accepted) -> Response:
    """With an ETag, so that a client that has it already gets 304 and no body."""
    tag = f'"{hashlib.sha512(msgspec.json.encode(content)).hexdigest().upper()}"'
    headers = {"etag": tag, "vary": "Accept"}
    if call.headers.get("if-none-match") == tag:
        unchanged = Response(status_code=304, headers=headers)
        answers.finish(unchanged)
        return unchanged
    answer = answers.respond(content, accept, headers=headers)
    parameters = f"g={accept.group};v={accept.version};as={accept.transform}"
    answer.headers["content-type"] = f"{accept.media_type};{parameters}"
    return answer
