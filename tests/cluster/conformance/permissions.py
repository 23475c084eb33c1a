"""Who may do what, and how one asks for it."""

from collections.abc import Iterator
from typing import Any

from tests.cluster.conformance.steps import MERGE, NAMESPACE, Step, core, delete, get, grouped, meta, patch, post

_RBAC = "rbac.authorization.k8s.io/v1"


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


def reviews() -> Iterator[Step]:
    """More questions about permissions."""
    access = "/apis/authorization.k8s.io/v1"
    local = f"{access}/namespaces/{NAMESPACE}/localsubjectaccessreviews"
    ours = f"system:serviceaccount:{NAMESPACE}:limited"

    def review(kind: str, **spec: Any) -> dict[str, Any]:
        where = {"metadata": {"namespace": NAMESPACE}} if kind == here else {}
        return {"apiVersion": "authorization.k8s.io/v1", "kind": kind, "spec": spec, **where}

    what = {"namespace": NAMESPACE, "verb": "get", "resource": "configmaps"}
    said = ("status.reason",)
    other, mine, here = "SubjectAccessReview", "SelfSubjectAccessReview", "LocalSubjectAccessReview"
    everybody, myself = f"{access}/subjectaccessreviews", f"{access}/selfsubjectaccessreviews"
    yield post("review: local", local, review(here, resourceAttributes=what, user=ours), ignore=said)
    elsewhere = {**what, "namespace": "default"}
    yield post("review: local, of another namespace", local, review(here, resourceAttributes=elsewhere, user=ours))
    yield post("review: nobody", everybody, review(other, resourceAttributes=what))
    yield post("review: nothing", everybody, review(other, user=ours))
    path = {"path": "/metrics", "verb": "get"}
    yield post("review: both", everybody, review(other, user=ours, resourceAttributes=what, nonResourceAttributes=path))
    yield post("review: a path", everybody, review(other, user=ours, nonResourceAttributes=path))
    yield post("review: a group", everybody, review(other, groups=["system:masters"], nonResourceAttributes=path), ignore=said)  # fmt: skip
    yield post("review: a subresource", myself, review(mine, resourceAttributes={**what, "group": "apps", "resource": "deployments", "subresource": "scale"}), user="limited", ignore=said)  # fmt: skip
    yield post("review: a name", myself, review(mine, resourceAttributes={**what, "resource": "secrets", "name": "mine"}), user="limited", ignore=said)  # fmt: skip
    yield post("review: another name", myself, review(mine, resourceAttributes={**what, "resource": "secrets", "name": "other"}), user="limited")  # fmt: skip
    yield post("review: everything", myself, review(mine, resourceAttributes={"verb": "*", "group": "*", "resource": "*"}), user="limited")  # fmt: skip
    yield post(
        "review: not for everybody", everybody, review(other, user=ours, resourceAttributes=what), user="limited"
    )
    yield post("review: rules of no namespace", f"{access}/selfsubjectrulesreviews", review("SelfSubjectRulesReview"))
    yield get("review: is not kept", everybody)


def tokens() -> Iterator[Step]:
    """Tokens of service accounts, and what they say."""
    where = core("serviceaccounts", "limited/token")

    def request(**spec: Any) -> dict[str, Any]:
        return {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}

    yield post("token: for somebody", where, request(audiences=["somebody"], expirationSeconds=900))
    yield post("token: by default", where, request())
    yield post("token: too short", where, request(expirationSeconds=10))
    yield post("token: too long", where, request(expirationSeconds=1 << 33))
    yield post("token: of nobody", core("serviceaccounts", "none/token"), request())
    yield post("token: of another kind", where, {"apiVersion": "v1", "kind": "Pod"})
    bound = {"kind": "Secret", "apiVersion": "v1", "name": "none"}
    yield post("token: bound to nothing", where, request(boundObjectRef=bound))
    yield post("token: bound to another kind", where, request(boundObjectRef={**bound, "kind": "ConfigMap"}))
    yield post("token: not for everybody", where, request(), user="limited")
    yield get("token: is not kept", where)
    reviews_ = "/apis/authentication.k8s.io/v1/tokenreviews"

    def review(**spec: Any) -> dict[str, Any]:
        return {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": spec}

    yield post("token: review", reviews_, review(token="{token:limited}"))
    yield post("token: review for somebody else", reviews_, review(token="{token:limited}", audiences=["somebody"]))
    yield post("token: review of a wrong one", reviews_, review(token="wrong"))
    yield post("token: review of none", reviews_, review())
    yield get("token: used", core("configmaps", "none"), token="{token:limited}")
    yield get("token: nobody's", core("configmaps", "none"), token="")
    yield get("token: nobody's, version", "/version", token="", ignore=("",))
    yield get("token: broken", core("configmaps", "none"), token="a.b.c")


def impersonation() -> Iterator[Step]:
    """Requests in the name of others."""
    path = core("configmaps", "none")

    def as_(user: str = "", group: str = "", **more: str) -> dict[str, str]:
        found = {"Impersonate-User": user, "Impersonate-Group": group, **more}
        return {name: value for name, value in found.items() if value}

    ours = f"system:serviceaccount:{NAMESPACE}:limited"
    yield get("as: a user", path, headers=as_("jane"))
    yield get("as: a user of a group", path, headers=as_("jane", "system:masters"))
    yield get("as: a service account", path, headers=as_(ours))
    yield get("as: a service account, elsewhere", core("secrets"), headers=as_(ours))
    yield get("as: a group alone", path, headers=as_(group="system:masters"))
    yield get("as: nobody", path, headers=as_("system:anonymous"))
    yield get("as: not allowed", path, headers=as_("jane"), user="limited")
    yield get("as: a group, not allowed", path, headers=as_("jane", "system:masters"), user="limited")
    yield get("as: an account, not allowed", path, headers=as_(ours), user="limited")


def aggregation() -> Iterator[Step]:
    """Cluster roles that are made of others, and the rules for those who make roles."""
    roles = "/apis/rbac.authorization.k8s.io/v1/clusterroles"
    label = {"conformance.example.com/part": "yes"}
    whole = {"metadata": meta("conformance-all"), "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": label}]}}
    rules = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]
    yield post("aggregation: create", roles, {**whole, "rules": []})
    yield post("aggregation: a part", roles, {"metadata": meta("conformance-part", labels=label), "rules": rules})
    yield get("aggregation: the whole has its rules", f"{roles}/conformance-all", until="rules.0")
    more = {"rules": [*rules, {"apiGroups": [""], "resources": ["services"], "verbs": ["list"]}]}
    yield patch("aggregation: the part grows", f"{roles}/conformance-part", more)
    yield get("aggregation: the whole grows", f"{roles}/conformance-all", until="rules.1")
    for name, broken in {
        "no verbs": {"apiGroups": [""], "resources": ["pods"]}, "no resources": {"apiGroups": [""], "verbs": ["get"]}, "a path": {"nonResourceURLs": ["/x"], "verbs": ["get"]},
        "both": {"apiGroups": [""], "resources": ["pods"], "nonResourceURLs": ["/x"], "verbs": ["get"]},
    }.items():  # fmt: skip
        yield post(
            f"aggregation: refused: {name}", grouped(_RBAC, "roles"), {"metadata": meta("bad"), "rules": [broken]}
        )
    for name in ("conformance-part", "conformance-all"):
        yield delete(f"aggregation: delete {name}", f"{roles}/{name}")
