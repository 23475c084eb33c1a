"""What is read: selectors, pages, watches, discovery, and the forms of an answer."""

from collections.abc import Iterator

from tests.cluster.conformance.steps import MERGE, TABLE, Step, core, delete, get, grouped, meta, patch, post


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
    yield Step(name="pages: table", method="GET", path=first, accept=TABLE)
    yield Step(name="delete collection", method="DELETE", path=core("configmaps", query="labelSelector=tier"))
    yield Step(name="after delete collection", method="GET", path=core("configmaps", query="labelSelector=app"))


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
        accept=TABLE,
        path=core("configmaps", query=f"watch=1&timeoutSeconds=1&{label}&resourceVersion={{rv:watch: create}}"),
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


def forms() -> Iterator[Step]:
    """The same object in other forms."""
    one, all_ = core("configmaps", "kube-root-ca.crt"), core("configmaps", query="labelSelector=app")
    metadata = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
    listed = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
    described = ("metadata.annotations",)
    yield get("forms: metadata", one, accept=metadata, ignore=described)
    yield get("forms: metadata of a list", all_, accept=listed)
    yield get("forms: metadata of a list, wrongly", all_, accept=metadata)
    yield get("forms: list of one, wrongly", one, accept=listed)
    yield get("forms: another version", one, accept="application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v2")
    yield get("forms: several", one, accept=f"text/html, {metadata}, */*", ignore=described)
    yield get("forms: none that there is", one, accept="text/html")
    yield get("forms: anything", one, accept="*/*", ignore=described)
    yield get("forms: YAML", all_, accept="application/yaml")
    yield get("forms: table without objects", f"{all_}&includeObject=None", accept=TABLE)
    yield get("forms: table with whole objects", f"{all_}&includeObject=Object", accept=TABLE)
    yield get("forms: table with something else", f"{all_}&includeObject=Some", accept=TABLE)
    made = {"metadata": meta("form", labels={"form": "yes"})}
    yield post("forms: metadata of a created object", core("configmaps"), made, accept=metadata)
    changed = {"metadata": {"annotations": {"a": "b"}}}
    yield patch("forms: metadata of a patched object", core("configmaps", "form"), changed, accept=metadata)
    yield delete("forms: table of a deletion", core("configmaps", "form"), accept=TABLE)
    since = "watch=1&timeoutSeconds=1&labelSelector=form&resourceVersion={rv:forms: metadata of a created object}"
    yield get("forms: metadata of a watch", core("configmaps", query=since), watch=True, accept=metadata)


def versions() -> Iterator[Step]:
    """How fresh an answer has to be."""
    leases = grouped("coordination.k8s.io/v1", "leases")
    for name, query in {
        "any": "resourceVersion=0", "any, with a limit": "resourceVersion=0&limit=1", "a match without a version": "resourceVersionMatch=Exact",
        "an unknown match": "resourceVersion=1&resourceVersionMatch=Some", "an exact match of any": "resourceVersion=0&resourceVersionMatch=Exact",
        "a broken version": "resourceVersion=x", "a broken limit": "limit=x", "a broken timeout": "timeoutSeconds=x", "a negative limit": "limit=-1",
        "a match of a watch": "watch=1&timeoutSeconds=1&resourceVersion=1&resourceVersionMatch=Exact", "broken fields": "fieldSelector=metadata.name",
        "a continued page of a version": "continue=x&resourceVersion=1", "a watch of a broken selector": "watch=1&labelSelector=a%3D%3D%3Db",
        "a watch of an unknown field": "watch=1&timeoutSeconds=1&fieldSelector=spec.a%3D1",
    }.items():  # fmt: skip
        yield get(f"versions: {name}", f"{leases}?{query}")
    yield get("versions: one, any", core("configmaps", "kube-root-ca.crt", "resourceVersion=0"), ignore=("metadata",))
    yield get("versions: one, broken", core("configmaps", "kube-root-ca.crt", "resourceVersion=x"))
