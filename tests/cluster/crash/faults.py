"""The faults of the crash test: how each is asked for, and how its target looks when nothing is left of it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.cluster import stage
from tests.cluster.crash import rig

DURATION_S = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """``left`` says what is still there in the target, '' when it is as it was. ``node``: where the fault is."""

    name: str
    experiment: str
    node: str
    left: Callable[["Place"], str]
    env: dict[str, str] = field(default_factory=dict)
    on_node: bool = True  # with a helper and a guardian


@dataclass(slots=True)
class Place:
    """The target of one fault: a namespace, and in it a Deployment ``web`` whose one pod is on the fault's node."""

    stage: stage.Stage
    fault: Fault
    session: str = ""

    def pod(self) -> Any:
        found = [pod for pod in rig.pods(self.stage.name, "app=web") if not pod["metadata"].get("deletionTimestamp")]
        return found[0]

    def container(self) -> str:
        return rig.container_ids(self.pod())[0]

    def in_target(self, *command: str) -> str:
        """What a command prints in the network namespace of the target; for a node of this machine."""
        pid = rig.main_process(self.container())
        return stage.run(["nsenter", "-t", str(pid), "-n", *command]).out


def _kernel(place: Place) -> str:
    said = place.stage.kubectl("exec", "deploy/web", "--", "tc", "qdisc", "show", "dev", "eth0")
    return "" if "netem" not in said and "prio" not in said else said


def _user_space(place: Place) -> str:
    rules = [
        line
        for program in ("iptables-legacy-save", "ip6tables-legacy-save", "iptables-nft-save")
        for line in place.in_target(program).splitlines()
        if line.startswith(("-A", "-N")) or "NFQUEUE" in line
    ]
    return "; ".join(rules) or _processes(place)


def _processes(place: Place) -> str:
    marked = rig.marked(place.fault.node, place.session)
    return "" if not marked else f"processes {', '.join(marked)}"


def _files(place: Place) -> str:
    command = "find / -xdev -name '.litmus-*' 2>/dev/null"
    said = place.stage.kubectl("exec", "deploy/web", "--", "sh", "-c", command, check=False)
    return said.strip()


def _stress_io(place: Place) -> str:
    return _processes(place) or _files(place)


def _kubelet(place: Place) -> str:
    states = rig.states(rf"kubelet .*--hostname-override={place.fault.node}( |$)")
    return f"kubelet is in state {states}" if {"T", "t"} & set(states) or not states else ""


def _node(place: Place) -> dict[str, Any]:
    found: dict[str, Any] = rig.api().get(f"/api/v1/nodes/{place.fault.node}")
    return found


def _cordon(place: Place) -> str:
    return "unschedulable" if _node(place)["spec"].get("unschedulable") else _marks(place)


def _taint(place: Place) -> str:
    taints = [taint for taint in _node(place)["spec"].get("taints", []) if taint["key"] == "crash"]
    return str(taints) if taints else _marks(place)


def _marks(place: Place) -> str:
    """Markers of faults; one that says that its taint was taken off is only waiting whether that comes back."""
    found = _node(place)["metadata"].get("annotations", {}).items()
    return " ".join(key for key, text in found if "fault.litmuschaos" in key and not text.endswith("taken off"))


def _replicas(place: Place) -> str:
    found = rig.api().get(f"/apis/apps/v1/namespaces/{place.stage.name}/deployments/web")
    replicas = found["spec"]["replicas"]
    return "" if replicas == 1 else f"{replicas} replicas"


ALL = (
    Fault(
        name="netem",
        experiment="pod-network-latency",
        node="netem1",
        left=_kernel,
        env={"NETWORK_LATENCY": "200", "ENGINE": "kernel"},
    ),
    Fault(
        name="user space",
        experiment="pod-network-loss",
        node="node1",
        left=_user_space,
        env={"NETWORK_PACKET_LOSS_PERCENTAGE": "50", "ENGINE": "userspace"},
    ),
    Fault(name="cpu", experiment="pod-cpu-hog", node="node1", left=_processes, env={"CPU_LOAD": "20"}),
    Fault(name="memory", experiment="pod-memory-hog", node="node1", left=_processes, env={"MEMORY_CONSUMPTION": "50"}),
    Fault(
        name="io",
        experiment="pod-io-stress",
        node="node1",
        left=_stress_io,
        env={"FILESYSTEM_UTILIZATION_PERCENTAGE": "", "FILESYSTEM_UTILIZATION_BYTES": "1", "NUMBER_OF_WORKERS": "1"},
    ),
    Fault(name="fill", experiment="disk-fill", node="node1", left=_files, env={"FILL_PERCENTAGE": "20"}),
    Fault(
        name="service",
        experiment="kubelet-service-kill",
        node="node2",
        left=_kubelet,
        env={"TARGET_NODE": "node2", "TOTAL_CHAOS_DURATION": "24"},
    ),
    Fault(
        name="cordon",
        experiment="node-drain",
        node="node2",
        left=_cordon,
        # Whoever is there has to be gone within the chaos, and a kubelet takes its time.
        env={"TARGET_NODE": "node2", "TOTAL_CHAOS_DURATION": "45"},
        on_node=False,
    ),
    Fault(
        name="taint",
        experiment="node-taint",
        node="node2",
        left=_taint,
        env={"TARGET_NODE": "node2", "TAINTS": "crash=test:PreferNoSchedule"},
        on_node=False,
    ),
    Fault(
        name="scale",
        experiment="pod-autoscaler",
        node="node1",
        left=_replicas,
        env={"REPLICA_COUNT": "3"},
        on_node=False,
    ),
)
