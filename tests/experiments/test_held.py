"""Holding a fault: no record is closed before its fault has ended, and no Pass lies, whatever happens on the way."""

import asyncio
import json
import time
from datetime import UTC, datetime

import pytest

from litmus import api
from litmus.experiments import held, tunables, verdicts
from litmus.experiments.declaration import Experiment
from litmus.faults import line
from litmus.kube import clock, errors, helpers, node_revert, report, waiting
from tests import apiserver
from tests.experiments import stage
from tests.experiments.helpers_stage import ALL, WHY, Kubelets

NEEDS = helpers.Needs(capabilities=("NET_ADMIN",))
UNTOUCHED = ("moot", "nothing had been changed")
PUT_BACK = ("reverted", "put back by the helper, and nothing is left")
BY_SECOND = ("reverted", "put back by a second helper")


class Latency(Experiment):
    name = "pod-network-latency"
    mechanism = "netem"
    needs = NEEDS
    permissions = ()
    tunables = (tunables.DURATION,)

    async def inject(self, context):
        raise NotImplementedError


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(report, "_AGAIN_S", 0.01)
    monkeypatch.setattr(waiting, "_HEARTBEAT_S", 0.05)


@pytest.fixture
def kubelets(server):
    for number in (1, 2):
        server.put("nodes", {"metadata": {"name": f"node-{number}", "uid": f"n{number}"}}, namespace="")
    return Kubelets(server)


def aims(*nodes: str) -> list[held.Aim]:
    return [
        held.Aim(
            target=api.Target(name=f"web-{number}", namespace="shop", uid="u", node=node, container="web", asked="2 s"),
            parameters={"delay_ms": 2000, "number": number},
        )
        for number, node in enumerate(nodes or ("node-1",))
    ]


@pytest.fixture
async def hold(server, cluster, kubelets):
    """Holds a fault on the nodes for an hour; its run is ``hold.context``."""
    context = await stage.context(server, cluster, Latency())

    async def run(*nodes: str, **how) -> None:
        async with asyncio.timeout(20):
            await held.hold(context, Latency(), aims(*nodes), **how)

    run.context = context
    return run


def records(server) -> list[tuple[str, str]]:
    return [(fault["state"], fault["message"]) for fault in stage.ledger(server, "pod-network-latency")]


async def state(server, wanted: str, *, of: int = 1) -> None:
    """Returns when so many records are in this state."""
    while [fault["state"] for fault in stage.ledger(server, "pod-network-latency")].count(wanted) < of:
        await server.until_asked("patch", "chaosresults", times=server.verbs("chaosresults").count("patch") + 1)
        await asyncio.sleep(0)


async def test_a_fault_is_recorded_injected_proven_and_reverted(server, hold, kubelets):
    states = []
    server.on("patch", "chaosresults", lambda _, seen: states.extend(f["state"] for f in seen["status"]["faults"]))
    await hold()
    assert list(dict.fromkeys(states)) == ["planned", "injected", "proven", "reverted"]
    assert records(server) == [PUT_BACK]
    [target] = hold.context.hit
    assert (target.asked, target.delivered) == ("2 s", "2.01 s")
    assert target.injected_at
    assert kubelets.sent == []
    assert not [pod for pod in server.all("pods") if "helper" in pod["metadata"]["name"]]


async def test_the_record_is_there_before_the_helper_and_its_recipe_before_the_injection_is_believed(
    server, hold, kubelets
):
    seen = []
    server.on("create", "pods", lambda kept, _: seen.append(stage.ledger(kept, "pod-network-latency")[0]))
    history = []
    server.on("patch", "chaosresults", lambda _, result: history.append(result["status"]["faults"][0]))
    await hold()
    assert seen[0]["state"] == "planned"
    assert seen[0]["undo"]["recipes"] == []
    believed = next(fault for fault in history if fault["state"] == "injected")
    [recipe] = believed["undo"]["recipes"]
    assert recipe["kind"] == "netem"
    assert recipe["fault_id"] == kubelets.request()["targets"][0]["parameters"]["fault_id"]


