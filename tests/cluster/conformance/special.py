"""The rest of the script: what is not the same for every kind."""

from collections.abc import Iterator
from typing import Any

from tests.cluster.conformance.steps import (
    APPLY,
    JSON,
    KINDS,
    MERGE,
    NAMESPACE,
    SELECTOR,
    STRATEGIC,
    Step,
    cluster,
    core,
    grouped,
    life,
    meta,
    template,
)

_RBAC = "rbac.authorization.k8s.io/v1"
_APIEXT = "/apis/apiextensions.k8s.io/v1"
_GROUP = "conformance.example.com"
_TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"


def script() -> list[Step]:
    """All steps in their order."""
    steps = [*beginning()]
    for kind in KINDS:
        steps += life(*kind)
    for part in (
        refusals,
        selectors,
        pages,
        deployments,
        finalizers,
        watches,
        custom,
        rights,
        discovery,
        apply,
        ending,
    ):
        steps += part()
    names = [step.name for step in steps]
    assert len(names) == len(set(names)), sorted(name for name in names if names.count(name) > 1)
    return steps


def beginning() -> Iterator[Step]:
    yield Step(name="namespace create", method="POST", path="/api/v1/namespaces", body={"metadata": meta(NAMESPACE)})
    yield Step(name="namespace get", method="GET", path=f"/api/v1/namespaces/{NAMESPACE}")
    yield Step(name="default account", method="GET", path=core("serviceaccounts", "default"), until="metadata.name")
    yield Step(
        name="root certificate", method="GET", path=core("configmaps", "kube-root-ca.crt"), until="metadata.name"
    )


def _bad(name: str, resource: str, body: Any, *, path: str = "") -> Step:
    return Step(name=f"refused: {name}", method="POST", path=path or core(resource), body=body)


def _deployment(name: str = "bad", **spec: Any) -> dict[str, Any]:
    whole = {"replicas": 0, "selector": SELECTOR, "template": template(), **spec}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta(name), "spec": whole}


def _pod(**spec: Any) -> dict[str, Any]:
    container = {"name": "main", "image": "nginx"}
    whole = {"containers": [container], "nodeSelector": {"no": "where"}, **spec}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta("bad"), "spec": whole}


