"""Ways back: idempotent, and what somebody else did is never undone."""

import itertools

import pytest

from litmus.kube import cordons, errors, recipes, scales, taints
from litmus.kube.objects import Taint
from tests import samples

OURS = Taint(key="chaos", value="yes", effect="NoExecute")
VALUE = {"value": "yes", "effect": "NoExecute"}
_MARK = "fault.litmuschaos.io/"


@pytest.fixture(autouse=True)
def _soon(monkeypatch):
    monkeypatch.setattr(taints, "_SETTLE_S", 0.01)


@pytest.fixture
def node(server):
    """Node node-1 as the API server has it now, or with another spec from now on."""
    server.put("nodes", samples.node(), namespace="")

    def now(**changes):
        if changes:
            server.put("nodes", samples.node(**changes), namespace="")
        return server.get("nodes", "node-1", namespace="")

    return now


def marks(node) -> list[str]:
    return [key for key in node["metadata"].get("annotations", {}) if key.startswith(_MARK)]


def ways(kind: str):
    """A recipe of that kind for the sample node or workload, and what puts the change."""
    if kind == "uncordon":
        return cordons.recipe(samples.a_node(), fault_id="drain-1"), cordons.put
    if kind == "untaint":
        return taints.recipe(samples.a_node(), OURS, fault_id="taint-1"), taints.put
    return scales.recipe(samples.a_workload(), kind="deployment", asked=5), scales.put


def stage(server) -> None:
    server.put("nodes", samples.node(), namespace="")
    server.put("deployments", samples.workload())


def spec(server, kind: str):
    plural, name, namespace = ("deployments", "web", "shop") if kind == "rescale" else ("nodes", "node-1", "")
    return server.get(plural, name, namespace).get("spec", {})


KINDS = ("uncordon", "untaint", "rescale")


@pytest.mark.parametrize("kind", KINDS)
async def test_what_was_there_is_restored_once_and_again(server, cluster, kind):
    stage(server)
    before = spec(server, kind)
    undo, put = ways(kind)
    await put(cluster, undo)
    assert spec(server, kind) != before
    assert await recipes.leftovers(cluster, undo)
    first = await recipes.revert(cluster, undo)
    assert not first.moot
    again = await recipes.revert(cluster, undo)
    assert spec(server, kind) == before
    assert again.message != first.message
    assert await recipes.leftovers(cluster, undo) == ""


@pytest.mark.parametrize("kind", KINDS)
async def test_a_recipe_whose_change_never_came_changes_nothing(server, cluster, kind):
    stage(server)
    undo, _ = ways(kind)
    await recipes.revert(cluster, undo)
    assert "patch" not in [asked.verb for asked in server.asked]
    assert await recipes.leftovers(cluster, undo) == ""


@pytest.mark.parametrize("kind", KINDS)
async def test_a_change_is_put_once_even_if_its_answer_got_lost(server, cluster, kind):
    stage(server)
    undo, put = ways(kind)
    server.lose("patch", "deployments" if kind == "rescale" else "nodes")
    with pytest.raises(errors.Unreachable):
        await put(cluster, undo)
    after = spec(server, kind)
    await put(cluster, undo)
    assert spec(server, kind) == after
    await recipes.revert(cluster, undo)
    assert await recipes.leftovers(cluster, undo) == ""


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("replaced", [False, True])
async def test_what_is_gone_is_moot_and_its_namesake_is_left_alone(server, cluster, kind, replaced):
    stage(server)
    undo, put = ways(kind)
    await put(cluster, undo)
    plural, name, namespace = ("deployments", "web", "shop") if kind == "rescale" else ("nodes", "node-1", "")
    old = server.get(plural, name, namespace)
    server.remove(plural, name, namespace)
    if replaced:
        server.put(plural, {**old, "metadata": {**old["metadata"], "uid": "another"}}, namespace=namespace)
    assert (await recipes.revert(cluster, undo)).moot
    assert await recipes.leftovers(cluster, undo) == ""
    if replaced:
        assert server.get(plural, name, namespace)["spec"] == old["spec"]