async def test_a_second_container_stands_by_for_the_session(server, hold, kubelets):
    await hold()
    request = kubelets.request()
    assert request["second"] is True
    [standby] = [c for c in kubelets.first[0]["spec"]["containers"] if c["name"] == helpers.STANDBY]
    wanted = {"mechanism": "netem", "standby": request["session"], "start_by": request["start_by"]}
    assert json.loads(standby["args"][0]) == wanted


@pytest.mark.parametrize(
    ("script", "closed"),
    [
        (("refused",), UNTOUCHED),
        (("planned", "failed"), PUT_BACK),
        (("planned", "injected", "failed"), PUT_BACK),
        (("planned", "injected", "proven", "failed"), PUT_BACK),
    ],
)
async def test_a_fault_that_fails_is_an_error_in_the_helpers_words(server, hold, kubelets, script, closed):
    """Also one that was proven: the helper was ended by somebody, or the effect was lost."""
    kubelets.script = script
    with pytest.raises(verdicts.CannotRun, match=WHY):
        await hold()
    assert records(server) == [closed]
    assert kubelets.sent == []


@pytest.mark.parametrize("how", ["die", "vanish"])
@pytest.mark.parametrize("after", range(4))
async def test_a_helper_that_dies_at_any_moment_is_followed_by_a_second_one(server, hold, kubelets, after, how):
    kubelets.script = (*ALL[:after], how)
    with pytest.raises(
        verdicts.CannotRun, match=r"ended before it said '\w+': .*; put back by a second helper$"
    ) as said:
        await hold()
    assert ("the pod was removed" if how == "vanish" else "exit code 137") in str(said.value)
    assert records(server) == [BY_SECOND]
    [second] = kubelets.sent
    assert second["spec"]["nodeName"] == "node-1"


async def test_a_second_helper_gets_the_recipe(server, hold, kubelets):
    kubelets.script = ("planned", "injected", "die")
    with pytest.raises(verdicts.CannotRun):
        await hold()
    request = json.loads(kubelets.sent[0]["spec"]["containers"][0]["args"][0])
    assert request["revert"] == kubelets.request()["session"]
    assert [recipe["kind"] for recipe in request["recipes"]] == ["netem"]


@pytest.mark.parametrize(
    ("second", "why"),
    [({"left": "web-0: a qdisc"}, "a qdisc"), ({"error": "no journal"}, "no journal"), (None, "absent")],
)
async def test_what_no_helper_can_undo_stays_open_for_the_reaper_and_is_said(server, hold, kubelets, second, why):
    kubelets.script = ("planned", "injected", "proven", "die")
    kubelets.second = second
    with pytest.raises(verdicts.CannotRun, match=f"the operator goes on with netem/node-1/.*{why}"):
        await hold()
    assert [state for state, _ in records(server)] == ["proven"]


async def test_a_helper_that_is_stuck_is_followed_by_a_second_one(server, hold, kubelets):
    kubelets.script = ("planned", "injected", "proven", "stuck")
    with pytest.raises(verdicts.CannotRun, match=f"{WHY}; put back by a second helper"):
        await hold()
    assert records(server) == [BY_SECOND]


@pytest.mark.parametrize("said", range(4))
async def test_an_abort_at_any_moment_ends_the_fault_first_and_the_run_is_cancelled(server, hold, kubelets, said):
    kubelets.script = ALL[:said] or ("hang",)
    task = asyncio.create_task(hold())
    await state(server, ["planned", "planned", "injected", "proven"][said])
    await server.until_asked("logs", "pods")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert records(server) == [PUT_BACK]
    assert kubelets.sent == []


@pytest.mark.parametrize("at", [("create", "events"), ("patch", "chaosresults")])
async def test_an_abort_before_the_helper_is_created_leaves_nothing_to_undo(server, cluster, kubelets, at):
    context = await stage.context(server, cluster, Latency(), setting_={"linger": "recorded:60"})
    task = asyncio.create_task(held.hold(context, Latency(), aims()))
    await server.until_asked(*at)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert records(server) == [UNTOUCHED]
    assert kubelets.first == kubelets.sent == []
    assert server.get("pods", stage.EXPERIMENT_POD), "and no other pod is touched"


