"""The life of one experiment: whatever happens in between, the result ends with a verdict and an event."""

import asyncio
import dataclasses
import os
import signal
from collections.abc import Awaitable, Callable

import pytest

from litmus.experiments import lifecycle, setting, tunables, verdicts
from litmus.experiments.context import Context
from litmus.experiments.declaration import Experiment
from litmus.kube import Cluster, errors
from tests import apiserver, samples
from tests.experiments import stage

ENV = {
    "CHAOSENGINE": "shop-chaos",
    "CHAOS_NAMESPACE": "shop",
    "POD_NAME": "pod-delete-x",
    "TARGETS": "deployment:shop:[app=web]",
    "STATUS_CHECK_TIMEOUT": "5",
}
RESULT = "shop-chaos-pod-delete"


class Scripted(Experiment):
    """An experiment that does what the test says."""

    name = "pod-delete"
    title = "Scripted"
    help = "Does what it is told."
    tunables = (tunables.DURATION, tunables.RAMP, tunables.AFFECTED)

    def __init__(self, script: Callable[[Context], Awaitable[None]] | None = None) -> None:
        self.script = script

    async def inject(self, context: Context) -> None:
        if self.script:
            await self.script(context)


def raising(error: BaseException) -> Scripted:
    async def script(_: Context) -> None:
        raise error

    return Scripted(script)


@pytest.fixture(autouse=True)
def _application(server):
    server.put("chaosengines", samples.engine())
    server.put("pods", samples.pod("web-a"))


@pytest.fixture
def impatient(monkeypatch):
    """Health is waited for no longer than it takes to look once; in an engine the least is a second."""
    read = setting.read
    monkeypatch.setattr(setting, "read", lambda env: dataclasses.replace(read(env), check_timeout_s=0.2))


async def execute(cluster: Cluster, experiment: Experiment, **env: str) -> str:
    async with asyncio.timeout(20):
        return await lifecycle.execute(experiment, cluster, ENV | env)


def outcome(server: apiserver.Server) -> dict:
    return server.get("chaosresults", RESULT)["status"]["experimentstatus"]


def events(server: apiserver.Server, kind: str) -> list[str]:
    about = [event for event in server.all("events") if event["involvedObject"]["kind"] == kind]
    posted = [asked.body["metadata"]["name"] for asked in server.asked if str(asked) == "create events"]
    return [event["reason"] for event in sorted(about, key=lambda e: posted.index(e["metadata"]["name"]))]


async def test_a_run_that_holds_ends_in_pass(server, cluster):
    assert await execute(cluster, Scripted()) == "Pass"
    assert outcome(server) == {
        "phase": "Completed",
        "verdict": "Pass",
        "failStep": "N/A",
        "probeSuccessPercentage": "100",
    }
    run = server.get("chaosresults", RESULT)["status"]["run"]
    assert run["finishedAt"]
    assert (run["pod"], run["engineUid"]) == ("pod-delete-x", samples.ENGINE_UID)


async def test_people_read_the_events_of_the_tutorial(server, cluster):
    await execute(cluster, Scripted())
    assert events(server, "ChaosResult") == ["Awaited", "Pass"]
    assert events(server, "ChaosEngine") == ["PreChaosCheck", "PostChaosCheck", "Summary"]
    messages = {event["message"]: event for event in server.all("events")}
    assert messages["experiment: pod-delete, Result: Awaited"]["source"] == {"component": "pod-delete-x"}
    assert messages["experiment: pod-delete, Result: Pass"]["type"] == "Normal"
    assert "pod-delete experiment has been Passed: experiment: pod-delete, Result: Pass" in messages


async def test_the_verdict_is_the_last_thing_written(server, cluster):
    """Who reads it may remove the experiment's pod."""
    await execute(cluster, Scripted())
    writes = [str(asked) for asked in server.asked if asked.verb in ("create", "patch", "delete")]
    assert writes[-1] == f"patch chaosresults {RESULT}"


@pytest.mark.parametrize(
    ("error", "verdict", "words", "code"),
    [
        (
            verdicts.CheckFailed("it did not hold", code="STATUS_CHECKS_ERROR"),
            "Fail",
            "it did not hold",
            "STATUS_CHECKS_ERROR",
        ),
        (verdicts.CannotRun("no pod"), "Error", "no pod", "GENERIC_ERROR"),
        (errors.Forbidden("no delete"), "Error", "no delete; grant it", "PERMISSION_ERROR"),
        (ZeroDivisionError("oops"), "Error", "oops; this is a defect of litmus", "GENERIC_ERROR"),
    ],
)
async def test_what_goes_wrong_is_told_in_the_result_and_in_two_warnings(server, cluster, error, verdict, words, code):
    assert await execute(cluster, raising(error)) == verdict
    assert outcome(server)["verdict"] == verdict
    assert words in outcome(server)["failStep"]
    assert outcome(server)["errorOutput"]["errorCode"] == code
    warnings = {event["reason"]: event["message"] for event in server.all("events") if event["type"] == "Warning"}
    assert set(warnings) == {verdict, "Summary"}
    assert all(words in message for message in warnings.values())


