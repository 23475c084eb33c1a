"""The switch that stops all chaos, and the caps: what the operator does while they hold, step by step."""

import asyncio
from typing import Any

import pytest

from litmus.api import names
from litmus.experiments import admission, caps
from litmus.kube import events, switch
from litmus.operator import engine as engines
from litmus.operator.decide import Action
from litmus.operator.rules import Following, Rules
from tests import apiserver, samples

RUNNER = "shop-chaos-runner"
SWITCH = switch.Switch(namespace="litmus", by="ada on lab", at="2026-03-02T09:00:00Z", why="incident 7")


@pytest.fixture(autouse=True)
def _application(server, monkeypatch):
    monkeypatch.setattr(engines, "_LOOK_AGAIN_S", 0.01)
    annotations = {names.CHAOS_ANNOTATION: "true"}
    server.put("deployments", {"metadata": {"name": "web", "labels": {"app": "web"}, "annotations": annotations}})
    server.put("chaosexperiments", samples.experiment())


@pytest.fixture
def rules() -> Rules:
    return Rules()


@pytest.fixture
def reconcile(cluster, rules):
    poster = events.Poster(cluster, names.OPERATOR_NAME)

    async def step() -> Action:
        reconciler = engines.Reconciler(
            cluster, poster, namespace="shop", name="shop-chaos", image="litmus:1", rules=rules
        )
        async with asyncio.timeout(20):
            return await reconciler.reconcile()

    return step


def outcome(server: apiserver.Server) -> tuple[str, str]:
    status = server.get("chaosresults", "shop-chaos-pod-delete")["status"]["experimentstatus"]
    return status["verdict"], status["failStep"]


def told(server: apiserver.Server) -> dict[str, str]:
    return {event["reason"]: event["message"] for event in server.all("events")}


async def test_a_new_engine_is_refused_with_who_when_why_and_how_to_lift_it(server, reconcile, rules):
    rules.stopped = SWITCH
    server.put("chaosengines", samples.engine())
    assert await reconcile() is Action.REFUSE
    verdict, step = outcome(server)
    assert verdict == "Error"
    for word in ("ada on lab", "2026-03-02T09:00:00Z", "incident 7", "litmus stop --lift", "kubectl delete configmap"):
        assert word in step
        assert word in told(server)["ChaosResourcesOperationFailed"]
    engine = server.get("chaosengines", "shop-chaos")
    assert (engine["status"]["engineStatus"], engine["spec"]["engineState"]) == ("completed", "stop")
    assert server.all("pods") == []
    assert await reconcile() is Action.IDLE


async def test_an_engine_that_runs_is_told_to_stop_before_its_pods_are_ended(server, reconcile, rules):
    entries = [{"name": "pod-delete", "verdict": "Awaited", "status": "Running"}]
    status = {"engineStatus": "initialized", "experiments": entries}
    server.put("chaosengines", samples.engine(status=status, meta={"finalizers": [names.ENGINE_FINALIZER]}))
    server.put("pods", samples.pod(RUNNER, labels={names.CHAOS_UID: samples.ENGINE_UID}))
    rules.stopped = SWITCH
    state_then: list[str] = []
    server.on(
        "delete", "pods", lambda s, _: state_then.append(s.get("chaosengines", "shop-chaos")["spec"]["engineState"])
    )
    assert await reconcile() is Action.ABORT
    assert state_then == ["stop"]
    assert server.all("pods") == []
    assert server.get("chaosengines", "shop-chaos")["status"]["engineStatus"] == "stopped"
    assert "ada on lab" in told(server)["ChaosEngineStopped"]


async def test_an_engine_that_is_started_again_meanwhile_does_not_end_with_its_old_verdict(server, reconcile, rules):
    status = {"engineStatus": "completed", "experiments": [{"name": "pod-delete", "verdict": "Pass"}]}
    server.put("chaosengines", samples.engine(status=status))
    rules.stopped = SWITCH
    assert await reconcile() is Action.REFUSE
    [entry] = server.get("chaosengines", "shop-chaos")["status"]["experiments"]
    assert entry["verdict"] == "Error"