async def test_an_abort_while_the_fault_is_being_ended_does_not_keep_it_from_that(server, hold, kubelets):
    kubelets.script = ("planned", "injected", "proven", "die")
    task = asyncio.create_task(hold())

    def cancel(_server, pod):
        if kubelets.sent:
            task.cancel()

    server.on("create", "pods", cancel)
    with pytest.raises((asyncio.CancelledError, verdicts.CannotRun)):
        await task
    assert records(server) == [BY_SECOND]


async def test_an_abort_that_the_helper_does_not_answer_is_carried_out_by_a_second_one(server, hold, kubelets):
    kubelets.script = ALL[:3]
    kubelets.on_term = ("die",)
    task = asyncio.create_task(hold())
    await state(server, "proven")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert records(server) == [BY_SECOND]


@pytest.mark.parametrize("bad", ["refused", "die", "stuck image"])
async def test_one_node_that_fails_ends_the_fault_on_the_other(server, hold, kubelets, bad):
    """The other one has proven its fault and waits at the barrier."""
    kubelets.scripts = {"node-1": ALL[:3], "node-2": ("planned", bad) if bad == "die" else (bad,)}
    with pytest.raises(verdicts.CannotRun):
        await hold("node-1", "node-2")
    assert PUT_BACK in records(server)
    assert {state for state, _ in records(server)} <= {"reverted", "moot"}


async def test_two_nodes_are_two_sessions_and_the_targets_of_one_node_share_a_helper(server, hold, kubelets):
    await hold("node-1", "node-2", "node-1")
    assert [len(kubelets.request(node)["targets"]) for node in ("node-1", "node-2")] == [2, 1]
    assert records(server) == [PUT_BACK] * 2
    assert [target.delivered for target in hold.context.hit] == ["2.01 s"] * 3


async def test_targets_that_are_gone_are_moot_and_heard_of(server, hold, kubelets):
    kubelets.script = ("planned", "injected", "proven", "gone 0", "reverted")
    gone = []
    await hold(gone=gone.append)
    assert records(server) == [("moot", "the targets are gone, and the fault with them")]
    assert [target.name for target in gone] == ["web-0"]
    assert hold.context.hit[0].delivered == "the container ended; nothing left to undo"


async def test_of_two_targets_one_that_is_gone_does_not_make_the_record_moot(server, hold, kubelets):
    kubelets.script = ("planned", "injected", "proven", "gone 1", "reverted")
    await hold("node-1", "node-1")
    assert records(server) == [PUT_BACK]


async def test_where_logs_are_forbidden_the_last_words_are_enough(server, hold, kubelets):
    server.forbid("logs", "pods")
    await hold()
    assert records(server) == [PUT_BACK]
    assert hold.context.hit[0].delivered == "2.01 s"


async def test_where_logs_are_forbidden_a_long_fault_is_waited_for(server, hold, kubelets, monkeypatch):
    """The time that a helper has to start in is over long before anything can be heard of it."""
    monkeypatch.setattr(helpers, "START_DEADLINE_S", 10.0)
    server.forbid("logs", "pods")
    kubelets.script = ALL[:3]
    task = asyncio.create_task(held.hold(hold.context, Latency(), aims()))
    await server.until_asked("logs", "pods")
    await server.until_asked("list", "pods", times=server.verbs("pods").count("list") + 1)  # for the last words
    loop = asyncio.get_running_loop()
    waiting_for_it = asyncio.create_task(asyncio.wait({task}, timeout=helpers.START_DEADLINE_S))
    await asyncio.sleep(0)
    monkeypatch.setattr(loop, "time", lambda now=loop.time: now() + helpers.START_DEADLINE_S)
    ended, _ = await waiting_for_it
    assert not ended
    kubelets.say(kubelets.name(), "reverted")
    await task
    assert records(server) == [PUT_BACK]