def refusals() -> Iterator[Step]:
    deploy = grouped("apps/v1", "deployments")
    good = {"name": "main", "image": "nginx"}
    yield _bad("no name", "configmaps", {"metadata": {}})
    yield _bad("capital letters", "configmaps", {"metadata": meta("Bad_Name")})
    yield _bad("a name that is too long", "configmaps", {"metadata": meta("a" * 254)})
    yield _bad("a label value", "configmaps", {"metadata": meta("bad", labels={"a": "no spaces please"})})
    yield _bad("a label key", "configmaps", {"metadata": meta("bad", labels={"no spaces": "a"})})
    yield _bad("an annotation key", "configmaps", {"metadata": meta("bad", annotations={"no spaces": "a"})})
    yield _bad("a finalizer", "configmaps", {"metadata": meta("bad", finalizers=["no spaces"])})
    yield _bad("a key of a configmap", "configmaps", {"metadata": meta("bad"), "data": {"no/slash": "a"}})
    yield _bad("another namespace", "configmaps", {"metadata": meta("bad", namespace="default")})
    yield _bad("another kind", "configmaps", {"apiVersion": "v1", "kind": "Secret", "metadata": meta("bad")})
    yield _bad("another version", "configmaps", {"apiVersion": "v9", "kind": "ConfigMap", "metadata": meta("bad")})
    yield _bad("no such namespace", "", {"metadata": meta("bad")}, path="/api/v1/namespaces/nowhere/configmaps")
    yield _bad("no JSON", "configmaps", "{")
    yield _bad("a string for a number", "", _deployment(replicas="three"), path=deploy)
    yield _bad("a number for a string", "configmaps", {"metadata": meta("bad"), "data": {"a": 1}})
    yield _bad(
        "a selector that does not match", "", _deployment(selector={"matchLabels": {"app": "other"}}), path=deploy
    )
    yield _bad("no selector", "", _deployment(selector=None), path=deploy)
    yield _bad("negative replicas", "", _deployment(replicas=-1), path=deploy)
    yield _bad("restart policy of a deployment", "", _deployment(template=template(restartPolicy="Never")), path=deploy)
    yield _bad("no containers", "pods", _pod(containers=[]))
    yield _bad("a container without an image", "pods", _pod(containers=[{"name": "main"}]))
    yield _bad("two containers of a name", "pods", _pod(containers=[good, good]))
    yield _bad("a port out of range", "pods", _pod(containers=[{**good, "ports": [{"containerPort": 70000}]}]))
    yield _bad("a quantity", "pods", _pod(containers=[{**good, "resources": {"limits": {"cpu": "lots"}}}]))
    yield _bad(
        "a request over the limit",
        "pods",
        _pod(containers=[{**good, "resources": {"limits": {"cpu": "1"}, "requests": {"cpu": "2"}}}]),
    )
    yield _bad("a restart policy", "pods", _pod(restartPolicy="Sometimes"))
    yield _bad("a pull policy", "pods", _pod(containers=[{**good, "imagePullPolicy": "Perhaps"}]))
    yield _bad(
        "a mount of no volume", "pods", _pod(containers=[{**good, "volumeMounts": [{"name": "v", "mountPath": "/v"}]}])
    )
    yield _bad(
        "two volumes of a name", "pods", _pod(volumes=[{"name": "v", "emptyDir": {}}, {"name": "v", "emptyDir": {}}])
    )
    yield _bad("an environment variable", "pods", _pod(containers=[{**good, "env": [{"name": "1=", "value": "a"}]}]))
    yield _bad("a probe without a handler", "pods", _pod(containers=[{**good, "livenessProbe": {"periodSeconds": 1}}]))
    yield _bad("a service without ports", "services", {"metadata": meta("bad"), "spec": {"selector": {"a": "b"}}})
    yield _bad("a port of a service", "services", {"metadata": meta("bad"), "spec": {"ports": [{"port": 0}]}})
    yield _bad("a name of a service", "services", {"metadata": meta("1bad"), "spec": {"ports": [{"port": 80}]}})
    yield _bad("an account that is not there", "pods", _pod(serviceAccountName="nobody"))
    yield _bad(
        "a job that restarts",
        "",
        {"metadata": meta("bad"), "spec": {"template": template(restartPolicy="Always")}},
        path=grouped("batch/v1", "jobs"),
    )
    yield _bad(
        "a role binding without a role",
        "",
        {"metadata": meta("bad"), "roleRef": {}},
        path=grouped(_RBAC, "rolebindings"),
    )
    yield _bad("a secret's type", "secrets", {"metadata": meta("bad"), "type": "kubernetes.io/tls", "data": {}})
    yield _bad("base64", "secrets", {"metadata": meta("bad"), "data": {"a": "not base64!"}})
    yield Step(name="refused: a verb", method="POST", path=core("configmaps", "a"), body={})
    yield Step(name="refused: no such resource", method="GET", path=core("nothings"))
    yield Step(name="refused: no such group", method="GET", path="/apis/nothing.example.com/v1/things")
    yield Step(name="refused: a path", method="GET", path="/nothing/here")
    yield Step(name="refused: a media type", method="POST", path=core("configmaps"), type="text/plain", body="a")
    yield Step(
        name="refused: dry run",
        method="POST",
        path=core("configmaps", query="dryRun=Some"),
        body={"metadata": meta("bad")},
    )
    yield Step(name="refused: a wrong token", method="GET", path="/api/v1/namespaces", token="wrong")
    yield Step(name="refused: the default namespace", method="DELETE", path="/api/v1/namespaces/default?dryRun=All")


