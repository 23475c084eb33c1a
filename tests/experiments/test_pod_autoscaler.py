"""pod-autoscaler: up to what was asked, and back to what was there."""

import asyncio

import pytest

from litmus.api.targeting import ANY_OWNER, AppTarget
from litmus.experiments import api_fault, pod_autoscaler, tunables, verdicts
from litmus.experiments.context import Context
from tests import apiserver, samples
from tests.experiments import stage

SCALER = pod_autoscaler.PodAutoscaler()
ANY = AppTarget(kind=ANY_OWNER, namespace="shop", labels="app")


@pytest.fixture(autouse=True)
def _quickly(monkeypatch):
    monkeypatch.setattr(api_fault, "_LOOK_S", 0.01)


def obey(server, workload) -> None:
    """What the controllers and the scheduler do."""
    count = workload["spec"]["replicas"]
    workload["status"] = {"replicas": count, "availableReplicas": count}


@pytest.fixture
def begin(server, cluster, monkeypatch):
    """A run on the Deployment `web` of two replicas; its controller is played."""
    server.put("deployments", samples.workload("web"))

    async def start(*, obeyed=True, **env):
        if obeyed:
            for plural in ("deployments", "statefulsets"):
                server.on("patch", plural, obey)
        stage.rounds(monkeypatch, 3)
        return await stage.context(server, cluster, SCALER, **{"TOTAL_CHAOS_DURATION": "1", **env})

    return start


async def scale(context) -> None:
    async with asyncio.timeout(10):
        await SCALER.inject(context)


def replicas(server, name="web", plural="deployments"):
    return server.get(plural, name)["spec"]["replicas"]


def watch(server) -> list[int]:
    seen = []
    server.on("patch", "deployments", lambda _, workload: seen.append(workload["spec"]["replicas"]))
    return seen


def records(server) -> list[tuple[str, str]]:
    return [(fault["state"], fault["message"]) for fault in stage.ledger(server, "pod-autoscaler")]


async def test_a_workload_is_scaled_up_and_back(server, begin):
    seen = watch(server)
    await scale(await begin())
    assert seen == [5, 2]
    assert records(server) == [("reverted", "deployment shop/web scaled back from 5 to 2")]
    [hit] = server.get("chaosresults", "shop-chaos-pod-autoscaler")["status"]["targets"]
    assert (hit["kind"], hit["asked"], hit["delivered"]) == (
        "Deployment",
        "2 → 5 replicas",
        "2 → 5 replicas, all available",
    )


@pytest.mark.parametrize("count", ["0", "1"])
async def test_a_workload_can_be_scaled_down(server, begin, count):
    seen = watch(server)
    await scale(await begin(REPLICA_COUNT=count))
    assert seen == [int(count), 2]


async def test_every_workload_that_the_engine_names_is_scaled(server, begin):
    server.put("statefulsets", samples.workload("db", replicas=3))
    server.put("deployments", samples.workload("other", replicas=1))
    await scale(await begin(setting_={"targets": (ANY,)}))
    assert [replicas(server), replicas(server, "other"), replicas(server, "db", "statefulsets")] == [2, 1, 3]
    assert len(records(server)) == 3
    assert len([asked for asked in server.asked if str(asked).startswith("patch statefulsets")]) == 2


async def test_a_stateful_set_of_an_old_cluster_tells_only_what_is_ready(server, begin):
    server.put("statefulsets", samples.workload("db"))

    def obey_like_1_20(_, workload) -> None:
        count = workload["spec"]["replicas"]
        workload["status"] = {"replicas": count, "readyReplicas": count}

    server.on("patch", "statefulsets", obey_like_1_20)
    db = AppTarget(kind="statefulset", namespace="shop", names=("db",))
    await scale(await begin(obeyed=False, setting_={"targets": (db,)}))
    assert records(server) == [("reverted", "statefulset shop/db scaled back from 5 to 2")]


async def test_names_choose_among_the_workloads(server, begin):
    server.put("deployments", samples.workload("other"))
    named = AppTarget(kind="deployment", namespace="shop", names=("other",))
    await scale(await begin(setting_={"targets": (named,)}))
    patched = {asked.name for asked in server.asked if (asked.verb, asked.plural) == ("patch", "deployments")}
    assert patched == {"other"}


async def test_replicas_that_do_not_come_up_in_time_are_a_fail_and_it_is_scaled_back(server, begin):
    with pytest.raises(
        verdicts.CheckFailed, match="deployment web did not reach 5 available replicas within 1 s: 2 there, 2 available"
    ):
        await scale(await begin(obeyed=False))
    assert replicas(server) == 2
    assert records(server)[0][0] == "reverted"


