"""k8-pod-delete and k8-service-kill with a played toolkit: a completed run is a Pass only with an effect."""

import asyncio
from typing import Any

import pytest

from litmus.experiments import k8_pod_delete, k8_service_kill, verdicts
from litmus.experiments.toolkit import process
from tests.experiments import stage
from tests.experiments.toolkit import test_journal

PODS, SERVICES = k8_pod_delete.K8PodDelete(), k8_service_kill.K8ServiceKill()
COUNT = "service-app-kill-count.json"


@pytest.fixture
def toolkit(server, monkeypatch):
    """Plays the toolkit: removes what it is told to, and completes."""
    played: dict[str, Any] = {"remove": True, "told": test_journal.written(), "env": None, "seen": None}

    async def run(document, *, env, kubeconfig, deadline_s):
        played["env"] = env
        played["seen"] = server.get("chaosresults", played["result"])["status"]["faults"]
        if played["remove"] and "SERVICE_NAME" in env:
            server.remove("services", env["SERVICE_NAME"])
        elif played["remove"]:
            names = env["TARGET_PATTERN"].removeprefix("^(").removesuffix(")$").replace("\\", "").split("|")
            for name in names:
                server.remove("pods", name)
            played["told"]["run"][0]["output"] = names
        return played["told"]

    monkeypatch.setattr(process, "run", run)
    return played


async def carry_out(server, cluster, toolkit, experiment, **env) -> dict[str, Any]:
    toolkit["result"] = f"shop-chaos-{experiment.name}"
    context = await stage.context(
        server, cluster, experiment, **{"TOTAL_CHAOS_DURATION": "1", "LABEL_NAME": "web", **env}
    )
    async with asyncio.timeout(10):
        await experiment.inject(context)
    status: dict[str, Any] = server.get("chaosresults", toolkit["result"])["status"]
    return status


@pytest.mark.parametrize(
    ("file", "hit"),
    [("pod-app-kill-count.json", 1), ("pod-custom-kill-percentage.json", 2), ("pod-app-kill-all.json", 4)],
)
async def test_pods_are_recorded_hit_and_accounted_for(server, cluster, toolkit, file, hit):
    stage.deployment(server, "web-a", "web-b", "web-c", "web-d")
    status = await carry_out(server, cluster, toolkit, PODS, FILE=file, LABEL_NAME="app=web", APP_ENDPOINT="web")
    assert [fault["state"] for fault in toolkit["seen"]] == ["planned"]
    assert len(status["targets"]) == hit
    assert {target["delivered"] for target in status["targets"]} == {"pod gone"}
    assert toolkit["env"]["POD_COUNT"] == "4"
    assert toolkit["env"]["ENDPOINT_URL"] == "https://web/health/full"


async def test_a_plan_names_the_very_pods_that_are_hit(server, cluster, toolkit):
    stage.deployment(server, "web-a", "web-b", "web-c")
    values = stage.values(PODS, LABEL_NAME="web")
    prospect = await PODS.foresee(cluster, [stage.WEB], values, seed="shop-chaos/k8-pod-delete/1/0")
    status = await carry_out(server, cluster, toolkit, PODS)
    assert [victim.name for victim in prospect.first_round] == [target["name"] for target in status["targets"]]


async def test_a_completed_run_without_effect_is_an_error(server, cluster, toolkit):
    toolkit["remove"] = False
    stage.deployment(server, "web-a")
    with pytest.raises(verdicts.CannotRun, match="completed, but these pods are still there: web-a"):
        await carry_out(server, cluster, toolkit, PODS)


async def test_a_deviation_is_a_fail(server, cluster, toolkit):
    toolkit["told"] = test_journal.written(after=test_journal.probe(met=False, output=500), deviated=True)
    stage.deployment(server, "web-a")
    with pytest.raises(verdicts.CheckFailed, match="was not met after the method"):
        await carry_out(server, cluster, toolkit, PODS)


async def test_an_endpoint_that_the_file_asks_for_is_named(server, cluster, toolkit):
    stage.deployment(server, "web-a")
    with pytest.raises(verdicts.CannotRun, match="APP_ENDPOINT='': the experiment file asks for it"):
        await carry_out(server, cluster, toolkit, PODS, FILE="pod-app-kill-health.json")
    assert toolkit["env"] is None


def service(server, name="web") -> None:
    meta = {"name": name, "uid": f"uid-of-{name}", "labels": {"app": "web"}}
    server.put("services", {"metadata": meta, "spec": {"clusterIP": "10.0.0.7", "ports": [{"port": 80}]}})


async def test_a_service_is_recorded_deleted_and_put_back(server, cluster, toolkit):
    service(server)
    status = await carry_out(server, cluster, toolkit, SERVICES, FILE=COUNT)
    [record] = toolkit["seen"]
    assert (record["state"], record["undo"]["kind"]) == ("injected", "recreate")
    assert [fault["state"] for fault in status["faults"]] == ["reverted"]
    assert server.get("services", "web")["spec"]["clusterIP"] == "10.0.0.7"
    assert status["targets"][0]["delivered"] == "Service gone"


async def test_a_service_is_put_back_when_the_steady_state_is_lost(server, cluster, toolkit):
    toolkit["told"] = test_journal.written(after=test_journal.probe(met=False), deviated=True)
    service(server)
    with pytest.raises(verdicts.CheckFailed):
        await carry_out(server, cluster, toolkit, SERVICES, FILE=COUNT)
    assert server.get("services", "web")


async def test_a_service_that_is_still_there_is_an_error(server, cluster, toolkit):
    toolkit["remove"] = False
    service(server)
    with pytest.raises(verdicts.CannotRun, match="these Services are still there: web"):
        await carry_out(server, cluster, toolkit, SERVICES, FILE=COUNT)


async def test_a_label_that_no_service_has_is_named(server, cluster, toolkit):
    with pytest.raises(
        verdicts.CannotRun, match="LABEL_NAME='web': no Service in namespace shop has the label app=web"
    ):
        await carry_out(server, cluster, toolkit, SERVICES, FILE=COUNT)