def selectors() -> Iterator[Step]:
    for name, labels in (("s1", {"app": "a", "tier": "x"}), ("s2", {"app": "b"}), ("s3", {"app": "a"})):
        yield Step(
            name=f"selectors: create {name}",
            method="POST",
            path=core("configmaps"),
            body={"metadata": meta(name, labels=labels)},
        )
    queries = {
        "equal": "labelSelector=app%3Da", "unequal": "labelSelector=app,app%21%3Da", "set": "labelSelector=app%20in%20(a,b),tier",
        "not in": "labelSelector=app,app%20notin%20(b)", "absent": "labelSelector=app,%21tier", "broken": "labelSelector=a%3D%3D%3Db",
        "field name": "fieldSelector=metadata.name%3Ds2", "field not name": "labelSelector=app&fieldSelector=metadata.name%21%3Ds2",
        "unknown field": "fieldSelector=data.a%3D1",
    }  # fmt: skip
    for name, query in queries.items():
        yield Step(name=f"selectors: {name}", method="GET", path=core("configmaps", query=query))
    yield Step(
        name="selectors: pods by node", method="GET", path=core("pods", query="fieldSelector=spec.nodeName%3Dnone")
    )


def pages() -> Iterator[Step]:
    first = core("configmaps", query="labelSelector=app&limit=2")
    yield Step(name="pages: the first", method="GET", path=first)
    yield Step(name="pages: the second", method="GET", path=f"{first}&continue={{continue:pages: the first}}")
    yield Step(name="pages: a broken token", method="GET", path=f"{first}&continue=broken")
    yield Step(name="pages: table", method="GET", path=first, accept=_TABLE)
    yield Step(name="delete collection", method="DELETE", path=core("configmaps", query="labelSelector=tier"))
    yield Step(name="after delete collection", method="GET", path=core("configmaps", query="labelSelector=app"))


