"""disk-fill: a file of real blocks in a container, up to a share of its ephemeral-storage limit or of its disk.

If the kubelet evicts the pod for what it takes of its disk, that is an effect of the fault and no failure of ours: the
file is gone with the pod, and the checks after the chaos tell whether the application held.
"""

from litmus.faults import processes
from litmus.kube import errors, helpers, kinds, quantities
from litmus.kube.objects import Pod

from . import held, pod_fault, tunables, verdicts
from .context import Context
from .tunables import AFFECTED, DURATION, NODE_LABEL, RAMP, SEQUENCE, TARGET_CONTAINER, TARGET_PODS, Values

MIB = 2**20
_DEFAULT_PERCENT = 80.0
_MOST_MIB = 2**40


def _share(text: str) -> float | None:
    """Percent; empty or 0 is none."""
    what = "a percentage from 1 to 100, and no range"
    return tunables.number(text, least=1, most=100, what=what, ranges=False).low if text not in ("", "0") else None


def _mebibytes(text: str) -> int | None:
    """Mebibytes, as bytes; empty or 0 is none."""
    if text in ("", "0"):
        return None
    if not (text.isascii() and text.isdecimal()) or int(text) > _MOST_MIB:
        raise ValueError("must be a whole number of mebibytes above 0, without a unit, such as 500")
    return int(text) * MIB


def _folder(text: str) -> str:
    if not text.startswith("/") or ".." in text.split("/"):
        raise ValueError("must be the absolute path of a folder in the container, such as /data")
    return text


# The chart lists no percentage, though the original's does: else whoever sets mebibytes would have given both.
FILL_PERCENTAGE = tunables.Tunable(
    name="FILL_PERCENTAGE",
    default="",
    unit="%",
    read=_share,
    allowed="1 to 100; not together with EPHEMERAL_STORAGE_MEBIBYTES",
    help="How full it gets: of the container's ephemeral-storage limit, with what it has already written; without a "
    "limit, of its whole file system. 80 if no size is given at all; above 95 of a file system only if it says so.",
)
MEBIBYTES = tunables.Tunable(
    name="EPHEMERAL_STORAGE_MEBIBYTES",
    default="",
    unit="MiB",
    read=_mebibytes,
    allowed="a whole number; not together with FILL_PERCENTAGE",
    help="How much is written, instead of a percentage.",
)
FILL_PATH = tunables.Tunable(
    name="FILL_PATH",
    default="/",
    read=_folder,
    allowed="an absolute path",
    help="Folder in the container where the file is made; that of a volume fills the volume.",
)


class DiskFill(pod_fault.PodFault):
    name = "disk-fill"
    title = "Disk fill"
    help = "Fills the ephemeral storage of the application's containers, up to a share of their limit or of the disk."
    breaks = "pod-storage"
    blow = "fill"
    keywords = ("pod", "disk", "ephemeral storage", "eviction")
    maturity = "beta"
    created = "2026-11-22T00:00:00Z"
    links = {
        "Kubernetes: ephemeral storage": "https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/#local-ephemeral-storage"
    }
    scope = "Cluster"
    mechanism = "fill"
    needs = helpers.Needs(capabilities=("DAC_OVERRIDE", "SYS_ADMIN", "SYS_PTRACE"))
    proof = (
        "The blocks that the file takes, 98 % of what is asked at least, and the file system's use before and after."
    )
    undo = "The file is removed by the helper pod, its guardian or the operator, also when its container has ended."
    sandbox = "The files of the sandbox are those of your machine, which must not be filled."
    tunables = (
        TARGET_CONTAINER.listed(),
        FILL_PERCENTAGE.listed(),
        MEBIBYTES.listed(),
        FILL_PATH,
        DURATION.listed("60", default="60"),
        RAMP.listed(),
        TARGET_PODS.listed(),
        AFFECTED.listed(),
        NODE_LABEL,
        SEQUENCE.listed("parallel"),
        tunables.ignored("DATA_BLOCK_SIZE"),
        tunables.ignored("CONTAINER_PATH"),
        tunables.ignored("SOCKET_PATH"),
        tunables.ignored("CONTAINER_RUNTIME"),
    )

    def aims(self, pod: Pod, values: Values) -> list[held.Aim]:
        share, size = values[FILL_PERCENTAGE], values[MEBIBYTES]
        if share and size:
            raise verdicts.CannotRun(
                f"FILL_PERCENTAGE={share:g} and EPHEMERAL_STORAGE_MEBIBYTES={size // MIB} can't both be given; set one "
                "of them, and the other one to 0",
                code=verdicts.TUNABLE,
            )
        if not size:
            share = share or _DEFAULT_PERCENT
        status = pod_fault.running_container(pod, values[TARGET_CONTAINER])
        limit = _limit(pod, status.name)
        where = "" if values[FILL_PATH] == "/" else f" in {values[FILL_PATH]}"
        of = f"its limit of {limit / MIB:.0f} MiB" if limit else "its file system"
        asked = f"{size // MIB} MiB{where}" if size else f"{share:g} % of {of}{where}"
        target, _ = pod_fault.container_of(pod, values, asked=asked)
        parameters = {
            "container_id": processes.bare_id(status.container_id),
            "percentage": share or 0.0,
            "size": size or 0,
            "limit": limit,
            "path": values[FILL_PATH],
        }
        return [held.Aim(target=target, parameters=parameters)]

    async def inject(self, context: Context) -> None:
        await super().inject(context)
        for place, target in enumerate(context.hit):
            if why := await _evicted(context, target.namespace, target.name, target.uid):
                context.measured(place, delivered=f"{target.delivered}; the kubelet evicted the pod: {why}")


def _limit(pod: Pod, container: str) -> int:
    """The ephemeral-storage limit in bytes, 0 without one."""
    text = next(
        (c.resources.limits.get("ephemeral-storage", "") for c in pod.spec.containers if c.name == container), ""
    )
    return quantities.whole(text) if text else 0


async def _evicted(context: Context, namespace: str, name: str, uid: str) -> str:
    """The kubelet's reason; '' for a pod that was not evicted, or is gone."""
    try:
        pod = await context.cluster.find(kinds.POD, name, namespace=namespace)
    except errors.KubeError:
        return ""
    evicted = pod is not None and pod.metadata.uid == uid and pod.status.reason == "Evicted"
    return (pod.status.message or "Evicted") if pod and evicted else ""
