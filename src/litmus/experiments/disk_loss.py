"""disk-loss: detaches a disk of a cloud from a node's machine, and attaches it again as it was.

The experiment's pod talks to the cloud itself, with the credentials of the Secret ``cloud-secret``.
"""

import asyncio
import re
from collections.abc import Callable, Sequence
from typing import Any

from litmus import api
from litmus.api.targeting import AppTarget
from litmus.faults import contract
from litmus.faults.cloud import disk
from litmus.kube import Cluster, errors, kinds, reattach

from . import api_fault, platforms, selection, tunables, verdicts
from .context import Context, finished
from .declaration import SMALL_ROLE, Experiment, Permission
from .tunables import DURATION, RAMP, Tunable, Values

_AWS, _GCP = "AWS", "GKE"


def _platform(text: str) -> str:
    known = {"AWS": _AWS, "GKE": _GCP, "GCP": _GCP}
    if text.upper() not in known:
        raise ValueError("must be GKE or AWS")
    return known[text.upper()]


APP_CHECK = Tunable(
    name="APP_CHECK",
    default="true",
    read=tunables.boolean,
    allowed="true, false",
    help="Check the application and its neighbours before and after the chaos.",
)
PLATFORM = Tunable(
    name="CLOUD_PLATFORM",
    default="GKE",
    read=_platform,
    allowed="GKE, AWS (GCP means GKE)",
    help="The cloud that the disk is of.",
)
PROJECT = Tunable(name="PROJECT_ID", default="", read=str, help="Project of Google Cloud; empty for AWS.")
NODE = Tunable(
    name="NODE_NAME",
    default="",
    read=str,
    help="The node that has the disk; for AWS the id of an instance is taken too, for instance i-0123456789abcdef0.",
)
DISK = Tunable(
    name="DISK_NAME",
    default="",
    read=str,
    help="Name of the disk; for AWS the id of the volume. It must be attached to the node and not be its boot disk.",
)
ZONE = Tunable(
    name="ZONE_NAME", default="", read=str, help="Zone of the disk for Google Cloud; region or zone of it for AWS."
)
DEVICE = Tunable(
    name="DEVICE_NAME",
    default="",
    read=str,
    help="The device that the disk is attached as; another one is an Error, empty takes it as it is.",
)
CREDENTIALS = Tunable(
    name="AWS_SHARED_CREDENTIALS_FILE",
    default=disk.CREDENTIALS,
    read=str,
    help="File of the mounted Secret: credentials of AWS, or the key of a service account of Google Cloud.",
)
AWS_ENDPOINT = Tunable(
    name="AWS_ENDPOINT_URL", default="", read=str, help="Where the API of EC2 answers, instead of AWS itself."
)
GCP_ENDPOINT = Tunable(
    name="CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE",
    default="",
    read=str,
    help="Where the Compute Engine API answers, instead of Google itself.",
)

_READ_NODE = Permission(groups=("",), resources=("nodes",), verbs=("get",), reason="find the machine of a node")
_ZONE = re.compile(r"([a-z]{2}(?:-[a-z]+)+-\d+)[a-z]?")
_RAW_NODE: kinds.Kind[dict[str, Any]] = kinds.Kind("", "v1", "Node", "nodes", dict, False)
_RAW_POD: kinds.Kind[dict[str, Any]] = kinds.Kind("", "v1", "Pod", "pods", dict)


class DiskLoss(Experiment):
    name = "disk-loss"
    title = "Disk loss"
    help = "Detaches a disk from a node's machine on AWS or Google Cloud, and attaches it again as it was."
    breaks = "disk"
    blow = "detach"
    keywords = ("disk", "volume", "cloud", "AWS", "Google Cloud", "EBS")
    platforms = platforms.CLOUDS
    chaos_type = "infra"
    maturity = "beta"
    created = "2026-11-22T00:00:00Z"
    links = {"Kubernetes: persistent volumes": "https://kubernetes.io/docs/concepts/storage/persistent-volumes/"}
    scope = "Cluster"
    permissions = (SMALL_ROLE, _READ_NODE)
    uses = (_READ_NODE,)
    hits = "a disk of a machine at AWS or Google Cloud"
    secrets = {"cloud-secret": "/tmp/"}
    proof = "The cloud's own word: the disk is available and attached to no machine."
    undo = (
        "Attached again to the same machine as the same device, by the experiment, or by a pod with the same Secret "
        "that the operator sends. What the node had mounted has to be mounted again."
    )
    tunables = (
        DURATION.listed("15", default="15"),
        RAMP.listed(),
        APP_CHECK.listed("true"),
        PLATFORM.listed("GKE"),
        PROJECT.listed(),
        NODE.listed(),
        DISK.listed(),
        ZONE.listed(),
        DEVICE.listed(),
        CREDENTIALS,
        AWS_ENDPOINT,
        GCP_ENDPOINT,
    )

    def checks_application(self, values: Values) -> bool:
        return bool(values[APP_CHECK])

    async def foresee(
        self, cluster: Cluster, targets: Sequence[AppTarget], values: Values, *, seed: str
    ) -> selection.Prospect:
        """The disk, as the tunables name it: whoever plans has no credentials of the cloud."""
        place(values)
        await _machine(cluster, values)
        victim = selection.Victim(kind="Disk", name=values[DISK], node=values[NODE])
        return selection.Prospect(candidates=(victim,), first_round=(victim,))

    async def inject(self, context: Context) -> None:
        values, duration_s = context.values, float(context.values[DURATION])
        where = place(values)
        fault = disk.DiskLoss(
            fault_id=api_fault.fault_id(context),
            platform=values[PLATFORM],
            volume=values[DISK],
            instance=await _machine(context.cluster, values),
            device=values[DEVICE],
            place=where,
        )
        change = api_fault.Change(
            target=api.Target(name=values[DISK], kind="Disk", node=values[NODE], asked="detached from the machine"),
            undo=await _recipe(context, fault),
            put=lambda _cluster, _undo: _asked(fault.inject),
        )
        limit_s = duration_s + 2 * disk.SETTLE_S
        async with api_fault.changed(context, [change], mechanism="disk-loss", limit_s=limit_s) as held:
            await held.inject()
            proof = await _detached(fault)
            await context.start_chaos(duration_s)
            await held.proven([proof.delivered], hold_s=duration_s)
            await held.hold(lambda: _lost(fault))


