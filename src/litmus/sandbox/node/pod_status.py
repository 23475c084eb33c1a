"""The status of a pod out of the states of its containers, as a kubelet reports it. Pure.

Source: Kubernetes documentation, "Pod Lifecycle" (phases, conditions, container states), and pkg/kubelet/status and
pkg/kubelet/kubelet_pods.go for what the documentation leaves open.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from litmus.sandbox.machinery import objects
from litmus.sandbox.machinery.objects import Obj

OURS = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")
EPOCH = datetime.fromtimestamp(0, UTC)
ID_PREFIX = "sandbox://"


@dataclass(slots=True, kw_only=True)
class Record:
    """What is known of one container of a pod. ``started`` and ``ready`` follow the probes."""

    name: str
    image: str
    image_id: str = ""
    container_id: str = ""
    state: Obj = field(default_factory=dict)
    last: Obj = field(default_factory=dict)
    restarts: int = 0
    ready: bool = False
    started: bool = False
    init: bool = False
    sidecar: bool = False
    """An init container with restartPolicy Always."""

    def waiting(self, reason: str, message: str = "") -> None:
        if "terminated" in self.state:
            self.last = self.state
        self.state = {"waiting": {"reason": reason} | ({"message": message} if message else {})}
        self.ready = self.started = False

    def running(self, container_id: str, at: datetime) -> None:
        if "terminated" in self.state:
            self.last = self.state
        self.container_id = ID_PREFIX + container_id
        self.state = {"running": {"startedAt": objects.timestamp(at)}}

    def terminated(
        self, *, code: int, reason: str, message: str = "", started: datetime = EPOCH, finished: datetime = EPOCH
    ) -> None:
        found: Obj = {
            "exitCode": code,
            "reason": reason,
            "startedAt": objects.timestamp(started),
            "finishedAt": objects.timestamp(finished),
            "containerID": self.container_id,
        }
        if message:
            found["message"] = message
        self.state = {"terminated": found}
        self.started = False
        # An init container that has done its work is ready (that is what Initialized counts).
        self.ready = self.init and not self.sidecar and code == 0

    @property
    def exit_code(self) -> int | None:
        """Of the present run, None when it has not ended."""
        ended = self.state.get("terminated")
        return None if ended is None else int(ended["exitCode"])

    @property
    def is_running(self) -> bool:
        return "running" in self.state


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """What is known of the pod as a whole. ``sandboxed``: it has an address and its volumes are mounted.

    ``ended``: a phase and reason that no container decides (DeadlineExceeded). ``over``: it is being deleted and its
    containers have ended, so its phase is final.
    """

    ip: str = ""
    host_ip: str = ""
    started_at: str = ""
    sandboxed: bool = False
    ended: tuple[str, str, str] | None = None
    over: bool = False


def build(pod: Obj, records: Sequence[Record], life: Life, *, before: Mapping[str, Obj], now: datetime) -> Obj:
    """The status: phase, conditions, addresses, containers. ``before``: type → the condition as it is known."""
    inits, mains = [one for one in records if one.init], [one for one in records if not one.init]
    phase, reason, message = life.ended or (phase_of(pod, inits, mains, over=life.over), "", "")
    generation = objects.meta(pod).get("generation")
    status: Obj = {
        "phase": phase,
        "conditions": _conditions(pod, (inits, mains), life, phase=phase, before=before, now=now),
        "hostIP": life.host_ip,
        "hostIPs": [{"ip": life.host_ip}],
        "startTime": life.started_at,
        "qosClass": (pod.get("status") or {}).get("qosClass") or qos_class(pod),
        "containerStatuses": [_container(pod, record) for record in mains],
    }
    if inits:
        status["initContainerStatuses"] = [_container(pod, record) for record in inits]
    if life.ip:
        status |= {"podIP": life.ip, "podIPs": [{"ip": life.ip}]}
    if generation:
        status["observedGeneration"] = generation
    if reason:
        status |= {"reason": reason, "message": message}
    return status


def phase_of(pod: Obj, inits: Iterable[Record], mains: Sequence[Record], *, over: bool = False) -> str:
    """Pending, Running, Succeeded or Failed ("Pod phase")."""
    policy = (pod.get("spec") or {}).get("restartPolicy", "Always")
    begun = any(record.container_id for record in mains)
    for record in inits:
        if record.sidecar:
            continue
        if record.exit_code and (policy == "Never" or over):
            return "Failed"
        if record.exit_code != 0 and not begun:
            return "Failed" if over else "Pending"
    if over:
        return "Succeeded" if all(_final_code(record) == 0 for record in mains) else "Failed"
    if any("waiting" in record.state and not record.last for record in mains):
        return "Pending"
    if any(record.is_running for record in mains) or policy == "Always":
        return "Running"
    codes = [_final_code(record) for record in mains]
    if all(code == 0 for code in codes):
        return "Succeeded"
    return "Failed" if policy == "Never" else "Running"


def _final_code(record: Record) -> int:
    code = record.exit_code
    if code is None:
        code = int((record.last.get("terminated") or {}).get("exitCode", -1))
    return code


def qos_class(pod: Obj) -> str:
    """BestEffort, Burstable or Guaranteed ("Pod Quality of Service Classes")."""
    spec = pod.get("spec") or {}
    everyone = [
        one.get("resources") or {} for one in [*spec.get("containers", ()), *(spec.get("initContainers") or ())]
    ]
    amounts = [
        {(kind, name): value for kind in ("requests", "limits") for name, value in (one.get(kind) or {}).items()}
        for one in everyone
    ]
    known = ("cpu", "memory")
    if not any(name in known for one in amounts for _, name in one):
        return "BestEffort"
    for one in amounts:
        for name in known:
            limit = one.get(("limits", name))
            if limit is None or one.get(("requests", name), limit) != limit:
                return "Burstable"
    return "Guaranteed"


def _conditions(
    pod: Obj,
    records: tuple[Sequence[Record], Sequence[Record]],
    life: Life,
    *,
    phase: str,
    before: Mapping[str, Obj],
    now: datetime,
) -> list[Obj]:
    inits, mains = records
    generation = objects.meta(pod).get("generation")
    containers = _containers_ready(mains, inits, phase)
    alive = life.sandboxed and phase in ("Pending", "Running") and not life.over
    wanted = {
        "PodReadyToStartContainers": _truth(alive),
        "Initialized": _initialized(inits, mains, phase),
        "Ready": _ready(pod, containers, before),
        "ContainersReady": containers,
        "PodScheduled": _truth(True),
    }
    found = []
    for kind, (status, reason, message) in wanted.items():
        known = before.get(kind)
        since = known.get("lastTransitionTime") if known and known.get("status") == status else None
        condition: Obj = {
            "type": kind,
            "status": status,
            "lastProbeTime": None,
            "lastTransitionTime": since or objects.timestamp(now),
        }
        if generation:
            condition["observedGeneration"] = generation
        if reason:
            condition["reason"] = reason
        if message:
            condition["message"] = message
        found.append(condition)
    return found


Truth = tuple[str, str, str]
"""Status, reason, message."""


def _truth(value: bool) -> Truth:
    return ("True" if value else "False", "", "")


def _initialized(inits: Sequence[Record], mains: Sequence[Record], phase: str) -> Truth:
    if phase == "Succeeded":
        return ("True", "PodCompleted", "")
    if any(record.container_id for record in mains):
        return _truth(True)
    missing = [one.name for one in inits if not (one.started if one.sidecar else one.ready)]
    if not missing:
        return _truth(True)
    return ("False", "ContainersNotInitialized", f"containers with incomplete status: [{' '.join(missing)}]")


def _containers_ready(mains: Sequence[Record], inits: Sequence[Record], phase: str) -> Truth:
    if phase == "Succeeded":
        return ("False", "PodCompleted", "")
    if phase == "Failed":
        return ("False", "PodFailed", "")
    counted = [*(one for one in inits if one.sidecar), *mains]
    missing = [one.name for one in counted if not one.ready]
    if not missing:
        return _truth(True)
    return ("False", "ContainersNotReady", f"containers with unready status: [{' '.join(missing)}]")


def _ready(pod: Obj, containers: Truth, before: Mapping[str, Obj]) -> Truth:
    if containers[0] != "True":
        return containers
    messages = []
    for gate in (pod.get("spec") or {}).get("readinessGates") or []:
        kind = gate["conditionType"]
        if kind not in before:
            messages.append(f"corresponding condition of pod readiness gate {_quoted(kind)} does not exist.")
        elif before[kind].get("status") != "True":
            status = before[kind].get("status")
            messages.append(f'the status of pod readiness gate {_quoted(kind)} is not "True", but {status}')
    return ("False", "ReadinessGatesNotReady", ", ".join(messages)) if messages else _truth(True)


def _quoted(text: str) -> str:
    return f'"{text}"'


def _container(pod: Obj, record: Record) -> Obj:
    found: Obj = {
        "name": record.name,
        "image": record.image,
        "imageID": record.image_id,
        "lastState": record.last,
        "ready": record.ready,
        "restartCount": record.restarts,
        "started": record.started,
        "state": record.state,
    }
    if record.container_id:
        found["containerID"] = record.container_id
    spec = pod.get("spec") or {}
    everyone = [*spec.get("containers", ()), *(spec.get("initContainers") or ())]
    manifest: Obj = next((one for one in everyone if one["name"] == record.name), {})
    if record.is_running:
        resources = manifest.get("resources") or {}
        found["resources"] = {kind: resources[kind] for kind in ("limits", "requests") if resources.get(kind)}
        if resources.get("requests"):
            found["allocatedResources"] = resources["requests"]
    mounts = manifest.get("volumeMounts")
    if mounts and record.container_id:
        found["volumeMounts"] = [
            {"name": one["name"], "mountPath": one["mountPath"]}
            | ({"readOnly": True, "recursiveReadOnly": "Disabled"} if one.get("readOnly") else {})
            for one in mounts
        ]
    return found
