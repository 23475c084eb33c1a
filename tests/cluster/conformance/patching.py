"""Patches: what each of their operations does to lists and maps."""

from collections.abc import Iterator
from typing import Any

from tests.cluster.conformance.steps import JSON, STRATEGIC, Step, core, delete, meta, patch, post

_ONE = core("podtemplates", "patched")
_CONTAINERS = "/template/spec/containers"


def _template() -> dict[str, Any]:
    """A kind that nobody but the script writes to, with lists of every sort."""
    main = {
        "name": "main", "image": "nginx", "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}], "args": ["a", "b"],
        "ports": [{"containerPort": 80}, {"containerPort": 443, "name": "tls"}], "volumeMounts": [{"name": "one", "mountPath": "/one"}],
    }  # fmt: skip
    spec = {
        "containers": [main], "volumes": [{"name": "one", "emptyDir": {}}, {"name": "two", "configMap": {"name": "two"}}],
        "tolerations": [{"key": "a", "operator": "Exists"}], "imagePullSecrets": [{"name": "one"}], "nodeSelector": {"a": "b"},
    }  # fmt: skip
    return {
        "metadata": meta("patched", labels={"a/b": "c"}, finalizers=[]),
        "template": {"metadata": {"labels": {"app": "a"}}, "spec": spec},
    }


def json_patches() -> Iterator[Step]:
    """RFC 6902, as far as servers follow it."""
    yield post("JSON patch: create", core("podtemplates"), _template())
    env = f"{_CONTAINERS}/0/env"
    label = "/metadata/labels"
    patches: dict[str, Any] = {
        "add to the end": [{"op": "add", "path": f"{env}/-", "value": {"name": "C", "value": "3"}}],
        "add in between": [{"op": "add", "path": f"{env}/1", "value": {"name": "D", "value": "4"}}],
        "replace": [{"op": "replace", "path": f"{env}/0/value", "value": "9"}],
        "remove": [{"op": "remove", "path": f"{env}/1"}],
        "move": [{"op": "move", "from": f"{env}/0", "path": f"{env}/1"}],
        "copy": [{"op": "copy", "from": f"{label}/a~1b", "path": f"{label}/copied"}],
        "test": [{"op": "test", "path": f"{label}/a~1b", "value": "c"}, {"op": "add", "path": f"{label}/tested", "value": "yes"}],
        "test of an object": [{"op": "test", "path": label, "value": {"a/b": "c", "copied": "c", "tested": "yes"}}],
        "test that fails": [{"op": "add", "path": f"{label}/no", "value": "no"}, {"op": "test", "path": f"{label}/a~1b", "value": "other"}],
        "test of nothing": [{"op": "test", "path": f"{label}/none", "value": None}],
        "replace nothing": [{"op": "replace", "path": f"{label}/none", "value": "x"}],
        "remove nothing": [{"op": "remove", "path": f"{label}/none"}],
        "remove beyond the end": [{"op": "remove", "path": f"{env}/9"}],
        "add beyond the end": [{"op": "add", "path": f"{env}/9", "value": {"name": "Z"}}],
        "add below nothing": [{"op": "add", "path": "/metadata/none/a", "value": "x"}],
        "move nothing": [{"op": "move", "from": f"{label}/none", "path": f"{label}/b"}],
        "copy nothing": [{"op": "copy", "from": f"{label}/none", "path": f"{label}/b"}],
        "no such operation": [{"op": "turn", "path": label}],
        "no operation": [{"path": label}],
        "no path": [{"op": "add", "value": "x"}],
        "a path that does not begin with a slash": [{"op": "add", "path": "metadata/labels/x", "value": "x"}],
        "no list": {"op": "add"},
        "no objects": ["add"],
        "nothing": [],
        "no JSON": "[",
        "a wrong type": [{"op": "replace", "path": f"{_CONTAINERS}/0/name", "value": 7}],
        "an invalid value": [{"op": "replace", "path": f"{_CONTAINERS}/0/name", "value": "No Name"}],
        "an unknown field": [{"op": "add", "path": "/template/spec/unknown", "value": 7}],
    }  # fmt: skip
    for name, operations in patches.items():
        yield patch(f"JSON patch: {name}", _ONE, operations, JSON)


def strategic_patches() -> Iterator[Step]:
    """Lists that are merged by keys, and the words that steer it."""

    def container(**fields: Any) -> dict[str, Any]:
        return spec(containers=[{"name": "main", **fields}])

    def spec(**fields: Any) -> dict[str, Any]:
        return {"template": {"spec": fields}}

    patches: dict[str, Any] = {
        "env by name": container(env=[{"name": "A", "value": "changed"}, {"name": "NEW", "value": "1"}]),
        "env deleted": container(env=[{"name": "NEW", "$patch": "delete"}]),
        "env from something else": container(env=[{"name": "A", "value": None, "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]),
        "env replaced": container(env=[{"name": "ONLY", "value": "1"}, {"$patch": "replace"}]),
        "ports by port": container(ports=[{"containerPort": 80, "name": "web"}, {"containerPort": 90}]),
        "a port deleted": container(ports=[{"containerPort": 90, "$patch": "delete"}]),
        "args replaced": container(args=["c"]),
        "mounts by path": container(volumeMounts=[{"mountPath": "/one", "readOnly": True, "name": "one"}, {"mountPath": "/two", "name": "two"}]),
        "another container first": {**spec(**{"$setElementOrder/containers": [{"name": "side"}, {"name": "main"}], "containers": [{"name": "side", "image": "busybox"}]})},
        "a container deleted": spec(containers=[{"name": "side", "$patch": "delete"}]),
        "volumes by name": spec(volumes=[{"name": "three", "emptyDir": {}}]),
        "a volume of another kind": spec(volumes=[{"name": "two", "$retainKeys": ["name", "emptyDir"], "emptyDir": {}}]),
        "a volume deleted": spec(volumes=[{"name": "three", "$patch": "delete"}]),
        "tolerations replaced": spec(tolerations=[{"key": "b", "operator": "Exists"}]),
        "pull secrets by name": spec(imagePullSecrets=[{"name": "two"}]),
        "a map merged": spec(nodeSelector={"c": "d"}),
        "a map replaced": spec(nodeSelector={"e": "f", "$patch": "replace"}),
        "a map's key removed": spec(nodeSelector={"e": None, "g": "h"}),
        "a primitive list": {"metadata": {"finalizers": ["example.com/a", "example.com/b"]}},
        "a primitive list merged": {"metadata": {"finalizers": ["example.com/c"]}},
        "from a primitive list": {"metadata": {"$deleteFromPrimitiveList/finalizers": ["example.com/a", "example.com/b", "example.com/c"]}},
        "without the key": spec(containers=[{"image": "nginx"}]),
        "an unknown directive": spec(nodeSelector={"$patch": "turn"}),
        "a wrong type": spec(containers={"name": "main"}),
        "a wrong type in a field": spec(nodeSelector=[]),
        "an unknown field": {"unknown": 1},
        "no object": [],
        "no JSON": "{",
        "nothing": {},
    }  # fmt: skip
    for name, change in patches.items():
        yield patch(f"strategic patch: {name}", _ONE, change, STRATEGIC)
    yield delete("strategic patch: delete", _ONE)