def place(values: Values) -> dict[str, str]:
    """Where to ask. Raises CannotRun when a tunable is missing or is not of this cloud."""
    needed = (NODE, DISK, ZONE) if values[PLATFORM] == _AWS else (NODE, DISK, ZONE, PROJECT)
    for tunable in needed:
        if not values[tunable]:
            raise verdicts.CannotRun(
                f"{tunable.name}='': CLOUD_PLATFORM={values[PLATFORM]} needs it. {tunable.help}", code=verdicts.TUNABLE
            )
    if values[PLATFORM] == _GCP:
        where = {"project": values[PROJECT], "zone": values[ZONE], "endpoint": values[GCP_ENDPOINT]}
    else:
        region = _ZONE.fullmatch(values[ZONE])
        if region is None:
            raise verdicts.CannotRun(
                f"ZONE_NAME={values[ZONE]!r}: must be a region or zone of AWS, for instance us-east-1 or us-east-1a",
                code=verdicts.TUNABLE,
            )
        where = {"region": region[1], "endpoint": values[AWS_ENDPOINT]}
    return {key: value for key, value in (where | {"credentials": values[CREDENTIALS]}).items() if value}


async def _machine(cluster: Cluster, values: Values) -> str:
    """The machine of the node, in the words of its cloud. Google names both alike."""
    name: str = values[NODE]
    if values[PLATFORM] == _GCP or name.startswith("i-"):
        return name
    try:
        node = await cluster.get(_RAW_NODE, name)
    except errors.NotFound as error:
        raise verdicts.CannotRun(
            f"NODE_NAME={name!r}: neither a node of this cluster nor the id of an instance, i-…",
            code=verdicts.TARGET_SELECTION,
        ) from error
    provider = str(node["spec"].get("providerID", ""))
    if not provider.startswith("aws://"):
        raise verdicts.CannotRun(
            f"NODE_NAME={name!r}: the node is no machine of AWS (providerID {provider!r}); name the instance, i-…",
            code=verdicts.TARGET_SELECTION,
        )
    return provider.rpartition("/")[2]


async def _recipe(context: Context, fault: disk.DiskLoss) -> dict[str, Any]:
    """Asks the cloud what there is. Raises CannotRun when it is not what was named, before anything is touched."""
    pod = await context.cluster.get(_RAW_POD, context.setting.pod, namespace=context.setting.namespace)
    if bare := reattach.plain_text_secrets(pod):
        raise verdicts.CannotRun(
            f"{', '.join(bare)}: credentials in plain text can't be handed to who gives the disk back after a crash; "
            "put them into the Secret cloud-secret, or refer to a Secret with valueFrom",
            code=verdicts.TUNABLE,
        )
    try:
        plan = await asyncio.to_thread(fault.plan)
    except contract.FaultError as error:
        raise verdicts.CannotRun(str(error), code=verdicts.TARGET_SELECTION) from error
    return reattach.recipe(plan.undo, pod=pod)


async def _asked(work: Callable[[], Any]) -> Any:
    """Something that asks the cloud, in a thread, which is awaited to its end even when the run is aborted."""
    try:
        result, cancelled = await finished(asyncio.to_thread(work))
    except contract.FaultError as error:
        raise verdicts.CannotRun(str(error), code=verdicts.INJECT) from error
    if cancelled:
        raise cancelled
    return result


async def _detached(fault: disk.DiskLoss) -> contract.Proof:
    """Waits until the cloud says so. Raises CannotRun when it does not within three minutes."""
    last = ""
    try:
        async with asyncio.timeout(disk.SETTLE_S):
            while True:
                proof: contract.Proof = await _asked(fault.prove)
                if proof.holds:
                    return proof
                last = proof.delivered
                await asyncio.sleep(disk.POLL_S)
    except TimeoutError as error:
        raise verdicts.CannotRun(
            f"disk {fault.volume} was not detached within {disk.SETTLE_S:g} s; {last}", code=verdicts.INJECT
        ) from error


async def _lost(fault: disk.DiskLoss) -> str:
    """Why the fault holds no more, '' while it does."""
    try:
        await _asked(fault.tend)
    except verdicts.CannotRun as error:
        return str(error)
    return ""