async def test_a_log_that_breaks_is_followed_again(server, hold, kubelets):
    kubelets.script = ALL[:3]
    task = asyncio.create_task(hold())
    await state(server, "proven")
    for _ in range(3):
        server.break_logs()
        await server.until_asked("logs", "pods", times=server.verbs("pods").count("logs") + 1)
    kubelets.say(kubelets.name(), "reverted")
    await task
    assert records(server) == [PUT_BACK]


async def test_a_helper_that_does_not_start_in_time_is_ended(server, hold, kubelets, monkeypatch):
    monkeypatch.setattr(helpers, "START_DEADLINE_S", 0.2)
    kubelets.script = ("pending",)
    with pytest.raises(
        verdicts.CannotRun, match="did not get the fault done in time; put back by a second helper"
    ) as said:
        await hold()
    assert said.value.code == verdicts.TIMEOUT
    assert records(server) == [BY_SECOND]


async def test_a_helper_that_goes_on_for_ever_is_ended(server, hold, kubelets, monkeypatch):
    monkeypatch.setattr(helpers, "START_DEADLINE_S", 0.5)
    kubelets.script = ALL[:3]
    with pytest.raises(verdicts.CannotRun, match="in time"):
        await hold(duration_s=0.1)
    assert records(server) == [PUT_BACK]


async def test_a_helper_that_is_not_admitted_has_changed_nothing(server, hold, kubelets):
    server.forbid("create", "pods")
    with pytest.raises(verdicts.CannotRun, match="cannot create"):
        await hold()
    assert records(server) == [UNTOUCHED]
    assert kubelets.sent == []


async def test_a_helper_whose_creation_was_not_answered_is_looked_for(server, hold, kubelets):
    kubelets.script = ALL[:3]
    server.lose("create", "pods")
    with pytest.raises(verdicts.CannotRun, match="does not answer"):
        await hold()
    assert records(server) == [PUT_BACK], "it was there, and has ended"


@pytest.mark.parametrize("code", [409, 500])
@pytest.mark.parametrize("said", range(1, 4))
async def test_a_ledger_that_can_not_be_written_while_the_fault_holds_ends_it(
    server, hold, kubelets, said, code, monkeypatch
):
    monkeypatch.setattr("litmus.kube.cluster._UPDATE_TRIES", 2)
    kubelets.script = ALL[:said]
    ended = []
    kubelets.server.on("delete", "pods", lambda *_: ended.append(1))

    def refuse(asked):
        mine = asked.verb == "patch" and asked.plural == "chaosresults" and kubelets.first and not ended
        return apiserver.failure(code, "not now") if mine else None

    with server.answer(refuse), pytest.raises(verdicts.CannotRun, match=r"not now|too often"):
        await hold()
    assert ended
    assert records(server) == [PUT_BACK]


async def test_an_abort_that_leaves_the_fault_to_the_operator_is_an_error_and_no_stop(server, hold, kubelets):
    kubelets.script, kubelets.on_term, kubelets.second = ALL[:3], ("die",), None
    task = asyncio.create_task(hold())
    await state(server, "proven")
    task.cancel()
    with pytest.raises(verdicts.CannotRun, match="stopped, but its fault is not undone; the operator goes on with"):
        await task
    assert [state for state, _ in records(server)] == ["proven"]


async def test_the_rest_of_a_chaos_does_not_start_its_clock_anew(server, cluster, kubelets):
    context = await stage.context(server, cluster, Latency())
    await context.start_chaos(100)
    ends = context.chaos_ends
    await held.hold(context, Latency(), aims(), duration_s=5)
    assert context.chaos_ends == ends
    await held.hold(context, Latency(), aims())
    assert context.chaos_ends > ends + 100, "the next target in turn has a chaos of its own"


async def test_a_ledger_that_can_not_be_written_any_more_leaves_its_record_open(server, hold, kubelets):
    kubelets.script = ALL[:3]

    def refuse(asked):
        return apiserver.failure(500, "not now") if asked.plural == "chaosresults" and kubelets.first else None

    with server.answer(refuse), pytest.raises(verdicts.CannotRun, match="the operator goes on with netem/node-1"):
        await hold()
    assert [state for state, _ in records(server)] == ["planned"]
    assert server.get("pods", kubelets.name())["status"]["phase"] == "Failed", "the helper was ended all the same"