def deployments() -> Iterator[Step]:
    path = grouped("apps/v1", "deployments")
    yield Step(name="deployment create", method="POST", path=path, body=_deployment("d"))
    yield Step(name="deployment status", method="GET", path=f"{path}/d", until="status.observedGeneration")
    yield Step(name="deployment scale get", method="GET", path=f"{path}/d/scale")
    yield Step(name="deployment pause", method="PATCH", path=f"{path}/d", type=MERGE, body={"spec": {"paused": True}})
    yield Step(
        name="deployment scale patch",
        method="PATCH",
        path=f"{path}/d/scale",
        type=MERGE,
        body={"spec": {"replicas": 0}},
    )
    yield Step(
        name="deployment scale refused",
        method="PATCH",
        path=f"{path}/d/scale",
        type=MERGE,
        body={"spec": {"replicas": -1}},
    )
    yield Step(
        name="deployment selector is fixed",
        method="PATCH",
        path=f"{path}/d",
        type=MERGE,
        body={"spec": {"selector": {"matchLabels": {"x": "y"}}, "template": {"metadata": {"labels": {"x": "y"}}}}},
    )
    yield Step(
        name="deployment strategic merge of containers",
        method="PATCH",
        path=f"{path}/d",
        type=STRATEGIC,
        body={"spec": {"template": {"spec": {"containers": [{"name": "side", "image": "busybox"}]}}}},
    )
    yield Step(
        name="deployment strategic delete of a container",
        method="PATCH",
        path=f"{path}/d",
        type=STRATEGIC,
        body={"spec": {"template": {"spec": {"containers": [{"name": "side", "$patch": "delete"}]}}}},
    )
    yield Step(
        name="deployment strategic retain keys",
        method="PATCH",
        path=f"{path}/d",
        type=STRATEGIC,
        body={"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}},
    )
    yield Step(
        name="deployment JSON patch test fails",
        method="PATCH",
        path=f"{path}/d",
        type=JSON,
        body=[{"op": "test", "path": "/spec/replicas", "value": 7}],
    )
    yield Step(
        name="deployment JSON patch without a path",
        method="PATCH",
        path=f"{path}/d",
        type=JSON,
        body=[{"op": "remove", "path": "/spec/none"}],
    )
    yield Step(
        name="deployment patch of the status by the main resource",
        method="PATCH",
        path=f"{path}/d",
        type=MERGE,
        body={"status": {"replicas": 99}},
    )
    yield Step(
        name="deployment patch of the name",
        method="PATCH",
        path=f"{path}/d",
        type=MERGE,
        body={"metadata": {"name": "other"}},
    )
    yield Step(
        name="deployment patch with an old version",
        method="PATCH",
        path=f"{path}/d",
        type=MERGE,
        body={"metadata": {"resourceVersion": "1"}},
    )
    yield Step(name="deployment patch that changes nothing", method="PATCH", path=f"{path}/d", type=MERGE, body={})
    yield Step(
        name="deployment delete in the foreground",
        method="DELETE",
        path=f"{path}/d",
        body={"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Foreground"},
    )
    yield Step(name="deployment gone", method="GET", path=f"{path}/d", gone=True)


def finalizers() -> Iterator[Step]:
    path = core("configmaps", "held")
    held = {"metadata": meta("held", finalizers=["example.com/hold"])}
    yield Step(name="finalizer: create", method="POST", path=core("configmaps"), body=held)
    yield Step(
        name="finalizer: delete with another uid", method="DELETE", path=path, body={"preconditions": {"uid": "no"}}
    )
    yield Step(name="finalizer: delete", method="DELETE", path=path)
    yield Step(name="finalizer: still there", method="GET", path=path)
    yield Step(
        name="finalizer: no new ones",
        method="PATCH",
        path=path,
        type=JSON,
        body=[{"op": "add", "path": "/metadata/finalizers/-", "value": "example.com/more"}],
    )
    yield Step(name="finalizer: create meanwhile", method="POST", path=core("configmaps"), body=held)
    yield Step(name="finalizer: remove", method="PATCH", path=path, type=MERGE, body={"metadata": {"finalizers": None}})
    yield Step(name="finalizer: gone", method="GET", path=path)
    yield Step(
        name="generated name",
        method="POST",
        path=core("configmaps", query="dryRun=All"),
        body={"metadata": {"generateName": "a-"}},
    )
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": "{uid:owner: create}"}
    yield Step(name="owner: create", method="POST", path=core("configmaps"), body={"metadata": meta("owner")})
    yield Step(
        name="owner: dependent",
        method="POST",
        path=core("configmaps"),
        body={"metadata": meta("dependent", ownerReferences=[owner])},
    )
    yield Step(
        name="owner: delete",
        method="DELETE",
        path=core("configmaps", "owner"),
        body={"propagationPolicy": "Background"},
    )
    yield Step(name="owner: the dependent follows", method="GET", path=core("configmaps", "dependent"), gone=True)


def watches() -> Iterator[Step]:
    label = "labelSelector=watched%3Dyes"
    yield Step(
        name="watch: create",
        method="POST",
        path=core("configmaps"),
        body={"metadata": meta("w", labels={"watched": "yes"})},
    )
    yield Step(name="watch: patch", method="PATCH", path=core("configmaps", "w"), type=MERGE, body={"data": {"a": "1"}})
    yield Step(
        name="watch: leaves the selector",
        method="PATCH",
        path=core("configmaps", "w"),
        type=MERGE,
        body={"metadata": {"labels": {"watched": "no"}}},
    )
    yield Step(
        name="watch: enters the selector",
        method="PATCH",
        path=core("configmaps", "w"),
        type=MERGE,
        body={"metadata": {"labels": {"watched": "yes"}}},
    )
    yield Step(name="watch: delete", method="DELETE", path=core("configmaps", "w"))
    yield Step(
        name="watch: everything since",
        method="GET",
        watch=True,
        path=core("configmaps", query=f"watch=1&timeoutSeconds=1&{label}&resourceVersion={{rv:watch: create}}"),
    )
    yield Step(
        name="watch: by name",
        method="GET",
        watch=True,
        path=core(
            "configmaps",
            query="watch=1&timeoutSeconds=1&fieldSelector=metadata.name%3Dw&resourceVersion={rv:watch: enters the selector}",
        ),
    )
    yield Step(
        name="watch: what there is",
        method="GET",
        watch=True,
        path=core("serviceaccounts", query="watch=1&timeoutSeconds=1&resourceVersion=0"),
    )
    yield Step(
        name="watch: a broken version",
        method="GET",
        watch=True,
        path=core("configmaps", query="watch=1&timeoutSeconds=1&resourceVersion=x"),
    )
    yield Step(
        name="watch: table",
        method="GET",
        watch=True,
        accept=_TABLE,
        path=core("configmaps", query=f"watch=1&timeoutSeconds=1&{label}&resourceVersion={{rv:watch: create}}"),
    )


def _definition(**schema: Any) -> dict[str, Any]:
    names = {"plural": "things", "singular": "thing", "kind": "Thing", "shortNames": ["th"]}
    spec = {
        "type": "object", "required": ["size"],
        "properties": {
            "size": {"type": "integer", "minimum": 1, "maximum": 9}, "color": {"type": "string", "enum": ["red", "blue"], "default": "red"},
            "name": {"type": "string", "pattern": "^[a-z]+$", "maxLength": 5}, "tags": {"type": "array", "items": {"type": "string"}, "maxItems": 2},
            "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}, "either": {"x-kubernetes-int-or-string": True},
        },
    }  # fmt: skip
    status = {"type": "object", "properties": {"ready": {"type": "boolean"}, "replicas": {"type": "integer"}}}
    properties = {"spec": spec, "status": status}
    columns = [
        {"name": "Size", "type": "integer", "jsonPath": ".spec.size"},
        {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
    ]
    version = {
        "name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object", "properties": properties, **schema}},
        "subresources": {"status": {}}, "additionalPrinterColumns": columns,
    }  # fmt: skip
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": meta(f"things.{_GROUP}"),
        "spec": {"group": _GROUP, "scope": "Namespaced", "names": names, "versions": [version]},
    }


