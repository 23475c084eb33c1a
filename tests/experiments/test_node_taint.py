"""node-taint: our taint and only ours, on and off."""

import asyncio

import pytest

from litmus.experiments import api_fault, node_pods, node_taint, taint_list, verdicts
from litmus.experiments.context import Context
from litmus.kube import taints as kube_taints
from litmus.kube.objects import Taint
from tests.experiments import nodes_stage, stage

TAINT = node_taint.NodeTaint()
FOREIGN = {"key": "theirs", "value": "v", "effect": "NoSchedule"}


@pytest.fixture(autouse=True)
def _quickly(monkeypatch):
    monkeypatch.setattr(node_pods, "_LOOK_S", 0.01)
    monkeypatch.setattr(api_fault, "_LOOK_S", 0.01)
    monkeypatch.setattr(kube_taints, "_SETTLE_S", 0.01)


@pytest.fixture
def begin(server, cluster, monkeypatch):
    """A run that taints node-1 of two; the taint manager is played."""
    nodes_stage.nodes(server, "node-1", taints=[FOREIGN])
    nodes_stage.nodes(server, "node-2")
    server.on("patch", "nodes", evict_intolerant)

    async def start(taints="chaos=yes:NoExecute", **env):
        stage.rounds(monkeypatch, 3)
        return await nodes_stage.begin(server, cluster, TAINT, **{"TARGET_NODE": "node-1", "TAINTS": taints, **env})

    return start


def evict_intolerant(server, node) -> None:
    """What the taint manager does."""
    if any(taint["effect"] == "NoExecute" for taint in node["spec"].get("taints", [])):
        for pod in server.all("pods"):
            if pod["spec"]["nodeName"] == node["metadata"]["name"] and "tolerations" not in pod["spec"]:
                server.remove("pods", pod["metadata"]["name"], pod["metadata"]["namespace"])


async def taint(context) -> None:
    async with asyncio.timeout(10):
        await TAINT.inject(context)


def taints(server) -> list:
    return nodes_stage.node(server)["spec"].get("taints", [])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("chaos=yes:NoExecute", [("chaos", "yes", "NoExecute")]),
        ("c=y:NoSchedule, o:PreferNoSchedule", [("c", "y", "NoSchedule"), ("o", "", "PreferNoSchedule")]),
        ("a.io/chaos", [("a.io/chaos", "node-taint", "NoExecute")]),
        ("chaos=:NoSchedule", [("chaos", "", "NoSchedule")]),
        ("", []),
    ],
)
def test_taints_are_read_as_the_original_writes_them(text, expected):
    assert [(one.key, one.value, one.effect) for one in taint_list.read(text)] == expected


@pytest.mark.parametrize(
    "text", ["x=y:Never", "=yes:NoExecute", "a b:NoExecute", "x=y z:NoExecute", "x:", "x:NoExecute,x=1:NoExecute"]
)
def test_what_is_no_taint_is_refused_with_what_is_allowed(text):
    with pytest.raises(ValueError, match=r"must be key=value:effect|is there twice"):
        taint_list.read(text)


@pytest.mark.parametrize("effect", ["NoSchedule", "PreferNoSchedule"])
async def test_a_taint_is_put_and_taken_off_and_the_foreign_one_stays(server, begin, effect):
    seen = []
    server.on("patch", "nodes", lambda kept, _: seen.append(taints(kept)))
    await taint(await begin(f"chaos=yes:{effect}"))
    tainted = [FOREIGN, {"key": "chaos", "value": "yes", "effect": effect}]
    assert seen == [tainted, [FOREIGN], [FOREIGN]], "put, taken off, and then let go of"
    assert nodes_stage.marks(server) == []
    assert nodes_stage.records(server, "node-taint")[0][0] == "reverted"
    [hit] = server.get("chaosresults", "shop-chaos-node-taint")["status"]["targets"]
    assert (hit["asked"], hit["delivered"]) == (f"taint chaos=yes:{effect}", "on the node")


async def test_several_taints_are_each_a_record(server, begin):
    await taint(await begin("chaos=yes:NoSchedule,theirs=ours:NoSchedule"))
    assert taints(server) == [FOREIGN]
    assert [said for _, said in nodes_stage.records(server, "node-taint")] == [
        "taint chaos=yes:NoSchedule removed from node node-1",
        "taint theirs=ours:NoSchedule removed from node node-1 and theirs=v:NoSchedule restored",
    ]


