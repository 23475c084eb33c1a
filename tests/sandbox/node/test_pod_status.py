"""The status of a pod is what a real kubelet reports; expected ones were recorded on a real cluster."""

from datetime import UTC, datetime
from typing import Any

import pytest

from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.node import lifecycle, pod_status
from litmus.sandbox.node.pod_status import Life, Record

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
LIFE = Life(ip="127.5.1.9", host_ip="127.5.1.1", started_at="2026-01-02T03:04:00Z", sandboxed=True)


def pod(*names: str, policy: str = "Always", init: tuple[str, ...] = (), **spec: Any) -> Obj:
    return {
        "metadata": {"name": "p", "namespace": "ns", "uid": "u", "generation": 1},
        "spec": {
            "restartPolicy": policy,
            "containers": [{"name": name, "image": "x"} for name in names or ("c",)],
            "initContainers": [{"name": name, "image": "x"} for name in init],
            **spec,
        },
    }


def running(name: str = "c", *, ready: bool = True, **more: Any) -> Record:
    record = Record(name=name, image="x", **more)
    record.running("a" * 64, NOW)
    record.started = True
    record.ready = ready
    return record


def ended(code: int, name: str = "c", **more: Any) -> Record:
    record = running(name, **more)
    record.terminated(code=code, reason="Completed" if code == 0 else "Error", started=NOW, finished=NOW)
    return record


def waiting(reason: str = "ContainerCreating", name: str = "c", **more: Any) -> Record:
    record = Record(name=name, image="x", **more)
    record.waiting(reason)
    return record


def crashed(name: str = "c", **more: Any) -> Record:
    record = ended(1, name, **more)
    record.waiting("CrashLoopBackOff", "back-off 10s")
    return record


def conditions(status: Obj) -> dict[str, tuple[str, str | None, str | None]]:
    return {one["type"]: (one["status"], one.get("reason"), one.get("message")) for one in status["conditions"]}


def build(obj: Obj, *records: Record, life: Life = LIFE, before: dict[str, Obj] | None = None) -> Obj:
    return pod_status.build(obj, records, life, before=before or {}, now=NOW)


@pytest.mark.parametrize(
    ("policy", "records", "over", "phase"),
    [
        ("Always", [waiting()], False, "Pending"),
        ("Always", [running()], False, "Running"),
        ("Always", [running(), waiting(name="b")], False, "Pending"),
        ("Always", [crashed()], False, "Running"),
        ("Always", [ended(0)], False, "Running"),
        ("OnFailure", [ended(0)], False, "Succeeded"),
        ("OnFailure", [ended(3)], False, "Running"),
        ("OnFailure", [crashed()], False, "Running"),
        ("Never", [ended(0)], False, "Succeeded"),
        ("Never", [ended(0), ended(1, "b")], False, "Failed"),
        ("Never", [ended(0), running("b")], False, "Running"),
        ("Never", [ended(7, "i", init=True), waiting()], False, "Failed"),
        ("Always", [ended(7, "i", init=True), waiting()], False, "Pending"),
        ("Always", [ended(0, "i", init=True), running()], False, "Running"),
        ("Always", [running("s", init=True, sidecar=True), running()], False, "Running"),
        ("Always", [ended(143)], True, "Failed"),
        ("Always", [ended(0)], True, "Succeeded"),
        ("Always", [waiting()], True, "Failed"),
    ],
)
def test_the_phase_follows_from_the_containers(policy: str, records: list[Record], over: bool, phase: str) -> None:
    inits, mains = [one for one in records if one.init], [one for one in records if not one.init]
    assert pod_status.phase_of(pod(policy=policy), inits, mains, over=over) == phase


def test_a_running_pod() -> None:
    status = build(pod(), running())
    assert {kind: found[0] for kind, found in conditions(status).items()} == dict.fromkeys(pod_status.OURS, "True")
    assert [one["type"] for one in status["conditions"]] == list(pod_status.OURS)
    assert (status["podIP"], status["podIPs"]) == ("127.5.1.9", [{"ip": "127.5.1.9"}])
    assert (status["hostIP"], status["hostIPs"]) == ("127.5.1.1", [{"ip": "127.5.1.1"}])
    assert (status["qosClass"], status["observedGeneration"]) == ("BestEffort", 1)
    (container,) = status["containerStatuses"]
    assert container["containerID"] == "sandbox://" + "a" * 64
    assert container["state"] == {"running": {"startedAt": "2026-01-02T03:04:05Z"}}
    assert (container["ready"], container["started"], container["restartCount"]) == (True, True, 0)


def test_a_container_that_is_not_ready_is_named() -> None:
    found = conditions(build(pod("a", "b"), running("a"), running("b", ready=False)))
    reason = ("False", "ContainersNotReady", "containers with unready status: [b]")
    assert found["Ready"] == found["ContainersReady"] == reason


def test_an_init_container_that_is_not_done_is_named() -> None:
    found = conditions(build(pod(init=("i", "j")), ended(0, "i", init=True), waiting(name="j", init=True), waiting()))
    assert found["Initialized"] == ("False", "ContainersNotInitialized", "containers with incomplete status: [j]")


