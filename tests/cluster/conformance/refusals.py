"""Objects and requests that no server takes."""

from collections.abc import Iterator
from typing import Any

from tests.cluster.conformance.steps import (
    MERGE,
    Step,
    core,
    delete,
    deployment,
    grouped,
    meta,
    patch,
    pod,
    post,
    put,
    template,
)

_RBAC = "rbac.authorization.k8s.io/v1"


def _bad(name: str, resource: str, body: Any, *, path: str = "") -> Step:
    return Step(name=f"refused: {name}", method="POST", path=path or core(resource), body=body)


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
    yield _bad("a string for a number", "", deployment(replicas="three"), path=deploy)
    yield _bad("a number for a string", "configmaps", {"metadata": meta("bad"), "data": {"a": 1}})
    yield _bad(
        "a selector that does not match", "", deployment(selector={"matchLabels": {"app": "other"}}), path=deploy
    )
    yield _bad("no selector", "", deployment(selector=None), path=deploy)
    yield _bad("negative replicas", "", deployment(replicas=-1), path=deploy)
    yield _bad("restart policy of a deployment", "", deployment(template=template(restartPolicy="Never")), path=deploy)
    yield _bad("no containers", "pods", pod(containers=[]))
    yield _bad("a container without an image", "pods", pod(containers=[{"name": "main"}]))
    yield _bad("two containers of a name", "pods", pod(containers=[good, good]))
    yield _bad("a port out of range", "pods", pod(containers=[{**good, "ports": [{"containerPort": 70000}]}]))
    yield _bad("a quantity", "pods", pod(containers=[{**good, "resources": {"limits": {"cpu": "lots"}}}]))
    yield _bad(
        "a request over the limit",
        "pods",
        pod(containers=[{**good, "resources": {"limits": {"cpu": "1"}, "requests": {"cpu": "2"}}}]),
    )
    yield _bad("a restart policy", "pods", pod(restartPolicy="Sometimes"))
    yield _bad("a pull policy", "pods", pod(containers=[{**good, "imagePullPolicy": "Perhaps"}]))
    yield _bad(
        "a mount of no volume", "pods", pod(containers=[{**good, "volumeMounts": [{"name": "v", "mountPath": "/v"}]}])
    )
    yield _bad(
        "two volumes of a name", "pods", pod(volumes=[{"name": "v", "emptyDir": {}}, {"name": "v", "emptyDir": {}}])
    )
    yield _bad("an environment variable", "pods", pod(containers=[{**good, "env": [{"name": "1=", "value": "a"}]}]))
    yield _bad("a probe without a handler", "pods", pod(containers=[{**good, "livenessProbe": {"periodSeconds": 1}}]))
    yield _bad("a service without ports", "services", {"metadata": meta("bad"), "spec": {"selector": {"a": "b"}}})
    yield _bad("a port of a service", "services", {"metadata": meta("bad"), "spec": {"ports": [{"port": 0}]}})
    yield _bad("a name of a service", "services", {"metadata": meta("1bad"), "spec": {"ports": [{"port": 80}]}})
    yield _bad("an account that is not there", "pods", pod(serviceAccountName="nobody"))
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


def updates() -> Iterator[Step]:
    """What an update may not do to an object that is there."""
    one, account = core("configmaps", "u"), core("serviceaccounts", "default")
    yield post("updates: create", core("configmaps"), {"metadata": meta("u", labels={"a": "b"})})
    bad = {
        "a label": {"labels": {"a": "no spaces"}}, "an annotation": {"annotations": {"no spaces": "x"}}, "a finalizer": {"finalizers": ["no spaces"]},
        "an owner": {"ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "", "uid": ""}]}, "another uid": {"uid": "x"},
        "another name": {"name": "other"}, "no name": {"name": None}, "another namespace": {"namespace": "default"}, "a deletion": {"deletionTimestamp": "2020-01-01T00:00:00Z"},
        "a grace": {"deletionGracePeriodSeconds": 7}, "an old version": {"resourceVersion": "1"}, "a broken version": {"resourceVersion": "x"},
        "a creation": {"creationTimestamp": "2020-01-01T00:00:00Z"}, "a generation": {"generation": 7},
        "two controllers": {"ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": n, "uid": n, "controller": True} for n in "ab"]},
    }  # fmt: skip
    for name, changed in bad.items():
        yield patch(f"updates: patch of {name}", one, {"metadata": changed})
    named = {"apiVersion": "v1", "kind": "ConfigMap"}
    yield put("updates: of nothing", core("configmaps", "none"), {**named, "metadata": meta("none")})
    yield put("updates: without a name", one, {**named, "metadata": {}})
    yield put("updates: of another name", one, {**named, "metadata": meta("other")})
    yield put("updates: of another namespace", one, {**named, "metadata": meta("u", namespace="default")})
    yield put("updates: of another uid", one, {**named, "metadata": meta("u", uid="x")})
    yield put("updates: of another kind", one, {**named, "kind": "Secret", "metadata": meta("u")})
    yield put("updates: without a body", one, "")
    yield put("updates: blindly", one, {**named, "metadata": meta("u"), "data": {"blind": "yes"}})
    yield put("updates: to immutable", one, {**named, "metadata": meta("u"), "data": {"a": "1"}, "immutable": True})
    yield patch("updates: of what is immutable", one, {"data": {"a": "2"}})
    yield patch("updates: immutable for ever", one, {"immutable": False})
    yield delete("updates: delete", one)
    leases = grouped("coordination.k8s.io/v1", "leases")
    yield post("updates: a lease", leases, {"metadata": meta("blind")})
    lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": meta("blind")}
    yield put("updates: a lease blindly", f"{leases}/blind", lease)
    yield patch("updates: a lease by a patch", f"{leases}/blind", {"spec": {"holderIdentity": "me"}})
    yield delete("updates: delete the lease", f"{leases}/blind")
    secret = {"metadata": meta("typed"), "type": "example.com/one"}
    yield post("updates: a secret", core("secrets"), secret)
    yield patch("updates: a secret's type", core("secrets", "typed"), {"type": "example.com/two"})
    yield delete("updates: delete the secret", core("secrets", "typed"))
    yield patch("updates: nothing at all", account, {})
    yield patch("updates: no object", account, [], MERGE)
    yield patch("updates: no media type", account, {}, "application/json")
    yield patch("updates: no such media type", account, {}, "application/merge-patch+xml")
    role = grouped(_RBAC, "rolebindings")
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "r"}
    yield post("updates: a binding", role, {"metadata": meta("fixed"), "roleRef": reference})
    yield patch("updates: a binding's role", f"{role}/fixed", {"roleRef": {"name": "other"}})
    yield delete("updates: delete the binding", f"{role}/fixed")
    spec = {"spec": {"selector": {"a": "b"}, "ports": [{"port": 80}]}}
    yield post("updates: a service", core("services"), {"metadata": meta("fixed"), **spec})
    yield patch("updates: a service's address", core("services", "fixed"), {"spec": {"clusterIP": "10.1.2.3"}})
    yield patch("updates: a service's type", core("services", "fixed"), {"spec": {"type": "Other"}})
    yield patch(
        "updates: a service's port", core("services", "fixed"), {"spec": {"ports": [{"port": 80}, {"port": 81}]}}
    )
    yield delete("updates: delete the service", core("services", "fixed"))
