"""pod-io-stress: workers that write files in a container's file system, again and again, counted as the container's.

The original also ran as many workers that call sync(2), which stalls every file system of the node. Here each write of
the workers waits for the disk instead, so that only the container's own file system and its limits are stressed.
"""

from litmus.faults import processes, stress
from litmus.kube import helpers
from litmus.kube.objects import Pod

from . import held, pod_fault, tunables
from .stress_tunables import (
    FILESYSTEM_BYTES,
    FILESYSTEM_PERCENTAGE,
    IO_WORKERS,
    STRESS_RAMP,
    VOLUME_MOUNT_PATH,
    common,
    files,
)
from .tunables import AFFECTED, DURATION, NODE_LABEL, RAMP, SEQUENCE, TARGET_CONTAINER, TARGET_PODS, Values


class PodIoStress(pod_fault.PodFault):
    name = "pod-io-stress"
    title = "Pod IO stress"
    help = "Writes files inside the application's containers, so that they compete for their disk."
    breaks = "pod-storage"
    blow = "load"
    keywords = ("pod", "disk", "IO", "stress")
    maturity = "beta"
    created = "2026-11-22T00:00:00Z"
    links = {"Kubernetes: volumes": "https://kubernetes.io/docs/concepts/storage/volumes/"}
    mechanism = "io-stress"
    needs = helpers.Needs(capabilities=stress.CAPABILITIES)
    proof = "Bytes written, by the container's control group where the kernel counts them there: 1 MiB within 3 s."
    undo = (
        "The helper pod, its guardian or the operator ends every process with the fault's mark in its environment and "
        "removes the folder that they wrote in."
    )
    sandbox = "The sandbox has no control groups to work in."
    tunables = (
        DURATION.listed("120", default="60"),
        RAMP.listed(),
        FILESYSTEM_PERCENTAGE.listed(),
        FILESYSTEM_BYTES.listed(),
        IO_WORKERS.listed("4"),
        VOLUME_MOUNT_PATH.listed(),
        STRESS_RAMP,
        AFFECTED.listed(),
        TARGET_PODS.listed(),
        TARGET_CONTAINER,
        NODE_LABEL,
        SEQUENCE.listed("parallel"),
        tunables.ignored("STRESS_IMAGE"),
        tunables.ignored("SOCKET_PATH"),
        tunables.ignored("CONTAINER_RUNTIME"),
    )

    def aims(self, pod: Pod, values: Values) -> list[held.Aim]:
        size, path = files(values), values[VOLUME_MOUNT_PATH]
        what = f"{values[IO_WORKERS]} workers write {size.describe('the free space')} in {path or '/'}"
        target, status = pod_fault.container_of(pod, values, asked=what)
        parameters = {
            **common(values),
            **size.parameters(),
            "container_id": processes.bare_id(status.container_id),
            "workers": values[IO_WORKERS],
            "path": path,
        }
        return [held.Aim(target=target, parameters=parameters)]
