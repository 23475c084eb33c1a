"""What ``litmus install --with`` adds to the operator, as manifests."""

from pathlib import Path

import pytest
import yaml

from litmus.cli import app, components, manifests, parts, rollout
from litmus.hub import documents, registry
from litmus.kube import kinds

NAMESPACED = parts.Installation(namespace="team", scope="namespaced", image="litmus:mine")
BOTH = pytest.mark.parametrize("wanted", [parts.Installation(), NAMESPACED], ids=lambda wanted: wanted.scope)
EVERY = pytest.mark.parametrize("component", components.every(), ids=lambda component: component.name)
DEPLOYED = pytest.mark.parametrize("component", components.deployed(), ids=lambda component: component.name)


def made(component: components.Component, wanted: parts.Installation = NAMESPACED) -> dict[str, dict]:
    return {manifest["kind"]: manifest for manifest in component.objects(wanted)}


def pod(component: components.Component) -> dict:
    return made(component)["Deployment"]["spec"]["template"]["spec"]


def test_a_list_names_components_with_commas_or_again_each_once():
    assert [c.name for c in components.named(["hub, hub", "hub"])] == ["hub"]
    assert components.named([]) == []


@pytest.mark.parametrize("name", ["grafana", "Exporter", "Hub"])
def test_an_unknown_component_is_one_sentence_with_those_that_exist(name: str):
    with pytest.raises(components.Unknown) as refused:
        components.named([f"hub,{name}"])

    everything = ", ".join(component.name for component in components.every())
    assert str(refused.value) == f"there is no component '{name}'; there is {everything}"


@EVERY
@BOTH
def test_a_component_lives_in_the_namespace_of_the_operator_and_can_be_applied(
    component: components.Component, wanted: parts.Installation
):
    for manifest in component.objects(wanted):
        if wanted.scope == "cluster" and manifest["kind"] in ("ClusterRole", "ClusterRoleBinding"):
            assert "namespace" not in manifest["metadata"]
            continue
        assert kinds.of_manifest(manifest).namespaced
        assert manifest["metadata"]["namespace"] == wanted.namespace


@EVERY
def test_a_component_can_leave_its_namespace_to_kubectl(component: components.Component):
    for manifest in component.objects(parts.Installation(namespace="", scope="namespaced")):
        assert "namespace" not in manifest["metadata"]


@DEPLOYED
def test_what_is_waited_for_is_the_deployment_and_its_pods(component: components.Component):
    deployment = made(component)["Deployment"]
    labels = deployment["spec"]["template"]["metadata"]["labels"]

    assert deployment["metadata"]["name"] == component.deployment
    assert deployment["spec"]["selector"]["matchLabels"] == component.labels
    assert component.labels.items() <= labels.items()
    assert not rollout.OPERATOR.labels.items() <= labels.items()