async def test_an_error_names_the_step_in_which_it_happened(server, cluster):
    async def script(context: Context) -> None:
        await context.enter("taking aim")
        raise errors.NotFound("it is not there")

    await execute(cluster, Scripted(script))
    assert outcome(server)["failStep"] == "taking aim: it is not there"


@pytest.mark.usefixtures("impatient")
async def test_an_unhealthy_application_is_never_touched(server, cluster):
    server.put("pods", samples.pod("web-a", ready=False))
    touched = []

    async def script(_: Context) -> None:
        touched.append("touched")

    assert await execute(cluster, Scripted(script)) == "Fail"
    assert touched == []
    assert "web-a is Running" in outcome(server)["failStep"]


@pytest.mark.usefixtures("impatient")
async def test_an_application_that_does_not_recover_fails(server, cluster):
    async def script(_: Context) -> None:
        server.put("pods", samples.pod("web-a", ready=False))

    assert await execute(cluster, Scripted(script)) == "Fail"


@pytest.mark.usefixtures("impatient")
async def test_neighbours_are_checked_too(server, cluster):
    assert await execute(cluster, Scripted(), AUXILIARY_APPINFO="shop:app=db") == "Fail"
    assert "app=db" in outcome(server)["failStep"]


async def test_without_health_checks_nothing_is_looked_at(server, cluster):
    server.put("pods", samples.pod("web-a", ready=False))
    assert await execute(cluster, Scripted(), DEFAULT_HEALTH_CHECK="false") == "Pass"
    assert server.verbs("pods") == []


async def test_a_ramp_time_is_kept_before_and_after_the_chaos(server, cluster, monkeypatch):
    order = []

    async def hold(self: Context, seconds: float) -> None:
        order.append(seconds)

    async def script(_: Context) -> None:
        order.append("chaos")

    monkeypatch.setattr(Context, "hold", hold)
    await execute(cluster, Scripted(script), RAMP_TIME="7")
    assert order == [7, "chaos", 7]


@pytest.mark.parametrize(
    ("env", "words"),
    [
        ({"TOTAL_CHAOS_DURATION": "1h"}, "TOTAL_CHAOS_DURATION='1h': must be a whole number of seconds"),
        ({"PODS_AFFECTED_PERC": "all"}, "PODS_AFFECTED_PERC='all': must be a percentage"),
    ],
)
async def test_a_tunable_that_can_not_be_read_is_an_error_before_anything_is_touched(server, cluster, env, words):
    assert await execute(cluster, raising(AssertionError("injected")), **env) == "Error"
    assert outcome(server)["failStep"].startswith(words)
    assert outcome(server)["errorOutput"]["errorCode"] == "TUNABLE_ERROR"


async def test_a_misspelt_tunable_in_the_engine_is_an_error_before_anything_is_touched(server, cluster):
    env = [{"name": "PODS_AFFECTED_PERCENT", "value": "100"}]
    entry = {"name": "pod-delete", "spec": {"components": {"env": env}}}
    server.put("chaosengines", samples.engine(experiments=[entry]))
    assert await execute(cluster, raising(AssertionError("injected"))) == "Error"
    assert "did you mean PODS_AFFECTED_PERC?" in outcome(server)["failStep"]


async def test_an_instance_has_a_result_of_its_own(server, cluster):
    await execute(cluster, Scripted(), INSTANCE_ID="blue")
    assert server.get("chaosresults", f"{RESULT}-blue")["status"]["experimentstatus"]["verdict"] == "Pass"


async def test_the_history_counts_run_after_run(server, cluster):
    for experiment in (Scripted(), raising(verdicts.CheckFailed("x")), Scripted()):
        await execute(cluster, experiment)
    status = server.get("chaosresults", RESULT)["status"]
    runs = status["history"].pop("runs")
    assert status["history"] == {"passedRuns": 2, "failedRuns": 1, "stoppedRuns": 0, "errorRuns": 0}
    assert [(run["number"], run["verdict"], run["failStep"]) for run in runs] == [
        (1, "Pass", "N/A"),
        (2, "Fail", "x"),
        (3, "Pass", "N/A"),
    ]
    assert status["run"]["number"] == 3
    assert "errorOutput" not in status["experimentstatus"]


async def test_without_a_runners_environment_there_is_no_run(server, cluster):
    with pytest.raises(verdicts.CannotRun, match="CHAOSENGINE and CHAOS_NAMESPACE not set"):
        await lifecycle.execute(Scripted(), cluster, {})
    assert server.all("chaosresults") == []


async def test_without_its_engine_there_is_no_run(server, cluster):
    server.remove("chaosengines", "shop-chaos")
    with pytest.raises(errors.NotFound, match="shop-chaos"):
        await execute(cluster, Scripted())


