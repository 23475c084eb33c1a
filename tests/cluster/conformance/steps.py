"""The script: API interactions as data, the same for every cluster. Each is a request; its answer is what is compared.

Everything happens in the namespace ``conformance`` and in cluster-scoped objects whose names begin with it. Workloads ask
for no pods, so that no two clusters can differ by their speed.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

NAMESPACE = "conformance"
LIMITED = "conformance-limits"
"""A second namespace, in which there are limits."""
CLUSTER_WIDE = (
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.conformance.example.com",
    "/apis/rbac.authorization.k8s.io/v1/clusterroles/conformance-all",
    "/apis/rbac.authorization.k8s.io/v1/clusterroles/conformance-part",
    f"/api/v1/namespaces/{LIMITED}",
)
"""What the script makes outside its namespace."""
HELD = ("held", "holds-the-namespace", "kept", "child")
"""Its configmaps that have finalizers."""
MERGE, JSON, STRATEGIC, APPLY = (
    "application/merge-patch+json",
    "application/json-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
)
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
Body = dict[str, Any] | list[Any] | str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One request. ``user``: '' the administrator, else a service account of the namespace. ``until``: the answer is
    asked for again until this path in it has a value, or with ``path=value`` that value (the work of a controller).

    ``{rv:NAME}`` in a path or body is the resourceVersion that the answer of the step NAME had, likewise ``{uid:NAME}``
    and ``{continue:NAME}``; ``{token:ACCOUNT}`` is a token of a service account; ``{version:GROUP/RESOURCE}`` the group
    and version under which the cluster has that resource.
    """

    name: str
    method: str
    path: str
    body: Body = None
    type: str = "application/json"
    accept: str = "application/json"
    user: str = ""
    token: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    until: str = ""
    gone: bool = False  # asked again until it is 404
    watch: bool = False  # the answer is a list of events
    ignore: tuple[str, ...] = field(default=())


def get(name: str, path: str, **more: Any) -> Step:
    return Step(name=name, method="GET", path=path, **more)


def post(name: str, path: str, body: Body, **more: Any) -> Step:
    return Step(name=name, method="POST", path=path, body=body, **more)


def put(name: str, path: str, body: Body, **more: Any) -> Step:
    return Step(name=name, method="PUT", path=path, body=body, **more)


def patch(name: str, path: str, body: Body, how: str = MERGE, **more: Any) -> Step:
    return Step(name=name, method="PATCH", path=path, body=body, type=how, **more)


def delete(name: str, path: str, body: Body = None, **more: Any) -> Step:
    return Step(name=name, method="DELETE", path=path, body=body, **more)


def core(resource: str, name: str = "", query: str = "") -> str:
    return _path(f"/api/v1/namespaces/{NAMESPACE}/{resource}", name, query)


def grouped(group_version: str, resource: str, name: str = "", query: str = "") -> str:
    return _path(f"/apis/{group_version}/namespaces/{NAMESPACE}/{resource}", name, query)


def cluster(prefix: str, resource: str, name: str = "", query: str = "") -> str:
    return _path(f"{prefix}/{resource}", name, query)


def _path(path: str, name: str, query: str) -> str:
    return f"{path}{f'/{name}' if name else ''}{f'?{query}' if query else ''}"


def meta(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, **more}


def template(**spec: Any) -> dict[str, Any]:
    container = {"name": "main", "image": "nginx"}
    return {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [container], **spec}}


SELECTOR = {"matchLabels": {"app": "a"}}


def deployment(name: str = "bad", **spec: Any) -> dict[str, Any]:
    """A Deployment that asks for no pods."""
    whole = {"replicas": 0, "selector": SELECTOR, "template": template(), **spec}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta(name), "spec": whole}


def pod(name: str = "bad", /, labels: dict[str, str] | None = None, **spec: Any) -> dict[str, Any]:
    """A pod that no node takes."""
    container = {"name": "main", "image": "nginx"}
    whole = {"containers": [container], "nodeSelector": {"no": "where"}, **spec}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": meta(name, **({"labels": labels} if labels else {})),
        "spec": whole,
    }


_RBAC = "rbac.authorization.k8s.io"

