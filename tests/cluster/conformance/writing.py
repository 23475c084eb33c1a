"""Updates, patches and finalizers."""

from collections.abc import Iterator
from typing import Any

from tests.cluster.conformance.steps import (
    APPLY,
    JSON,
    MERGE,
    SELECTOR,
    STRATEGIC,
    Step,
    core,
    delete,
    deployment,
    get,
    grouped,
    meta,
    patch,
    post,
    put,
    template,
)

_LATER = ("status", "metadata.annotations")


def deployments() -> Iterator[Step]:
    path = grouped("apps/v1", "deployments")
    yield Step(name="deployment create", ignore=_LATER, method="POST", path=path, body=deployment("d"))
    yield Step(name="deployment status", method="GET", path=f"{path}/d", until="status.conditions.1")
    yield Step(name="deployment scale get", method="GET", path=f"{path}/d/scale")
    yield Step(
        name="deployment pause",
        ignore=_LATER,
        method="PATCH",
        path=f"{path}/d",
        type=MERGE,
        body={"spec": {"paused": True}},
    )
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
        ignore=_LATER,
        path=f"{path}/d",
        type=STRATEGIC,
        body={"spec": {"template": {"spec": {"containers": [{"name": "side", "image": "busybox"}]}}}},
    )
    yield Step(
        name="deployment strategic delete of a container",
        method="PATCH",
        ignore=_LATER,
        path=f"{path}/d",
        type=STRATEGIC,
        body={"spec": {"template": {"spec": {"containers": [{"name": "side", "$patch": "delete"}]}}}},
    )
    yield Step(
        name="deployment strategic retain keys",
        method="PATCH",
        ignore=_LATER,
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
        ignore=_LATER,
        path=f"{path}/d",
        type=MERGE,
        body={"status": {"replicas": 99}},
    )
    yield Step(
        name="deployment patch of the name",
        method="PATCH",
        ignore=_LATER,
        path=f"{path}/d",
        type=MERGE,
        body={"metadata": {"name": "other"}},
    )
    yield Step(
        name="deployment patch with an old version",
        method="PATCH",
        ignore=_LATER,
        path=f"{path}/d",
        type=MERGE,
        body={"metadata": {"resourceVersion": "1"}},
    )
    yield Step(
        name="deployment patch that changes nothing",
        ignore=_LATER,
        method="PATCH",
        path=f"{path}/d",
        type=MERGE,
        body={},
    )
    yield Step(
        name="deployment delete in the foreground",
        ignore=_LATER,
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


def dry_runs() -> Iterator[Step]:
    """No verb changes anything when it is asked not to."""
    where, one = core("configmaps"), core("configmaps", "dry")
    made = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta("dry", labels={"dry": "yes"}), "data": {"a": "1"}}
    yield post("dry run: create for later", where, made)
    yield post("dry run: create again", f"{where}?dryRun=All", made)
    yield post("dry run: refused", f"{where}?dryRun=All", {"metadata": meta("Bad")})
    yield put("dry run: update", f"{one}?dryRun=All", {**made, "data": {"a": "2"}})
    yield patch("dry run: merge", f"{one}?dryRun=All", {"data": {"a": "3"}})
    add = [{"op": "add", "path": "/data/b", "value": "1"}]
    yield patch("dry run: JSON", f"{one}?dryRun=All", add, JSON)
    yield patch("dry run: strategic", f"{one}?dryRun=All", {"data": {"a": None}}, STRATEGIC)
    yield patch("dry run: apply", f"{one}?dryRun=All&fieldManager=m", {**made, "data": {"c": "1"}}, APPLY)
    another = {**made, "metadata": meta("dry2")}
    yield patch("dry run: apply creates", f"{core('configmaps', 'dry2')}?dryRun=All&fieldManager=m", another, APPLY)
    yield get("dry run: apply created nothing", core("configmaps", "dry2"))
    yield delete("dry run: delete", f"{one}?dryRun=All")
    yield delete("dry run: delete by its body", one, {"dryRun": ["All"]})
    yield delete("dry run: delete by a wrong body", one, {"dryRun": ["Some"]})
    yield delete("dry run: delete collection", f"{where}?labelSelector=dry&dryRun=All")
    yield get("dry run: nothing has changed", one)
    yield delete("dry run: delete at last", one)