def test_a_pod_that_has_done_its_work() -> None:
    found = conditions(build(pod(policy="Never"), ended(0), life=Life(ip="127.5.1.9", host_ip="127.5.1.1")))
    assert found["Ready"] == found["ContainersReady"] == ("False", "PodCompleted", None)
    assert found["Initialized"] == ("True", "PodCompleted", None)
    assert found["PodReadyToStartContainers"] == ("False", None, None)


def test_a_pod_that_failed() -> None:
    found = conditions(build(pod(policy="Never"), ended(3)))
    assert found["Ready"] == found["ContainersReady"] == ("False", "PodFailed", None)


def test_a_deadline_decides_over_the_containers() -> None:
    life = Life(ended=("Failed", "DeadlineExceeded", "too long"))
    status = build(pod(), ended(143), life=life)
    assert (status["phase"], status["reason"], status["message"]) == ("Failed", "DeadlineExceeded", "too long")


def test_readiness_gates_hold_ready_back() -> None:
    obj = pod(readinessGates=[{"conditionType": "example.com/g"}])
    missing = 'corresponding condition of pod readiness gate "example.com/g" does not exist.'
    assert conditions(build(obj, running()))["Ready"] == ("False", "ReadinessGatesNotReady", missing)
    gate = {"type": "example.com/g", "status": "False"}
    message = 'the status of pod readiness gate "example.com/g" is not "True", but False'
    assert conditions(build(obj, running(), before={"example.com/g": gate}))["Ready"][2] == message
    open_gate = {"example.com/g": {**gate, "status": "True"}}
    assert conditions(build(obj, running(), before=open_gate))["Ready"][0] == "True"


def test_a_condition_remembers_since_when() -> None:
    before = {"Ready": {"status": "True", "lastTransitionTime": "2025-01-01T00:00:00Z"}}
    status = build(pod(), running(), before=before)
    times = {one["type"]: one["lastTransitionTime"] for one in status["conditions"]}
    assert times["Ready"] == "2025-01-01T00:00:00Z"
    assert times["Initialized"] == "2026-01-02T03:04:05Z"


def test_a_container_that_waits_after_its_end_keeps_that_end() -> None:
    record = crashed()
    assert record.last["terminated"]["exitCode"] == 1
    assert record.state == {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s"}}
    record.running("b" * 64, NOW)
    assert record.last["terminated"]["containerID"] == "sandbox://" + "a" * 64


@pytest.mark.parametrize(
    ("resources", "qos"),
    [
        ({}, "BestEffort"),
        ({"requests": {"cpu": "1"}}, "Burstable"),
        ({"limits": {"cpu": "1"}}, "Burstable"),
        ({"limits": {"cpu": "1", "memory": "1Gi"}}, "Guaranteed"),
        ({"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "1", "memory": "1Gi"}}, "Guaranteed"),
        ({"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "500m"}}, "Burstable"),
        ({"limits": {"example.com/gpu": "1"}}, "BestEffort"),
    ],
)
def test_the_quality_of_service_follows_from_the_resources(resources: Obj, qos: str) -> None:
    assert pod_status.qos_class({"spec": {"containers": [{"name": "c", "resources": resources}]}}) == qos


@pytest.mark.parametrize(
    ("policy", "record", "code", "again"),
    [
        ("Always", running(), 0, True),
        ("OnFailure", running(), 0, False),
        ("OnFailure", running(), 1, True),
        ("Never", running(), 1, False),
        ("Always", running(init=True), 0, False),
        ("Always", running(init=True), 1, True),
        ("Never", running(init=True), 1, False),
        ("Never", running(init=True, sidecar=True), 0, True),
    ],
)
def test_the_restart_policy(policy: str, record: Record, code: int, again: bool) -> None:
    assert lifecycle.runs_again(pod(policy=policy), record, code) is again


def test_what_ran_when_the_node_went_down_was_lost() -> None:
    obj = pod("a", "b", init=("i",))
    before = build(obj, ended(0, "i", init=True), running("a"), waiting(name="b"))
    found = lifecycle.records({**obj, "status": before})
    assert found["a"].exit_code == lifecycle.LOST_CODE
    assert found["i"].exit_code == 0
    assert found["b"].state == {"waiting": {"reason": "PodInitializing"}}


def test_a_new_pod_begins_with_its_init_containers() -> None:
    assert lifecycle.records(pod())["c"].state["waiting"]["reason"] == "ContainerCreating"
    assert lifecycle.records(pod(init=("i",)))["c"].state["waiting"]["reason"] == "PodInitializing"


def test_the_deadline_counts_from_the_start() -> None:
    due = lifecycle.deadline(pod(activeDeadlineSeconds=30), "2026-01-02T03:04:05Z")
    assert due == datetime(2026, 1, 2, 3, 4, 35, tzinfo=UTC)
    assert lifecycle.deadline(pod(), "2026-01-02T03:04:05Z") is None


def test_the_grace_is_the_one_of_the_deletion_once_there_is_one() -> None:
    obj = pod(terminationGracePeriodSeconds=7)
    assert lifecycle.grace_s(obj) == 7
    leaving = {**obj, "metadata": {"deletionTimestamp": "x", "deletionGracePeriodSeconds": 1}}
    assert lifecycle.grace_s(leaving) == 1
