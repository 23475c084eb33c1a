"""An API server accepts what the charts say, to the last field: here the sandbox's, in tests/cluster a real one."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml
from litestar.testing import AsyncTestClient

from litmus.api import crds
from litmus.experiments import catalogue
from litmus.experiments.declaration import Experiment
from litmus.hub import charts, reading, server
from litmus.sandbox.apiserver import app, bootstrap_policy, services, tokens
from litmus.sandbox.machinery import assembly
from litmus.sandbox.machinery.options import User
from tests.hub import others

ALL = pytest.mark.parametrize("experiment", catalogue.everything(), ids=lambda experiment: experiment.name)
ADMIN = User(name="kubernetes-admin", groups=("system:masters",))
LITMUS = "/apis/litmuschaos.io/v1alpha1/namespaces/default"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
PLACES = {
    "ChaosExperiment": f"{LITMUS}/chaosexperiments",
    "ChaosEngine": f"{LITMUS}/chaosengines",
    "ServiceAccount": "/api/v1/namespaces/default/serviceaccounts",
    "Role": f"{RBAC}/namespaces/default/roles",
    "RoleBinding": f"{RBAC}/namespaces/default/rolebindings",
    "ClusterRole": f"{RBAC}/clusterroles",
    "ClusterRoleBinding": f"{RBAC}/clusterrolebindings",
}


@pytest.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    """An API server of the sandbox in this process, with our definitions."""
    registry = assembly.assemble()
    bootstrap_policy.install(registry)
    served = services.assemble(registry, users={"admin": ADMIN}, kubelet_socket=lambda node: None, key=tokens.new_key())
    transport = httpx2.ASGITransport(app=app.application(served), raise_app_exceptions=True)
    headers = {"authorization": "Bearer admin"}
    async with httpx2.AsyncClient(transport=transport, base_url="https://127.0.0.1", headers=headers) as made:
        await created(made, "/api/v1/namespaces", {"metadata": {"name": "default"}})
        for definition in crds.all_crds():
            await created(made, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition)
        yield made


async def created(client: httpx2.AsyncClient, path: str, document: dict[str, Any], *, how: str = "Strict") -> None:
    """A field that the server does not know is refused, and not dropped."""
    answer = await client.post(f"{path}?fieldValidation={how}", json=document)
    assert answer.status_code == 201, answer.text


@ALL
async def test_a_chart_is_accepted_without_a_dropped_field(experiment: Experiment, client: httpx2.AsyncClient):
    files: dict[str, Callable[[], str]] = charts.table([experiment])
    folder = f"charts/{experiment.chart}/{experiment.name}"
    for file in charts.FILES:
        for document in yaml.safe_load_all(files[f"{folder}/{file}"]()):
            await created(client, PLACES[document["kind"]], document)


@pytest.mark.parametrize("files", [others.of_1_10("a"), others.of_3("a")], ids=["1.10", "3.x"])
async def test_what_is_fetched_of_another_hub_for_a_namespace_is_accepted_in_it(
    files: dict[str, str | bytes], tmp_path: Path, client: httpx2.AsyncClient
):
    theirs = reading.hub(others.write(tmp_path, files), name="mine", source="")
    [chart] = theirs.charts()
    manifests = [path for path in (chart.experiment_file, chart.rbac_file, chart.engine_file) if path]
    assert manifests
    async with AsyncTestClient(server.app(others=lambda: [theirs])) as hub:
        for file in manifests:
            answer = await hub.get("/api/chaos/1.10.0", params={"file": file, "hub": "mine", "namespace": "default"})
            assert answer.status_code == 200
            for document in yaml.safe_load_all(answer.text):
                # Charts of the field have a metadata.version, which Kubernetes does not know and drops.
                await created(client, PLACES[document["kind"]], document, how="Warn")
