"""container-kill on a real cluster: the container's id and restart count are read by kubectl."""

import json
from typing import Any

from tests.cluster.stage import Stage


def containers(stage: Stage, name: str = "nginx") -> list[Any]:
    return [
        status
        for pod in stage.get("pods", selector="app=web")
        for status in pod["status"]["containerStatuses"]
        if status["name"] == name
    ]


def test_kills_the_container_and_passes_when_the_kubelet_restarts_it(stage: Stage) -> None:
    stage.deploy(1)
    (before,) = containers(stage)
    stage.apply(stage.engine("container-kill"))
    assert stage.ended()["experiments"][0]["verdict"] == "Pass"
    (after,) = containers(stage)
    assert after["containerID"] != before["containerID"]
    assert after["restartCount"] == before["restartCount"] + 1
    assert after["lastState"]["terminated"]["exitCode"] == 137
    stage.swept()


def test_the_named_container_is_killed_and_its_neighbour_is_not(stage: Stage) -> None:
    sidecar = {"name": "sidecar", "image": "busybox", "command": ["sleep", "infinity"]}
    stage.deploy(1)
    patch = {"spec": {"template": {"spec": {"containers": [sidecar]}}}}
    stage.kubectl("patch", "deployment/web", "--type=strategic", f"-p={json.dumps(patch)}")
    stage.kubectl("rollout", "status", "deployment/web", "--timeout=150s")
    stage.apply(stage.engine({"container-kill": {"TARGET_CONTAINER": "sidecar"}}))
    stage.ended()
    assert [c["restartCount"] for c in containers(stage, "sidecar")] == [1]
    assert [c["restartCount"] for c in containers(stage, "nginx")] == [0]


def test_a_signal_that_the_process_ignores_is_an_error_and_never_a_pass(stage: Stage) -> None:
    # Process 1 of a real container ignores what it has no handler for; this one says so itself, wherever it runs.
    stage.deploy(1, command=["sh", "-c", "trap '' TERM; while true; do sleep 1; done"])
    (before,) = containers(stage)
    stage.apply(stage.engine({"container-kill": {"SIGNAL": "SIGTERM"}}))
    stage.ended()
    verdict, step = stage.verdict("container-kill")
    assert verdict == "Error"
    assert "ignores or handles SIGTERM" in step
    assert containers(stage)[0]["containerID"] == before["containerID"]


def test_a_container_that_no_target_has_is_an_error_before_anything_is_hit(stage: Stage) -> None:
    stage.deploy(1)
    stage.apply(stage.engine({"container-kill": {"TARGET_CONTAINER": "sidecar"}}))
    stage.ended()
    verdict, step = stage.verdict("container-kill")
    assert verdict == "Error"
    assert "TARGET_CONTAINER='sidecar'" in step
    assert "only nginx" in step
    assert containers(stage)[0]["restartCount"] == 0
