"""The life of an engine on a real cluster: stop, start again, delete, several experiments, and death in between."""

import os
import signal
import time

import pytest

from litmus.faults import processes
from litmus.sandbox.node import processes as sandbox_processes
from tests.cluster import stage as stages
from tests.cluster.stage import Stage, until

LONG = {"TOTAL_CHAOS_DURATION": 120, "CHAOS_INTERVAL": 2, "FORCE": "true"}


def stop(stage: Stage, state: str = "stop") -> None:
    stage.kubectl("patch", "chaosengine", "chaos", "--type=merge", "-p", f'{{"spec":{{"engineState":"{state}"}}}}')


def test_stop_aborts_within_two_seconds_and_leaves_nothing_behind(stage: Stage) -> None:
    stage.deploy(2)
    stage.apply(stage.engine({"pod-delete": LONG}))
    stage.started()
    stop(stage)
    patched = time.monotonic()
    status = stage.ended()
    assert status["engineStatus"] == "stopped"
    assert status["experiments"][0]["verdict"] == "Stopped"
    assert stage.verdict()[0] == "Stopped"
    stage.swept()
    assert any(event.startswith("ChaosEngineStopped") for event in stage.events())
    # Nothing is deleted any more: what there is two intervals after the two seconds was there before.
    until(lambda: time.monotonic() > patched + 2, "two seconds")
    after_two_seconds = stage.pods()
    until(lambda: time.monotonic() > patched + 6, "two more rounds that must not come")
    assert set(stage.pods()) == set(after_two_seconds)


def test_an_engine_set_to_active_again_runs_again(stage: Stage) -> None:
    stage.deploy(1)
    stage.apply(stage.engine("pod-delete"))
    stage.ended()
    stop(stage, "active")
    until(lambda: stage.engine_status()["engineStatus"] == "initialized", "the second run")
    stage.ended()
    history = stage.result()["history"]
    assert history["passedRuns"] == 2
    assert stage.result()["run"]["number"] == 2


def test_a_stopped_engine_can_be_started_again(stage: Stage) -> None:
    stage.deploy(1)
    stage.apply(stage.engine({"pod-delete": {**LONG, "TOTAL_CHAOS_DURATION": 8}}))
    stage.started()
    stop(stage)
    assert stage.ended()["engineStatus"] == "stopped"
    stop(stage, "active")
    until(lambda: stage.engine_status()["engineStatus"] == "initialized", "the second run")
    assert stage.ended()["engineStatus"] == "completed"
    history = stage.result()["history"]
    assert (history["passedRuns"], history["stoppedRuns"]) == (1, 1)


def test_deleting_a_running_engine_stops_the_chaos_and_removes_everything(stage: Stage) -> None:
    stage.deploy(2)
    stage.apply(stage.engine({"pod-delete": LONG}))
    stage.started()
    stage.kubectl("delete", "chaosengine", "chaos", "--timeout=30s")
    stage.swept()
    assert stage.verdict()[0] == "Stopped"


def test_experiments_run_in_the_order_of_the_list(stage: Stage) -> None:
    stage.deploy(1)
    stage.apply(stage.engine("container-kill", "pod-delete"))
    status = stage.ended()
    assert [(e["name"], e["verdict"]) for e in status["experiments"]] == [
        ("container-kill", "Pass"),
        ("pod-delete", "Pass"),
    ]
    assert stage.result("container-kill")["run"]["finishedAt"] <= stage.result("pod-delete")["run"]["startedAt"]


def test_jobs_are_retained_when_asked_for(stage: Stage) -> None:
    stage.deploy(1)
    stage.apply(stage.engine("pod-delete", jobCleanUpPolicy="retain"))
    stage.ended()
    assert sorted(name.split("/")[0] for name in stage.leftovers()) == ["Job", "Pod", "Pod"]
    stage.kubectl("delete", "chaosengine", "chaos")
    until(lambda: not stage.leftovers(), "the garbage collector")


def operator_pods() -> list[str]:
    return stages.kubectl("-n", "litmus", "get", "pods", "-lname=chaos-operator", "-o", "name").split()


def lease_holder() -> str:
    path = "-o=jsonpath={.spec.holderIdentity}"
    return stages.kubectl("-n", "litmus", "get", "lease", "chaos-operator.lock", path, check=False)