class Endless(Scripted):
    """Chaos that only an abort ends, and that puts something back."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = asyncio.Event()
        self.reverted = False

    async def inject(self, context: Context) -> None:
        await context.enter("chaos")
        self.begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.reverted = True


def stop_engine(server: apiserver.Server) -> None:
    server.change("chaosengines", "shop-chaos", {"spec": {"engineState": "stop"}})


def delete_engine(server: apiserver.Server) -> None:
    server.change("chaosengines", "shop-chaos", {"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}})


def remove_engine(server: apiserver.Server) -> None:
    server.remove("chaosengines", "shop-chaos")


def recreate_engine(server: apiserver.Server) -> None:
    server.remove("chaosengines", "shop-chaos")
    server.put("chaosengines", samples.engine(uid="another"))


def stop_engine_and_pod(server: apiserver.Server) -> None:
    """What the operator does: the pod learns of it by the signal."""
    stop_engine(server)
    os.kill(os.getpid(), signal.SIGTERM)


ABORTS = [stop_engine, delete_engine, remove_engine, recreate_engine, stop_engine_and_pod]


@pytest.mark.parametrize("abort", ABORTS)
async def test_an_abort_ends_the_chaos_lets_it_revert_and_writes_stopped(server, cluster, monkeypatch, abort):
    monkeypatch.setattr(lifecycle, "_ABORT_POLL_S", 0.01)
    experiment = Endless()
    run = asyncio.create_task(execute(cluster, experiment))
    await experiment.begun.wait()
    abort(server)
    assert await run == "Stopped"
    assert experiment.reverted
    assert outcome(server)["verdict"] == outcome(server)["phase"] == "Stopped"
    assert outcome(server)["failStep"] == "stopped during chaos"
    assert outcome(server)["errorOutput"]["errorCode"] == "EXPERIMENT_ABORTED"


async def test_a_pod_that_is_ended_while_its_engine_runs_on_is_an_error_and_no_stop(server, cluster):
    """Evicted, deleted by somebody, or its node is drained."""
    experiment = Endless()
    run = asyncio.create_task(execute(cluster, experiment))
    await experiment.begun.wait()
    os.kill(os.getpid(), signal.SIGTERM)
    assert await run == "Error"
    assert experiment.reverted
    assert "was ended from outside during chaos" in outcome(server)["failStep"]


@pytest.mark.parametrize("abort", [stop_engine, delete_engine])
async def test_a_pod_that_starts_after_its_engine_was_stopped_touches_nothing(server, cluster, abort):
    server.change("chaosengines", "shop-chaos", {"metadata": {"finalizers": ["x"]}})
    abort(server)
    assert await execute(cluster, raising(AssertionError("injected"))) == "Stopped"
    assert outcome(server)["failStep"] == "stopped before it began"


async def test_an_engine_that_can_not_be_read_for_a_while_is_no_abort(server, cluster, monkeypatch):
    monkeypatch.setattr(lifecycle, "_ABORT_POLL_S", 0.001)

    async def script(_: Context) -> None:
        with server.answer(
            lambda asked: apiserver.failure(500, "restarting") if asked.plural == "chaosengines" else None
        ):
            seen = server.verbs("chaosengines").count("get")
            await server.until_asked("get", "chaosengines", times=seen + 3)

    assert await execute(cluster, Scripted(script)) == "Pass"


def test_a_run_reads_its_place_from_the_environment_alone():
    place = setting.read(ENV)
    assert (place.engine, place.namespace, place.pod) == ("shop-chaos", "shop", stage.EXPERIMENT_POD)


async def test_the_second_pod_of_a_job_does_not_start_the_fault_all_over_again(server, cluster):
    first = {"engineUid": samples.ENGINE_UID, "pod": "pod-delete-ab12cd-first"}
    status = {"experimentstatus": {"verdict": "Awaited"}, "run": first}
    server.put("chaosresults", {"metadata": {"name": RESULT, "namespace": "shop"}, "status": status})
    touched = []

    async def script(_: Context) -> None:
        touched.append("the application")

    assert await execute(cluster, Scripted(script), POD_NAME="pod-delete-ab12cd-second") == "Error"
    assert touched == []
    assert "pod-delete-ab12cd-first, the pod of this run, is gone" in outcome(server)["failStep"]


async def test_nothing_of_a_cancelled_run_goes_on_behind_its_back(server, cluster):
    states, begun = [], asyncio.Event()

    async def script(_: Context) -> None:
        states.append("injecting")
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            states.append("ended")

    run = asyncio.create_task(execute(cluster, Scripted(script)))
    await begun.wait()
    run.cancel()
    await asyncio.gather(run, return_exceptions=True)
    assert states == ["injecting", "ended"]


async def test_an_engine_that_can_not_be_understood_is_no_abort(server, cluster, monkeypatch):
    monkeypatch.setattr(lifecycle, "_ABORT_POLL_S", 0.001)

    async def script(_: Context) -> None:
        seen = server.verbs("chaosengines").count("get")
        server.change("chaosengines", "shop-chaos", {"spec": {"monitoring": "odd"}})
        await server.until_asked("get", "chaosengines", times=seen + 3)

    assert await execute(cluster, Scripted(script)) == "Pass"