async def test_replicas_that_do_not_come_back_are_a_fail(server, begin):
    server.on("patch", "deployments", lambda _, w: obey(_, w) if w["spec"]["replicas"] == 5 else None)
    with pytest.raises(verdicts.CheckFailed, match="did not come back to 2"):
        await scale(await begin(obeyed=False, setting_={"check_timeout_s": 0.2}))
    assert records(server)[0][0] == "reverted"


async def test_what_somebody_else_scaled_meanwhile_stays_and_the_run_is_an_error(server, begin, monkeypatch):
    context = await begin()

    async def hold(self: Context, seconds: float) -> None:
        server.change("deployments", "web", {"spec": {"replicas": 7}})

    monkeypatch.setattr(Context, "hold", hold)
    with pytest.raises(verdicts.CannotRun, match="deployment web was scaled to 7 by somebody else"):
        await scale(context)
    assert replicas(server) == 7
    [(state, said)] = records(server)
    assert state == "reverted"
    assert "stays so; before the fault it had 2" in said


async def test_an_abort_scales_back_at_once(server, begin, monkeypatch):
    context = await begin()
    holding = asyncio.Event()

    async def hold(self: Context, seconds: float) -> None:
        holding.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(Context, "hold", hold)
    run = asyncio.create_task(scale(context))
    await asyncio.wait_for(holding.wait(), 10)
    assert replicas(server) == 5
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert replicas(server) == 2


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"REPLICA_COUNT": "2"}, "REPLICA_COUNT=2: deployment web has 2 replicas already"),
        ({"setting_": {"targets": (AppTarget(kind="daemonset", namespace="shop"),)}}, "a daemonset can't be scaled"),
        ({"setting_": {"targets": ()}}, "the engine names no application"),
        ({"setting_": {"targets": (AppTarget(kind="statefulset", namespace="shop"),)}}, "nothing to scale"),
    ],
)
async def test_what_can_not_be_scaled_is_an_error_before_anything_is_touched(server, begin, changes, why):
    with pytest.raises(verdicts.CannotRun, match=why):
        await scale(await begin(**changes))
    assert "patch" not in server.verbs("deployments")


async def test_a_workload_with_an_autoscaler_is_refused_and_the_plan_says_so(server, cluster, begin):
    scaler = {
        "metadata": {"name": "web-hpa"},
        "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "web"}, "maxReplicas": 9},
    }
    server.put("horizontalpodautoscalers", scaler)
    with pytest.raises(verdicts.CannotRun, match="HorizontalPodAutoscaler web-hpa scales deployment web, too"):
        await SCALER.foresee(cluster, (stage.WEB,), stage.values(SCALER), seed="s")
    with pytest.raises(verdicts.CannotRun, match="web-hpa"):
        await scale(await begin())
    assert "patch" not in server.verbs("deployments")


async def test_an_old_cluster_tells_its_autoscalers_in_the_old_version(server, begin):
    scaler = {"metadata": {"name": "web-hpa"}, "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "web"}}}
    server.put("horizontalpodautoscalers", scaler)
    asked = []

    def unknown_at_first(request):
        if request.plural != "horizontalpodautoscalers":
            return None
        asked.append(request)
        return apiserver.failure(404, "the server could not find the requested resource") if len(asked) == 1 else None

    with server.answer(unknown_at_first), pytest.raises(verdicts.CannotRun, match="web-hpa"):
        await scale(await begin())


async def test_without_the_right_to_see_autoscalers_it_goes_on(server, begin):
    server.forbid("list", "horizontalpodautoscalers")
    await scale(await begin())
    assert records(server)[0][0] == "reverted"


async def test_a_plan_shows_the_workloads(server, cluster, begin):
    seen = await SCALER.foresee(cluster, (stage.WEB,), stage.values(SCALER), seed="s")
    assert [(victim.kind, victim.name, victim.uid) for victim in seen.first_round] == [
        ("Deployment", "web", "uid-of-web")
    ]


@pytest.mark.parametrize("text", ["-1", "five", "1.5", "10001"])
def test_a_count_that_is_none_is_refused(text):
    with pytest.raises(tunables.TunableError, match=r"REPLICA_COUNT='.*whole number of replicas from 0 to 10000"):
        pod_autoscaler.REPLICAS.value(text)
