"""The experiments of an engine in the order of its list, each to a verdict, whatever goes wrong."""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from litmus import api
from litmus.api import names
from litmus.kube import Cluster, errors, waiting
from litmus.runner import run
from tests import apiserver, samples

ENV = {
    "TARGETS": "deployment:shop:[web]",
    "APP_NAMESPACE": "shop",
    "APP_LABEL": "app=web",
    "APP_KIND": "deployment",
}


@pytest.fixture(autouse=True)
def _brief(monkeypatch):
    """What is given time in a cluster is given almost none here."""
    monkeypatch.setattr(run, "_RESULT_GRACE_S", 0.05)


@pytest.fixture(autouse=True)
def _installed(server):
    for name in ("pod-delete", "container-kill"):
        server.put("chaosexperiments", samples.experiment(name))


def engine(server: apiserver.Server, *experiments: Any, **spec: Any) -> None:
    entries = [{"name": entry} if isinstance(entry, str) else entry for entry in experiments or ("pod-delete",)]
    status = {"engineStatus": "initialized", "experiments": []}
    server.put("chaosengines", samples.engine(experiments=entries, status=status, **spec))


async def go(server: apiserver.Server, cluster: Cluster) -> list[dict[str, Any]]:
    """Runs to the end and returns the engine's entries."""
    seen = msgspec.convert(server.get("chaosengines", "shop-chaos"), api.ChaosEngine)
    async with asyncio.timeout(20):
        await run.Runner(cluster, seen, ENV).run()
    return server.get("chaosengines", "shop-chaos")["status"]["experiments"]


def pod_of(job: dict[str, Any], **changes: Any) -> dict[str, Any]:
    name = job["metadata"]["name"]
    labels = {"job-name": name, "chaosUID": samples.ENGINE_UID}
    return samples.pod(f"{name}-p", owner=("Job", name), labels=labels, **changes)


def experiment_of(job: dict[str, Any]) -> str:
    return job["metadata"]["labels"][names.EXPERIMENT_LABEL]


def experiment(
    *, verdict: str | None = "Pass", finished: bool = True, exit_code: int | None = None, reason: str = "Error"
):
    """Plays the Job controller and the experiment: a pod appears, and it writes its result."""

    def work(server: apiserver.Server, job: dict[str, Any]) -> None:
        state = None if exit_code is None else samples.terminated(exit_code, reason=reason)
        server.put("pods", pod_of(job, containers=[samples.container(state=state)]))
        if verdict:
            written: dict[str, Any] = {"experimentstatus": {"verdict": verdict, "phase": "Completed"}}
            if finished:
                written["run"] = {"finishedAt": "2026-01-01T00:00:09Z"}
            server.change("chaosresults", f"shop-chaos-{experiment_of(job)}", {"status": written})

    return work


def jobs(server: apiserver.Server) -> list[dict[str, Any]]:
    return [asked.body for asked in server.asked if str(asked).startswith("create jobs")]


def warnings(server: apiserver.Server) -> dict[str, str]:
    return {event["reason"]: event["message"] for event in server.all("events") if event["type"] == "Warning"}


def outcome(server: apiserver.Server, name: str = "pod-delete") -> dict[str, Any]:
    return server.get("chaosresults", f"shop-chaos-{name}")["status"]["experimentstatus"]


@pytest.mark.parametrize("verdict", ["Pass", "Fail", "Error", "Stopped"])
async def test_the_verdict_of_an_experiment_is_copied_into_the_engine(server, cluster, verdict):
    engine(server)
    server.on("create", "jobs", experiment(verdict=verdict))
    [entry] = await go(server, cluster)
    assert entry["name"] == "pod-delete"
    assert (entry["status"], entry["verdict"]) == ("Completed", verdict)
    assert entry["runner"] == "shop-chaos-runner"
    assert entry["lastUpdateTime"]


async def test_experiments_run_one_after_the_other_in_the_order_of_the_list(server, cluster):
    engine(server, "container-kill", "pod-delete")
    entries_at = []

    def look(kept: apiserver.Server, _: Any) -> None:
        entries = kept.get("chaosengines", "shop-chaos")["status"]["experiments"]
        entries_at.append([entry["verdict"] for entry in entries])

    server.on("create", "jobs", look)
    server.on("create", "jobs", experiment())
    entries = await go(server, cluster)
    assert [experiment_of(job) for job in jobs(server)] == ["container-kill", "pod-delete"]
    assert entries_at == [["N/A", "N/A"], ["Pass", "N/A"]]
    assert [entry["verdict"] for entry in entries] == ["Pass", "Pass"]


async def test_an_experiment_may_be_listed_twice(server, cluster):
    engine(server, "pod-delete", "pod-delete")
    server.on("create", "jobs", experiment())
    assert [entry["verdict"] for entry in await go(server, cluster)] == ["Pass", "Pass"]
    assert len(jobs(server)) == 2


