"""Decoding: what is dropped, what is refused, and in which words. Texts as Kubernetes 1.23 and later say them."""

from typing import Any

import pytest

from litmus.sandbox.machinery import resources, schemas, status
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.options import Options

CATALOGUE = resources.built_in()
DEPLOYMENTS = CATALOGUE.named("deployments.apps")


def deployment(**spec: Any) -> Obj:
    container = {"name": "c", "image": "nginx"}
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [container]}}
    body = {"selector": {"matchLabels": {"a": "b"}}, "template": template, **spec}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}, "spec": body}


def pod(**spec: Any) -> Obj:
    containers = [{"name": "c", "image": "nginx"}]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": containers, **spec}}


def read(resource: str, obj: Obj) -> Obj:
    return schemas.check(CATALOGUE.named(resource), obj).obj


def test_an_object_without_mistakes_comes_out_as_it_was() -> None:
    sent = deployment(replicas=3)
    found = schemas.check(DEPLOYMENTS, sent)
    assert found.obj == sent
    assert found.obj["spec"] is not sent["spec"]
    assert found.unknown == []


def test_unknown_fields_are_dropped_and_listed_in_their_order() -> None:
    sent = deployment(replica=3)
    sent["metadata"]["clusterNam"] = "x"
    sent["spec"]["template"]["spec"]["containers"].append({"name": "d", "imagee": "x"})
    found = schemas.check(DEPLOYMENTS, sent)
    assert found.unknown == ["metadata.clusterNam", "spec.template.spec.containers[1].imagee", "spec.replica"]
    assert "replica" not in found.obj["spec"]
    assert found.obj["spec"]["template"]["spec"]["containers"][1] == {"name": "d"}


def test_names_of_fields_are_case_sensitive() -> None:
    assert schemas.check(DEPLOYMENTS, deployment(Replicas=3)).unknown == ["spec.Replicas"]


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (
            {"replicas": "3"},
            "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32",
        ),
        (
            {"replicas": 1.5},
            "json: cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32",
        ),
        (
            {"replicas": 2**31},
            "json: cannot unmarshal number 2147483648 into Go struct field DeploymentSpec.spec.replicas of type int32",
        ),
        (
            {"replicas": True},
            "json: cannot unmarshal bool into Go struct field DeploymentSpec.spec.replicas of type int32",
        ),
        ({"paused": 1}, "json: cannot unmarshal number into Go struct field DeploymentSpec.spec.paused of type bool"),
        (
            {"template": []},
            "json: cannot unmarshal array into Go struct field DeploymentSpec.spec.template of type v1.PodTemplateSpec",
        ),
        (
            {"template": {"spec": {"containers": {}}}},
            "json: cannot unmarshal object into Go struct field PodSpec.spec.template.spec.containers "
            "of type []v1.Container",
        ),
        (
            {"template": {"spec": {"containers": [{"name": "c", "env": [{"name": "A", "value": 1}]}]}}},
            "json: cannot unmarshal number into Go struct field EnvVar.spec.template.spec.containers.env.value "
            "of type string",
        ),
        (
            {"template": {"metadata": {"labels": {"a": 1}}}},
            "json: cannot unmarshal number into Go struct field ObjectMeta.spec.template.metadata.labels "
            "of type string",
        ),
        (
            {"template": {"spec": {"containers": [{"resources": {"limits": {"cpu": "half"}}}]}}},
            "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
        ),
    ],
)
def test_a_wrong_type_is_a_bad_request_in_the_words_of_go(spec: Obj, said: str) -> None:
    with pytest.raises(status.Refusal) as refused:
        schemas.check(DEPLOYMENTS, deployment(**spec))
    assert (refused.value.code, refused.value.reason) == (400, "BadRequest")
    assert refused.value.message == f'Deployment in version "v1" cannot be handled as a Deployment: {said}'


def test_of_several_mistakes_the_first_in_the_document_is_told() -> None:
    sent = deployment(paused="x", replicas="y")
    with pytest.raises(status.Refusal, match=r"spec\.paused of type bool"):
        schemas.check(DEPLOYMENTS, sent)


def test_bytes_must_be_base64() -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {"k": "not base64"}}
    with pytest.raises(status.Refusal, match="illegal base64 data at input byte 3"):
        read("secrets", secret)
    assert read("secrets", {**secret, "data": {"k": "YWJj"}})["data"] == {"k": "YWJj"}


def test_a_time_is_written_back_in_utc_and_whole_seconds() -> None:
    event = {"metadata": {"name": "e"}, "firstTimestamp": "2026-01-02T03:04:05.9+01:00"}
    assert read("events", event)["firstTimestamp"] == "2026-01-02T02:04:05Z"
    lease = {"metadata": {"name": "l"}, "spec": {"renewTime": "2026-01-02T03:04:05.5Z"}}
    assert read("leases.coordination.k8s.io", lease)["spec"]["renewTime"] == "2026-01-02T03:04:05.500000Z"


