"""The chart, rendered by the real helm, is what ``litmus install --render`` prints."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from litmus import __version__
from litmus.cli import components, generate, manifests, parts
from litmus.cli.helm import chart, values
from litmus.hub import registry
from tests import helm as real

ALL = {component.name: {"enabled": True} for component in components.deployed()}
DIGEST = "sha256:" + "0123456789abcdef" * 4


@pytest.fixture(autouse=True)
def _written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The chart as this code writes it, whatever lies in the checkout."""
    generate.update(tmp_path, chart.files())
    monkeypatch.setattr(real, "CHART", tmp_path / chart.FOLDER)


def by_title(documents: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {f"{document['kind']}/{document['metadata']['name']}": document for document in documents}


@pytest.mark.parametrize("scope", ["cluster", "namespaced"])
@pytest.mark.parametrize("chosen", [[], [c.name for c in components.deployed()]], ids=["operator", "everything"])
def test_the_chart_is_what_litmus_install_renders(scope: parts.Scope, chosen: list[str], tmp_path: Path):
    wanted = parts.Installation(namespace="chaos", scope=scope)
    text = manifests.render(wanted, components.named(chosen))
    ours = by_title([document for document in yaml.safe_load_all(text) if document["kind"] != "Namespace"])

    enabled = {name: {"enabled": True} for name in chosen}
    theirs = by_title(real.rendered({"scope": scope, **enabled}, folder=tmp_path, namespace="chaos"))

    assert sorted(theirs) == sorted(ours)
    for title, document in ours.items():
        assert theirs[title] == document, title


def test_helm_finds_nothing_to_complain_about(tmp_path: Path):
    for given in ("hub.enabled=false", "hub.enabled=true"):
        done = real.run("lint", "--strict", str(real.CHART), "--set", given, folder=tmp_path)

        assert done.returncode == 0, done.stdout + done.stderr
        assert "[WARNING]" not in done.stdout
        assert "[ERROR]" not in done.stdout


@pytest.mark.parametrize(
    ("given", "image"),
    [
        ({"repository": "registry.example:5000/litmus"}, f"registry.example:5000/litmus:{__version__}"),
        ({"tag": "mine"}, "litmus-py/litmus:mine"),
        ({"tag": "mine", "digest": DIGEST}, f"litmus-py/litmus@{DIGEST}"),
    ],
)
def test_one_image_is_that_of_every_pod_of_the_runner_and_of_what_the_hub_hands_out(
    given: dict[str, str], image: str, tmp_path: Path
):
    made = by_title(real.rendered({"image": given, **ALL}, folder=tmp_path))

    operator = container(made["Deployment/chaos-operator-ce"])
    hub = container(made["Deployment/chaos-hub"])
    variables = {variable["name"]: variable.get("value") for variable in operator["env"]}
    assert {operator["image"], hub["image"], variables["CHAOS_RUNNER_IMAGE"], hub["args"][-1]} == {image}


def container(deployment: dict[str, Any]) -> dict[str, Any]:
    return deployment["spec"]["template"]["spec"]["containers"][0]


def every_value() -> dict[str, Any]:
    """A value for everything that a pod of ours can be given."""
    return {
        "replicas": 3,
        "resources": {"requests": {"cpu": "1"}},
        "nodeSelector": {"disk": "ssd"},
        "tolerations": [{"key": "chaos", "operator": "Exists"}],
        "affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": []}},
        "podAnnotations": {"a": "1"},
        "serviceAccount": {"annotations": {"b": "true"}},
        "env": [{"name": "MORE", "value": "yes"}],
    }


