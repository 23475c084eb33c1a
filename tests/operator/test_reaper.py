"""The reaper: records of a run that is over are closed, faults are undone, and what can't be undone is called out."""

import asyncio
import json

import pytest

from litmus.api import names
from litmus.kube import events, helpers, node_revert
from litmus.operator import reaper
from tests import samples

PAST, FUTURE = "2020-01-01T00:00:00Z", "2099-01-01T00:00:00Z"
NOTHING = {"kind": "none"}
UNKNOWN = {"kind": "magic"}
ON_NODE = node_revert.recipe(
    session="abc", mechanism="netem", needs=helpers.Needs(capabilities=("NET_ADMIN",)), recipes=[{"kind": "netem"}]
)


def record(id_: str = "a", *, state: str = "injected", undo: dict = NOTHING, deadline: str = PAST) -> dict:
    return {"id": id_, "mechanism": "netem", "node": "node-1", "undo": undo, "deadline": deadline, "state": state}


def put(server, *records: dict, pod: str = "pod-delete-x", name: str = "shop-chaos-pod-delete", **run) -> None:
    meta = {"labels": {names.OPEN_FAULTS_LABEL: "true"}, "finalizers": [names.RESULT_FINALIZER]}
    server.put("chaosresults", samples.result(name=name, meta=meta, faults=list(records), run={"pod": pod, **run}))


@pytest.fixture
def a_reaper(cluster):
    def make(namespace: str = "shop") -> reaper.Reaper:
        return reaper.Reaper(
            cluster=cluster,
            poster=events.Poster(cluster, names.OPERATOR_NAME),
            namespace=namespace,
            own_namespace="litmus",
            image=helpers.Image(name="litmus-py/litmus:0"),
        )

    return make


@pytest.fixture
def reap(a_reaper):
    """One look at the ledger, and everything that it began."""

    async def look(namespace: str = "shop") -> reaper.Reaper:
        made = a_reaper(namespace)
        await made.look()
        await made.idle()
        return made

    return look


def a_node(server, *, left: str = "") -> list[dict]:
    """A kubelet that runs what is sent to it; the pods that were."""
    server.put("nodes", {"metadata": {"name": "node-1", "uid": "n1"}}, namespace="")
    sent = []

    def run(server, pod):
        sent.append(pod)
        report = json.dumps({"said": "put back by a second helper", "left": left})
        ended = samples.container("fault", state=samples.terminated(3 if left else 0, message=report))
        status = {"status": {"phase": "Succeeded", "containerStatuses": [ended]}}
        server.change("pods", pod["metadata"]["name"], status, namespace=pod["metadata"]["namespace"])

    server.on("create", "pods", run)
    return sent


def states(server, name: str = "shop-chaos-pod-delete") -> dict[str, str]:
    return {fault["id"]: fault["state"] for fault in server.get("chaosresults", name)["status"]["faults"]}


async def test_a_record_whose_run_is_alive_is_left_to_it(server, reap):
    server.put("pods", samples.pod("pod-delete-x"))
    put(server, record(undo=ON_NODE, deadline=FUTURE))
    await reap()
    assert states(server) == {"a": "injected"}


async def test_the_record_of_a_kill_is_left_to_a_living_run_whatever_its_deadline(server, reap):
    """A slow recovery keeps it open beyond the chaos, and there is nothing to undo."""
    server.put("pods", samples.pod("pod-delete-x"))
    put(server, record(deadline=PAST))
    await reap()
    assert states(server) == {"a": "injected"}


@pytest.mark.parametrize("phase", [None, "Succeeded", "Failed"])
async def test_a_record_whose_run_is_over_is_closed_and_the_result_released(server, reap, phase):
    if phase:
        server.put("pods", samples.pod("pod-delete-x", phase=phase))
    put(server, record(deadline=FUTURE))
    await reap()
    assert states(server) == {"a": "moot"}
    meta = server.get("chaosresults", "shop-chaos-pod-delete")["metadata"]
    assert meta["finalizers"] == []
    assert names.OPEN_FAULTS_LABEL not in meta["labels"]


async def test_a_run_that_gave_its_verdict_looks_after_its_records_no_more(server, reap):
    server.put("pods", samples.pod("pod-delete-x"))
    put(server, record(deadline=FUTURE), finishedAt=PAST)
    await reap()
    assert states(server) == {"a": "moot"}


async def test_a_result_that_was_begun_without_a_pod_has_nobody_to_look_after_it(server, reap):
    put(server, record(), pod="")
    await reap()
    assert states(server) == {"a": "moot"}