def test_what_is_no_time_is_refused() -> None:
    with pytest.raises(status.Refusal, match='parsing time "yesterday" as "2006-01-02T15:04:05Z07:00"'):
        read("events", {"metadata": {"name": "e"}, "firstTimestamp": "yesterday"})
    with pytest.raises(status.Refusal, match="month out of range"):
        read("events", {"metadata": {"name": "e"}, "firstTimestamp": "2026-13-02T03:04:05Z"})


def test_quantities_are_written_back_in_canonical_form() -> None:
    sent = pod(containers=[{"name": "c", "resources": {"limits": {"cpu": 0.5, "memory": "1024Mi", "x.com/gpu": 1}}}])
    limits = read("pods", sent)["spec"]["containers"][0]["resources"]["limits"]
    assert limits == {"cpu": "500m", "memory": "1Gi", "x.com/gpu": "1"}


def test_a_port_is_a_number_or_a_name() -> None:
    def service(port: Any) -> Obj:
        ports = [{"port": 80, "targetPort": port}]
        return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": {"ports": ports}}

    assert read("services", service("http"))["spec"]["ports"][0]["targetPort"] == "http"
    assert read("services", service(8080))["spec"]["ports"][0]["targetPort"] == 8080
    with pytest.raises(
        status.Refusal, match=r"cannot unmarshal bool into Go struct field ServicePort\.spec\.ports\.target"
    ):
        read("services", service(True))


def test_null_is_no_field_and_in_a_map_or_list_the_zero_value() -> None:
    sent = pod(nodeName=None, nodeSelector={"a": None})
    sent["spec"]["containers"][0]["args"] = ["x", None]
    found = read("pods", sent)["spec"]
    assert "nodeName" not in found
    assert found["nodeSelector"] == {"a": ""}
    assert found["containers"][0]["args"] == ["x", ""]


def test_zero_values_vanish_except_where_go_has_a_pointer() -> None:
    sent = pod(hostNetwork=False, automountServiceAccountToken=False, nodeName="", priority=0, tolerations=[])
    sent["spec"]["securityContext"] = {}
    found = read("pods", sent)["spec"]
    assert {"hostNetwork", "nodeName", "tolerations"}.isdisjoint(found)
    assert found["automountServiceAccountToken"] is False
    assert found["priority"] == 0
    assert found["securityContext"] == {}
    assert read("deployments.apps", deployment(replicas=0, paused=False))["spec"]["replicas"] == 0


def test_what_stands_open_is_not_looked_at() -> None:
    revision = {"metadata": {"name": "r"}, "data": {"any": {"thing": [1]}}, "revision": 1}
    assert read("controllerrevisions.apps", revision)["data"] == {"any": {"thing": [1]}}


def test_the_schema_inside_a_definition_is_looked_at_also_below_items() -> None:
    schema = {"type": "object", "properties": {"l": {"type": "array", "items": {"type": "string", "typo": 1}}}}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    crd = {"metadata": {"name": "x"}, "spec": {"group": "g.example.com", "versions": [version]}}
    found = schemas.check(CATALOGUE.named("customresourcedefinitions.apiextensions.k8s.io"), crd)
    assert found.unknown == ["spec.versions[0].schema.openAPIV3Schema.properties.l.items.typo"]


def test_strict_field_validation_refuses_what_is_unknown() -> None:
    sent = deployment(foo=1, bar=2)
    with pytest.raises(status.Refusal) as refused:
        schemas.decode(DEPLOYMENTS, sent, asked=Options(field_validation="Strict"))
    assert refused.value.code == 400
    assert refused.value.message == (
        'Deployment in version "v1" cannot be handled as a Deployment: '
        'strict decoding error: unknown field "spec.foo", unknown field "spec.bar"'
    )


def test_field_validation_may_also_warn_or_be_silent() -> None:
    warned, silent = Options(field_validation="Warn"), Options(field_validation="Ignore")
    assert "foo" not in schemas.decode(DEPLOYMENTS, deployment(foo=1), asked=warned)["spec"]
    assert warned.warnings == ['unknown field "spec.foo"']
    schemas.decode(DEPLOYMENTS, deployment(foo=1), asked=silent)
    assert silent.warnings == []


def test_repeated_fields_are_told_before_unknown_ones() -> None:
    asked = Options()
    schemas.validate_fields(DEPLOYMENTS, ["spec.foo"], asked=asked, duplicate=["spec.replicas"])
    assert asked.warnings == ['duplicate field "spec.replicas"', 'unknown field "spec.foo"']
