"""``litmus install --with hub``: the hub as a Deployment, asked from outside by kubectl and HTTP."""

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.cluster import stage as stages
from tests.cluster.forwarding import forwarded
from tests.cluster.stage import Stage

BUNDLE = "/api/chaos/1.10.0?file=charts/generic/experiments.yaml"


@pytest.fixture(scope="module")
def installed(operator: None) -> str:
    """What the command said."""
    image = ["--image", stages.IMAGE] if stages.IMAGE else []
    with stages.only_operator():
        return stages.litmus("install", "--with", "hub", *image, check=True).out


@pytest.fixture
def address(installed: str) -> Iterator[str]:
    with forwarded("chaos-hub", namespace="litmus") as opened:
        yield opened


def get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=20) as answer:
        body: bytes = answer.read()
        return body


def pods() -> list[dict[str, Any]]:
    selector = "app.kubernetes.io/name=litmus,app.kubernetes.io/component=hub"
    found: list[dict[str, Any]] = json.loads(
        stages.kubectl("-n", "litmus", "get", "pods", "-l", selector, "-o", "json")
    )["items"]
    return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]


def test_the_installation_says_that_the_hub_is_ready_and_it_is(installed: str) -> None:
    assert "The hub is ready." in installed
    [pod] = pods()
    conditions = {condition["type"]: condition["status"] for condition in pod["status"]["conditions"]}
    assert conditions["Ready"] == "True"


def test_the_pod_has_no_token_and_its_account_no_rights(installed: str) -> None:
    [pod] = pods()
    mounts = [mount["mountPath"] for mount in pod["spec"]["containers"][0]["volumeMounts"]]
    assert not [path for path in mounts if "serviceaccount" in path]
    user = "--as=system:serviceaccount:litmus:chaos-hub"
    for what in (("get", "pods"), ("get", "secrets"), ("list", "chaosengines.litmuschaos.io")):
        assert stages.kubectl("-n", "litmus", "auth", "can-i", *what, user, check=False).strip() == "no"


def test_the_api_answers_with_experiments_of_the_image_that_was_installed(address: str) -> None:
    assert "1.10.0" in json.loads(get(f"{address}/api/version"))
    [pod] = pods()
    made = list(yaml.safe_load_all(get(address + BUNDLE)))
    images = {document["spec"]["definition"]["image"] for document in made}
    assert images == {pod["spec"]["containers"][0]["image"]}


def test_kubectl_applies_what_the_hub_hands_out(address: str, stage: Stage) -> None:
    url = f"{address}/api/chaos/1.10.0?file=charts/generic/pod-delete"
    for file in ("experiment", "rbac"):
        stage.kubectl("apply", "-f", f"{url}/{file}.yaml&namespace={stage.name}")
    assert stage.get("chaosexperiment", "pod-delete")
    assert stage.get("serviceaccount", "pod-delete-sa")


def test_the_home_page_is_for_browsers(address: str) -> None:
    page = get(f"{address}/").decode()
    assert "<html" in page
    assert "pod-delete" in page


def test_what_the_pod_logs_is_json(address: str) -> None:
    get(f"{address}/healthz")
    lines = stages.kubectl("-n", "litmus", "logs", "deployment/chaos-hub").splitlines()
    assert lines
    assert all({"time", "level", "message"} <= set(json.loads(line)) for line in lines)