@pytest.mark.parametrize("run", ["dead", "alive but past the deadline"])
async def test_a_fault_on_a_node_is_undone_by_a_helper_that_is_sent_there(server, reap, run):
    sent = a_node(server)
    if run != "dead":
        server.put("pods", samples.pod("pod-delete-x"))
    put(server, record(undo=ON_NODE, deadline=FUTURE if run == "dead" else PAST))
    await reap()
    assert states(server) == {"a": "reverted"}
    [pod] = sent
    assert (pod["spec"]["nodeName"], pod["metadata"]["namespace"]) == ("node-1", "litmus")
    [container] = pod["spec"]["containers"]
    assert container["securityContext"]["capabilities"]["add"] == ["NET_ADMIN"]
    request = json.loads(container["args"][0])
    assert request == {"mechanism": "netem", "revert": "abc", "recipes": [{"kind": "netem"}]}
    assert not [pod for pod in server.all("pods") if pod["metadata"]["namespace"] == "litmus"], "it is removed"


async def test_the_helper_of_the_run_is_ended_before_another_is_sent(server, reap):
    sent = a_node(server)
    first = samples.pod("first", labels={helpers.SESSION_LABEL: "abc", "chaosUID": "u"})
    server.put("pods", first)
    server.on("delete", "pods", lambda _, gone: sent.append(gone))
    put(server, record(undo=ON_NODE))
    await reap()
    assert sent[0]["metadata"]["name"] == "first"
    assert states(server) == {"a": "reverted"}


async def test_a_helper_that_a_living_run_has_sent_to_undo_it_is_let_finish(server, reap):
    sent = a_node(server)
    labels = {node_revert.REVERTS_LABEL: "abc"}
    server.put("pods", samples.pod("second", labels=labels))
    server.put("pods", samples.pod("pod-delete-x"))
    put(server, record(undo=ON_NODE))
    await reap()
    assert (sent, states(server)) == ([], {"a": "injected"})
    server.put("pods", samples.pod("second", labels=labels, phase="Failed"))
    await reap()
    assert len(sent) == 1
    assert states(server) == {"a": "reverted"}


async def test_a_helper_that_a_dead_run_has_sent_to_undo_it_is_neither_waited_for_nor_ended(server, reap):
    sent = a_node(server)
    server.put("pods", samples.pod("second", labels={node_revert.REVERTS_LABEL: "abc"}))
    put(server, record(undo=ON_NODE))
    await reap()
    assert len(sent) == 1
    assert states(server) == {"a": "reverted"}
    assert server.get("pods", "second")


async def test_a_fault_on_a_node_that_exists_no_more_is_moot(server, reap):
    put(server, record(undo=ON_NODE))
    await reap()
    assert states(server) == {"a": "moot"}


async def test_a_cordon_is_lifted_through_the_api_server(server, reap):
    marker = {"fault.litmuschaos.io/f1": "cordoned"}
    meta = {"name": "node-1", "uid": "n1", "annotations": marker}
    server.put("nodes", {"metadata": meta, "spec": {"unschedulable": True}}, namespace="")
    undo = {
        "kind": "uncordon",
        "fault_id": "f1",
        "node": "node-1",
        "uid": server.get("nodes", "node-1", namespace="")["metadata"]["uid"],
        "before": {"unschedulable": False},
    }
    put(server, record(undo=undo))
    await reap()
    assert states(server) == {"a": "reverted"}
    assert not server.get("nodes", "node-1", namespace="")["spec"].get("unschedulable")


@pytest.mark.parametrize(
    ("undo", "why"), [(UNKNOWN, "magic"), (ON_NODE, "qdisc is still there")], ids=["no way back", "something is left"]
)
async def test_a_fault_that_can_not_be_undone_stays_open_and_is_called_out_each_time(
    server, a_reaper, monkeypatch, undo, why
):
    monkeypatch.setattr(reaper, "_AGAIN_S", (0.0,))
    a_node(server, left="web: qdisc is still there")
    put(server, record("kill"), record("bad", undo=undo))
    made = a_reaper()
    for _ in range(2):
        await made.look()
        await made.idle()
    assert states(server) == {"kill": "moot", "bad": "injected"}
    assert server.get("chaosresults", "shop-chaos-pod-delete")["metadata"]["finalizers"] == [names.RESULT_FINALIZER]
    [event] = server.all("events")
    assert (event["reason"], event["type"], event["count"]) == ("FaultNotReverted", "Warning", 2)
    assert "node-1" in event["message"]
    assert why in event["message"]