@pytest.mark.parametrize("kind", KINDS)
async def test_nothing_is_put_on_a_namesake(server, cluster, kind):
    undo, put = ways(kind)
    server.put("nodes", samples.node() | {"metadata": {"name": "node-1", "uid": "another"}}, namespace="")
    server.put("deployments", samples.workload(uid="another"))
    with pytest.raises(errors.NotFound, match="gone"):
        await put(cluster, undo)
    assert "patch" not in [asked.verb for asked in server.asked]


async def test_a_node_that_was_cordoned_before_stays_cordoned(server, cluster, node):
    node(unschedulable=True)
    undo = cordons.recipe(samples.a_node(unschedulable=True), fault_id="drain-1")
    assert undo["before"] == {"unschedulable": True}
    assert await cordons.put(cluster, undo) is False
    assert "stays so" in (await recipes.revert(cluster, undo)).message
    assert node()["spec"] == {"unschedulable": True}
    assert marks(node()) == []


async def test_a_node_cordoned_between_record_and_injection_is_not_ours(cluster, node):
    undo = cordons.recipe(samples.a_node(), fault_id="drain-1")
    node(unschedulable=True)
    assert await cordons.put(cluster, undo) is False
    await recipes.revert(cluster, undo)
    assert node()["spec"] == {"unschedulable": True}


async def test_a_node_that_somebody_uncordoned_is_said_to_be(server, cluster, node):
    undo, put = ways("uncordon")
    await put(cluster, undo)
    server.change("nodes", "node-1", {"spec": {"unschedulable": None}}, namespace="")
    assert "by somebody else" in (await recipes.revert(cluster, undo)).message
    assert marks(node()) == []


@pytest.mark.parametrize("order", list(itertools.permutations(["drain-1", "drain-2"])))
async def test_of_two_drains_the_last_one_to_end_uncordons(cluster, node, order):
    undos = {name: cordons.recipe(samples.a_node(), fault_id=name) for name in ("drain-1", "drain-2")}
    for undo in undos.values():
        assert await cordons.put(cluster, undo)
    first, last = (undos[name] for name in order)
    assert "another fault" in (await recipes.revert(cluster, first)).message
    assert node()["spec"] == {"unschedulable": True}
    await recipes.revert(cluster, last)
    assert node()["spec"] == {}


async def test_other_taints_stay_also_one_of_the_same_key_and_another_effect(server, cluster, node):
    foreign = [
        {"key": "chaos", "value": "yes", "effect": "NoSchedule"},
        {"key": "other", "effect": "NoExecute", "timeAdded": "2026-01-01T00:00:00Z"},
    ]
    node(taints=foreign)
    undo, put = ways("untaint")
    await put(cluster, undo)
    assert node()["spec"]["taints"] == [*foreign, {"key": "chaos", "value": "yes", "effect": "NoExecute"}]
    await recipes.revert(cluster, undo)
    assert node()["spec"]["taints"] == foreign


async def test_a_foreign_taint_of_the_same_key_and_effect_is_put_back(cluster, node):
    foreign = {"key": "chaos", "value": "theirs", "effect": "NoExecute", "timeAdded": "2026-01-01T00:00:00Z"}
    node(taints=[foreign])
    undo = taints.recipe(samples.a_node(taints=[foreign]), OURS, fault_id="taint-1")
    assert undo["before"] == foreign
    await taints.put(cluster, undo)
    assert node()["spec"]["taints"] == [{"key": "chaos", "value": "yes", "effect": "NoExecute"}]
    assert "chaos=theirs:NoExecute restored" in (await recipes.revert(cluster, undo)).message
    assert node()["spec"]["taints"] == [foreign]


@pytest.mark.parametrize("now", [[], [{"key": "chaos", "value": "theirs", "effect": "NoExecute"}]])
async def test_a_taint_that_somebody_changed_meanwhile_stays_as_it_is(server, cluster, node, now):
    undo, put = ways("untaint")
    await put(cluster, undo)
    server.change("nodes", "node-1", {"spec": {"taints": now}}, namespace="")
    assert "by somebody else" in (await recipes.revert(cluster, undo)).message
    assert node()["spec"]["taints"] == now
    assert marks(node()) == []


async def test_a_taint_that_another_fault_holds_is_refused(cluster, node):
    first, put = ways("untaint")
    await put(cluster, first)
    second = taints.recipe(samples.a_node(), OURS, fault_id="taint-2")
    with pytest.raises(errors.Conflict, match="of another fault"):
        await put(cluster, second)
    await recipes.revert(cluster, second)
    assert node()["spec"]["taints"]