async def test_no_execute_holds_when_the_pods_that_do_not_tolerate_it_are_gone(server, begin):
    nodes_stage.pod(server, "web-a")
    nodes_stage.pod(server, "stoic", spec={"tolerations": [{"operator": "Exists"}]})
    await taint(await begin())
    names = [pod["metadata"]["name"] for pod in server.all("pods")]
    assert "web-a" not in names
    assert "stoic" in names
    [hit] = server.get("chaosresults", "shop-chaos-node-taint")["status"]["targets"]
    assert hit["delivered"] == "on the node; 1 pods evicted and gone"


async def test_no_execute_that_evicts_nobody_is_an_error(server, begin):
    server._callbacks.clear()
    nodes_stage.pod(server, "web-a")
    with pytest.raises(verdicts.CannotRun, match=r"did not evict everything.*shop/web-a"):
        await taint(await begin())
    assert taints(server) == [FOREIGN]


async def test_without_taints_nothing_is_touched(server, begin):
    with pytest.raises(verdicts.CannotRun, match=r"TAINTS=''.*key=value:effect"):
        await taint(await begin(""))
    assert "patch" not in server.verbs("nodes")


async def test_a_chaos_run_is_not_evicted(server, begin):
    context = await begin()
    server.change("pods", stage.EXPERIMENT_POD, {"spec": {"nodeName": "node-1"}})
    with pytest.raises(verdicts.CannotRun, match=f"would end {stage.EXPERIMENT_POD}"):
        await taint(context)
    assert taints(server) == [FOREIGN]
    server.change("pods", stage.EXPERIMENT_POD, {"spec": {"tolerations": [{"key": "chaos", "operator": "Exists"}]}})
    await taint(context)


@pytest.mark.parametrize("elsewhere", [True, False])
async def test_the_operator_is_evicted_only_if_it_can_go_elsewhere(server, begin, elsewhere):
    nodes_stage.pod(server, "operator", labels={"name": "chaos-operator"})
    if elsewhere:
        await taint(await begin())
        return
    server.change("nodes", "node-2", {"spec": {"unschedulable": True}}, namespace="")
    with pytest.raises(verdicts.CannotRun, match="nowhere else to go"):
        await taint(await begin())


async def test_somebody_who_takes_the_taint_off_ends_the_run_with_an_error(server, begin, monkeypatch):
    context = await begin("chaos=yes:NoSchedule")

    async def hold(self: Context, seconds: float) -> None:
        server.change("nodes", "node-1", {"spec": {"taints": [FOREIGN]}}, namespace="")

    monkeypatch.setattr(Context, "hold", hold)
    with pytest.raises(verdicts.CannotRun, match="lost its effect: taint chaos=yes:NoSchedule"):
        await taint(context)
    assert taints(server) == [FOREIGN]
    assert nodes_stage.marks(server) == []


async def test_a_taint_that_is_gone_because_the_engine_was_stopped_is_no_error(server, begin, monkeypatch):
    context = await begin("chaos=yes:NoSchedule")
    looked = asyncio.Event()

    async def hold(self: Context, seconds: float) -> None:
        if taints(server) == [FOREIGN]:
            looked.set()
            await asyncio.sleep(seconds)
        server.change("chaosengines", context.engine.metadata.name, {"spec": {"engineState": "stop"}})
        server.change("nodes", "node-1", {"spec": {"taints": [FOREIGN]}}, namespace="")

    monkeypatch.setattr(Context, "hold", hold)
    run = asyncio.create_task(taint(context))
    async with asyncio.timeout(20):
        await looked.wait()
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert nodes_stage.marks(server) == []


async def test_an_abort_takes_the_taint_off_at_once(server, begin, monkeypatch):
    context = await begin("chaos=yes:NoSchedule")
    holding = asyncio.Event()

    async def hold(self: Context, seconds: float) -> None:
        holding.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(Context, "hold", hold)
    run = asyncio.create_task(taint(context))
    await asyncio.wait_for(holding.wait(), 10)
    assert len(taints(server)) == 2
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert taints(server) == [FOREIGN]


def test_a_taint_is_shown_as_kubectl_writes_it():
    assert str(Taint(key="chaos", value="yes", effect="NoExecute")) == "chaos=yes:NoExecute"
    assert str(Taint(key="chaos", effect="NoExecute")) == "chaos:NoExecute"