async def test_what_could_not_be_undone_is_not_tried_again_at_once(server, a_reaper):
    put(server, record(undo=UNKNOWN))
    made = a_reaper()
    for _ in range(3):
        await made.look()
        await made.idle()
    assert server.all("events")[0]["count"] == 1


async def test_a_node_that_hangs_does_not_keep_other_faults_from_being_undone(server, a_reaper):
    """The pod that is sent to the node never starts."""
    server.put("nodes", {"metadata": {"name": "node-1", "uid": "n1"}}, namespace="")
    put(server, record(undo=ON_NODE), name="hangs")
    put(server, record(), name="other")
    made = a_reaper()
    await made.look()
    await server.until_asked("create", "pods")
    assert states(server, "other") == {"a": "moot"}
    await made.look()
    await made.close()
    assert states(server, "hangs") == {"a": "injected"}
    assert server.verbs("pods").count("create") == 1, "one helper at a time"


async def test_a_node_that_is_slow_to_start_pods_is_not_sent_more_of_them(server, a_reaper, monkeypatch):
    monkeypatch.setattr(reaper, "_AGAIN_S", (0.0,))
    monkeypatch.setattr(helpers, "START_DEADLINE_S", 0.05)
    server.put("nodes", {"metadata": {"name": "node-1", "uid": "n1"}}, namespace="")
    put(server, record(undo=ON_NODE))
    made = a_reaper()
    for _ in range(3):
        await made.look()
        await made.idle()
    assert [pod["metadata"]["name"] for pod in server.all("pods")] == ["litmus-revert-abc"]
    assert states(server) == {"a": "injected"}


async def test_helper_pods_of_an_operator_that_died_are_removed(server, a_reaper):
    for name, phase in (("ended", "Succeeded"), ("at-work", "Running")):
        labels = {names.COMPONENT: names.REVERT_COMPONENT}
        server.put("pods", samples.pod(name, phase=phase, labels=labels, namespace="litmus"))
    task = asyncio.create_task(a_reaper().forever())
    await server.until_asked("list", "chaosresults")
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert [pod["metadata"]["name"] for pod in server.all("pods")] == ["at-work"]


async def test_only_results_with_open_records_are_read(server, reap):
    server.put("chaosresults", samples.result(name="closed"))
    await reap()
    [asked] = server.asked
    assert asked.query["labelSelector"] == f"{names.OPEN_FAULTS_LABEL}=true"


async def test_results_of_every_namespace_are_looked_after_when_asked_for(server, reap):
    put(server, record())
    await reap("elsewhere")
    assert states(server) == {"a": "injected"}
    await reap("*")
    assert states(server) == {"a": "moot"}


async def test_a_result_of_the_same_name_but_another_uid_is_left_alone(server, cluster, reap):
    put(server, record())
    stale = server.get("chaosresults", "shop-chaos-pod-delete")
    replaced = iter([True])

    def meddle(asked):
        if asked.verb == "patch" and next(replaced, False):
            server.remove("chaosresults", "shop-chaos-pod-delete")
            put(server, record(state="planned"))
            server.get("chaosresults", "shop-chaos-pod-delete")["metadata"]["uid"] = "another"

    with server.answer(meddle):
        await reap()
    assert stale["metadata"]["uid"] != "another"
    assert states(server) == {"a": "planned"}


async def test_a_cluster_that_does_not_answer_is_asked_again(server, a_reaper, monkeypatch):
    monkeypatch.setattr(reaper, "PERIOD_S", 0.001)
    put(server, record())
    server.forbid("list", "chaosresults")
    task = asyncio.create_task(a_reaper().forever())
    await server.until_asked("list", "chaosresults", times=2)
    server._forbidden.clear()
    await server.until_asked("patch", "chaosresults")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("deadline", ["tomorrow", "2026-01-01T00:00:00"])
async def test_a_deadline_that_can_not_be_read_has_passed(server, reap, deadline):
    server.put("pods", samples.pod("pod-delete-x"))
    put(server, record(undo=ON_NODE, deadline=deadline))
    await reap()
    assert states(server) == {"a": "moot"}


async def test_a_result_that_can_not_be_decoded_hides_no_other_from_the_reaper(server, reap):
    labels = {"labels": {names.OPEN_FAULTS_LABEL: "true"}}
    bad = samples.result(name="bad", meta=labels, experimentstatus={"phase": "Completed_With_Probe_Failure"})
    server.put("chaosresults", bad)
    put(server, record(), name="good")
    await reap()
    assert states(server, "good") != {"a": "injected"}
