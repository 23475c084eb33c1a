"""The service kills: what the cluster says of the node decides; the helper is played."""

import asyncio

import msgspec
import pytest

from litmus.experiments import docker_service_kill, held, kubelet_service_kill, service_fault, verdicts
from litmus.kube.objects import Node
from tests import samples
from tests.experiments import nodes_stage, stage

KUBELET = kubelet_service_kill.KubeletServiceKill()
DOCKER = docker_service_kill.DockerServiceKill()


def says(server, ready: str) -> None:
    server.change("nodes", "node-1", {"status": {"conditions": [{"type": "Ready", "status": ready}]}}, namespace="")


@pytest.fixture
def run(server, cluster, monkeypatch):
    """Runs an experiment on node-1; the cluster sees what ``conditions`` say, one after the other, during the fault."""
    nodes_stage.nodes(server, "node-1", "node-2")

    async def inject(experiment, *conditions, **env):
        context = await nodes_stage.begin(server, cluster, experiment, TARGET_NODE="node-1", **env)
        noticed = asyncio.Event()
        not_ready = service_fault._not_ready

        async def notice(*watched):
            seconds = await not_ready(*watched)
            noticed.set()
            return seconds

        monkeypatch.setattr(service_fault, "_not_ready", notice)

        async def hold(context, experiment, aims, *, silent):
            assert silent
            await context.start_chaos(1)
            for aim in aims:
                context.measured(context.note(aim.target), delivered="all threads are stopped (state T)")
            for condition in conditions:
                says(server, condition)
                if condition != "True":
                    await noticed.wait()

        monkeypatch.setattr(held, "hold", hold)
        async with asyncio.timeout(20):
            await experiment.inject(context)
        return context

    return inject


async def test_the_node_that_turns_not_ready_and_ready_again_is_the_proof(run):
    context = await run(KUBELET, "Unknown", "True")
    (target,) = context.hit
    assert (target.kind, target.name, target.asked) == ("Node", "node-1", "kubelet out of service for 1 s")
    assert target.delivered == "all threads are stopped (state T); node NotReady, then Ready again"
    assert target.gone_after_seconds is not None
    assert target.ready_after_seconds is not None


async def test_a_node_that_stays_ready_without_its_kubelet_is_an_error(run):
    with pytest.raises(verdicts.CannotRun, match="node node-1 stayed Ready although its kubelet was out of service"):
        await run(KUBELET, "True")


async def test_a_node_that_does_not_come_back_is_a_fail(run):
    with pytest.raises(verdicts.CheckFailed, match=r"node node-1 was not Ready within 0.2 s after the fault had ended"):
        await run(KUBELET, "False", setting_={"check_timeout_s": 0.2})


async def test_a_runtime_that_hangs_for_a_short_time_is_not_missed_and_that_is_said(run):
    context = await run(DOCKER)
    assert context.hit[0].delivered.endswith("node still Ready, its kubelet waits for an answer")


async def test_a_run_does_not_saw_off_the_docker_that_it_sits_on(run, server, cluster):
    info = {"status": {"nodeInfo": {"containerRuntimeVersion": "docker://20.10.7"}}}
    server.change("nodes", "node-1", info, namespace="")
    nodes_stage.pod(server, "chaos-runner", labels={"chaosUID": samples.ENGINE_UID})
    with pytest.raises(verdicts.CannotRun, match="node-1 can't be left without Docker: shop/chaos-runner runs there"):
        await run(DOCKER)


@pytest.mark.parametrize(
    ("experiment", "version", "service", "asked"),
    [
        (KUBELET, "containerd://1.6.20", "kubelet", "kubelet out of service"),
        (DOCKER, "containerd://1.6.20", "docker", r"container runtime (containerd://1.6.20) out of service"),
        (DOCKER, "", "docker", "container runtime out of service"),
    ],
)
def test_the_helper_is_told_the_node_by_name_because_several_may_share_its_host(experiment, version, service, asked):
    node = samples.node("node-1")
    node["status"]["nodeInfo"]["containerRuntimeVersion"] = version
    aim = experiment.aim(msgspec.convert(node, Node), stage.values(experiment))
    assert dict(aim.parameters) == {"service": service, "node": "node-1", "hold_s": 3600.0}
    assert aim.target.asked.startswith(asked)
