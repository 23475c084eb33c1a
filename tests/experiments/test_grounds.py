"""Experiments that the sandbox can't do are refused there before anything is touched, in a run and in its plan."""

import pytest

from litmus.experiments import catalogue, grounds, lifecycle, planning
from litmus.experiments.pod_delete import PodDelete
from tests import samples
from tests.experiments import stage

ENV = {
    "CHAOSENGINE": "shop-chaos",
    "CHAOS_NAMESPACE": "shop",
    "POD_NAME": stage.EXPERIMENT_POD,
    "TARGETS": "deployment:shop:[app=web]",
}


class Flood(PodDelete):
    """An experiment that would drown the machine that the sandbox runs on."""

    sandbox = "Its nodes are one machine."

    async def inject(self, context) -> None:
        context.step = "flooding"


def own_pod(container_id: str) -> dict:
    pod = stage.experiment_pod()
    pod["status"]["containerStatuses"][0]["containerID"] = container_id
    return pod


@pytest.fixture(autouse=True)
def _application(server):
    server.put("chaosengines", samples.engine())
    server.put("pods", samples.pod("web-a"))


async def ended(server, cluster, experiment) -> tuple[str, str]:
    await lifecycle.execute(experiment, cluster, ENV)
    status = server.get("chaosresults", "shop-chaos-pod-delete")["status"]["experimentstatus"]
    return status["verdict"], status["failStep"]


async def test_on_the_sandbox_it_is_an_error_that_says_why(server, cluster):
    server.put("pods", own_pod("sandbox://4711"))
    verdict, step = await ended(server, cluster, Flood())
    assert verdict == "Error"
    assert step == "pod-delete does not run on the sandbox: its nodes are one machine; use a real cluster"


async def test_on_a_real_cluster_it_runs(server, cluster):
    server.put("pods", own_pod("containerd://4711"))
    assert await ended(server, cluster, Flood()) == ("Pass", "N/A")


async def test_a_container_that_is_not_reported_yet_is_waited_for(server, cluster, monkeypatch):
    monkeypatch.setattr(grounds, "_REPORT_S", 0.2)
    server.put("pods", own_pod(""))
    verdict, step = await ended(server, cluster, Flood())
    assert verdict == "Error"
    assert "the kubelet to report the container" in step


@pytest.mark.parametrize(("runtime", "blocked"), [("sandbox://1.37.0", True), ("containerd://1.6.20", False)])
async def test_a_plan_says_it_beforehand(server, cluster, monkeypatch, runtime, blocked):
    node = samples.node()
    node["status"]["nodeInfo"]["containerRuntimeVersion"] = runtime
    server.put("nodes", node)
    monkeypatch.setattr(catalogue, "find", lambda name: Flood())
    found = await planning.of_engine(cluster, samples.an_engine(chaosServiceAccount=""))
    texts = [finding.text for finding in found.experiments[0].findings]
    assert any("does not run on the sandbox" in text for text in texts) == blocked


@pytest.mark.parametrize("experiment", catalogue.everything(), ids=lambda experiment: experiment.name)
def test_no_helper_pod_but_that_of_container_kill_is_sent_to_the_sandbox(experiment):
    """It would change, stress or restart the machine that the sandbox runs on."""
    if experiment.needs and experiment.name != "container-kill":
        assert experiment.sandbox