async def test_a_cap_refuses_an_engine_before_its_runner_is_created(server, reconcile, rules):
    rules.caps = caps.Caps(longest_s=60.0)
    env = [{"name": "TOTAL_CHAOS_DURATION", "value": "61"}]
    server.put(
        "chaosengines", samples.engine(experiments=[{"name": "pod-delete", "spec": {"components": {"env": env}}}])
    )
    await reconcile()
    assert outcome(server)[0] == "Error"
    assert "longestDuration (60 s)" in outcome(server)[1]
    assert "kubectl edit configmap litmus-caps -n litmus" in outcome(server)[1]
    assert server.all("pods") == []


async def test_the_runner_gets_the_caps_for_its_experiments(server, reconcile, rules):
    rules.caps = caps.Caps(pods=50.0)
    server.put("chaosengines", samples.engine())
    server.put("pods", samples.pod("web-1"))
    server.put("pods", samples.pod("web-2"))
    await reconcile()
    variables = {v["name"]: v["value"] for v in server.get("pods", RUNNER)["spec"]["containers"][0]["env"]}
    assert caps.handed(variables[caps.VARIABLE]) == rules.caps


# Following the ConfigMaps


@pytest.fixture
async def following(cluster):
    followed = Following(cluster, namespace="litmus", default=caps.standard("litmus"))
    changes = asyncio.Queue[None]()
    task = asyncio.create_task(followed.forever(lambda: changes.put_nowait(None)))
    yield followed, changes
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def until(following: Any, condition: Any) -> Rules:
    followed, changes = following
    async with asyncio.timeout(20):
        await followed.known.wait()
        while not condition(followed.rules):
            await changes.get()
    return followed.rules


def config_map(server: apiserver.Server, name: str, **data: str) -> None:
    server.put("configmaps", {"metadata": {"name": name, "namespace": "litmus"}, "data": data}, namespace="litmus")


async def test_without_config_maps_the_defaults_hold(server, following):
    rules = await until(following, lambda _: True)
    assert rules.stopped is None
    assert rules.known_caps() == caps.standard("litmus")


async def test_a_switch_that_was_set_before_the_operator_started_holds(server, cluster):
    config_map(server, switch.NAME, by="ada")
    followed = Following(cluster, namespace="litmus", default=caps.standard("litmus"))
    task = asyncio.create_task(followed.forever(lambda: None))
    async with asyncio.timeout(20):
        await followed.known.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert followed.rules.stopped is not None


async def test_the_switch_holds_as_long_as_it_is_there_however_it_was_made(server, following):
    await until(following, lambda _: True)
    server.put("configmaps", {"metadata": {"name": switch.NAME, "namespace": "litmus"}}, namespace="litmus")
    rules = await until(following, lambda rules: rules.stopped)
    assert rules.stopped.said.startswith("all chaos of this cluster was stopped at 2026-01-01T00:00:00Z")
    server.remove("configmaps", switch.NAME, "litmus")
    await until(following, lambda rules: not rules.stopped)


async def test_caps_that_make_no_sense_let_nothing_begin_until_they_are_mended(server, following, cluster):
    config_map(server, "litmus-caps", **{"caps.yaml": "longestDuration: 10m\nlargestShareOfNodes: 166%\n"})
    rules = await until(following, lambda rules: rules.trouble)
    server.put("chaosengines", samples.engine())
    poster = events.Poster(cluster, names.OPERATOR_NAME)
    await engines.Reconciler(cluster, poster, namespace="shop", name="shop-chaos", image="i", rules=rules).reconcile()
    assert "litmus/litmus-caps, caps.yaml line 2: largestShareOfNodes: '166%' must be" in outcome(server)[1]
    server.change("configmaps", "litmus-caps", {"data": {"caps.yaml": "longestDuration: 10m\n"}}, "litmus")
    rules = await until(following, lambda rules: not rules.trouble)
    assert rules.known_caps().longest_s == 600


async def test_an_operator_that_may_not_look_lets_nothing_begin(server, cluster):
    server.forbid("list", "configmaps")
    followed = Following(cluster, namespace="litmus", default=caps.standard("litmus"))
    task = asyncio.create_task(followed.forever(lambda: None))
    async with asyncio.timeout(20):
        await followed.known.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    with pytest.raises(admission.Refused, match=r"may not read ConfigMap litmus/litmus-caps.*litmus install"):
        followed.rules.known_caps()
