"""Memory and CPU of the node's containers: the sums over their processes, found by the mark in their environment.

Source: the kubelet's Summary API (k8s.io/kubelet/pkg/apis/stats/v1alpha1). Memory is resident memory less what is
shared with other processes (programs and libraries), for in a real container those would be counted once.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from litmus.sandbox.machinery import objects
from litmus.sandbox.machinery.objects import Obj

from . import processes
from .processes import Usage
from .worker import Worker


@dataclass(slots=True)
class Sampler:
    """``mark``: the node's folder. Remembers the latest sample, for CPU is a rate."""

    mark: str
    _before: dict[str, tuple[float, datetime]] = field(default_factory=dict)

    def measure(self) -> dict[str, Usage]:
        """Container id → what its processes use now. Reads /proc: call it in a thread."""
        found: dict[str, Usage] = {}
        for member in processes.marked(processes.NODE, self.mark):
            found[member.container] = found.get(member.container, Usage()) + processes.usage(member.pid)
        return found

    def summary(self, node: str, workers: Iterable[Worker], used: dict[str, Usage], *, started: datetime) -> Obj:
        """The answer of ``/stats/summary``."""
        now = datetime.now(UTC)
        pods = [self._pod(worker, used, now) for worker in workers]
        total = sum(used.values(), processes.usage(os.getpid()))
        latest = {container: (usage.cpu_s, now) for container, usage in used.items()}
        entry = {"nodeName": node, "startTime": objects.timestamp(started), **self._figures("", total, now)}
        self._before = latest | {"": (total.cpu_s, now)}
        return {"node": entry, "pods": pods}

    def _pod(self, worker: Worker, used: dict[str, Usage], now: datetime) -> Obj:
        containers, total = [], Usage()
        for name, keeper in worker.keepers.items():
            run = keeper.run
            if run is None or run.container.exit is not None:
                continue
            usage = used.get(run.container.id, Usage())
            total += usage
            started = objects.timestamp(run.container.started_at)
            containers.append({"name": name, "startTime": started, **self._figures(run.container.id, usage, now)})
        reference = {
            "name": objects.name(worker.obj),
            "namespace": objects.namespace(worker.obj),
            "uid": objects.uid(worker.obj),
        }
        rate = sum(one["cpu"].get("usageNanoCores", 0) for one in containers)
        figures = self._figures("no sample of a pod is kept", total, now)
        figures["cpu"]["usageNanoCores"] = rate
        return {"podRef": reference, "startTime": worker.started_at, "containers": containers, **figures}

    def _figures(self, key: str, usage: Usage, now: datetime) -> Obj:
        time = objects.timestamp(now)
        cpu: Obj = {"time": time, "usageCoreNanoSeconds": int(usage.cpu_s * 1e9)}
        before = self._before.get(key)
        if before and (now - before[1]).total_seconds() > 0:
            cpu["usageNanoCores"] = max(0, int((usage.cpu_s - before[0]) / (now - before[1]).total_seconds() * 1e9))
        private = max(0, usage.rss - usage.shared)
        memory = {"time": time, "usageBytes": usage.rss, "workingSetBytes": private, "rssBytes": private}
        return {"cpu": cpu, "memory": memory}
