"""node-drain: what goes, what stays, who is asked, and that the cordon ends with the run however that ends."""

import asyncio

import pytest

from litmus.experiments import api_fault, drain_rules, node_drain, node_pods, verdicts
from litmus.experiments.context import Context
from litmus.kube import eviction
from tests import apiserver, samples
from tests.experiments import nodes_stage, stage

DRAIN = node_drain.NodeDrain()


@pytest.fixture(autouse=True)
def _quickly(monkeypatch):
    monkeypatch.setattr(eviction, "_AGAIN_S", 0.01)
    monkeypatch.setattr(node_pods, "_LOOK_S", 0.01)
    monkeypatch.setattr(api_fault, "_LOOK_S", 0.01)


@pytest.fixture
def begin(server, cluster, monkeypatch):
    """A drain of node-1 in a cluster of two nodes."""
    nodes_stage.nodes(server, "node-1", "node-2")

    async def start(**env):
        stage.rounds(monkeypatch, 3)
        return await nodes_stage.begin(server, cluster, DRAIN, **{"TARGET_NODE": "node-1", **env})

    return start


async def drain(context) -> None:
    async with asyncio.timeout(10):
        await DRAIN.inject(context)


def evicted(server) -> list[str]:
    return sorted(asked.name for asked in server.asked if asked.verb == "evict")


async def test_pods_are_evicted_from_a_cordoned_node_that_is_uncordoned_in_the_end(server, begin):
    nodes_stage.pod(server, "web-a")
    nodes_stage.pod(server, "web-b")
    nodes_stage.pod(server, "web-c", node="node-2")
    seen = []
    server.on(
        "evict",
        "pods",
        lambda kept, _: seen.append((nodes_stage.node(kept)["spec"], nodes_stage.records(kept, "node-drain")[0][0])),
    )
    await drain(await begin())
    assert evicted(server) == ["web-a", "web-b"]
    assert seen == [({"unschedulable": True}, "injected")] * 2
    assert nodes_stage.node(server)["spec"] == {}
    assert nodes_stage.marks(server) == []
    assert nodes_stage.records(server, "node-drain") == [("reverted", "node node-1 uncordoned")]
    [hit] = server.get("chaosresults", "shop-chaos-node-drain")["status"]["targets"]
    assert (hit["kind"], hit["name"], hit["delivered"]) == (
        "Node",
        "node-1",
        "cordoned; 2 pods evicted and gone from the node",
    )


async def test_the_record_says_how_to_undo_it_before_the_node_is_touched(server, begin):
    told = []
    server.on("patch", "nodes", lambda kept, _: told.append(stage.ledger(kept, "node-drain")[0]))
    await drain(await begin())
    assert told[0]["state"] == "planned"
    assert told[0]["undo"]["kind"] == "uncordon"
    assert told[0]["undo"]["uid"] == "uid-of-node-1"


async def test_a_node_that_was_cordoned_before_stays_cordoned(server, begin):
    nodes_stage.nodes(server, "node-1", unschedulable=True)
    nodes_stage.pod(server, "web-a")
    await drain(await begin())
    assert evicted(server) == ["web-a"]
    assert nodes_stage.node(server)["spec"] == {"unschedulable": True}
    [(state, said)] = nodes_stage.records(server, "node-drain")
    assert state == "reverted"
    assert "stays so" in said


async def test_daemons_mirrors_and_our_own_pods_stay(server, begin):
    nodes_stage.pod(server, "logs", owner=("DaemonSet", "logs"))
    nodes_stage.pod(server, "static", owner=("Node", "node-1"), annotations={"kubernetes.io/config.mirror": "x"})
    nodes_stage.pod(server, "helper", owner=None, labels={"chaosUID": "another-run"})
    nodes_stage.pod(server, "operator", labels={"name": "chaos-operator"})
    nodes_stage.pod(server, "done", owner=("Job", "once"), phase="Succeeded")
    await drain(await begin())
    assert evicted(server) == ["done"]
    [said] = [event["message"] for event in server.all("events") if event["reason"] == "NotEvicted"]
    assert said == "On node node-1 stay: 1 of daemon sets, 1 mirror pods, litmus' own helper, operator"


async def test_what_is_bound_to_the_node_while_it_is_cordoned_is_evicted_too(server, begin):
    nodes_stage.pod(server, "web-a")

    def late(kept, _):
        if "web-late" not in [item["metadata"]["name"] for item in kept.all("pods")]:
            nodes_stage.pod(kept, "web-late")

    late_once = [late]
    server.on("evict", "pods", lambda kept, gone: late_once.pop()(kept, gone) if late_once else None)
    await drain(await begin())
    assert evicted(server) == ["web-a", "web-late"]


