"""The sandbox is somebody's own machine: what would hit that machine is refused there, with one Error that says so."""

import pytest

from tests.cluster.stage import Stage, kubectl


@pytest.mark.parametrize(
    "experiment", ["pod-network-latency", "pod-cpu-hog", "disk-fill", "kubelet-service-kill", "node-restart"]
)
def test_a_fault_that_would_hit_the_machine_itself_is_refused_on_the_sandbox(stage: Stage, experiment: str) -> None:
    if "sandbox" not in kubectl("get", "nodes", "-o", "wide"):
        pytest.skip("needs a sandbox")
    stage.deploy(1)
    stage.apply(stage.engine(experiment))
    stage.ended()
    verdict, step = stage.verdict(experiment)
    assert verdict == "Error"
    assert f"{experiment} does not run on the sandbox" in step
    assert not stage.result(experiment).get("faults")