def _thing(name: str = "t", /, **spec: Any) -> dict[str, Any]:
    return {"apiVersion": f"{_GROUP}/v1", "kind": "Thing", "metadata": meta(name), "spec": {"size": 3, **spec}}


def custom() -> Iterator[Step]:
    crds = cluster(_APIEXT, "customresourcedefinitions")
    one = f"{crds}/things.{_GROUP}"
    things = grouped(f"{_GROUP}/v1", "things")
    wrong_name = _definition()
    wrong_name["metadata"] = meta("wrong.example.com")
    yield Step(name="crd: a wrong name", method="POST", path=crds, body=wrong_name)
    yield Step(
        name="crd: no structural schema",
        method="POST",
        path=crds,
        body=_definition(properties={"spec": {"properties": {}}}),
    )
    yield Step(name="crd: create", method="POST", path=crds, body=_definition())
    yield Step(name="crd: established", method="GET", path=one, until="status.conditions.1")
    yield Step(name="crd: served", method="GET", path=things, until="kind=ThingList")
    yield Step(name="crd: discovery", method="GET", path=f"/apis/{_GROUP}/v1")
    yield Step(name="custom: create", method="POST", path=things, body=_thing(either=7))
    yield Step(name="custom: defaults", method="GET", path=f"{things}/t")
    yield Step(
        name="custom: unknown fields are pruned",
        method="POST",
        path=things,
        body=_thing("p", unknown=1, free={"kept": 1}),
    )
    yield Step(
        name="custom: the status is dropped",
        method="POST",
        path=f"{things}?dryRun=All",
        body={**_thing("q"), "status": {"ready": True}},
    )
    mistakes: dict[str, dict[str, Any]] = {
        "too large": {"size": 10}, "too small": {"size": 0}, "an enum": {"color": "green"}, "a pattern": {"name": "ABC"}, "too long": {"name": "abcdef"},
        "too many": {"tags": ["a", "b", "c"]}, "a type": {"size": "three"}, "several": {"size": 10, "color": "green"}, "null": {"size": None},
        "int or string": {"either": True},
    }  # fmt: skip
    for name, spec in mistakes.items():
        yield Step(name=f"custom refused: {name}", method="POST", path=things, body=_thing("bad", **spec))
    yield Step(name="custom refused: no size", method="POST", path=things, body={**_thing("bad"), "spec": {}})
    yield Step(name="custom refused: strategic patch", method="PATCH", path=f"{things}/t", type=STRATEGIC, body={})
    yield Step(name="custom refused: update without a version", method="PUT", path=f"{things}/t", body=_thing(size=4))
    yield Step(
        name="custom: update",
        method="PUT",
        path=f"{things}/t",
        body={**_thing(size=4), "metadata": meta("t", resourceVersion="{rv:custom: create}")},
    )
    yield Step(
        name="custom: the main resource leaves the status alone",
        method="PATCH",
        path=f"{things}/t",
        type=MERGE,
        body={"status": {"ready": True}},
    )
    yield Step(
        name="custom: the status subresource leaves the rest alone",
        method="PATCH",
        path=f"{things}/t/status",
        type=MERGE,
        body={"status": {"ready": True}, "spec": {"size": 9}},
    )
    yield Step(
        name="custom: apply",
        method="PATCH",
        path=f"{things}/t?fieldManager=m",
        type=APPLY,
        body=_thing(size=4, color="blue"),
    )
    yield Step(
        name="custom: apply conflict",
        method="PATCH",
        path=f"{things}/t?fieldManager=n",
        type=APPLY,
        body=_thing(size=5),
    )
    yield Step(
        name="custom: apply by force",
        method="PATCH",
        path=f"{things}/t?fieldManager=n&force=true",
        type=APPLY,
        body=_thing(size=5),
    )
    yield Step(name="custom: table", method="GET", path=things, accept=_TABLE)
    yield Step(name="custom: list", method="GET", path=things)
    yield Step(name="crd: delete", method="DELETE", path=one)
    yield Step(name="crd: gone", method="GET", path=one, gone=True)