async def test_the_job_carries_what_the_operator_told_the_runner(server, cluster):
    engine(server)
    server.on("create", "jobs", experiment())
    await go(server, cluster)
    [job] = jobs(server)
    variables = {v["name"]: v.get("value") for v in job["spec"]["template"]["spec"]["containers"][0]["env"]}
    assert {name: variables[name] for name in ENV} == ENV


async def test_people_read_the_events_of_the_original(server, cluster):
    engine(server)
    server.on("create", "jobs", experiment())
    await go(server, cluster)
    [job] = jobs(server)
    name = job["metadata"]["name"]
    assert {event["reason"]: event["message"] for event in server.all("events")} == {
        "ExperimentDependencyCheck": "Experiment resources validated for Chaos Experiment: pod-delete",
        "ExperimentJobCreate": f"Experiment Job {name} for Chaos Experiment: pod-delete",
        "ExperimentJobCleanUp": f"Experiment Job {name} is deleted",
    }
    assert all(event["source"] == {"component": "shop-chaos-runner"} for event in server.all("events"))


@pytest.mark.parametrize(("policy", "kept"), [("delete", 0), ("", 0), ("retain", 1)])
async def test_the_job_is_deleted_or_retained_as_the_engine_says(server, cluster, policy, kept):
    engine(server, jobCleanUpPolicy=policy)
    server.on("create", "jobs", experiment())
    await go(server, cluster)
    assert len(server.all("jobs")) == kept
    messages = [event["message"] for event in server.all("events")]
    assert any(message.endswith("is retained" if kept else "is deleted") for message in messages)


async def test_an_experiment_that_is_not_installed_is_an_error_with_the_remedy_and_the_next_one_runs(server, cluster):
    engine(server, "pod-io-stress", "pod-delete")
    server.on("create", "jobs", experiment())
    first, second = await go(server, cluster)
    assert (first["status"], first["verdict"]) == ("ChaosExperiment Not Found", "Error")
    assert second["verdict"] == "Pass"
    assert "apply its experiment.yaml" in warnings(server)["ExperimentNotFound"]
    assert "pod-io-stress is not in namespace shop" in outcome(server, "pod-io-stress")["failStep"]


@pytest.mark.parametrize(
    ("plural", "field", "kind"), [("configmaps", "configmaps", "ConfigMap"), ("secrets", "secrets", "Secret")]
)
async def test_a_file_that_is_not_there_is_an_error_before_anything_is_created(server, cluster, plural, field, kind):
    server.put("chaosexperiments", samples.experiment(**{field: [{"name": "settings", "mountPath": "/s"}]}))
    engine(server)
    [entry] = await go(server, cluster)
    assert (entry["status"], entry["verdict"]) == ("Skipped", "Error")
    assert f"{kind} settings, which pod-delete mounts" in warnings(server)["ExperimentDependencyCheck"]
    assert jobs(server) == []


@pytest.mark.parametrize(("plural", "field"), [("configmaps", "configMaps"), ("secrets", "secrets")])
async def test_a_file_that_is_there_or_may_not_be_looked_for_is_no_obstacle(server, cluster, plural, field):
    server.put("chaosexperiments", samples.experiment(**{field: [{"name": "settings", "mountPath": "/s"}]}))
    engine(server, "pod-delete", "pod-delete")
    server.put(plural, {"metadata": {"name": "settings"}})
    server.on("create", "jobs", experiment())
    server.on("create", "jobs", lambda kept, _: kept.forbid("get", plural))
    assert [entry["verdict"] for entry in await go(server, cluster)] == ["Pass", "Pass"]


async def test_a_job_that_may_not_be_created_is_an_error_with_the_servers_words(server, cluster):
    engine(server)
    server.forbid("create", "jobs")
    [entry] = await go(server, cluster)
    assert (entry["status"], entry["verdict"]) == ("Skipped", "Error")
    assert 'cannot create resource "jobs"' in warnings(server)["JobCreationError"]
    assert 'cannot create resource "jobs"' in outcome(server)["failStep"]


@pytest.mark.parametrize("exit_code", [0, 1])
async def test_an_experiment_of_the_original_is_done_when_its_pod_ends_with_a_verdict(server, cluster, exit_code):
    """It does not say that it is finished."""
    engine(server)
    server.on("create", "jobs", experiment(verdict="Fail", finished=False, exit_code=exit_code))
    [entry] = await go(server, cluster)
    assert (entry["status"], entry["verdict"]) == ("Completed", "Fail")
    assert entry["experimentPod"].startswith("pod-delete-") or entry["experimentPod"] == "Yet to be launched"
    assert "ChaosResourcesOperationFailed" not in warnings(server)


