"""pod-memory-hog: workers that hold memory in a container's control groups, so that its limit acts."""

from litmus.faults import processes, stress
from litmus.kube import helpers
from litmus.kube.objects import Pod

from . import held, pod_fault, tunables, verdicts
from .stress_tunables import MEMORY_CONSUMPTION, MEMORY_WORKERS, MIB, STRESS_RAMP, common
from .tunables import AFFECTED, DURATION, NODE_LABEL, RAMP, SEQUENCE, TARGET_CONTAINER, TARGET_PODS, Values


class PodMemoryHog(pod_fault.PodFault):
    name = "pod-memory-hog"
    title = "Pod memory hog"
    help = "Holds memory inside the application's containers, so that they come near their limit or reach it."
    breaks = "pod-memory"
    blow = "load"
    keywords = ("pod", "memory", "stress", "OOM", "limit")
    maturity = "beta"
    created = "2026-11-22T00:00:00Z"
    links = {
        "Kubernetes: resources of containers": "https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/"
    }
    mechanism = "memory-stress"
    needs = helpers.Needs(capabilities=stress.CAPABILITIES)
    proof = (
        "Resident memory of the container's control group: it rises by 80 % of what is asked, or to 90 % of the limit, "
        "or the kernel's OOM killer strikes. A container that ends by it counts as hit."
    )
    undo = "The helper pod, its guardian or the operator ends every process with the fault's mark in its environment."
    sandbox = "The sandbox has no control groups to work in."
    tunables = (
        DURATION.listed("60"),
        RAMP.listed(),
        MEMORY_CONSUMPTION.listed("500"),
        MEMORY_WORKERS,
        STRESS_RAMP,
        AFFECTED.listed(),
        TARGET_PODS.listed(),
        TARGET_CONTAINER.listed(),
        NODE_LABEL,
        SEQUENCE.listed("parallel"),
        tunables.ignored("CHAOS_INTERVAL"),
        tunables.ignored("CHAOS_KILL_COMMAND"),
        tunables.ignored("STRESS_IMAGE"),
        tunables.ignored("SOCKET_PATH"),
        tunables.ignored("CONTAINER_RUNTIME"),
    )

    def aims(self, pod: Pod, values: Values) -> list[held.Aim]:
        size = values[MEMORY_CONSUMPTION]
        if size is None:
            raise verdicts.CannotRun(f"{MEMORY_CONSUMPTION.name}='0': must be above 0", code=verdicts.TUNABLE)
        target, status = pod_fault.container_of(pod, values, asked=f"{size / MIB:.0f} MiB of memory")
        parameters = {
            **common(values),
            "container_id": processes.bare_id(status.container_id),
            "workers": values[MEMORY_WORKERS],
            "bytes": size,
        }
        return [held.Aim(target=target, parameters=parameters)]