def preconditions() -> Iterator[Step]:
    """Deletions of a certain state of a certain object."""
    one = core("configmaps", "pre")
    yield post("preconditions: create", core("configmaps"), {"metadata": meta("pre")})
    conditions: dict[str, dict[str, Any]] = {
        "another version": {"resourceVersion": "1"}, "another uid": {"uid": "x"}, "the uid and another version": {"uid": "{uid:preconditions: create}", "resourceVersion": "1"},
        "a dry run of the version": {"resourceVersion": "{rv:preconditions: create}"},
    }  # fmt: skip
    for name, condition in conditions.items():
        dry = {"dryRun": ["All"]} if name.startswith("a dry run") else {}
        yield delete(f"preconditions: {name}", one, {"preconditions": condition, **dry})
    yield patch("preconditions: patch", one, {"data": {"a": "1"}})
    yield delete(
        "preconditions: an old version", one, {"preconditions": {"resourceVersion": "{rv:preconditions: create}"}}
    )
    bodies: dict[str, Any] = {
        "an unknown policy": {"propagationPolicy": "Sideways"}, "two policies": {"propagationPolicy": "Background", "orphanDependents": True},
        "a negative grace": {"gracePeriodSeconds": -1, "dryRun": ["All"]}, "another kind": {"kind": "ConfigMap", "apiVersion": "v1"}, "no object": [], "a wrong type": {"gracePeriodSeconds": "x"},
    }  # fmt: skip
    for name, body in bodies.items():
        yield delete(f"preconditions: {name}", one, body)
    yield delete("preconditions: an unknown policy in the query", f"{one}?propagationPolicy=Sideways")
    both = {"uid": "{uid:preconditions: create}", "resourceVersion": "{rv:preconditions: patch}"}
    yield delete("preconditions: met", one, {"preconditions": both})
    yield get("preconditions: gone", one)


def collections() -> Iterator[Step]:
    """Deletions of many."""
    leases = grouped("coordination.k8s.io/v1", "leases")
    for name in ("c1", "c2", "c3"):
        yield post(f"collection: create {name}", leases, {"metadata": meta(name, labels={"collected": name})})
    yield delete("collection: none", f"{leases}?labelSelector=collected%3Dnone")
    yield delete("collection: a broken selector", f"{leases}?labelSelector=a%3D%3D%3Db")
    yield delete("collection: a broken field", f"{leases}?fieldSelector=spec.a%3Db")
    yield delete("collection: a dry run", f"{leases}?labelSelector=collected&dryRun=All")
    yield delete("collection: by label", f"{leases}?labelSelector=collected%20in%20(c1,none)")
    yield delete("collection: by name", f"{leases}?fieldSelector=metadata.name%3Dc2")
    yield get("collection: what is left", f"{leases}?labelSelector=collected")
    yield delete("collection: all", leases, {"propagationPolicy": "Background"})
    yield get("collection: nothing is left", leases)
    yield delete("collection: of another namespace", "/apis/coordination.k8s.io/v1/namespaces/nowhere/leases")
    yield delete("collection: of everywhere", "/apis/coordination.k8s.io/v1/leases?dryRun=All")


def scales() -> Iterator[Step]:
    """The subresource ``scale`` of everything that has one."""
    for plural, version in (("deployments", "apps/v1"), ("replicasets", "apps/v1"), ("statefulsets", "apps/v1"), ("replicationcontrollers", "v1")):  # fmt: skip
        spec = {"replicas": 0, "selector": SELECTOR, "template": template()}
        if plural == "statefulsets":
            spec["serviceName"] = "s"
        if version == "v1":
            spec["selector"] = SELECTOR["matchLabels"]
        where = core(plural) if version == "v1" else grouped(version, plural)
        one = f"{where}/scaled"

        def named(what: str, plural: str = plural) -> str:
            return f"scale of {plural}: {what}"

        yield post(named("create"), where, {"metadata": meta("scaled"), "spec": spec}, ignore=_LATER)
        yield get(named("get"), f"{one}/scale")
        scale = {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": meta("scaled"), "spec": {"replicas": 0}}
        yield put(named("update"), f"{one}/scale", scale)
        yield put(named("an old version"), f"{one}/scale", {**scale, "metadata": meta("scaled", resourceVersion="1")})
        yield put(named("another uid"), f"{one}/scale", {**scale, "metadata": meta("scaled", uid="x")})
        yield put(named("another name"), f"{one}/scale", {**scale, "metadata": meta("other")})
        yield put(named("negative"), f"{one}/scale", {**scale, "spec": {"replicas": -1}})
        yield put(named("another kind"), f"{one}/scale", {**scale, "kind": "Pod"})
        yield put(named("a dry run"), f"{one}/scale?dryRun=All", {**scale, "spec": {"replicas": 3}})
        yield patch(named("merge"), f"{one}/scale", {"spec": {"replicas": 0}})
        yield patch(named("JSON"), f"{one}/scale", [{"op": "test", "path": "/spec/replicas", "value": 0}], JSON)
        yield patch(named("strategic"), f"{one}/scale", {"spec": {"replicas": 0}}, STRATEGIC)
        yield patch(named("a wrong type"), f"{one}/scale", {"spec": {"replicas": "many"}})
        yield get(named("of another"), f"{where}/none/scale")
        yield patch(named("patch of another"), f"{where}/none/scale", {"spec": {"replicas": 1}})
        yield post(named("no create"), f"{one}/scale", scale)
        yield delete(named("no delete"), f"{one}/scale")
        yield delete(named("delete"), f"{one}?propagationPolicy=Background", ignore=_LATER)
    yield get("scale of daemonsets", grouped("apps/v1", "daemonsets", "none/scale"))
    yield get("subresource that is none", grouped("apps/v1", "deployments", "none/nothing"))
    yield get("status of another", grouped("apps/v1", "deployments", "none/status"))
