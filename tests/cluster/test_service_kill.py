"""kubelet-service-kill and docker-service-kill on a real cluster, where two nodes share one host and one has its own.

kubectl sees the node turn NotReady and Ready again, and the node beside it go on.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.cluster import node_states, nodes
from tests.cluster.stage import Stage, until

pytestmark = pytest.mark.alone

# The cluster misses a kubelet after its grace period (16 s in the kit) and up to 5 s.
SECONDS = "30"


@pytest.fixture
def rights(stage: Stage) -> Iterator[None]:
    with nodes.granted(stage, "kubelet-service-kill"):
        yield


def engine(stage: Stage, experiment: str, node: str, **env: str) -> dict[str, Any]:
    values = {"TARGET_NODE": node, "TOTAL_CHAOS_DURATION": SECONDS} | env
    made = stage.engine({experiment: values})
    del made["spec"]["appinfo"]
    return made


def deaf(stage: Stage, experiment: str) -> bool:
    """Whether the kubelet waits for its runtime: it asks it about a container before it shows its log."""
    (helper,) = stage.get("pods", selector=f"app={experiment}-helper")
    name = helper["metadata"]["name"]
    return stage.run("logs", name, "-c", "fault", "--tail=1", "--request-timeout=3s", deadline_s=60).status != 0


def probe(node: str) -> dict[str, Any]:
    """A pod that only this node can run."""
    container = {"name": "probe", "image": "busybox", "command": ["sleep", "600"]}
    spec = {"nodeName": node, "terminationGracePeriodSeconds": 0, "containers": [container]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "probe"}, "spec": spec}


@pytest.mark.parametrize(("node", "other"), [("netem1", "node1"), ("node2", "node1")])
def test_the_node_without_its_kubelet_turns_not_ready_and_ready_again_and_its_neighbour_stays(
    stage: Stage, rights: None, node: str, other: str
) -> None:
    node_states.need(node, other)
    stage.apply(engine(stage, "kubelet-service-kill", node))
    until(lambda: node_states.ready(node) != "True", f"{node} to turn NotReady", deadline_s=120)
    assert node_states.ready(other) == "True"
    stage.ended(deadline_s=150)
    assert node_states.ready(node) == "True"
    assert stage.verdict("kubelet-service-kill") == ("Pass", "N/A")
    (target,) = stage.result("kubelet-service-kill")["targets"]
    assert "threads are held (state t); node NotReady, then Ready again" in target["delivered"]
    (fault,) = stage.result("kubelet-service-kill")["faults"]
    assert fault["state"] == "reverted"
    # Thawed indeed: the kubelet runs a new pod.
    stage.deploy(1, name="after", nodeSelector={"kubernetes.io/hostname": node})
    stage.swept()


@pytest.mark.parametrize(("node", "other"), [("netem1", "node1"), ("node2", "node1")])
def test_without_its_container_runtime_a_node_starts_no_container_and_its_neighbour_does(
    stage: Stage, rights: None, node: str, other: str
) -> None:
    node_states.need(node, other)
    stage.apply(engine(stage, "docker-service-kill", node))
    stage.started("docker-service-kill")
    until(lambda: deaf(stage, "docker-service-kill"), "the runtime to be out of service")
    stage.apply(probe(node))
    stage.deploy(1, name="beside", nodeSelector={"kubernetes.io/hostname": other})
    assert stage.get("pod", "probe")["status"]["phase"] == "Pending"
    stage.ended(deadline_s=150)
    assert stage.verdict("docker-service-kill") == ("Pass", "N/A")
    (target,) = stage.result("docker-service-kill")["targets"]
    assert target["asked"].startswith("container runtime (containerd://")
    assert "threads are held (state t)" in target["delivered"]
    until(lambda: stage.get("pod", "probe")["status"]["phase"] == "Running", "the container to start after all")
    stage.swept()


def test_a_node_that_stays_ready_because_the_time_is_too_short_is_an_error(stage: Stage, rights: None) -> None:
    node_states.need("netem1")
    stage.apply(engine(stage, "kubelet-service-kill", "netem1", TOTAL_CHAOS_DURATION="3"))
    stage.ended(deadline_s=120)
    verdict, step = stage.verdict("kubelet-service-kill")
    assert verdict == "Error"
    assert "node netem1 stayed Ready although its kubelet was out of service for 3 s" in step
    assert node_states.ready("netem1") == "True"


def test_a_node_that_does_not_exist_is_an_error_that_names_those_that_do(stage: Stage, rights: None) -> None:
    stage.apply(engine(stage, "kubelet-service-kill", "node-of-dreams"))
    stage.ended()
    verdict, step = stage.verdict("kubelet-service-kill")
    assert verdict == "Error"
    assert "TARGET_NODE: node-of-dreams is no node of this cluster" in step
