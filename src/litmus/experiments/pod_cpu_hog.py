"""pod-cpu-hog: workers that compute in a container's control groups, so that its limit throttles both alike."""

from litmus.faults import processes, stress
from litmus.kube import helpers
from litmus.kube.objects import Pod

from . import held, pod_fault, tunables
from .stress_tunables import CPU_CORES, CPU_LOAD, STRESS_RAMP, common
from .tunables import AFFECTED, DURATION, NODE_LABEL, RAMP, SEQUENCE, TARGET_CONTAINER, TARGET_PODS, Values


class PodCpuHog(pod_fault.PodFault):
    name = "pod-cpu-hog"
    title = "Pod CPU hog"
    help = "Computes inside the application's containers, so that they compete for processor time within their limits."
    breaks = "pod-processor"
    blow = "load"
    keywords = ("pod", "CPU", "stress", "throttling", "limit")
    maturity = "beta"
    created = "2026-11-22T00:00:00Z"
    links = {
        "Kubernetes: resources of containers": "https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/"
    }
    mechanism = "cpu-stress"
    needs = helpers.Needs(capabilities=stress.CAPABILITIES)
    proof = (
        "CPU seconds per second of the workers and of the container's control group: 75 % of what is asked, or 90 % of "
        "the limit, or a node with less than 10 % idle time."
    )
    undo = "The helper pod, its guardian or the operator ends every process with the fault's mark in its environment."
    sandbox = "The sandbox has no control groups to work in."
    tunables = (
        DURATION.listed("60", default="60"),
        RAMP.listed(),
        CPU_CORES.listed("1"),
        CPU_LOAD.listed("100"),
        STRESS_RAMP,
        AFFECTED.listed(),
        TARGET_PODS.listed(),
        TARGET_CONTAINER.listed(),
        NODE_LABEL,
        SEQUENCE.listed("parallel"),
        tunables.ignored("CHAOS_INTERVAL"),
        tunables.ignored("CHAOS_INJECT_COMMAND"),
        tunables.ignored("CHAOS_KILL_COMMAND"),
        tunables.ignored("STRESS_IMAGE"),
        tunables.ignored("SOCKET_PATH"),
        tunables.ignored("CONTAINER_RUNTIME"),
    )

    def aims(self, pod: Pod, values: Values) -> list[held.Aim]:
        workers, load = values[CPU_CORES], values[CPU_LOAD]
        what = f"{workers} workers" if workers else "a worker for each processor that it may use"
        target, status = pod_fault.container_of(pod, values, asked=f"{what}, {load:g} % busy")
        parameters = {
            **common(values),
            "container_id": processes.bare_id(status.container_id),
            "workers": workers,
            "load_percent": load,
        }
        return [held.Aim(target=target, parameters=parameters)]
