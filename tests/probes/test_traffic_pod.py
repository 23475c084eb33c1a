"""Traffic from a pod of its own: what the experiment hears by its log, whatever becomes of pod, log and clock."""

import asyncio
import json
import time
from contextlib import aclosing, suppress

import pytest

from litmus.api.probe import Probe, TrafficProbe
from litmus.kube import report, waiting
from litmus.probes import pods, traffic, traffic_pod
from litmus.probes.contract import ProbeError
from tests import samples
from tests.probes import pod_stage


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(report, "_AGAIN_S", 0.001)
    monkeypatch.setattr(traffic_pod, "_AGAIN_S", 0.001)
    monkeypatch.setattr(waiting, "_HEARTBEAT_S", 0.05)


@pytest.fixture
def prober(server, cluster):
    pod_stage.put_own_pod(server)
    inputs = TrafficProbe(url="http://web.shop/", source="pod", rate=5.0)
    probe = Probe(name="load", type="trafficProbe", mode="Continuous", traffic=inputs)
    return traffic.prober(probe, pod_stage.surroundings(cluster))


def line(seq: int, *errors: str, event: str = "samples", ahead_s: float = 0.0, why: str = "") -> str:
    """Of a pod whose clock is ahead; one sample each 100 ms."""
    kinds = sorted(set(errors))
    told = [[100.0 * place, 5.0, kinds.index(error)] for place, error in enumerate(errors)]
    outcomes = [[kind, kind or "code 200"] for kind in kinds]
    now = time.time() + ahead_s
    return json.dumps({"seq": seq, "event": event, "now": now, "samples": told, "outcomes": outcomes, "why": why})


def over():
    return pod_stage.status("traffic", state=samples.terminated(0), phase="Succeeded")


def left(server) -> set[str]:
    return {pod["metadata"]["name"] for pod in server.all("pods")} - {pod_stage.OWN_POD}


async def first(prober, count: int) -> list:
    seen = []
    async with asyncio.timeout(60), aclosing(prober.stream()) as observations:
        async for observation in observations:
            seen.append(observation)
            if len(seen) == count:
                break
    return seen


def speaking(server, *lines: str, status=None):
    def run(name):
        server.write(name, *lines)
        return status or pod_stage.status("traffic")

    return pod_stage.kubelet(server, run)


@pytest.mark.parametrize("watching", [True, False], ids=["with watch", "with the smallest role"])
async def test_what_the_pod_saw_is_heard_and_the_pod_goes_at_the_end(server, prober, watching):
    if not watching:
        server.forbid("watch", "*")
    made = speaking(server, line(1, event="started"), line(2, "", "http-503"), line(3, "refused"))
    seen = await first(prober, 3)
    assert [(one.passed, one.error, one.observed) for one in seen] == [
        (True, "", "code 200"),
        (False, "http-503", "http-503"),
        (False, "refused", "refused"),
    ]
    assert seen[0].expected == "code 200-399 within 1 s"
    assert abs(seen[0].at - time.time()) < 60
    assert left(server) == set()
    (pod,) = made
    (container,) = pod["spec"]["containers"]
    assert pod["metadata"]["labels"]["chaosUID"] == samples.ENGINE_UID
    assert pod["metadata"]["ownerReferences"][0]["uid"] == samples.ENGINE_UID
    assert (container["image"], container["imagePullPolicy"]) == ("litmus:9", "Never")
    assert container["command"] == ["litmus", "traffic"]
    assert json.loads(container["args"][0])["host"] == "web.shop"
    assert pod["spec"]["activeDeadlineSeconds"] == 60  # the Job's is long over
    assert pod["spec"]["imagePullSecrets"] == [{"name": "registry"}]
    used = {asked.verb for asked in server.asked}
    assert used - {"watch"} <= {"create", "list", "get", "delete", "logs"}


@pytest.mark.parametrize(("ahead_s", "shift_s"), [(0.0, 0.0), (-0.5, 0.0), (-500.0, 0.0), (500.0, 0.0)])
async def test_the_times_are_those_of_our_clock(server, prober, ahead_s, shift_s):
    before = time.time()
    speaking(server, *(line(seq, "", ahead_s=ahead_s) for seq in (1, 2, 3)))
    (seen,) = await first(prober, 1)
    # Half a second behind may as well be the way of the lines, so it is left as it is.
    assert before - 1 <= seen.at <= time.time() + 0.001 or ahead_s == -0.5
    assert abs(seen.at - before) < 60


