"""The shapes of built-in kinds; the facts are those of the OpenAPI document of Kubernetes 1.37."""

import subprocess
import sys

import pytest

from litmus.sandbox.machinery import resources, schemas
from litmus.sandbox.machinery.schemas import Schema, built_in, merge_keys


def shape(group: str, kind: str, version: str = "v1") -> Schema:
    found = schemas.of(group, version, kind)
    assert found is not None
    return found


def at(schema: Schema, path: str) -> Schema:
    found = schema.at(*path.split("."))
    assert found is not None, path
    return found


@pytest.mark.parametrize("resource", resources.BUILT_IN, ids=lambda one: f"{one.group_version}/{one.kind}")
def test_every_built_in_resource_has_a_shape(resource: resources.Resource) -> None:
    found = schemas.of(resource.group, resource.version, resource.kind)
    assert found is not None
    assert {"apiVersion", "kind"} <= set(found.fields)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("spec.replicas", "int32"),
        ("metadata.generation", "int64"),
        ("status.observedGeneration", "int64"),
        ("spec.paused", "boolean"),
        ("metadata.labels", "map"),
        ("metadata.creationTimestamp", "time"),
        ("spec.strategy.rollingUpdate.maxSurge", "int-or-string"),
        ("spec.template.spec.containers", "array"),
        ("spec.template.spec.containers.c.resources.limits.cpu", "quantity"),
        ("spec.template.spec.terminationGracePeriodSeconds", "int64"),
        ("spec.template.spec.volumes.v.secret", "object"),
    ],
)
def test_a_field_has_the_type_of_its_document(path: str, expected: str) -> None:
    assert at(shape("apps", "Deployment"), path).type == expected


def test_bytes_and_open_fields_are_known_as_such() -> None:
    assert at(shape("", "Secret"), "data.key").type == "bytes"
    assert at(shape("", "ConfigMap"), "binaryData.key").type == "bytes"
    assert at(shape("", "ConfigMap"), "data.key").type == "string"
    assert at(shape("apps", "ControllerRevision"), "data").type == "raw"
    assert at(shape("coordination.k8s.io", "Lease"), "spec.renewTime").type == "micro-time"


def test_fields_that_python_cannot_name_have_their_json_names() -> None:
    policy = shape("networking.k8s.io", "NetworkPolicy")
    assert "from" in at(policy, "spec.ingress.rule").fields
    crd = at(shape("apiextensions.k8s.io", "CustomResourceDefinition"), "spec.versions.v.schema.openAPIV3Schema")
    assert {"$ref", "not", "x-kubernetes-list-type"} <= set(crd.fields)


def test_a_recursive_shape_goes_as_deep_as_one_asks() -> None:
    crd = shape("apiextensions.k8s.io", "CustomResourceDefinition")
    deep = "spec.versions.v.schema.openAPIV3Schema" + ".properties.x" * 20
    assert "properties" in at(crd, deep).fields


def test_required_fields_are_known() -> None:
    assert at(shape("apps", "Deployment"), "spec").required == {"selector", "template"}


@pytest.mark.parametrize(
    ("path", "key", "keys", "strategy"),
    [
        ("spec.containers", "name", ("name",), {"merge"}),
        ("spec.containers.c.ports", "containerPort", ("containerPort", "protocol"), {"merge"}),
        ("spec.containers.c.volumeMounts", "mountPath", ("mountPath",), {"merge"}),
        ("spec.volumes", "name", ("name",), {"merge", "retainKeys"}),
        ("status.conditions", "type", ("type",), {"merge"}),
        ("metadata.ownerReferences", "uid", ("uid",), {"merge"}),
        ("spec.topologySpreadConstraints", "topologyKey", ("topologyKey", "whenUnsatisfiable"), {"merge"}),
    ],
)
def test_a_list_is_merged_by_its_keys(path: str, key: str, keys: tuple[str, ...], strategy: set[str]) -> None:
    found = at(shape("", "Pod"), path)
    assert (found.list_type, found.merge_key, found.map_keys, found.patch_strategy) == ("map", key, keys, strategy)


def test_sets_atomic_lists_and_patch_strategies_are_told_apart() -> None:
    finalizers = at(shape("", "Pod"), "metadata.finalizers")
    assert (finalizers.list_type, finalizers.patch_strategy, finalizers.merge_key) == ("set", {"merge"}, "")
    assert at(shape("", "Pod"), "spec.containers.c.args").list_type == "atomic"
    job = at(shape("batch", "Job"), "status.conditions")
    assert (job.list_type, job.merge_key) == (
        "atomic",
        "type",
    )  # server-side apply replaces it, strategic patches merge
    assert at(shape("apps", "Deployment"), "spec.strategy").patch_strategy == {"retainKeys"}
    assert at(shape("policy", "PodDisruptionBudget"), "spec.selector").patch_strategy == {"replace"}


def test_atomic_objects_and_maps_have_one_owner() -> None:
    assert at(shape("apps", "Deployment"), "spec.selector").map_type == "atomic"
    assert at(shape("", "Pod"), "spec.nodeSelector").map_type == "atomic"
    assert at(shape("", "Service"), "spec.selector").map_type == "atomic"
    assert at(shape("", "Pod"), "metadata.labels").map_type == "granular"
    assert at(shape("", "PersistentVolume"), "spec.claimRef").map_type == "granular"


def test_the_table_of_merge_keys_names_only_fields_that_exist() -> None:
    for definition, field in merge_keys.table():
        assert field in built_in.defined(definition).fields, (definition, field)


def test_a_kind_that_does_not_exist_has_no_shape() -> None:
    assert schemas.of("", "v1", "Poddy") is None
    assert schemas.of("nothing.example.com", "v1", "Pod") is None


def test_kinds_of_all_groups_are_found_in_any() -> None:
    assert schemas.of("apps", "v1", "DeleteOptions") is not None
    assert schemas.of("", "v1", "Status") is not None


def test_importing_the_package_reads_no_types() -> None:
    code = "import sys; import litmus.sandbox.machinery.schemas; print([m for m in sys.modules if 'lightkube' in m])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