def rights() -> Iterator[Step]:
    sa = {"kind": "ServiceAccount", "name": "limited", "namespace": NAMESPACE}
    role = {"metadata": meta("limited"), "rules": [
        {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list"]},
        {"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["mine"], "verbs": ["get"]},
        {"apiGroups": ["apps"], "resources": ["deployments/scale"], "verbs": ["*"]},
    ]}  # fmt: skip
    binding = {
        "metadata": meta("limited"),
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "limited"},
        "subjects": [sa],
    }
    yield Step(name="rbac: account", method="POST", path=core("serviceaccounts"), body={"metadata": meta("limited")})
    yield Step(name="rbac: nothing yet", method="GET", path=core("configmaps"), user="limited")
    yield Step(name="rbac: role", method="POST", path=grouped(_RBAC, "roles"), body=role)
    yield Step(name="rbac: binding", method="POST", path=grouped(_RBAC, "rolebindings"), body=binding)
    yield Step(
        name="rbac: list",
        method="GET",
        path=core("configmaps", query="labelSelector=none"),
        user="limited",
        until="kind=ConfigMapList",
    )
    requests = {
        "create": ("POST", core("configmaps"), {"metadata": meta("no")}), "other resource": ("GET", core("pods"), None),
        "other namespace": ("GET", "/api/v1/namespaces/default/configmaps", None), "all namespaces": ("GET", "/api/v1/configmaps", None),
        "named": ("GET", core("secrets", "mine"), None), "not named": ("GET", core("secrets", "other"), None), "list of named": ("GET", core("secrets"), None),
        "subresource": ("GET", grouped("apps/v1", "deployments", "none/scale"), None), "not the resource": ("GET", grouped("apps/v1", "deployments", "none"), None),
        "cluster scope": ("GET", "/api/v1/nodes", None), "delete": ("DELETE", core("configmaps", "none"), None), "a path": ("GET", "/metrics", None),
        "patch": ("PATCH", core("configmaps", "none"), {}), "watch": ("GET", core("configmaps", query="watch=1&timeoutSeconds=1"), None),
        "escalation": ("POST", grouped(_RBAC, "roles"), {"metadata": meta("more"), "rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]}),
    }  # fmt: skip
    for name, (method, path, body) in requests.items():
        kind = MERGE if method == "PATCH" else "application/json"
        yield Step(name=f"rbac: {name}", method=method, path=path, body=body, user="limited", type=kind)
    review = {"resourceAttributes": {"namespace": NAMESPACE, "verb": "get", "resource": "configmaps"}}
    reviews = "/apis/authorization.k8s.io/v1"
    ours = f"system:serviceaccount:{NAMESPACE}:limited"
    yield Step(
        name="review: self",
        method="POST",
        path=f"{reviews}/selfsubjectaccessreviews",
        body={"kind": "SelfSubjectAccessReview", "apiVersion": "authorization.k8s.io/v1", "spec": review},
        user="limited",
        ignore=("status.reason",),
    )
    yield Step(
        name="review: other",
        method="POST",
        path=f"{reviews}/subjectaccessreviews",
        body={"kind": "SubjectAccessReview", "apiVersion": "authorization.k8s.io/v1", "spec": {**review, "user": ours}},
        ignore=("status.reason",),
    )
    yield Step(
        name="review: denied",
        method="POST",
        path=f"{reviews}/subjectaccessreviews",
        body={
            "kind": "SubjectAccessReview",
            "apiVersion": "authorization.k8s.io/v1",
            "spec": {**review, "user": "nobody"},
        },
    )


def discovery() -> Iterator[Step]:
    for path in (
        "/api",
        "/api/v1",
        "/apis/apps/v1",
        "/apis/batch/v1",
        "/apis/rbac.authorization.k8s.io/v1",
        "/apis/apps",
        "/version",
        "/healthz",
    ):
        yield Step(name=f"discovery: {path}", method="GET", path=path)


def apply() -> Iterator[Step]:
    path = core("configmaps", "applied")
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta("applied")}
    yield Step(
        name="apply: creates",
        method="PATCH",
        path=f"{path}?fieldManager=one",
        type=APPLY,
        body={**body, "data": {"a": "1", "b": "1"}},
    )
    yield Step(
        name="apply: the same again",
        method="PATCH",
        path=f"{path}?fieldManager=one",
        type=APPLY,
        body={**body, "data": {"a": "1", "b": "1"}},
    )
    yield Step(
        name="apply: another manager",
        method="PATCH",
        path=f"{path}?fieldManager=two",
        type=APPLY,
        body={**body, "data": {"c": "1"}},
    )
    yield Step(
        name="apply: conflict",
        method="PATCH",
        path=f"{path}?fieldManager=two",
        type=APPLY,
        body={**body, "data": {"a": "2", "c": "1"}},
    )
    yield Step(
        name="apply: force",
        method="PATCH",
        path=f"{path}?fieldManager=two&force=true",
        type=APPLY,
        body={**body, "data": {"a": "2", "c": "1"}},
    )
    yield Step(
        name="apply: removes what it no longer has",
        method="PATCH",
        path=f"{path}?fieldManager=one",
        type=APPLY,
        body={**body, "data": {}},
    )
    yield Step(name="apply: no manager", method="PATCH", path=path, type=APPLY, body=body)
    yield Step(name="apply: managed fields", method="GET", path=path)
    yield Step(
        name="apply: of another name",
        method="PATCH",
        path=f"{path}?fieldManager=one",
        type=APPLY,
        body={**body, "metadata": meta("other")},
    )


def ending() -> Iterator[Step]:
    path = f"/api/v1/namespaces/{NAMESPACE}"
    yield Step(name="namespace delete", method="DELETE", path=path)
    yield Step(
        name="namespace refuses new objects",
        method="POST",
        path=core("configmaps"),
        body={"metadata": meta("late")},
        ignore=("details.causes",),
    )
    yield Step(name="namespace gone", method="GET", path=path, gone=True)
