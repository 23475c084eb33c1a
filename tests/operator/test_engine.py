"""What the operator does for an engine, step by step, on a small API server."""

import asyncio
from typing import Any

import pytest

from litmus.api import names
from litmus.kube import events, results
from litmus.operator import engine as engines
from litmus.operator.decide import Action
from tests import apiserver, samples

RUNNER = "shop-chaos-runner"
FINALIZER = names.ENGINE_FINALIZER


@pytest.fixture(autouse=True)
def _brief(monkeypatch):
    monkeypatch.setattr(engines, "_LOOK_AGAIN_S", 0.01)


@pytest.fixture(autouse=True)
def _willing(server):
    annotations = {names.CHAOS_ANNOTATION: "true"}
    server.put("deployments", {"metadata": {"name": "web", "labels": {"app": "web"}, "annotations": annotations}})


@pytest.fixture
def reconcile(cluster):
    poster = events.Poster(cluster, names.OPERATOR_NAME)
    reconciler = engines.Reconciler(cluster, poster, namespace="shop", name="shop-chaos", image="litmus:1")

    async def step() -> Action:
        async with asyncio.timeout(20):
            return await reconciler.reconcile()

    return step


def put(
    server: apiserver.Server, word: str = "", *, verdicts: tuple[str, ...] = (), meta: Any = None, **spec: Any
) -> None:
    entries = [
        {"name": "pod-delete", "verdict": verdict, "status": "Running", "experimentPod": "p"} for verdict in verdicts
    ]
    status = {"engineStatus": word, "experiments": entries}
    server.put("chaosengines", samples.engine(status=status, meta={"finalizers": [FINALIZER], **(meta or {})}, **spec))


def runner(server: apiserver.Server, **changes: Any) -> None:
    labels = {names.CHAOS_UID: samples.ENGINE_UID, names.COMPONENT: "chaos-runner"}
    server.put("pods", samples.pod(RUNNER, owner=("ChaosEngine", "shop-chaos"), labels=labels, **changes))


def status(server: apiserver.Server) -> dict[str, Any]:
    return server.get("chaosengines", "shop-chaos")["status"]


def told(server: apiserver.Server) -> dict[str, str]:
    return {event["reason"]: event["message"] for event in server.all("events")}


async def test_a_new_engine_gets_a_finalizer_a_status_and_its_runner_in_one_step(server, reconcile):
    server.put("chaosengines", samples.engine(meta={"finalizers": ["somebody.io/else"]}))
    assert await reconcile() is Action.INITIALIZE
    engine = server.get("chaosengines", "shop-chaos")
    assert set(engine["metadata"]["finalizers"]) == {"somebody.io/else", FINALIZER}
    assert engine["status"] == {"engineStatus": "initialized", "experiments": []}
    pod = server.get("pods", RUNNER)
    assert pod["spec"]["containers"][0]["image"] == "litmus:1"
    variables = {variable["name"]: variable["value"] for variable in pod["spec"]["containers"][0]["env"]}
    assert variables["TARGETS"] == "deployment:shop:[web]"
    assert told(server) == {"ChaosEngineInitialized": f"Identifying app under test & launching {RUNNER}"}


async def test_after_that_there_is_nothing_to_do_but_wait(server, reconcile):
    server.put("chaosengines", samples.engine())
    await reconcile()
    before = len(server.asked)
    assert await reconcile() is Action.WAIT
    assert {asked.verb for asked in server.asked[before:]} == {"get"}


async def test_an_operator_that_died_before_the_runner_goes_on_with_it(server, reconcile):
    put(server, "initialized")
    assert await reconcile() is Action.CREATE_RUNNER
    assert server.get("pods", RUNNER)


async def test_the_pod_of_an_earlier_engine_of_the_same_name_does_not_count(server, reconcile):
    put(server, "initialized")
    server.put("pods", samples.pod(RUNNER, labels={names.CHAOS_UID: "earlier"}))
    assert await reconcile() is Action.CREATE_RUNNER
    assert status(server)["engineStatus"] == "initialized"
    server.remove("pods", RUNNER)
    assert await reconcile() is Action.CREATE_RUNNER
    assert server.get("pods", RUNNER)["metadata"]["labels"][names.CHAOS_UID] == samples.ENGINE_UID


async def test_an_engine_without_a_willing_application_ends_at_once_with_the_remedy(server, reconcile):
    server.remove("deployments", "web")
    server.put("deployments", {"metadata": {"name": "web", "labels": {"app": "web"}}})
    server.put("chaosengines", samples.engine())
    await reconcile()
    assert "kubectl annotate deployment NAME" in told(server)["ChaosResourcesOperationFailed"]
    [entry] = status(server)["experiments"]
    assert (status(server)["engineStatus"], entry["status"], entry["verdict"]) == ("completed", "Skipped", "Error")
    outcome = server.get("chaosresults", "shop-chaos-pod-delete")["status"]["experimentstatus"]
    assert "kubectl annotate" in outcome["failStep"]
    engine = server.get("chaosengines", "shop-chaos")
    assert engine["spec"]["engineState"] == "stop"
    assert engine["metadata"]["finalizers"] == []
    assert server.all("pods") == []
    assert await reconcile() is Action.IDLE


