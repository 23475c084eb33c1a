"""disk-fill on a real cluster: busybox in the target itself counts the blocks. Never more than 200 MB are written."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.cluster import node_states, nodes
from tests.cluster.stage import Stage, until

MIB = 2**20
# Blocks of 512 bytes of each of our files in a folder, '' if there is none.
COUNT = "stat -c %b {folder}/.litmus-fill-* 2>/dev/null; true"


@pytest.fixture
def rights(stage: Stage) -> Iterator[None]:
    with nodes.granted(stage, "disk-fill"):
        yield


def deploy(stage: Stage, node: str, *, limit: str = "") -> str:
    """One busybox on a node that has written 20 MiB and has a volume at /data; the name of its pod."""
    script = "dd if=/dev/zero of=/old bs=1M count=20 2>/dev/null; sync; touch /ready; trap exit TERM; sleep 3600 & wait"
    container: dict[str, Any] = {
        "name": "busy",
        "image": "busybox",
        "command": ["sh", "-c", script],
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
        "readinessProbe": {"exec": {"command": ["test", "-e", "/ready"]}, "periodSeconds": 1, "timeoutSeconds": 5},
    }
    if limit:
        container["resources"] = {"limits": {"ephemeral-storage": limit}}
    place = {"nodeSelector": {"kubernetes.io/hostname": node}, "volumes": [{"name": "data", "emptyDir": {}}]}
    stage.deploy(1, containers=[container], **place)
    (name,) = stage.pods().values()
    return name


def taken(stage: Stage, pod: str, folder: str = "") -> int:
    """Bytes in real blocks, as the target's own busybox counts them."""
    blocks = stage.kubectl("exec", pod, "--", "sh", "-c", COUNT.format(folder=folder)).split()
    return sum(map(int, blocks)) * 512


@pytest.mark.parametrize("node", ["node1", "netem1"])
def test_the_container_is_filled_to_its_share_of_the_limit_and_emptied_again(
    stage: Stage, rights: None, node: str
) -> None:
    node_states.need(node)
    pod = deploy(stage, node, limit="150Mi")
    stage.apply(stage.engine({"disk-fill": {"FILL_PERCENTAGE": "60", "TOTAL_CHAOS_DURATION": "15"}}))
    stage.started("disk-fill")
    # 60 % of 150 MiB, less 20 MiB that were there.
    assert taken(stage, pod) == pytest.approx(70 * MIB, rel=0.03)
    stage.ended()
    assert taken(stage, pod) == 0
    assert stage.verdict("disk-fill") == ("Pass", "N/A")
    (target,) = stage.result("disk-fill")["targets"]
    assert target["asked"] == "60 % of its limit of 150 MiB"
    assert "MiB in real blocks" in target["delivered"]
    assert stage.result("disk-fill")["faults"][0]["state"] == "reverted"
    assert list(stage.pods().values()) == [pod]
    stage.swept()


def test_a_volume_is_filled_by_as_many_mebibytes_as_asked(stage: Stage, rights: None) -> None:
    node_states.need("node1")
    pod = deploy(stage, "node1")
    env = {"EPHEMERAL_STORAGE_MEBIBYTES": "50", "FILL_PATH": "/data", "TOTAL_CHAOS_DURATION": "10"}
    stage.apply(stage.engine({"disk-fill": env}))
    stage.started("disk-fill")
    assert taken(stage, pod, "/data") == pytest.approx(50 * MIB, rel=0.02)
    stage.ended()
    assert taken(stage, pod, "/data") == 0
    assert stage.verdict("disk-fill") == ("Pass", "N/A")
    stage.swept()


def test_a_pod_that_is_evicted_for_what_it_takes_is_an_effect_and_said(stage: Stage, rights: None) -> None:
    node_states.need("node1")
    pod = deploy(stage, "node1", limit="60Mi")
    env = {"EPHEMERAL_STORAGE_MEBIBYTES": "100", "TOTAL_CHAOS_DURATION": "60"}
    stage.apply(stage.engine({"disk-fill": env}))
    until(lambda: (stage.get("pod", pod) or {"status": {}})["status"].get("reason") == "Evicted", "the eviction")
    stage.ended(deadline_s=150)
    assert stage.verdict("disk-fill") == ("Pass", "N/A")
    (target,) = stage.result("disk-fill")["targets"]
    assert "evicted" in target["delivered"]
    assert stage.result("disk-fill")["faults"][0]["state"] == "moot"
    # The evicted pod stays as a record of itself, and another one serves.
    assert len(set(stage.pods().values()) - {pod}) == 1
    stage.swept()


def test_a_container_that_is_killed_meanwhile_leaves_no_file_behind(stage: Stage, rights: None) -> None:
    """Its layer stays on the disk until the kubelet removes it; the pod that looks sees the node's own files."""
    node_states.need("node1")
    pod = deploy(stage, "node1", limit="150Mi")
    stage.apply(stage.engine({"disk-fill": {"FILL_PERCENTAGE": "60", "TOTAL_CHAOS_DURATION": "20"}}))
    stage.started("disk-fill")
    assert taken(stage, pod) > 0
    stage.kubectl("exec", pod, "--", "kill", "1", check=False)
    stage.ended(deadline_s=120)
    assert stage.result("disk-fill")["faults"][0]["state"] in ("moot", "reverted")

    def restarted() -> bool:
        (status,) = stage.get("pod", pod)["status"]["containerStatuses"]
        return "terminated" in status["lastState"]

    until(restarted, "the kubelet to tell how the container ended")
    assert files_on_host(stage, "node1") == []
    stage.swept()


def files_on_host(stage: Stage, node: str) -> list[str]:
    """Our files in all layers and volumes of a node, found by a pod that looks through the kubelet's root."""
    look = 'for p in /proc/[0-9]*; do if [ "$(cat $p/comm 2>/dev/null)" = kubelet ]; then cd $p/root; break; fi; done; '
    look += "find var/tmp/kube/*/lib var/tmp/kube/*/kubelet var/lib/containerd var/lib/kubelet -name '.litmus-fill-*'"
    container = {
        "name": "look",
        "image": "busybox",
        "command": ["sh", "-c", f"{look} 2>/dev/null; true"],
        "securityContext": {"privileged": True},
    }
    spec = {"nodeName": node, "hostPID": True, "restartPolicy": "Never", "containers": [container]}
    stage.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "look"}, "spec": spec})
    until(lambda: stage.get("pod", "look")["status"]["phase"] == "Succeeded", "the pod that looks to end")
    found = stage.kubectl("logs", "look").split()
    stage.kubectl("delete", "pod/look", "--wait=false")
    return found


def test_two_sizes_are_an_error_before_anything_is_touched(stage: Stage, rights: None) -> None:
    stage.deploy(1)
    env = {"FILL_PERCENTAGE": "50", "EPHEMERAL_STORAGE_MEBIBYTES": "50"}
    stage.apply(stage.engine({"disk-fill": env}))
    stage.ended()
    verdict, step = stage.verdict("disk-fill")
    assert verdict == "Error"
    assert "FILL_PERCENTAGE=50 and EPHEMERAL_STORAGE_MEBIBYTES=50 can't both be given" in step
    assert not stage.result("disk-fill").get("faults")
