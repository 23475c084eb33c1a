"""What a running sandbox has: its nodes, its pods, and the memory of its processes."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from litmus.sandbox import client
from litmus.sandbox.machinery import conditions, objects, status
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.node import processes

from .errors import SandboxError
from .folder import Folder

ANSWER_DEADLINE_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """``memory_mb``: resident memory of all processes of the sandbox, containers included, shared pages once each."""

    nodes: dict[str, str]
    pods: dict[str, int]
    processes: int
    memory_mb: float


async def overview(folder: Folder, *, own: Iterable[int]) -> Overview:
    """Asks the API server and /proc; ``own``: the processes that carry no mark. Raises SandboxError for no answer."""
    try:
        async with asyncio.timeout(ANSWER_DEADLINE_S), client.Client.from_kubeconfig(folder.kubeconfig) as api:
            (nodes, _), (pods, _) = await api.list("nodes"), await api.list("pods")
    except TimeoutError as error:
        raise SandboxError(f"the sandbox does not answer within {ANSWER_DEADLINE_S:g} s") from error
    except (OSError, ValueError, status.Refusal, client.Unreachable) as error:
        raise SandboxError(f"the sandbox does not answer ({error})") from error
    pids = [*own, *(member.pid for member in processes.marked(processes.SANDBOX, str(folder.path)))]
    phases: dict[str, int] = {}
    for pod in pods:
        phase = pod.get("status", {}).get("phase", "Pending")
        phases[phase] = phases.get(phase, 0) + 1
    return Overview(
        nodes={objects.name(node): _readiness(node) for node in nodes},
        pods=phases,
        processes=len(pids),
        memory_mb=sum(map(_resident_mb, pids)),
    )


def _readiness(node: Obj) -> str:
    ready = conditions.find(node, "Ready") or {}
    word = "Ready" if ready.get("status") == "True" else "NotReady"
    return f"{word}, no new pods" if node.get("spec", {}).get("unschedulable") else word


def _resident_mb(pid: int) -> float:
    """Proportional set size: a page that several processes share counts a part for each (proc_pid_smaps(5))."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:")), 0.0)