@pytest.mark.parametrize(
    ("exit_code", "words"),
    [(0, "its pod ended without a verdict"), (137, r"its container ended with exit code 137 (OOMKilled)")],
)
async def test_a_pod_that_ends_without_a_verdict_is_an_error_that_says_how_it_ended(server, cluster, exit_code, words):
    engine(server)
    server.on("create", "jobs", experiment(verdict=None, exit_code=exit_code, reason="OOMKilled"))
    [entry] = await go(server, cluster)
    assert (entry["status"], entry["verdict"]) == ("Completed", "Error")
    assert words in warnings(server)["ChaosResourcesOperationFailed"]
    assert words in outcome(server)["failStep"]
    assert outcome(server)["errorOutput"]["errorCode"] == "EXPERIMENT_NOT_RUN"


async def test_the_verdict_of_an_earlier_run_is_not_taken_for_that_of_this_one(server, cluster):
    earlier = {"experimentstatus": {"verdict": "Pass", "phase": "Completed"}, "history": {"passedRuns": 1}}
    server.put("chaosresults", samples.result(run={"finishedAt": "2025-01-01T00:00:00Z"}, **earlier))
    engine(server)
    server.on("create", "jobs", experiment(verdict=None, exit_code=1))
    [entry] = await go(server, cluster)
    assert entry["verdict"] == "Error"
    history = server.get("chaosresults", "shop-chaos-pod-delete")["status"]["history"]
    assert (history["passedRuns"], history["errorRuns"]) == (1, 1)


async def test_a_pod_that_somebody_deletes_is_an_error(server, cluster):
    engine(server)

    def vanish(kept: apiserver.Server, job: dict[str, Any]) -> None:
        kept.put("pods", pod_of(job))

    server.on("create", "jobs", vanish)
    task = asyncio.create_task(go(server, cluster))
    await server.until_asked("watch", "pods")
    [pod] = server.all("pods")
    server.remove("pods", pod["metadata"]["name"])
    [entry] = await task
    assert entry["verdict"] == "Error"
    assert "its pod was deleted" in outcome(server)["failStep"]


async def test_a_job_that_somebody_deletes_is_an_error(server, cluster):
    engine(server)
    server.on("create", "jobs", lambda kept, job: kept.remove("jobs", job["metadata"]["name"]))
    [entry] = await go(server, cluster)
    assert entry["verdict"] == "Error"
    assert "its Job was deleted" in outcome(server)["failStep"]


async def test_a_job_that_fails_without_a_pod_is_an_error_with_its_reason(server, cluster):
    engine(server)
    condition = {"type": "Failed", "status": "True", "reason": "DeadlineExceeded", "message": "was active too long"}
    fail: Callable[..., Any] = lambda kept, job: kept.change(  # noqa: E731
        "jobs", job["metadata"]["name"], {"status": {"conditions": [condition]}}
    )
    server.on("create", "jobs", fail)
    [entry] = await go(server, cluster)
    assert entry["verdict"] == "Error"
    assert "its Job failed: was active too long" in outcome(server)["failStep"]


async def test_the_pod_of_an_experiment_is_shown_in_the_engine(server, cluster):
    engine(server)
    server.on("create", "jobs", lambda kept, job: kept.put("pods", pod_of(job)))
    task = asyncio.create_task(go(server, cluster))
    await server.until_asked("watch", "pods")
    [job] = jobs(server)
    [pod] = server.all("pods")
    [entry] = server.get("chaosengines", "shop-chaos")["status"]["experiments"]
    assert (entry["status"], entry["verdict"]) == ("Running", "Awaited")
    assert entry["experimentPod"] == pod["metadata"]["name"]
    experiment()(server, job)
    await task


async def test_a_pod_that_can_never_start_is_an_error_and_its_job_is_removed(server, cluster, monkeypatch):
    monkeypatch.setattr(run, "_BELIEVED_AFTER_S", -1.0)
    engine(server)

    def no_image(kept: apiserver.Server, job: dict[str, Any]) -> None:
        waiting = samples.container(state=samples.waiting("ErrImageNeverPull", "not on this node"))
        kept.put("pods", pod_of(job, phase="Pending", containers=[waiting]))

    server.on("create", "jobs", no_image)
    [entry] = await go(server, cluster)
    assert (entry["status"], entry["verdict"]) == ("Skipped", "Error")
    assert "can't start: ErrImageNeverPull: not on this node" in warnings(server)["ChaosResourcesOperationFailed"]
    assert server.all("jobs") == []