async def test_a_line_that_was_long_under_way_moves_nothing():
    clocks = traffic_pod.Clocks()
    for way_s in (7.0, 0.4, 30.0):
        clocks.compare(theirs=1000.0, ours=1000.0 + way_s)
    assert clocks.offset_s == 0
    clocks.compare(theirs=1000.0, ours=990.0)
    assert clocks.offset_s == -10


async def test_a_connection_to_the_log_that_breaks_loses_and_repeats_nothing(server, prober):
    made = speaking(server, line(1, event="started"), line(2, ""), line(3, "refused"))

    async def go_on():
        while not made:
            await server.until_asked("logs", "pods")
        server.break_logs()
        await server.until_asked("logs", "pods", times=2)
        server.write(made[0]["metadata"]["name"], line(4, "timeout"))

    breaking = asyncio.create_task(go_on())
    seen = await first(prober, 3)
    await breaking
    assert [one.error for one in seen] == ["", "refused", "timeout"]


async def test_a_pod_that_is_lost_is_replaced(server, prober):
    speaking(server, line(1, ""), line(2, ""), line(3, ""), status=over())
    assert len(await first(prober, 7)) == 7
    assert left(server) == set()
    assert server.verbs("pods").count("create") == 3


async def test_a_pod_that_ends_without_a_word_is_no_observation(server, prober):
    speaking(server, status=over())
    with pytest.raises(ProbeError, match="ended before it had sent a request"):
        await first(prober, 1)


async def test_what_the_pod_could_not_do_is_told(server, prober):
    speaking(server, line(1, event="started"), line(2, event="failed", why="too few files"))
    with pytest.raises(ProbeError, match=r"traffic pod pod-delete-traffic-\w+: too few files"):
        await first(prober, 1)
    assert left(server) == set()


async def test_a_pod_that_does_not_start_is_told(server, prober, monkeypatch):
    monkeypatch.setattr(pods, "START_DEADLINE_S", 0.2)
    pod_stage.kubelet(server, lambda _: {"phase": "Pending"})
    with pytest.raises(ProbeError, match=r"did not start within 0.2 s"):
        await first(prober, 1)
    assert left(server) == set()


async def test_an_image_that_is_not_there_is_told(server, prober):
    waiting_state = {"waiting": {"reason": "ErrImageNeverPull", "message": "no litmus:9 here"}}
    pod_stage.kubelet(server, lambda _: pod_stage.status("traffic", state=waiting_state, phase="Pending"))
    with pytest.raises(ProbeError, match="no litmus:9 here"):
        await first(prober, 1)


@pytest.mark.parametrize(
    ("verb", "words"), [("create", "mend the role"), ("logs", "add get on pods/log"), ("get", "own pod can't be found")]
)
async def test_a_role_that_lacks_a_right_is_told_which(server, prober, verb, words):
    speaking(server)
    server.forbid(verb, "pods")
    with pytest.raises(ProbeError, match=words):
        await first(prober, 1)
    assert left(server) == set()


async def test_an_abort_takes_the_pod_with_it(server, prober):
    speaking(server)
    asking = asyncio.create_task(first(prober, 1))
    await server.until_asked("logs", "pods")
    asking.cancel()
    with suppress(asyncio.CancelledError):
        await asking
    assert left(server) == set()


async def test_a_loop_that_is_broken_off_leaves_no_pod_behind(server, prober):
    speaking(server, *(line(seq, "") for seq in (1, 2, 3)))
    observations = prober.stream()
    await anext(observations)
    assert len(left(server)) == 1
    await prober.aclose()
    assert left(server) == set()
    await observations.aclose()


async def test_one_request_comes_from_a_pod_that_sends_one(server, prober):
    made = speaking(server, line(1, event="started"), line(2, "timeout"), status=over())
    async with asyncio.timeout(60):
        seen = await prober.once(timeout_s=0.5)
    assert seen.error == "timeout"
    aim, word = made[0]["spec"]["containers"][0]["args"]
    assert (json.loads(aim)["timeout_s"], word) == (0.5, "once")
    assert left(server) == set()


async def test_a_pod_lives_no_longer_than_the_job_of_the_run(server, cluster):
    around = pod_stage.surroundings(cluster)
    assert await pods.lifetime_s(around) == 7200
    pod_stage.put_own_pod(server)
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    server.change("jobs", "pod-delete-abc123", {"metadata": {"creationTimestamp": stamp}})
    assert 600 < await pods.lifetime_s(around) <= 901
