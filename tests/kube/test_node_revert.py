"""Undoing on a node from outside: the first helper is ended before a second one is sent, and that is believed."""

import json

import pytest

from litmus.kube import errors, helpers, node_revert
from tests import samples

UNDO = node_revert.recipe(
    session="abc",
    mechanism="netem",
    needs=helpers.Needs(capabilities=("NET_ADMIN",), host_paths=("/host",)),
    recipes=[{"kind": "netem"}],
)


@pytest.fixture
def sent(server):
    """The pods that were sent to the node; what they report is ``sent.report``."""
    server.put("nodes", {"metadata": {"name": "node-1", "uid": "n1"}}, namespace="")

    class Sent(list):
        report = '{"said":"put back by a second helper","left":""}'

    pods = Sent()

    def run(kept, pod):
        pods.append(pod)
        state = samples.terminated(0, message=pods.report)
        status = {"phase": "Succeeded", "containerStatuses": [samples.container("fault", state=state)]}
        kept.change("pods", pod["metadata"]["name"], {"status": status}, namespace=pod["metadata"]["namespace"])

    server.on("create", "pods", run)
    return pods


@pytest.fixture
def revert(cluster):
    async def undo():
        return await node_revert.revert(
            cluster,
            undo=UNDO,
            node="node-1",
            image=helpers.Image(name="litmus:1"),
            namespace="shop",
            pod_namespace="litmus",
            metadata={"name": "second"},
        )

    return undo


def first(server, name: str = "first", **changes) -> None:
    server.put("pods", samples.pod(name, labels={helpers.SESSION_LABEL: "abc"}, **changes))


async def test_a_second_helper_gets_what_the_first_one_had_and_the_recipes(server, sent, revert):
    done = await revert()
    assert (done.message, done.moot) == ("put back by a second helper", False)
    [pod] = sent
    [container] = pod["spec"]["containers"]
    assert container["securityContext"]["capabilities"]["add"] == ["NET_ADMIN"]
    assert {mount["mountPath"] for mount in container["volumeMounts"]} >= {"/host", helpers.JOURNALS}
    request = json.loads(container["args"][0])
    assert request == {"revert": "abc", "mechanism": "netem", "recipes": [{"kind": "netem"}]}
    assert server.all("pods") == [], "it is removed"


async def test_a_first_helper_that_runs_is_ended_before(server, sent, revert):
    first(server)
    server.on("delete", "pods", lambda _, pod: sent.append(pod["metadata"]["name"]))
    await revert()
    assert sent[0] == "first"


async def test_a_first_helper_that_is_still_pending_is_ended_too(server, sent, revert):
    """It could start at any moment, and inject after all was undone."""
    first(server, phase="Pending", containers=[])
    await revert()
    assert server.all("pods") == []


async def test_a_first_helper_that_has_ended_is_left_to_whoever_reads_it(server, sent, revert):
    first(server, phase="Failed", containers=[samples.container("fault", state=samples.terminated(137))])
    await revert()
    assert [pod["metadata"]["name"] for pod in server.all("pods")] == ["first"]


async def test_a_first_helper_on_a_node_that_does_not_answer_is_not_waited_for_for_ever(
    server, sent, revert, monkeypatch
):
    monkeypatch.setattr(node_revert, "_END_S", 0.05)
    first(server, finalizers=["kubelet"])
    await revert()
    assert len(sent) == 1


async def test_a_node_that_is_gone_took_the_fault_with_it(server, sent, revert):
    server.remove("nodes", "node-1", namespace="")
    done = await revert()
    assert done.moot
    assert sent == []


async def test_a_role_that_can_not_see_nodes_sends_a_helper_all_the_same(server, sent, revert):
    server.forbid("get", "nodes")
    assert not (await revert()).moot
    assert len(sent) == 1


@pytest.mark.parametrize("report", ['{"left":"web: a qdisc"}', '{"error":"a qdisc"}', "a qdisc"])
async def test_what_could_not_be_undone_is_an_error_in_the_helpers_words(server, sent, revert, report):
    sent.report = report
    with pytest.raises(errors.KubeError, match="a qdisc"):
        await revert()
    assert server.all("pods") == []


async def test_a_recipe_without_a_plan_is_undone_by_the_journal_alone(server, sent):
    empty = node_revert.recipe(session="abc", mechanism="netem", needs=helpers.Needs())
    assert empty["recipes"] == []
    assert json.loads(json.dumps(empty)) == empty