async def test_a_runner_that_may_not_be_created_ends_the_engine_with_the_servers_words(server, reconcile):
    server.forbid("create", "pods")
    server.put("chaosengines", samples.engine())
    await reconcile()
    sentence = told(server)["ChaosResourcesOperationFailed"]
    assert 'cannot create resource "pods"' in sentence
    assert "service account pod-delete-sa" in sentence
    assert status(server)["engineStatus"] == "completed"


async def test_what_the_manifest_asks_for_and_nobody_acts_on_is_said(server, reconcile):
    entry = {"name": "pod-delete", "spec": {"rank": 1}}
    components = {"sidecar": [{"image": "s"}], "runner": {"type": "ansible"}}
    server.put("chaosengines", samples.engine(experiments=[entry], components=components))
    await reconcile()
    assert told(server)["FieldNotSupported"] == (
        "Not acted on: spec.components.sidecar, spec.components.runner.type, rank of pod-delete"
    )


@pytest.mark.parametrize(("policy", "kept"), [("delete", False), ("", False), ("retain", True)])
async def test_an_engine_whose_experiments_all_have_verdicts_is_completed(server, reconcile, policy, kept):
    put(server, "initialized", verdicts=("Pass",), jobCleanUpPolicy=policy)
    runner(server)
    assert await reconcile() is Action.COMPLETE
    engine = server.get("chaosengines", "shop-chaos")
    assert engine["status"]["engineStatus"] == "completed"
    assert engine["spec"]["engineState"] == "stop"
    assert engine["metadata"]["finalizers"] == []
    assert bool(server.all("pods")) is kept
    assert told(server) == {"ChaosEngineCompleted": "ChaosEngine completed (pod-delete: Pass)"}
    assert await reconcile() is Action.IDLE


async def test_a_runner_that_can_not_finish_ends_the_engine_with_an_error(server, reconcile):
    put(server, "initialized", verdicts=("Awaited",))
    runner(server, phase="Failed")
    diary = samples.result(experimentstatus={"verdict": "Awaited"})
    server.put("chaosresults", diary)
    assert await reconcile() is Action.FAIL
    [entry] = status(server)["experiments"]
    assert (entry["status"], entry["verdict"]) == ("Skipped", "Error")
    outcome = server.get("chaosresults", "shop-chaos-pod-delete")["status"]["experimentstatus"]
    assert "its runner pod shop-chaos-runner failed" in outcome["failStep"]
    assert outcome["errorOutput"]["errorCode"] == results.NOT_RUN
    assert server.all("pods") == []


def chaos(server: apiserver.Server) -> None:
    """What a run leaves behind: a Job with its pod, a helper, the runner; and pods of others."""
    labels = {names.CHAOS_UID: samples.ENGINE_UID}
    runner(server)
    server.put("jobs", {"metadata": {"name": "pod-delete-x", "labels": labels}})
    for name in ("pod-delete-x-p", "pod-delete-helper-y"):
        server.put("pods", samples.pod(name, labels=labels))
    server.put("pods", samples.pod("web-a"))
    server.put("pods", samples.pod("other-runner", labels={names.CHAOS_UID: "another"}))


async def test_an_engine_that_is_stopped_loses_its_pods_and_nobody_elses(server, reconcile):
    put(server, "initialized", verdicts=("Awaited",), engineState="stop")
    chaos(server)
    server.put("chaosresults", samples.result(experimentstatus={"verdict": "Awaited"}))
    assert await reconcile() is Action.ABORT
    assert [pod["metadata"]["name"] for pod in server.all("pods")] == ["other-runner", "web-a"]
    assert server.all("jobs") == []
    [entry] = status(server)["experiments"]
    assert (entry["status"], entry["verdict"]) == ("Forcefully Aborted", "Stopped")
    assert status(server)["engineStatus"] == "stopped"
    outcome = server.get("chaosresults", "shop-chaos-pod-delete")["status"]["experimentstatus"]
    assert (outcome["verdict"], outcome["phase"]) == ("Stopped", "Stopped")
    assert told(server) == {"ChaosEngineStopped": "Chaos resources deleted successfully"}
    assert await reconcile() is Action.IDLE


def holding(server: apiserver.Server) -> None:
    """A run that is to be stopped and has a fault to undo."""
    put(server, "initialized", verdicts=("Awaited",), engineState="stop")
    chaos(server)
    labels = {names.CHAOS_UID: samples.ENGINE_UID, names.OPEN_FAULTS_LABEL: "true"}
    server.put("chaosresults", samples.result(meta={"labels": labels}, experimentstatus={"verdict": "Awaited"}))


async def test_its_pods_end_once_its_fault_is_undone(server, reconcile):
    holding(server)
    stopping = asyncio.create_task(reconcile())
    async with asyncio.timeout(20):
        await server.until_asked("watch", "chaosresults")
    assert "delete" not in server.verbs("pods")
    undone = {"metadata": {"labels": {names.OPEN_FAULTS_LABEL: None}}}
    server.change("chaosresults", "shop-chaos-pod-delete", undone)
    assert await stopping is Action.ABORT
    assert "delete" in server.verbs("pods")


