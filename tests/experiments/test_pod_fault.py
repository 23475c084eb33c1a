"""Faults that last on pods: all are vetted before one is touched, one helper a node, serial or parallel."""

import asyncio

import msgspec
import pytest

from litmus.experiments import held, pod_fault, selection, tunables, verdicts
from litmus.kube import helpers, report
from litmus.kube.objects import Pod
from tests import samples
from tests.experiments import stage
from tests.experiments.helpers_stage import ALL, WHY, Kubelets


class Latency(pod_fault.PodFault):
    name = "pod-network-latency"
    mechanism = "netem"
    needs = helpers.Needs(capabilities=("NET_ADMIN",))
    permissions = ()
    tunables = (
        tunables.DURATION,
        tunables.AFFECTED,
        tunables.TARGET_PODS,
        tunables.NODE_LABEL,
        tunables.SEQUENCE,
        tunables.TARGET_CONTAINER,
    )

    def aims(self, pod, values):
        target, status = pod_fault.container_of(pod, values, asked="2 s")
        return [held.Aim(target=target, parameters={"container_id": status.container_id})]


@pytest.fixture
def kubelets(server, monkeypatch):
    monkeypatch.setattr(report, "_AGAIN_S", 0.01)
    for number in (1, 2):
        server.put("nodes", samples.node(f"node-{number}"), namespace="")
    return Kubelets(server)


@pytest.fixture
async def begin(server, cluster, kubelets):
    async def run(**env):
        for number in (1, 2, 3):
            server.put("pods", samples.pod(f"web-{number}", node=f"node-{min(number, 2)}"))
        return await stage.context(server, cluster, Latency(), **env)

    return run


async def inject(context) -> None:
    async with asyncio.timeout(20):
        await Latency().inject(context)


def states(server) -> list[str]:
    return [fault["state"] for fault in stage.ledger(server, "pod-network-latency")]


async def test_pods_of_one_node_are_hit_by_one_helper(server, begin, kubelets):
    context = await begin(PODS_AFFECTED_PERC="100")
    await inject(context)
    hit = {pod["spec"]["nodeName"]: kubelets.request(pod["spec"]["nodeName"])["targets"] for pod in kubelets.first}
    assert {node: sorted(target["name"] for target in targets) for node, targets in hit.items()} == {
        "node-1": ["web-1/web"],
        "node-2": ["web-2/web", "web-3/web"],
    }
    assert states(server) == ["reverted", "reverted"]


async def test_serial_means_that_one_pod_is_put_back_before_the_next_is_hit(server, begin, kubelets):
    seen = []
    server.on("create", "pods", lambda kept, _: seen.append(states(kept)))
    context = await begin(PODS_AFFECTED_PERC="100", SEQUENCE="serial")
    await inject(context)
    assert [len(kubelets_states) for kubelets_states in seen] == [1, 2, 3]
    assert all(before == "reverted" for earlier in seen for before in earlier[:-1])


async def test_serial_ends_with_the_first_pod_that_can_not_be_hit(server, begin, kubelets):
    kubelets.script = ("planned", "failed")
    context = await begin(PODS_AFFECTED_PERC="100", SEQUENCE="serial")
    with pytest.raises(verdicts.CannotRun, match=WHY):
        await inject(context)
    assert len(kubelets.first) == 1


async def test_one_pod_that_can_not_be_hit_spares_all(server, begin, kubelets):
    context = await begin(PODS_AFFECTED_PERC="100")
    stopped = samples.container(state=samples.waiting("CrashLoopBackOff"))
    server.put("pods", samples.pod("web-3", containers=[stopped]))
    with pytest.raises(verdicts.CannotRun, match="container web of pod web-3 is not running"):
        await inject(context)
    assert kubelets.first == []
    assert states(server) == []


async def test_a_container_that_is_not_there_is_named_with_those_that_are(begin, kubelets):
    context = await begin(TARGET_CONTAINER="db")
    with pytest.raises(verdicts.CannotRun, match=r"TARGET_CONTAINER='db': pod web-\d has no such container, only web"):
        await inject(context)
    assert kubelets.first == []


async def test_a_pod_that_the_kubelet_has_not_looked_at_yet_has_its_container_but_does_not_run_it(
    server, begin, kubelets
):
    context = await begin()
    early = samples.pod("web-1") | {"status": {"phase": "Pending"}}
    pod = msgspec.convert(early, Pod)
    with pytest.raises(verdicts.CannotRun, match="container web of pod web-1 is not running"):
        Latency().vet([pod], context.values)


async def test_a_replacement_is_hit_as_soon_as_the_container_that_is_meant_runs(server, begin, kubelets):
    kubelets.script = (*ALL[:3], "gone 0", "hang")
    context = await begin(TARGET_PODS="web-1", HIT_REPLACEMENTS="true")
    task = asyncio.create_task(inject(context))
    while not any(target.delivered and "nothing left" in target.delivered for target in context.hit):  # noqa: ASYNC110 - nothing is written
        await asyncio.sleep(0.01)
    proxy = samples.container("proxy")
    beside = [samples.container(state=samples.waiting("ContainerCreating")), proxy]
    server.put("pods", samples.pod("web-4", containers=beside))
    await asyncio.sleep(0.1)
    assert not task.done(), "that it does not run yet ends nothing"
    kubelets.script = ALL
    server.put("pods", samples.pod("web-4", containers=[samples.container(), proxy]))
    while "web-4" not in [target.name for target in context.hit]:  # noqa: ASYNC110 - as above
        await asyncio.sleep(0.01)
    kubelets.say(kubelets.name(), "reverted")
    await task
    assert sorted(states(server)) == ["moot", "reverted"]


async def test_a_plan_shows_who_is_hit_and_how(server, cluster, begin):
    context = await begin()
    seed = selection.seed("shop-chaos", "pod-network-latency", run=1, round_=0)
    seen = await Latency().foresee(cluster, context.setting.targets, context.values, seed=seed)
    [victim] = seen.first_round
    assert victim.asked == "2 s"
    await inject(context)
    assert [target.name for target in context.hit] == [victim.name]


async def test_a_fault_that_did_not_hold_its_time_is_no_success(begin, kubelets):
    kubelets.script = (*ALL[:3], "failed")
    with pytest.raises(verdicts.CannotRun):
        await inject(await begin())