def putting_back_once(server) -> list[None]:
    """A controller that read the node while it was tainted, and writes all its taints after it is not any more."""
    told: list[None] = []

    def write(server, node):
        if "taints" not in node["spec"] and not told and marks(node):
            told.append(None)
            tainted = [{"key": "chaos", **VALUE}, {"key": "node.kubernetes.io/unreachable"}]
            server.change("nodes", "node-1", {"spec": {"taints": tainted}}, namespace="")

    server.on("patch", "nodes", write)
    return told


async def test_a_taint_that_a_controller_puts_back_is_taken_off_again(server, cluster, node):
    undo, put = ways("untaint")
    await put(cluster, undo)
    told = putting_back_once(server)
    done = await recipes.revert(cluster, undo)
    assert told
    assert done.message == "taint chaos=yes:NoExecute removed from node node-1"
    assert node()["spec"]["taints"] == [{"key": "node.kubernetes.io/unreachable"}]
    assert marks(node()) == []


async def test_a_taint_that_comes_back_whenever_it_is_taken_off_is_not_said_to_be_gone(server, cluster, node):
    undo, put = ways("untaint")
    await put(cluster, undo)

    def write(server, node):
        if not node["spec"].get("taints"):
            server.change("nodes", "node-1", {"spec": {"taints": [{"key": "chaos", **VALUE}]}}, namespace="")

    server.on("patch", "nodes", write)
    with pytest.raises(errors.Conflict, match="puts it back whenever it is taken off"):
        await recipes.revert(cluster, undo)
    assert "chaos:NoExecute" in await recipes.leftovers(cluster, undo)


async def test_what_is_ended_at_once_is_still_to_be_reverted_and_makes_room_for_another_fault(cluster, node):
    undo, put = ways("untaint")
    await put(cluster, undo)
    await recipes.end_at_once(cluster, undo)
    assert "taints" not in node()["spec"]
    assert await recipes.leftovers(cluster, undo)
    second = taints.recipe(samples.a_node(), OURS, fault_id="taint-2")
    await put(cluster, second)
    assert "removed from node" in (await recipes.revert(cluster, undo)).message
    assert node()["spec"]["taints"], "the second one's"
    await recipes.revert(cluster, second)
    assert "taints" not in node()["spec"]
    assert marks(node()) == []


async def test_what_takes_its_time_is_not_ended_at_once(server, cluster):
    for undo in ({"kind": "reattach"}, {"kind": "netem"}, {}):
        await recipes.end_at_once(cluster, undo)
    assert server.asked == []


async def test_a_recipe_that_is_out_of_date_is_not_injected(server, cluster, node):
    undo, put = ways("untaint")
    node(taints=[{"key": "chaos", "value": "theirs", "effect": "NoExecute"}])
    with pytest.raises(errors.Conflict, match="changed meanwhile"):
        await put(cluster, undo)
    server.put("deployments", samples.workload(replicas=3))
    scaling, put = ways("rescale")
    with pytest.raises(errors.Conflict, match="scaled to 3 by somebody else"):
        await put(cluster, scaling)


async def test_replicas_that_somebody_else_asked_for_stay(server, cluster):
    stage(server)
    undo, put = ways("rescale")
    await put(cluster, undo)
    server.change("deployments", "web", {"spec": {"replicas": 7}})
    done = await recipes.revert(cluster, undo)
    assert "scaled to 7 by somebody else" in done.message
    assert "before the fault it had 2" in done.message
    assert spec(server, "rescale") == {"replicas": 7}
    assert await recipes.leftovers(cluster, undo) == ""


async def test_an_absent_number_of_replicas_is_one(server, cluster):
    server.put("deployments", samples.workload(replicas=None))
    undo = scales.recipe(samples.a_workload(replicas=None), kind="deployment", asked=5)
    await scales.put(cluster, undo)
    await recipes.revert(cluster, undo)
    assert spec(server, "rescale") == {"replicas": 1}


def test_recipes_of_helpers_are_not_ours():
    assert recipes.known({"kind": "uncordon"})
    assert not recipes.known({"kind": "netem"})
    assert not recipes.known({})