async def test_an_engine_that_was_stopped_starts_nothing_more(server, cluster):
    engine(server, "pod-delete", "container-kill")
    server.on("create", "jobs", experiment(verdict="Stopped"))
    server.on(
        "create", "jobs", lambda kept, _: kept.change("chaosengines", "shop-chaos", {"spec": {"engineState": "stop"}})
    )
    entries = await go(server, cluster)
    assert [entry["verdict"] for entry in entries] == ["Stopped", "N/A"]
    assert len(jobs(server)) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"spec": {"engineState": "stop"}},
        {"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": ["x"]}},
    ],
)
async def test_a_stopped_or_deleted_engine_is_not_begun(server, cluster, change):
    engine(server)
    server.change("chaosengines", "shop-chaos", change)
    [entry] = await go(server, cluster)
    assert entry["verdict"] == "N/A"
    assert jobs(server) == []


def entry(name: str, **changes: str) -> dict[str, str]:
    return {
        "name": name,
        "runner": "shop-chaos-runner",
        "experimentPod": "x",
        "status": "Running",
        "verdict": "N/A",
    } | changes


async def test_a_runner_that_is_started_again_repeats_no_experiment_that_has_a_verdict(server, cluster):
    engine(server, "pod-delete", "container-kill")
    done = [entry("pod-delete", status="Completed", verdict="Fail"), entry("container-kill")]
    server.change("chaosengines", "shop-chaos", {"status": {"experiments": done}})
    server.on("create", "jobs", experiment())
    entries = await go(server, cluster)
    assert [e["verdict"] for e in entries] == ["Fail", "Pass"]
    assert [experiment_of(job) for job in jobs(server)] == ["container-kill"]


async def test_a_runner_that_is_started_again_follows_the_job_that_is_there(server, cluster):
    """The first life created the Job and was killed; the experiment goes on and must not be started a second time."""
    engine(server)
    seen = msgspec.convert(server.get("chaosengines", "shop-chaos"), api.ChaosEngine)
    first = asyncio.create_task(run.Runner(cluster, seen, ENV).run())
    await server.until_asked("create", "jobs")
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    [job] = server.all("jobs")
    experiment(verdict="Fail")(server, job)
    [found] = await go(server, cluster)
    assert found["verdict"] == "Fail"
    assert len(jobs(server)) == 1


async def test_the_smallest_role_in_the_field_is_enough(server, cluster):
    engine(server)
    server.forbid("watch", "*")
    server.on("create", "jobs", experiment())
    [found] = await go(server, cluster)
    assert found["verdict"] == "Pass"


async def test_the_runner_of_a_deleted_engine_does_not_run_another_of_its_name(server, cluster):
    engine(server)
    seen = msgspec.convert(server.get("chaosengines", "shop-chaos"), api.ChaosEngine)
    server.remove("chaosengines", "shop-chaos")
    entries = [{"name": "pod-delete", "verdict": "N/A"}]
    server.put(
        "chaosengines", samples.engine(uid="new", status={"engineStatus": "initialized", "experiments": entries})
    )
    async with asyncio.timeout(5):
        with pytest.raises(errors.NotFound, match="another one has its name"):
            await run.Runner(cluster, seen, ENV).run()
    assert jobs(server) == []


async def test_a_verdict_in_the_spelling_of_3_x_is_understood(server, cluster):
    engine(server)

    def work(kept: apiserver.Server, job: dict[str, Any]) -> None:
        kept.put("pods", pod_of(job, phase="Succeeded", containers=[samples.container(state=samples.terminated(0))]))
        written = {"experimentStatus": {"verdict": "Pass", "phase": "Completed", "probeSuccessPercentage": "100"}}
        kept.change("chaosresults", "shop-chaos-pod-delete", {"status": written})

    server.on("create", "jobs", work)
    [entry] = await go(server, cluster)
    assert entry["verdict"] == "Pass"


async def test_a_pod_that_never_starts_is_given_up_although_nothing_changes(server, cluster, monkeypatch):
    monkeypatch.setattr(run, "_BELIEVED_AFTER_S", 0.05)
    monkeypatch.setattr(run, "START_DEADLINE_S", 0.1)
    monkeypatch.setattr(waiting, "_HEARTBEAT_S", 0.05)
    engine(server)
    server.on("create", "jobs", lambda kept, job: kept.put("pods", pod_of(job, phase="Pending", containers=[])))
    [entry] = await go(server, cluster)
    assert entry["verdict"] == "Error"


async def test_the_pod_of_an_experiment_on_nodes_is_placed_elsewhere(server, cluster):
    for name in ("node-1", "node-2"):
        server.put("nodes", samples.node(name), namespace="")
    server.put("chaosexperiments", samples.experiment("node-drain", scope="Cluster"))
    env = [{"name": "TARGET_NODE", "value": "node-1"}]
    engine(server, {"name": "node-drain", "spec": {"components": {"env": env}}})
    specs = []
    server.on("create", "jobs", lambda _, job: specs.append(job["spec"]["template"]["spec"]))
    server.on("create", "jobs", experiment(verdict="Pass"))
    await go(server, cluster)
    [term] = specs[0]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    assert [field["values"] for field in term["matchFields"]] == [["node-1"]]
