"""cpu, memory and io stress on a real cluster, on a node with cgroup v1 and on one with v2.

The figures are read by kubectl in the target's own control group, or by a pod that looks at the node's processes.
Amounts are small: two of the nodes may be the machine that runs the tests.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.cluster import stage as stages
from tests.cluster.stage import Stage, until

MIB = 1 << 20
SECONDS = "20"
V1, V2 = "node1", "netem1"

# Counters of the control group that reads them, in cgroup v1 or v2, and a clock; one "name value" a line.
READ = """
cd /sys/fs/cgroup
echo clock $(cut -d' ' -f1 /proc/uptime)
if [ -e cgroup.controllers ]
then
  echo cpu_us $(sed -n 's/^usage_usec //p' cpu.stat)
  echo throttled $(sed -n 's/^nr_throttled //p' cpu.stat)
  echo memory $(sed -n 's/^anon //p' memory.stat)
  echo oom_kills $(sed -n 's/^oom_kill //p' memory.events)
  echo tasks $(cat pids.current)
else
  echo cpu_us $(($(cat cpuacct/cpuacct.usage) / 1000))
  echo throttled $(sed -n 's/^nr_throttled //p' cpu/cpu.stat)
  echo memory $(sed -n 's/^rss //p' memory/memory.stat)
  echo oom_kills $(sed -n 's/^oom_kill //p' memory/memory.oom_control)
  echo tasks $(cat pids/pids.current)
fi
"""
# The stress processes in the control groups of one pod: CPU ticks, resident kB, bytes given to write(2) - a file system
# without writeback of its own, as the slow node's, counts no write_bytes (proc_pid_io(5)) -, one process a line;
# zeros for what a process that is about to end has no more.
LOOK = """
for p in /proc/[0-9]*
do
  if [ "$(cat $p/comm 2>/dev/null)" = stress-ng ] && grep -q POD $p/cgroup
  then
    ticks=$(cut -d' ' -f14,15 $p/stat | tr ' ' '+')
    resident=$(sed -n '/^VmRSS/s/[^0-9]//gp' $p/status)
    written=$(sed -n 's/^wchar: //p' $p/io)
    echo $((ticks)) ${resident:-0} ${written:-0}
  fi
done 2>/dev/null
true
"""


@pytest.fixture(params=[V1, V2])
def node(request: pytest.FixtureRequest, operator: None) -> str:
    if not stages.kubectl("get", "node", request.param, "--ignore-not-found"):
        pytest.skip(f"the cluster has no node {request.param}")
    name: str = request.param
    return name


@pytest.fixture
def nodes_readable(stage: Stage) -> Iterator[None]:
    """What a node experiment's service account needs beyond the small role."""
    name = f"{stage.name}-nodes"
    rbac = "rbac.authorization.k8s.io"
    stage.apply(
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "ClusterRole",
            "metadata": {"name": name},
            "rules": [{"apiGroups": [""], "resources": ["nodes"], "verbs": ["get", "list"]}],
        },
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": name},
            "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": name},
            "subjects": [{"kind": "ServiceAccount", "name": "chaos-sa", "namespace": stage.name}],
        },
    )
    yield
    stages.kubectl("delete", "clusterrolebinding,clusterrole", name)


def deploy(stage: Stage, node: str, *, memory: str = "256Mi", command: str = "sleep 100000") -> str:
    """One container with limits on that node; its pod."""
    container = {
        "name": "app",
        "image": "busybox",
        "command": ["sh", "-c", command],
        "resources": {"limits": {"cpu": "200m", "memory": memory}, "requests": {"cpu": "10m", "memory": "16Mi"}},
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
    }
    stage.deploy(
        1,
        nodeSelector={"kubernetes.io/hostname": node},
        containers=[container],
        volumes=[{"name": "data", "emptyDir": {}}],
    )
    (pod,) = stage.pods().values()
    return pod


def counters(stage: Stage, pod: str) -> dict[str, float]:
    return figures(stage.kubectl("exec", pod, "--", "sh", "-c", READ).splitlines())


def figures(lines: list[str]) -> dict[str, float]:
    return {name: float(value) for name, value in (line.split() for line in lines)}


def watcher(stage: Stage, node: str) -> None:
    """A pod that sees all processes of the node."""
    stage.apply(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "watcher"},
            "spec": {
                "nodeName": node,
                "hostPID": True,
                "terminationGracePeriodSeconds": 0,
                "containers": [
                    {
                        "name": "watcher",
                        "image": "busybox",
                        "command": ["sleep", "100000"],
                        "securityContext": {"capabilities": {"add": ["SYS_PTRACE"]}},
                    }
                ],
            },
        }
    )
    stage.kubectl("wait", "--for=condition=Ready", "pod/watcher", "--timeout=150s")