@DEPLOYED
def test_a_component_passes_the_restricted_pod_security_standard(component: components.Component):
    assert pod(component)["securityContext"]["runAsNonRoot"] is True
    assert pod(component)["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not {"hostPID", "hostNetwork", "hostIPC"} & set(pod(component))
    for container in pod(component)["containers"]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["resources"]["requests"]
        assert container["resources"]["limits"]["memory"]


@EVERY
def test_the_rendered_file_has_the_component_after_the_operator(component: components.Component):
    read = list(yaml.safe_load_all(manifests.render(NAMESPACED, [component])))

    operator = [documents.plain(manifest) for manifest in manifests.operator(NAMESPACED)]
    assert read == [*manifests.definitions(), *operator, *component.objects(NAMESPACED)]


def test_the_hub_asks_nothing_of_the_cluster():
    hub = components.named(["hub"])[0]

    assert not {"Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"} & set(made(hub))
    assert made(hub)["ServiceAccount"]["automountServiceAccountToken"] is False
    assert pod(hub)["automountServiceAccountToken"] is False


def test_the_hub_hands_out_experiments_of_the_image_that_it_runs():
    container = pod(components.named(["hub"])[0])["containers"][0]

    assert container["image"] == "litmus:mine"
    assert container["args"][-2:] == ["--image", "litmus:mine"]


def test_the_service_leads_to_the_port_of_the_hub():
    hub = components.named(["hub"])[0]
    [port], [listening] = made(hub)["Service"]["spec"]["ports"], pod(hub)["containers"][0]["ports"]

    assert port["targetPort"] == listening["name"]
    assert made(hub)["Service"]["spec"]["selector"] == hub.labels


def test_the_hub_writes_to_a_volume_that_goes_with_the_pod():
    hub = components.named(["hub"])[0]
    [container] = pod(hub)["containers"]
    folders = {mount["name"]: mount for mount in container["volumeMounts"]}
    variables = {variable["name"]: variable["value"] for variable in container["env"]}

    assert {volume["name"] for volume in pod(hub)["volumes"] if "emptyDir" in volume} == {"clones"}
    assert variables["HOME"] == variables["TMPDIR"] == folders["clones"]["mountPath"]
    assert [name for name, mount in folders.items() if not mount.get("readOnly")] == ["clones"]


def test_users_begin_with_no_hubs_of_their_own(tmp_path: Path):
    file = tmp_path / "hubs.yaml"
    file.write_text(made(components.named(["hub"])[0])["ConfigMap"]["data"]["hubs.yaml"])

    assert registry.read(file) == []


def test_the_hub_reads_the_list_of_users_and_their_secret_where_it_is_mounted():
    hub = components.named(["hub"])[0]
    [container] = pod(hub)["containers"]
    folders = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    volumes = {volume["name"]: volume for volume in pod(hub)["volumes"]}
    variables = {variable["name"]: variable["value"] for variable in container["env"]}

    [file] = made(hub)["ConfigMap"]["data"]
    assert variables["LITMUS_HUBS"] == f"{folders['hubs']}/{file}"
    assert variables["XDG_CACHE_HOME"] == folders["clones"]
    assert volumes["hubs"]["configMap"]["name"] == made(hub)["ConfigMap"]["metadata"]["name"]
    assert volumes["credentials"]["secret"] == {"secretName": "chaos-hub", "optional": True, "defaultMode": 0o440}


def test_the_arguments_of_the_hub_are_text_and_known_to_the_command():
    [container] = pod(components.named(["hub"])[0])["containers"]
    words = [*container["command"], *container["args"]]
    assert all(type(word) is str for word in words)

    command, bound, _ = app.app.parse_args(words[1:])

    assert command.__name__ == "serve"
    assert bound.arguments["host"] == "0.0.0.0"
    assert bound.arguments["image"] == "litmus:mine"


def test_the_exporter_may_read_what_it_tells_of_and_change_nothing_of_it():
    exporter = components.named(["exporter"])[0]
    verbs: dict[str, set[str]] = {}
    for rule in made(exporter)["Role"]["rules"]:
        for resource in rule["resources"]:
            verbs.setdefault(resource, set()).update(rule["verbs"])

    read = {"get", "list", "watch"}
    assert verbs == {
        "chaosengines": read,
        "chaosresults": read,
        "chaosexperiments": read,
        "events": {"get", "create", "patch"},
    }


@BOTH
def test_the_rights_of_the_exporter_are_those_of_its_account_where_the_operator_looks(wanted: parts.Installation):
    exporter = made(components.named(["exporter"])[0], wanted)
    kind = "ClusterRole" if wanted.scope == "cluster" else "Role"
    binding = exporter[f"{kind}Binding"]
    [variable] = exporter["Deployment"]["spec"]["template"]["spec"]["containers"][0]["env"]

    assert binding["roleRef"]["name"] == exporter[kind]["metadata"]["name"] == "chaos-exporter"
    assert binding["subjects"] == [
        {
            "kind": "ServiceAccount",
            "name": exporter["ServiceAccount"]["metadata"]["name"],
            "namespace": wanted.namespace,
        }
    ]
    assert variable["name"] == "WATCH_NAMESPACE"
    assert ("valueFrom" in variable) == (wanted.scope == "namespaced")


def test_the_exporter_hears_from_a_secret_that_may_be_missing_whom_else_it_tells():
    [container] = pod(components.named(["exporter"])[0])["containers"]
    assert container["envFrom"] == [{"secretRef": {"name": "chaos-exporter", "optional": True}}]


def test_prometheus_finds_the_exporter_by_annotations_and_by_its_service():
    exporter = components.named(["exporter"])[0]
    template = made(exporter)["Deployment"]["spec"]["template"]
    [port], [listening] = made(exporter)["Service"]["spec"]["ports"], pod(exporter)["containers"][0]["ports"]

    assert template["metadata"]["annotations"]["prometheus.io/port"] == str(listening["containerPort"])
    assert port["targetPort"] == listening["name"] == "metrics"
    assert made(exporter)["Service"]["spec"]["selector"].items() <= template["metadata"]["labels"].items()
    assert made(exporter)["Service"]["metadata"]["labels"]["app"] == "chaos-exporter"