@pytest.mark.parametrize(
    ("path", "deployment", "account"),
    [("", "chaos-operator-ce", "litmus"), ("hub", "chaos-hub", "chaos-hub")],
    ids=["operator", "hub"],
)
def test_a_pod_gets_what_the_values_say_and_keeps_the_rest(path: str, deployment: str, account: str, tmp_path: Path):
    given = every_value()
    nested = {path: {"enabled": True} | given} if path else given
    before = by_title(real.rendered(ALL, folder=tmp_path))[f"Deployment/{deployment}"]

    made = by_title(real.rendered({**ALL, **nested, "image": {"pullSecrets": [{"name": "s"}]}}, folder=tmp_path))

    after = made[f"Deployment/{deployment}"]
    template, pod = after["spec"]["template"], after["spec"]["template"]["spec"]
    assert after["spec"]["replicas"] == 3
    ours = before["spec"]["template"]["metadata"].get("annotations", {})
    assert template["metadata"]["annotations"] == {**ours, "a": "1"}
    assert {key: pod[key] for key in ("nodeSelector", "tolerations", "affinity")} == {
        key: given[key] for key in ("nodeSelector", "tolerations", "affinity")
    }
    assert pod["imagePullSecrets"] == [{"name": "s"}]
    assert container(after)["resources"]["requests"]["cpu"] == "1"
    assert container(after)["resources"]["limits"] == container(before)["resources"]["limits"]
    assert container(after)["env"] == [*container(before)["env"], *given["env"]]
    assert container(after)["securityContext"] == container(before)["securityContext"]
    assert made[f"ServiceAccount/{account}"]["metadata"]["annotations"] == {"b": "true"}


def test_resources_can_be_taken_away(tmp_path: Path):
    given = {"resources": {"requests": None, "limits": None}}

    made = by_title(real.rendered(given, folder=tmp_path))

    assert container(made["Deployment/chaos-operator-ce"])["resources"] == {}


def test_the_hub_gets_its_hubs_and_its_service(tmp_path: Path):
    token = "/etc/litmus/credentials/token"
    hubs = [{"name": "ours", "url": "https://git.example/hub.git", "branch": "main", "tokenFile": token}]
    service = {"type": "NodePort", "port": 80, "annotations": {"c": "d"}}

    given = {"customHubs": hubs, "service": service, "publicUrl": "https://hub.example", "syncEverySeconds": 5000000}
    made = by_title(real.rendered({"hub": {"enabled": True} | given}, folder=tmp_path))

    file = tmp_path / "hubs.yaml"
    file.write_text(made["ConfigMap/chaos-hub"]["data"]["hubs.yaml"])
    assert [(hub.name, hub.branch, hub.token_file) for hub in registry.read(file)] == [("ours", "main", token)]
    arguments = container(made["Deployment/chaos-hub"])["args"]
    assert arguments[-2:] == ["--public-url", "https://hub.example"]
    assert arguments[arguments.index("--sync-every") + 1] == "5000000"
    spec = made["Service/chaos-hub"]["spec"]
    assert (spec["type"], spec["ports"][0]["port"], spec["ports"][0]["targetPort"]) == ("NodePort", 80, "http")
    assert made["Service/chaos-hub"]["metadata"]["annotations"] == {"c": "d"}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"replica": 2}, "replica"),
        ({"hub": {"enable": True}}, "enable"),
        ({"image": {"version": "1"}}, "version"),
        ({"replicas": "two"}, "replicas"),
        ({"replicas": -1}, "replicas"),
        ({"scope": "global"}, "scope"),
        ({"hub": {"enabled": "yes"}}, "enabled"),
        ({"hub": {"customHubs": [{"name": "x"}]}}, "url"),
        ({"image": {"digest": "sha256:short"}}, "digest"),
        ({"env": [{"name": "A", "value": 1}]}, "value"),
    ],
    ids=str,
)
def test_a_typo_or_a_wrong_type_is_refused_by_its_name(given: dict[str, Any], said: str, tmp_path: Path):
    done = real.template(given, folder=tmp_path)

    assert done.returncode != 0
    assert done.stdout == ""
    assert "values don't meet the specifications of the schema" in done.stderr
    assert said in done.stderr


def test_every_value_has_its_default_in_the_file_of_values():
    read = yaml.safe_load(values.text())

    for option in values.options():
        node = read
        for step in option.name.split("."):
            node = node[step]
        assert node == option.default, option.name