async def test_without_our_own_image_nothing_is_touched(server, hold, kubelets):
    server.remove("pods", stage.EXPERIMENT_POD)
    with pytest.raises(errors.NotFound):
        await hold()
    assert stage.ledger(server, "pod-network-latency") == []
    assert kubelets.first == []


async def test_nothing_to_hit_is_no_success(hold):
    with pytest.raises(verdicts.CannotRun, match="nothing to hit"):
        await held.hold(hold.context, Latency(), [])


async def test_a_helper_pod_that_can_not_be_removed_in_the_end_changes_nothing(server, hold, kubelets):
    server.forbid("delete", "pods")
    await hold()
    assert records(server) == [PUT_BACK]


@pytest.fixture
async def called(server, kubelets, monkeypatch):
    """The helper of a node that falls silent: it plans, says nothing more, and hears what it is called for."""
    monkeypatch.setattr(helpers, "START_DEADLINE_S", 5.0)
    kubelets.script = ("planned",)
    heard: asyncio.Queue[str] = asyncio.Queue()

    async def hear(reader, writer) -> None:
        secret, _, word = (await reader.read(256)).decode().partition(" ")
        assert secret == kubelets.request()["secret"]
        await heard.put(word)
        writer.write(f"{word}\n".encode())
        writer.close()

    async with await asyncio.start_server(hear, "127.0.0.1", 0) as listening:
        monkeypatch.setattr(line, "PORT", listening.sockets[0].getsockname()[1])
        server.on("create", "pods", _with_address)
        yield heard


def _with_address(server: apiserver.Server, pod: dict) -> None:
    server.change("pods", pod["metadata"]["name"], {"status": {"podIP": "127.0.0.1"}})


async def test_a_silent_fault_is_told_to_go_and_heard_of_when_it_is_over(server, hold, kubelets, called):
    when = hold.context.timeline
    task = asyncio.create_task(hold(silent=True))
    assert await called.get() == line.GO
    told = time.time()
    [fault] = stage.ledger(server, "pod-network-latency")
    assert fault["undo"]["recipes"], "the ledger knows the way back before anything is changed"
    async with asyncio.timeout(10):
        while hold.context.step != "chaos":  # noqa: ASYNC110 - the clock tells nobody that it runs
            await asyncio.sleep(0)
    assert when.started is not None
    assert when.chaos_start() <= told <= when.started, "what is measured is cut where the fault may have begun"
    planned, clock_ = when.ends, hold.context.chaos_ends
    kubelets.say(kubelets.name(), "injected", "proven", "reverted")
    await task
    assert records(server) == [PUT_BACK]
    assert called.empty()
    assert (when.ends, hold.context.chaos_ends) == (planned, clock_), "what is heard afterwards starts no clock anew"
    assert len(when.injections) == 1
    assert hold.context.hit[0].injected_at == clock.stamp(datetime.fromtimestamp(when.injections[0], UTC))


async def test_a_silent_fault_is_called_when_its_run_is_aborted(server, hold, kubelets, called):
    task = asyncio.create_task(hold(silent=True))
    assert await called.get() == line.GO
    task.cancel()
    assert await called.get() == line.STOP
    with pytest.raises(asyncio.CancelledError):
        await task
    assert records(server) == [PUT_BACK]


async def test_a_helper_that_can_not_be_called_changes_nothing(server, hold, kubelets, called, monkeypatch):
    monkeypatch.setattr(line, "PORT", 1)
    with pytest.raises(verdicts.CannotRun, match="allow TCP port 1 between them"):
        await hold(silent=True)
    assert records(server) == [PUT_BACK]


def test_the_recipe_of_a_session_names_what_a_second_helper_needs():
    recipe = node_revert.recipe(session="abc", mechanism="netem", needs=NEEDS)
    assert (recipe["session"], recipe["mechanism"], recipe["capabilities"]) == ("abc", "netem", ["NET_ADMIN"])