async def test_a_budget_that_never_allows_it_is_an_error_that_names_it_and_the_node_is_uncordoned(server, begin):
    nodes_stage.pod(server, "web-a")
    no = "The disruption budget web needs 1 healthy pods and has 1 currently"
    with (
        server.answer(lambda asked: apiserver.over_budget(no) if asked.verb == "evict" else None),
        pytest.raises(verdicts.CannotRun, match=r"disruption budget web needs 1 .*is respected"),
    ):
        await drain(await begin())
    assert [item["metadata"]["name"] for item in server.all("pods") if item["spec"]["nodeName"] == "node-1"] == [
        "web-a"
    ]
    assert nodes_stage.node(server)["spec"] == {}
    assert nodes_stage.records(server, "node-drain")[0][0] == "reverted"


async def test_a_pod_that_does_not_go_is_an_error_that_says_why(server, begin):
    nodes_stage.pod(server, "web-a", finalizers=["keep/it"])
    with pytest.raises(verdicts.CannotRun, match=r"still shop/web-a .*finalizers keep/it"):
        await drain(await begin())
    assert nodes_stage.node(server)["spec"] == {}


@pytest.mark.parametrize(
    ("tunable", "pod", "why"),
    [
        ("FORCE", {"owner": None}, "no controller"),
        ("DELETE_EMPTYDIR_DATA", {"spec": {"volumes": [{"name": "v", "emptyDir": {}}]}}, "emptyDir"),
    ],
)
async def test_pods_that_the_tunables_protect_are_an_error_before_anything_is_touched(server, begin, tunable, pod, why):
    nodes_stage.pod(server, "web-a", **pod)
    with pytest.raises(verdicts.CannotRun, match=f"{why}.*{tunable}=true"):
        await drain(await begin(**{tunable: "false"}))
    assert "patch" not in server.verbs("nodes")
    assert evicted(server) == []
    await drain(await begin(**{tunable: "true"}))
    assert evicted(server) == ["web-a"]


async def test_somebody_who_uncordons_the_node_ends_the_run_with_an_error(server, begin, monkeypatch):
    context = await begin()

    async def hold(self: Context, seconds: float) -> None:
        server.change("nodes", "node-1", {"spec": {"unschedulable": None}}, namespace="")

    monkeypatch.setattr(Context, "hold", hold)
    with pytest.raises(verdicts.CannotRun, match="lost its effect: node node-1 was uncordoned"):
        await drain(context)
    assert nodes_stage.marks(server) == []


async def test_an_abort_uncordons_at_once_even_if_it_comes_twice(server, begin, monkeypatch):
    context = await begin()
    holding = asyncio.Event()

    async def hold(self: Context, seconds: float) -> None:
        holding.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(Context, "hold", hold)
    run = asyncio.create_task(drain(context))
    await asyncio.wait_for(holding.wait(), 10)
    assert nodes_stage.node(server)["spec"] == {"unschedulable": True}
    run.cancel()
    await asyncio.sleep(0)
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert nodes_stage.node(server)["spec"] == {}
    assert nodes_stage.records(server, "node-drain")[0][0] == "reverted"


async def test_a_second_node_that_can_not_be_cordoned_takes_the_first_one_back(server, begin):
    context = await begin(NODE_LABEL="kubernetes.io/hostname", TARGET_NODE="", NODES_AFFECTED_PERC="100")
    first = []

    def refuse_second(asked):
        if asked.verb != "patch" or asked.plural != "nodes" or first == [asked.name]:
            return None
        if not first:
            first.append(asked.name)
            return None
        return apiserver.failure(404, "gone")

    with server.answer(refuse_second), pytest.raises(verdicts.CannotRun, match="gone"):
        await drain(context)
    assert nodes_stage.node(server, first[0])["spec"] == {}
    assert {state for state, _ in nodes_stage.records(server, "node-drain")} == {"reverted"}
    assert [nodes_stage.marks(server, name) for name in ("node-1", "node-2")] == [[], []]


async def test_what_can_not_be_undone_is_an_error_and_stays_in_the_ledger(server, begin):
    context = await begin()
    patches = []

    def refuse_the_undo(asked):
        if (asked.verb, asked.plural) == ("patch", "nodes"):
            patches.append(asked)
        return apiserver.failure(403, "no") if len(patches) > 1 and asked.plural == "nodes" else None

    with server.answer(refuse_the_undo), pytest.raises(verdicts.CannotRun, match="could not be undone, the operator"):
        await drain(context)
    assert nodes_stage.records(server, "node-drain")[0][0] == "proven"


async def test_a_plan_shows_the_node_and_who_would_be_evicted(server, cluster, begin):
    nodes_stage.pod(server, "web-a")
    nodes_stage.pod(server, "logs", owner=("DaemonSet", "logs"))
    values = stage.values(DRAIN, TARGET_NODE="node-1")
    seen = await DRAIN.foresee(cluster, (), values, seed="s")
    assert [(victim.kind, victim.name) for victim in seen.first_round] == [("Node", "node-1"), ("Pod", "web-a")]
    assert {asked.verb for asked in server.asked} == {"list"}


def test_a_completed_daemon_pod_goes():
    pod = samples.a_pod("logs", owner=("DaemonSet", "logs"), phase="Failed")
    assert drain_rules.sort([pod], force=False, delete_empty_dir=False).going == (pod,)
