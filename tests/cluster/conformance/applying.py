"""Server-side apply."""

from collections.abc import Iterator
from typing import Any

from tests.cluster.conformance.steps import APPLY, JSON, Step, core, delete, get, meta, patch


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


def lists() -> Iterator[Step]:
    """Lists with keys, and who owns which of their items."""
    one = core("podtemplates", "applied")

    def template(labels: dict[str, str] | None = None, **spec: Any) -> dict[str, Any]:
        inner = {**({"metadata": {"labels": labels}} if labels else {}), **({"spec": spec} if spec else {})}
        return {"apiVersion": "v1", "kind": "PodTemplate", "metadata": meta("applied"), "template": inner}

    def container(name: str, **fields: Any) -> dict[str, Any]:
        return {"name": name, **fields}

    def ours(name: str, manager: str, body: Any, query: str = "") -> Step:
        return patch(f"apply to lists: {name}", f"{one}?fieldManager={manager}{query}", body, APPLY)

    web, tls = {"containerPort": 80}, {"containerPort": 443, "name": "tls"}
    main = container("main", image="nginx", ports=[web, tls], env=[{"name": "A", "value": "1"}])
    yield ours("creates", "one", template({"app": "a"}, containers=[main]))
    yield ours("the same", "one", template({"app": "a"}, containers=[main]))
    side = container("side", image="busybox")
    yield ours("another container", "two", template(containers=[side]))
    yield ours(
        "another variable", "two", template(containers=[container("main", env=[{"name": "B", "value": "2"}]), side])
    )
    udp = {"containerPort": 80, "protocol": "UDP"}
    yield ours("another protocol", "two", template(containers=[container("main", ports=[udp]), side]))
    yield ours("a conflict", "two", template(containers=[container("main", image="other"), side]))
    several = container("main", image="other", ports=[{"containerPort": 443, "name": "other"}])
    yield ours("conflicts", "two", template({"app": "b"}, containers=[several, side]))
    yield ours("by force", "two", template(containers=[container("main", image="other"), side]), "&force=true")
    yield ours("without a variable", "one", template({"app": "a"}, containers=[container("main", ports=[web, tls])]))
    yield ours("without a port", "one", template({"app": "a"}, containers=[container("main", ports=[web])]))
    yield ours("without a label", "one", template(containers=[container("main", ports=[web])]))
    yield patch("apply to lists: an update takes a field", f"{one}?fieldManager=three", [{"op": "replace", "path": "/template/spec/containers/0/image", "value": "third"}], JSON)  # fmt: skip
    yield ours("an update is a conflict too", "two", template(containers=[container("main", image="other"), side]))
    yield ours("shared", "four", template(containers=[container("main", image="third")]))
    yield ours("without the main container", "two", template(containers=[side]))
    both = [container("twice", image="a"), container("twice", image="b")]
    yield ours("a key twice", "five", template(containers=both))
    yield ours("no key", "five", template(containers=[{"image": "a"}]))
    yield ours("an unknown field", "five", {**template(), "unknown": 1})
    yield ours("a wrong type", "five", template(containers="main"))
    yield ours("another kind", "five", {"apiVersion": "v1", "kind": "Pod", "metadata": meta("applied")})
    yield ours("another version", "five", {**template(), "apiVersion": "v2"})
    yield ours(
        "its own managed fields", "five", {**template(), "metadata": meta("applied", managedFields=[{"manager": "x"}])}
    )
    yield ours("no YAML", "five", "{")
    yield ours("a long name", "m" * 129, template())
    yield ours("no truth", "five", template(), "&force=perhaps")
    yield patch("apply to lists: force of another patch", f"{one}?force=true", {})
    yield ours("an old version", "five", {**template(), "metadata": meta("applied", resourceVersion="1")})
    yield ours("another uid", "five", {**template(), "metadata": meta("applied", uid="x")})
    yield ours("YAML", "six", "apiVersion: v1\nkind: PodTemplate\nmetadata: {name: applied, labels: {yaml: 'yes'}}\n")
    empty = {**template(), "template": {"metadata": {"labels": {}}}}
    yield ours("an empty map", "seven", empty)
    yield ours("in another order", "eight", template(containers=[container("aside", image="a"), container("main", image="third")]))  # fmt: skip
    yield get("apply to lists: get", one)
    cleared = {"metadata": {"managedFields": [{}]}}
    yield patch("apply to lists: managed fields cleared", one, cleared)
    yield ours("after that", "one", template({"app": "c"}))
    yield delete("apply to lists: delete", one)