def kill_container_of(stage: Stage, pod: str) -> None:
    """SIGKILL to a container's main process: the nodes of the kit and of a sandbox share this machine's processes."""

    def told() -> str:  # by its kubelet, which may be seconds behind
        statuses = stage.get("pod", pod)["status"].get("containerStatuses", [])
        return "".join(one.get("containerID", "") for one in statuses)

    container = until(told, f"the container of {pod}")
    main = processes.main_process(container)
    in_sandbox = sandbox_processes.marked(sandbox_processes.CONTAINER, processes.bare_id(container))
    pid = main.pid if main else min((member.pid for member in in_sandbox), default=0)
    if not pid:
        pytest.skip("the node's processes can't be seen from here")
    os.kill(pid, signal.SIGKILL)


@pytest.mark.alone  # others look at the operator meanwhile
def test_a_run_survives_the_death_of_the_operator(stage: Stage) -> None:
    stage.deploy(1)
    stage.apply(stage.engine({"pod-delete": {"TOTAL_CHAOS_DURATION": 10}}))
    stage.started()
    stages.kubectl("-n", "litmus", "delete", *operator_pods(), "--grace-period=0", "--force")
    status = stage.ended()
    assert status["engineStatus"] == "completed"
    assert status["experiments"][0]["verdict"] == "Pass"
    stages.kubectl("-n", "litmus", "rollout", "status", "deployment/chaos-operator-ce", "--timeout=150s")


@pytest.mark.alone  # others look at the operator meanwhile
def test_a_standby_operator_takes_over_from_one_that_dies(stage: Stage) -> None:
    stages.kubectl("-n", "litmus", "scale", "deployment/chaos-operator-ce", "--replicas=2")
    try:
        stages.kubectl("-n", "litmus", "rollout", "status", "deployment/chaos-operator-ce", "--timeout=150s")
        leader = lease_holder()
        assert f"pod/{leader}" in operator_pods()
        stages.kubectl("-n", "litmus", "delete", "pod", leader, "--grace-period=0", "--force")
        until(lambda: lease_holder() not in ("", leader), "another operator to lead", deadline_s=20)
        stage.deploy(1)
        stage.apply(stage.engine("pod-delete"))
        assert stage.ended()["experiments"][0]["verdict"] == "Pass"
    finally:
        stages.kubectl("-n", "litmus", "scale", "deployment/chaos-operator-ce", "--replicas=1")


def test_a_runner_whose_container_dies_goes_on_where_it_was(stage: Stage) -> None:
    stage.deploy(1)
    stage.apply(stage.engine({"pod-delete": {"TOTAL_CHAOS_DURATION": 10}}))
    experiment_pod = stage.started()
    kill_container_of(stage, "chaos-runner")
    status = stage.ended()
    assert status["experiments"][0]["verdict"] == "Pass"
    assert status["experiments"][0]["experimentPod"] == experiment_pod
    assert stage.result()["history"]["passedRuns"] == 1


def test_a_runner_pod_that_is_gone_ends_the_engine_with_an_error(stage: Stage) -> None:
    stage.deploy(1)
    stage.apply(stage.engine({"pod-delete": LONG}))
    stage.started()
    stage.kubectl("delete", "pod", "chaos-runner", "--grace-period=0", "--force")
    status = stage.ended()
    assert status["experiments"][0]["verdict"] == "Error"
    (event,) = [event for event in stage.events(warnings=True) if not event.startswith("Summary")]
    assert "runner pod was deleted" in event
    stage.swept()


@pytest.mark.parametrize("death", ["pod deleted", "process killed"])
def test_an_experiment_that_dies_ends_with_an_error(stage: Stage, death: str) -> None:
    stage.deploy(1)
    stage.apply(stage.engine({"pod-delete": LONG}))
    pod = stage.started()
    if death == "process killed":
        kill_container_of(stage, pod)
    else:
        stage.kubectl("delete", "pod", pod, "--grace-period=0", "--force")
    status = stage.ended()
    assert status["experiments"][0]["verdict"] == "Error"
    verdict, step = stage.verdict()
    assert verdict == "Error"
    assert "could not finish" in step or "ended from outside" in step
    assert len(stage.events(warnings=True)) == 1
    stage.swept()
    until(lambda: "finalizers" not in stage.get("chaosresult", "chaos-pod-delete")["metadata"], "the ledger's closing")
    assert {fault["state"] for fault in stage.result()["faults"]} == {"moot"}