async def test_its_pods_end_also_when_nobody_undoes_its_fault(server, reconcile, monkeypatch):
    monkeypatch.setattr(engines, "_UNDOING_S", 0.05)
    holding(server)
    assert await reconcile() is Action.ABORT
    assert [pod["metadata"]["name"] for pod in server.all("pods")] == ["other-runner", "web-a"]


async def test_pods_are_asked_to_end_with_their_own_grace_period_so_that_they_revert(server, reconcile):
    put(server, "initialized", verdicts=("Awaited",), engineState="stop")
    chaos(server)
    await reconcile()
    graces = [
        {**a.query, **(a.body or {})}.get("gracePeriodSeconds")
        for a in server.asked
        if str(a).startswith("delete pods")
    ]
    assert graces == [None, None, None]


async def test_a_verdict_that_the_experiment_wrote_while_it_ended_is_kept(server, reconcile):
    put(server, "initialized", verdicts=("Awaited",), engineState="stop")
    server.put("chaosresults", samples.result(experimentstatus={"verdict": "Fail", "failStep": "down"}))
    await reconcile()
    [entry] = status(server)["experiments"]
    assert entry["verdict"] == "Fail"
    outcome = server.get("chaosresults", "shop-chaos-pod-delete")["status"]["experimentstatus"]
    assert outcome["verdict"] == "Fail"


async def test_verdicts_of_earlier_experiments_of_a_stopped_engine_stay(server, reconcile):
    experiments = [{"name": "pod-delete"}, {"name": "container-kill"}]
    put(server, "initialized", verdicts=("Pass", "N/A"), engineState="stop", experiments=experiments)
    await reconcile()
    assert [entry["verdict"] for entry in status(server)["experiments"]] == ["Pass", "Stopped"]


async def test_a_pod_that_does_not_end_is_removed_by_force(server, reconcile, monkeypatch):
    monkeypatch.setattr(engines, "_REMOVAL_MARGIN_S", 0.0)
    put(server, "initialized", verdicts=("Awaited",), engineState="stop")
    labels = {names.CHAOS_UID: samples.ENGINE_UID}
    stuck = samples.pod("stuck", labels=labels)
    stuck["spec"]["terminationGracePeriodSeconds"] = 0
    server.put("pods", stuck)

    def node_is_gone(asked: apiserver.Asked):
        graceful = asked.verb == "delete" and "gracePeriodSeconds" not in {**asked.query, **(asked.body or {})}
        return apiserver._json(stuck) if graceful and asked.plural == "pods" else None

    with server.answer(node_is_gone):
        assert await reconcile() is Action.ABORT
    assert server.all("pods") == []


async def test_an_engine_that_is_deleted_while_it_runs_is_aborted_and_let_go(server, reconcile):
    put(server, "initialized", verdicts=("Awaited",), meta={"deletionTimestamp": "2026-01-01T00:00:00Z"})
    chaos(server)
    assert await reconcile() is Action.ABORT
    assert server.all("chaosengines") == []
    assert [pod["metadata"]["name"] for pod in server.all("pods")] == ["other-runner", "web-a"]
    assert await reconcile() is Action.IDLE


async def test_an_engine_that_is_deleted_at_rest_is_let_go(server, reconcile):
    put(server, "completed", verdicts=("Pass",), meta={"deletionTimestamp": "2026-01-01T00:00:00Z"}, engineState="stop")
    assert await reconcile() is Action.RELEASE
    assert server.all("chaosengines") == []


async def test_somebody_elses_finalizer_is_left_to_somebody_else(server, reconcile):
    put(server, "completed", verdicts=("Pass",), engineState="stop", meta={"finalizers": ["x/y", FINALIZER]})
    await reconcile()
    assert server.get("chaosengines", "shop-chaos")["metadata"]["finalizers"] == ["x/y"]


async def test_an_engine_that_is_set_to_active_again_runs_again_from_the_start(server, reconcile):
    put(server, "completed", verdicts=("Pass",))
    chaos(server)
    assert await reconcile() is Action.RESTART
    assert [pod["metadata"]["name"] for pod in server.all("pods")] == ["other-runner", "web-a"]
    assert "RestartInProgress" in told(server)
    assert await reconcile() is Action.INITIALIZE
    assert status(server) == {"engineStatus": "initialized", "experiments": []}
    assert server.get("pods", RUNNER)


async def test_an_engine_that_is_not_there_needs_nothing(reconcile):
    assert await reconcile() is Action.IDLE


async def test_a_whole_life_from_apply_to_completed(server, reconcile):
    server.put("chaosengines", samples.engine())
    steps = [await reconcile()]
    entries = [{"name": "pod-delete", "verdict": "Pass", "status": "Completed"}]
    server.change("chaosengines", "shop-chaos", {"status": {"experiments": entries}})
    while steps[-1] is not Action.IDLE:
        steps.append(await reconcile())
    assert steps == [Action.INITIALIZE, Action.COMPLETE, Action.IDLE]
