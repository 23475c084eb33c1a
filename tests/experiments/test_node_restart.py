"""node-restart: who is refused, and what the cluster has to say before it is a restart. No node is ever restarted."""

import asyncio
import json

import pytest

from litmus.experiments import node_restart, tunables, verdicts
from litmus.kube import helpers
from tests import samples
from tests.experiments import nodes_stage, stage

RESTART = node_restart.NodeRestart()


@pytest.fixture
def begin(server, cluster, monkeypatch):
    nodes_stage.nodes(server, "node-1", "node-2")
    monkeypatch.setattr(helpers, "START_DEADLINE_S", 0.3)

    async def start(**env):
        return await nodes_stage.begin(server, cluster, RESTART, **{"TARGET_NODE": "node-1", **env})

    return start


async def restart(context) -> None:
    async with asyncio.timeout(20):
        await RESTART.inject(context)


def report(server, pod, **said) -> None:
    """The helper's last words."""
    ended = {"terminated": {"exitCode": 0, "message": json.dumps(said)}}
    status = {"phase": "Succeeded", "containerStatuses": [samples.container("fault") | {"state": ended}]}
    server.change("pods", pod["metadata"]["name"], {"status": status})


def reboots(server, pod) -> None:
    """What a node does that is told to: it is gone, and comes back with another boot id."""
    if pod["metadata"]["name"].startswith("node-restart-helper"):
        status = {"conditions": [{"type": "Ready", "status": "True"}], "nodeInfo": {"bootID": "another"}}
        server.change("nodes", "node-1", {"status": status}, namespace="")


def helper_pods(server) -> list:
    return [pod for pod in server.all("pods") if pod["metadata"]["name"].startswith("node-restart-helper")]


async def test_another_boot_id_and_ready_is_the_proof(begin, server):
    asked = []
    server.on("create", "pods", lambda server, pod: asked.append(pod))
    server.on("create", "pods", reboots)
    context = await begin()
    await restart(context)
    (target,) = context.hit
    assert target.delivered == "boot id boot-of-node-1 → another, Ready again"
    assert target.ready_after_seconds is not None
    assert [state for state, _ in nodes_stage.records(server, "node-restart")] == ["moot"]
    assert helper_pods(server) == []


async def test_the_helper_gets_the_boot_id_so_that_it_never_restarts_a_node_twice(begin, server):
    asked = []

    def note(server, pod):
        asked.append(json.loads(pod["spec"]["containers"][0]["args"][0]))
        reboots(server, pod)

    server.on("create", "pods", note)
    await restart(await begin())
    (request,) = asked
    assert request["mechanism"] == "restart"
    parameters = request["targets"][0]["parameters"]
    assert (parameters["node"], parameters["boot_id"]) == ("node-1", "boot-of-node-1")


async def test_a_node_that_shares_its_machine_with_another_is_refused_before_anything_is_touched(begin, server):
    shared = {"status": {"nodeInfo": {"bootID": "BOOT-of-node-1"}}}
    server.change("nodes", "node-2", shared, namespace="")
    context = await begin()
    with pytest.raises(verdicts.CannotRun, match=r"shares its machine with node-2 \(one boot id\), and all of them"):
        await restart(context)
    assert helper_pods(server) == []
    assert nodes_stage.records(server, "node-restart") == []


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        (stage.EXPERIMENT_POD, {"chaosUID": samples.ENGINE_UID}),
        ("chaos-runner", {"chaosUID": samples.ENGINE_UID}),
        ("chaos-operator-ce-5d7f9-abcde", {"name": "chaos-operator"}),
    ],
)
async def test_a_node_on_which_the_run_or_the_operator_lives_is_refused(begin, server, name, labels):
    context = await begin()
    nodes_stage.pod(server, name, labels=labels)
    with pytest.raises(verdicts.CannotRun, match=f"node-1 can't be restarted: shop/{name} runs there"):
        await restart(context)
    assert helper_pods(server) == []


async def test_a_node_without_a_boot_id_is_refused(begin, server):
    server.change("nodes", "node-1", {"status": {"nodeInfo": {"bootID": ""}}}, namespace="")
    with pytest.raises(verdicts.CannotRun, match="reports no boot id, so that a restart could not be proven"):
        await restart(await begin())


async def test_a_helper_that_refuses_is_an_error_in_its_own_words(begin, server):
    def refuse(server, pod):
        failed = [{"name": "node-1", "holds": False, "asked": "", "delivered": "this machine serves several nodes"}]
        report(server, pod, held=0, failed=failed)

    server.on("create", "pods", refuse)
    with pytest.raises(verdicts.CannotRun, match="node node-1 was not restarted: this machine serves several nodes"):
        await restart(await begin())
    assert helper_pods(server) == []


async def test_a_node_that_goes_on_as_before_is_an_error(begin, server):
    server.on("create", "pods", lambda server, pod: report(server, pod, held=1, failed=[]))
    with pytest.raises(verdicts.CannotRun, match=r"not restarted within .* s: it is Ready with the same boot id"):
        await restart(await begin(setting_={"check_timeout_s": 0.2}))


async def test_a_node_that_stays_away_is_a_fail(begin, server):
    def dies(server, pod):
        down = {"status": {"conditions": [{"type": "Ready", "status": "Unknown"}]}}
        server.change("nodes", "node-1", down, namespace="")

    server.on("create", "pods", dies)
    with pytest.raises(verdicts.CheckFailed, match="node node-1 went down and was not back within"):
        await restart(await begin(setting_={"check_timeout_s": 0.2}))


@pytest.mark.parametrize("command", ["sudo systemctl poweroff --force --force; true", "shutdown -h now"])
def test_a_command_that_would_never_bring_the_node_back_is_refused(command):
    with pytest.raises(tunables.TunableError, match=r"^REBOOT_COMMAND=.*must be empty or a command that reboots"):
        stage.values(RESTART, REBOOT_COMMAND=command)


def test_the_commands_of_the_original_are_accepted():
    for command in ("sudo systemctl reboot", "sudo systemctl reboot; true", ""):
        stage.values(RESTART, REBOOT_COMMAND=command)
