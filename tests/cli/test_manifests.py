"""What an installation is made of."""

import pytest
import yaml

from litmus.api import crds
from litmus.cli import manifests
from litmus.hub import documents
from litmus.kube import kinds

CLUSTER = manifests.Installation()
NAMESPACED = manifests.Installation(namespace="team", scope="namespaced", image="litmus:mine", replicas=2)
BOTH = pytest.mark.parametrize("wanted", [CLUSTER, NAMESPACED], ids=lambda wanted: wanted.scope)


def made(wanted: manifests.Installation) -> dict[str, dict]:
    return {manifest["kind"]: documents.plain(manifest) for manifest in manifests.operator(wanted)}


def container(wanted: manifests.Installation) -> dict:
    return made(wanted)["Deployment"]["spec"]["template"]["spec"]["containers"][0]


def variables(wanted: manifests.Installation) -> dict[str, object]:
    return {v["name"]: v.get("value", v.get("valueFrom")) for v in container(wanted)["env"]}


@BOTH
def test_the_names_are_those_that_users_of_the_original_know(wanted: manifests.Installation):
    deployment = made(wanted)["Deployment"]

    assert deployment["metadata"]["name"] == "chaos-operator-ce"
    assert deployment["spec"]["selector"] == {"matchLabels": {"name": "chaos-operator"}}
    assert deployment["spec"]["template"]["metadata"]["labels"]["name"] == "chaos-operator"
    assert container(wanted)["name"] == "chaos-operator"
    assert made(wanted)["ServiceAccount"]["metadata"]["name"] == "litmus"


@BOTH
def test_prometheus_finds_the_metrics_of_the_operator_by_annotations_and_by_the_name_of_the_port(
    wanted: manifests.Installation,
):
    template = made(wanted)["Deployment"]["spec"]["template"]
    port = container(wanted)["ports"][0]
    assert port["name"] == "metrics"
    assert template["metadata"]["annotations"] == {
        "prometheus.io/scrape": "true",
        "prometheus.io/port": str(port["containerPort"]),
        "prometheus.io/path": "/metrics",
    }
    probes = ("readinessProbe", "startupProbe", "livenessProbe")
    assert {container(wanted)[probe]["httpGet"]["port"] for probe in probes} == {"metrics"}


@BOTH
def test_everything_of_an_installation_can_be_applied(wanted: manifests.Installation):
    for manifest in [*manifests.definitions(), *manifests.operator(wanted)]:
        assert kinds.of_manifest(manifest).plural


def test_a_cluster_wide_operator_watches_every_namespace_and_keeps_its_lease_in_its_own():
    kinds_in_order = [manifest["kind"] for manifest in manifests.operator(CLUSTER)]

    assert kinds_in_order == [
        "Namespace",
        "ServiceAccount",
        "ClusterRole",
        "ClusterRoleBinding",
        "Role",
        "RoleBinding",
        "Deployment",
    ]
    assert variables(CLUSTER)["WATCH_NAMESPACE"] == ""
    assert [rule["resources"] for rule in made(CLUSTER)["Role"]["rules"]] == [["configmaps"], ["leases"]]
    assert made(CLUSTER)["ClusterRoleBinding"]["subjects"][0]["namespace"] == "litmus"


def test_a_namespaced_operator_has_no_right_outside_its_namespace():
    manifest_kinds = set(made(NAMESPACED))

    assert manifest_kinds == {"Namespace", "ServiceAccount", "Role", "RoleBinding", "Deployment"}
    assert variables(NAMESPACED)["WATCH_NAMESPACE"] == {"fieldRef": {"fieldPath": "metadata.namespace"}}
    for kind in manifest_kinds - {"Namespace"}:
        assert made(NAMESPACED)[kind]["metadata"]["namespace"] == "team"


def test_the_operator_learns_its_image_and_its_place():
    assert variables(NAMESPACED) == {
        "CHAOS_RUNNER_IMAGE": "litmus:mine",
        "WATCH_NAMESPACE": {"fieldRef": {"fieldPath": "metadata.namespace"}},
        "OPERATOR_NAMESPACE": {"fieldRef": {"fieldPath": "metadata.namespace"}},
        "POD_NAME": {"fieldRef": {"fieldPath": "metadata.name"}},
    }
    assert container(NAMESPACED)["image"] == "litmus:mine"
    assert made(NAMESPACED)["Deployment"]["spec"]["replicas"] == 2


@BOTH
def test_no_rule_has_a_wildcard_or_a_right_on_secrets(wanted: manifests.Installation):
    for kind in ("Role", "ClusterRole"):
        for rule in made(wanted).get(kind, {}).get("rules", ()):
            granted = {*rule["apiGroups"], *rule["resources"], *rule["verbs"]}
            assert not granted & {"*", "secrets", "pods/exec", "escalate", "bind", "impersonate", "deletecollection"}


@BOTH
def test_every_rule_is_written_with_its_reason(wanted: manifests.Installation):
    text = manifests.render(wanted)

    rules = text.split("\n  - apiGroups: ")
    assert len(rules) > 8
    for before in rules[:-1]:
        assert before.splitlines()[-1].startswith("  # To ")


@BOTH
def test_the_operator_passes_the_restricted_pod_security_standard(wanted: manifests.Installation):
    pod = made(wanted)["Deployment"]["spec"]["template"]["spec"]

    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container(wanted)["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert not {"hostPID", "hostNetwork", "volumes"} & set(pod)


@BOTH
def test_the_rendered_file_is_what_is_applied(wanted: manifests.Installation):
    read = list(yaml.safe_load_all(manifests.render(wanted)))

    assert read == [*crds.all_crds(), *(documents.plain(manifest) for manifest in manifests.operator(wanted))]


def test_a_namespaced_installation_can_leave_its_namespace_to_kubectl():
    for manifest in manifests.operator(manifests.Installation(namespace="", scope="namespaced")):
        assert manifest["kind"] != "Namespace"
        assert "namespace" not in manifest["metadata"]
        assert all("namespace" not in subject for subject in manifest.get("subjects", ()))


def test_a_cluster_wide_installation_cannot():
    with pytest.raises(ValueError, match="ClusterRole"):
        manifests.Installation(namespace="")