# (name, API path prefix, plural, kind, apiVersion, the rest of the object, a strategic patch that changes something)
KINDS: list[tuple[str, str, str, str, dict[str, Any], dict[str, Any]]] = [
    ("configmaps", "/api/v1", "ConfigMap", "v1", {"data": {"a": "1"}}, {"data": {"b": "2"}}),
    ("secrets", "/api/v1", "Secret", "v1", {"stringData": {"a": "geheim"}}, {"data": {"b": "Mg=="}}),
    ("services", "/api/v1", "Service", "v1", {"spec": {"selector": {"app": "a"}, "ports": [{"port": 80}]}}, {"spec": {"selector": {"tier": "b"}}}),
    ("serviceaccounts", "/api/v1", "ServiceAccount", "v1", {}, {"automountServiceAccountToken": False}),
    ("endpoints", "/api/v1", "Endpoints", "v1", {"subsets": [{"addresses": [{"ip": "10.9.8.7"}], "ports": [{"port": 80}]}]}, {"metadata": {"labels": {"x": "y"}}}),
    ("limitranges", "/api/v1", "LimitRange", "v1", {"spec": {"limits": [{"type": "Container", "max": {"cpu": "64"}}]}}, {"metadata": {"labels": {"x": "y"}}}),
    ("resourcequotas", "/api/v1", "ResourceQuota", "v1", {"spec": {"hard": {"count/leases.coordination.k8s.io": "900"}}}, {"spec": {"hard": {"secrets": "900"}}}),
    ("podtemplates", "/api/v1", "PodTemplate", "v1", {"template": template()}, {"metadata": {"labels": {"x": "y"}}}),
    ("deployments", "/apis/apps/v1", "Deployment", "apps/v1", {"spec": {"replicas": 0, "selector": SELECTOR, "template": template()}}, {"spec": {"template": {"spec": {"containers": [{"name": "main", "env": [{"name": "A", "value": "1"}]}]}}}}),
    ("replicasets", "/apis/apps/v1", "ReplicaSet", "apps/v1", {"spec": {"replicas": 0, "selector": SELECTOR, "template": template()}}, {"spec": {"minReadySeconds": 3}}),
    ("statefulsets", "/apis/apps/v1", "StatefulSet", "apps/v1", {"spec": {"replicas": 0, "serviceName": "s", "selector": SELECTOR, "template": template()}}, {"spec": {"updateStrategy": {"rollingUpdate": {"partition": 2}}}}),
    ("daemonsets", "/apis/apps/v1", "DaemonSet", "apps/v1", {"spec": {"selector": SELECTOR, "template": template(nodeSelector={"no": "where"})}}, {"spec": {"minReadySeconds": 3}}),
    ("jobs", "/apis/batch/v1", "Job", "batch/v1", {"spec": {"parallelism": 0, "template": template(restartPolicy="Never")}}, {"spec": {"activeDeadlineSeconds": 300}}),
    ("roles", f"/apis/{_RBAC}/v1", "Role", f"{_RBAC}/v1", {"rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]}, {"metadata": {"labels": {"x": "y"}}}),
    ("rolebindings", f"/apis/{_RBAC}/v1", "RoleBinding", f"{_RBAC}/v1", {"roleRef": {"apiGroup": _RBAC, "kind": "Role", "name": "r"}, "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": NAMESPACE}]}, {"metadata": {"annotations": {"x": "y"}}}),
    ("leases", "/apis/coordination.k8s.io/v1", "Lease", "coordination.k8s.io/v1", {"spec": {"holderIdentity": "me", "leaseDurationSeconds": 15}}, {"spec": {"holderIdentity": "you"}}),
    ("networkpolicies", "/apis/networking.k8s.io/v1", "NetworkPolicy", "networking.k8s.io/v1", {"spec": {"podSelector": {}}}, {"spec": {"policyTypes": ["Ingress", "Egress"]}}),
    ("ingresses", "/apis/networking.k8s.io/v1", "Ingress", "networking.k8s.io/v1", {"spec": {"defaultBackend": {"service": {"name": "a", "port": {"number": 80}}}}}, {"metadata": {"labels": {"x": "y"}}}),
]  # fmt: skip


# What controllers write a moment later: whether an answer has it already is a matter of speed. It is compared once, when it is there.
_SETTLED = {
    "deployments": "status.conditions.1", "replicasets": "status.observedGeneration", "statefulsets": "status.updateRevision",
    "daemonsets": "status.observedGeneration", "jobs": "", "resourcequotas": "status.used", "serviceaccounts": "",
}  # fmt: skip
_MOMENTS_LATER = (
    *("status", "metadata.annotations", "items[0].status", "items[0].metadata.annotations", "rows[0].cells"),
    *("rows[0].object.metadata.annotations", "secrets", "items[0].secrets"),
)


def life(
    plural: str, prefix: str, kind: str, version: str, rest: dict[str, Any], patch: dict[str, Any]
) -> Iterator[Step]:
    """Everything that can be done with one object of a kind, from creation to deletion."""
    where = f"{prefix}/namespaces/{NAMESPACE}/{plural}"
    one = f"{where}/a"
    obj = {"apiVersion": version, "kind": kind, "metadata": meta("a", labels={"kind": plural}), **rest}
    settled = _SETTLED.get(plural, "")
    ignore = _MOMENTS_LATER if plural in _SETTLED else ()

    def step(name: str, method: str, path: str, **more: Any) -> Step:
        return Step(name=f"{plural} {name}", method=method, path=path, **{"ignore": ignore, **more})

    yield step("create dry-run", "POST", f"{where}?dryRun=All&fieldManager=c", body=obj)
    yield step("create", "POST", f"{where}?fieldManager=c", body=obj)
    yield step("create again", "POST", where, body=obj)
    yield step("get", "GET", one)
    if settled:
        yield step("get when its controller has seen it", "GET", one, until=settled, ignore=())
    yield step("get another", "GET", f"{where}/none")
    yield step("list", "GET", f"{where}?labelSelector=kind%3D{plural}")
    yield step("list none", "GET", f"{where}?labelSelector=kind%21%3D{plural},kind")
    yield step("strategic patch", "PATCH", f"{one}?fieldManager=s", body=patch, type=STRATEGIC)
    yield step("merge patch", "PATCH", one, type=MERGE, body={"metadata": {"labels": {"kind": None, "merged": "yes"}}})
    yield step(
        "JSON patch", "PATCH", one, type=JSON, body=[{"op": "add", "path": "/metadata/labels/jsoned", "value": "yes"}]
    )
    yield step(
        "apply",
        "PATCH",
        f"{one}?fieldManager=ssa",
        type=APPLY,
        body={"apiVersion": version, "kind": kind, "metadata": meta("a", labels={"applied": "yes"})},
    )
    yield step("patch of another", "PATCH", f"{where}/none", type=MERGE, body={})
    yield step("get after patches", "GET", one)
    yield step("table", "GET", one, accept="application/json;as=Table;v=v1;g=meta.k8s.io,application/json")
    yield step("update with an old version", "PUT", one, body={**obj, "metadata": meta("a", resourceVersion="1")})
    yield step("delete", "DELETE", f"{one}?propagationPolicy=Background")
    yield step("gone", "GET", one, gone=True)
    yield step("delete again", "DELETE", one)