def stressors(stage: Stage, pod_uid: str) -> list[list[int]]:
    """Of each stress process in a pod's control groups: CPU ticks, resident kB, bytes written."""
    text = stage.kubectl("exec", "watcher", "--", "sh", "-c", LOOK.replace("POD", f"-e {pod_uid}"))
    return [[int(word) for word in line.split()] for line in text.splitlines()]


def rates(stage: Stage, pod: str) -> dict[str, float]:
    """How the counters of a pod rise per second, over some seconds; read twice only, for reading takes time as well."""
    lines = stage.kubectl("exec", pod, "--", "sh", "-c", f"{READ}\nsleep 4\n{READ}").splitlines()
    first, last = figures(lines[: len(lines) // 2]), figures(lines[len(lines) // 2 :])
    span = last["clock"] - first["clock"]
    return {name: (last[name] - first[name]) / span for name in first}


def run(stage: Stage, experiment: str, **env: str) -> None:
    """Starts an experiment and waits until its fault holds."""
    stage.apply(stage.engine({experiment: {"TOTAL_CHAOS_DURATION": SECONDS, **env}}))
    holds(stage, experiment)


def holds(stage: Stage, experiment: str) -> None:
    """Waits until the fault holds. A slow node may have to pull the image first."""

    def chaos() -> bool:
        status = (stage.get("chaosresult", f"chaos-{experiment}") or {}).get("status", {})
        verdict = status.get("experimentstatus", {}).get("verdict", "Awaited")
        assert verdict == "Awaited", status["experimentstatus"]
        return bool(status.get("run", {}).get("step") == "chaos")

    until(chaos, f"the chaos of {experiment} to begin", deadline_s=150)


def passed(stage: Stage, experiment: str) -> dict[str, Any]:
    """Waits until it is over and says Pass; its target."""
    stage.ended(deadline_s=120)
    assert stage.verdict(experiment) == ("Pass", "N/A"), stage.result(experiment)
    target: dict[str, Any]
    (target,) = stage.result(experiment)["targets"]
    return target


def test_a_cpu_hog_uses_all_that_the_limit_allows_and_the_container_is_idle_again_afterwards(
    stage: Stage, node: str
) -> None:
    pod = deploy(stage, node)
    before = counters(stage, pod)
    run(stage, "pod-cpu-hog", CPU_CORES="1", TOTAL_CHAOS_DURATION="20")
    seen: list[dict[str, float]] = []

    def throttled() -> bool:  # which a busy machine puts off: who gets less than the limit is not held back by it
        seen.append(rates(stage, pod))
        return seen[-1]["throttled"] > 2  # of ten periods a second

    until(throttled, "the limit to hold the container back", deadline_s=30)
    assert 50_000 < seen[-1]["cpu_us"] < 250_000  # 200m; idle takes what the reading takes
    assert "CPU seconds per second by the stress" in passed(stage, "pod-cpu-hog")["delivered"]
    until(lambda: rates(stage, pod)["cpu_us"] < 40_000, "the container to be idle again", deadline_s=30)
    assert counters(stage, pod)["tasks"] == before["tasks"]
    stage.swept()


def test_a_memory_hog_holds_what_was_asked_in_the_container_and_gives_it_back(stage: Stage, node: str) -> None:
    pod = deploy(stage, node)
    before = counters(stage, pod)
    run(stage, "pod-memory-hog", MEMORY_CONSUMPTION="100")
    during = counters(stage, pod)
    assert 90 * MIB < during["memory"] - before["memory"] < 120 * MIB
    passed(stage, "pod-memory-hog")
    after = counters(stage, pod)
    assert after["memory"] - before["memory"] < 10 * MIB
    assert after["tasks"] == before["tasks"]
    assert after["oom_kills"] == 0


def test_memory_beyond_the_limit_wakes_the_oom_killer_which_takes_the_stress_and_not_the_application(
    stage: Stage, node: str
) -> None:
    pod = deploy(stage, node, memory="64Mi")
    run(stage, "pod-memory-hog", MEMORY_CONSUMPTION="200")
    assert counters(stage, pod)["oom_kills"] > 0
    passed(stage, "pod-memory-hog")
    assert stage.get("pod", pod)["status"]["containerStatuses"][0]["restartCount"] == 0


def test_io_stress_writes_into_the_volume_from_inside_of_the_container_and_leaves_no_file(
    stage: Stage, node: str
) -> None:
    pod = deploy(stage, node)
    watcher(stage, node)
    (uid,) = stage.pods()
    run(
        stage,
        "pod-io-stress",
        FILESYSTEM_UTILIZATION_BYTES="0.05",
        NUMBER_OF_WORKERS="1",
        VOLUME_MOUNT_PATH="/data",
        TOTAL_CHAOS_DURATION="40",
    )
    assert ".litmus-" in stage.kubectl("exec", pod, "--", "ls", "-A", "/data")
    until(lambda: sum(written for _, _, written in stressors(stage, uid)) > MIB, "the stress to write", deadline_s=30)
    passed(stage, "pod-io-stress")
    assert stressors(stage, uid) == []
    assert stage.kubectl("exec", pod, "--", "ls", "-A", "/data") == ""


def test_a_target_that_ends_takes_its_stress_along_at_once(stage: Stage, node: str) -> None:
    deploy(stage, node)
    watcher(stage, node)
    ((uid, pod),) = stage.pods().items()
    run(stage, "pod-cpu-hog", TOTAL_CHAOS_DURATION="600")
    assert stressors(stage, uid)
    stage.kubectl("delete", "pod", pod, "--grace-period=1", "--wait=false")
    until(lambda: not stressors(stage, uid), "the stress to end with its target", deadline_s=30)
    until(lambda: uid not in str(stage.get("pods")), "the pod to be gone")
    stage.ended(deadline_s=120)
    (fault,) = stage.result("pod-cpu-hog")["faults"]
    assert fault["state"] == "moot"


def node_run(stage: Stage, node: str, experiment: str, *, enough: Callable[[int, int, int], bool], **env: str) -> None:
    """Starts a node experiment, and waits until the stress processes in its helper pod's control groups did enough.

    ``enough``: of their clock ticks, resident KiB and written bytes, all together.
    """
    watcher(stage, node)
    stage.deploy(1, nodeSelector={"kubernetes.io/hostname": node})
    run(stage, experiment, TARGET_NODES=node, **env)
    (helper,) = stage.get("pods", selector=f"app={experiment}-helper")
    assert helper["spec"]["nodeName"] == node
    found: list[list[int]] = []

    def seen() -> bool:
        found[:] = stressors(stage, helper["metadata"]["uid"]) or found
        return bool(found) and enough(*map(sum, zip(*found, strict=True)))

    until(seen, f"the stress of {experiment} to show", deadline_s=30)


@pytest.mark.usefixtures("nodes_readable")
def test_a_node_cpu_hog_computes_on_that_node(stage: Stage, node: str) -> None:
    node_run(
        stage,
        node,
        "node-cpu-hog",
        enough=lambda ticks, _resident, _written: ticks > 20,
        NODE_CPU_CORE="1",
        CPU_LOAD="50",
        TOTAL_CHAOS_DURATION="30",
    )
    passed(stage, "node-cpu-hog")
    stage.swept()


@pytest.mark.usefixtures("nodes_readable")
def test_a_node_memory_hog_holds_memory_on_that_node(stage: Stage, node: str) -> None:
    node_run(
        stage,
        node,
        "node-memory-hog",
        enough=lambda _ticks, resident, _written: resident > 150 * 1024,
        MEMORY_CONSUMPTION_MEBIBYTES="150",
        TOTAL_CHAOS_DURATION="30",
    )
    passed(stage, "node-memory-hog")
    stage.swept()


@pytest.mark.usefixtures("nodes_readable")
def test_node_io_stress_writes_on_that_node(stage: Stage, node: str) -> None:
    node_run(
        stage,
        node,
        "node-io-stress",
        enough=lambda _ticks, _resident, written: written > MIB,
        FILESYSTEM_UTILIZATION_BYTES="0.05",
        NUMBER_OF_WORKERS="1",
        TOTAL_CHAOS_DURATION="30",
    )
    passed(stage, "node-io-stress")
    stage.swept()


def test_a_percentage_and_a_number_of_bytes_are_refused_before_anything_is_touched(stage: Stage) -> None:
    stage.deploy(1)
    both = {"FILESYSTEM_UTILIZATION_PERCENTAGE": "10", "FILESYSTEM_UTILIZATION_BYTES": "1"}
    stage.apply(stage.engine({"pod-io-stress": both}))
    stage.ended()
    verdict, step = stage.verdict("pod-io-stress")
    assert verdict == "Error"
    assert "FILESYSTEM_UTILIZATION_PERCENTAGE and FILESYSTEM_UTILIZATION_BYTES can't both be given" in step
    assert not stage.result("pod-io-stress").get("faults")
