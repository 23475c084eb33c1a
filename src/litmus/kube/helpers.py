"""Helper pods: one per node, that run ``litmus fault`` beside the target and report in their termination message."""

import asyncio
import contextlib
from dataclasses import dataclass
from typing import Any

import msgspec

from litmus import api
from litmus.api import names

from . import engines, errors, kinds, waiting
from .cluster import Cluster
from .objects import Pod

# Pull, start and the work itself of a one-shot helper; a node that takes longer can't be trusted with a fault.
START_DEADLINE_S = 90.0
# How long a helper may take to put back what it changed after SIGTERM, before the kubelet ends it, in seconds.
REVERT_GRACE_S = 30
# Beside the start and the hold: time to prove and to revert, in seconds.
_WORK_MARGIN_S = 60
# Which helper pod carries which session; a pod that is sent after a crash finds the first one by it.
SESSION_LABEL = "litmuschaos.io/session"
# The containers of a helper pod.
CONTAINER, STANDBY = "fault", "standby"
JOURNALS = "/run/litmus"
CONTROL_GROUPS = "/sys/fs/cgroup"


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What a mechanism's helper pod needs of its node beyond the host's process namespace, as little as possible.

    ``holds``: the fault lasts and is undone, so there are a journal and a guardian, which leaves the pod's control
    groups. ``host_paths`` are mounted at the same path, writable.
    """

    capabilities: tuple[str, ...] = ()
    holds: bool = True
    host_paths: tuple[str, ...] = ()

    @property
    def mounts(self) -> tuple[str, ...]:
        return (*((CONTROL_GROUPS, JOURNALS) if self.holds else ()), *self.host_paths)

    def describe(self) -> tuple[str, ...]:
        """For people: the roles, the docs and ``litmus plan``."""
        capabilities = tuple(f"capability {name}" for name in self.capabilities)
        return ("hostPID", *capabilities, *(f"hostPath {path}" for path in self.mounts))


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """Where our own code is found: the image that the experiment itself runs from."""

    name: str
    pull_policy: str = "IfNotPresent"
    pull_secrets: tuple[str, ...] = ()


async def own_image(cluster: Cluster, *, pod: str, namespace: str) -> Image:
    """The image of the pod we run in. Raises NotFound when we do not run in a pod of this cluster."""
    spec = (await cluster.get(kinds.POD, pod, namespace=namespace)).spec
    container = spec.containers[0]
    return Image(
        name=container.image,
        pull_policy=container.image_pull_policy,
        pull_secrets=tuple(secret.name for secret in spec.image_pull_secrets),
    )


def manifest(
    engine: api.ChaosEngine,
    *,
    experiment: str,
    node: str,
    image: Image,
    request: object,
    needs: Needs,
    standby: object | None = None,
    hold_s: float = 0.0,
    session: str = "",
) -> dict[str, Any]:
    """The helper pod of one experiment on one node. ``hold_s``: how long its fault lasts, in seconds."""
    return {
        "metadata": metadata(engine, experiment=experiment, session=session),
        "spec": spec(node=node, image=image, request=request, standby=standby, needs=needs, hold_s=hold_s),
    }


def metadata(engine: api.ChaosEngine, *, experiment: str, session: str = "") -> dict[str, Any]:
    """A new name, and the labels and the owner by which the pod is found and removed."""
    labels = engines.labels(engine, names.HELPER_COMPONENT)
    labels |= {names.APP: f"{experiment}-helper", names.EXPERIMENT_LABEL: experiment}
    return {
        "name": f"{experiment}-helper-{names.random_suffix()}",
        "labels": labels | ({SESSION_LABEL: session} if session else {}),
        "ownerReferences": [engines.owner(engine)],
    }


def spec(
    *, node: str, image: Image, request: object, needs: Needs, standby: object | None = None, hold_s: float = 0.0
) -> dict[str, Any]:
    """A pod in the host's process namespace with what one mechanism needs and nothing else.

    ``standby``: the request of a second container, which stands by while the first one works.

    It tolerates every taint and is bound to its node directly: a fault may be the very reason why the scheduler would
    not place it. It mounts no service account token: a helper never talks to the API server.
    """
    volumes, mounts = _volumes(needs)
    return {
        "nodeName": node,
        "restartPolicy": "Never",
        "hostPID": True,
        "activeDeadlineSeconds": int(START_DEADLINE_S + (hold_s + _WORK_MARGIN_S if needs.holds else 0)),
        "terminationGracePeriodSeconds": REVERT_GRACE_S if needs.holds else 5,
        "automountServiceAccountToken": False,
        "tolerations": [{"operator": "Exists"}],
        "imagePullSecrets": [{"name": secret} for secret in image.pull_secrets],
        **({"volumes": volumes} if volumes else {}),
        "containers": [
            _container(name, image=image, request=wanted, needs=needs, mounts=mounts)
            for name, wanted in ((CONTAINER, request), (STANDBY, standby))
            if wanted is not None
        ],
    }


def _container(
    name: str, *, image: Image, request: object, needs: Needs, mounts: list[dict[str, Any]]
) -> dict[str, Any]:
    return {
        "name": name,
        "image": image.name,
        "imagePullPolicy": image.pull_policy,
        "command": ["litmus", "fault"],
        "args": [msgspec.json.encode(request).decode()],
        **({"volumeMounts": mounts} if mounts else {}),
        "securityContext": {
            "runAsUser": 0,
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"], "add": list(needs.capabilities)},
        },
    }


def _volumes(needs: Needs) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Mounts from the host, and writable places on a root file system that is not: /tmp, and /run for lock files."""
    if not needs.mounts:
        return [], []
    volumes: list[dict[str, Any]] = [{"name": name, "emptyDir": {}} for name in ("tmp", "run")]
    mounts: list[dict[str, Any]] = [{"name": name, "mountPath": f"/{name}"} for name in ("tmp", "run")]
    for number, path in enumerate(needs.mounts):
        kind = "DirectoryOrCreate" if path == JOURNALS else "Directory"
        volumes.append({"name": f"host-{number}", "hostPath": {"path": path, "type": kind}})
        mounts.append({"name": f"host-{number}", "mountPath": path})
    return volumes, mounts


async def create(cluster: Cluster, pod: dict[str, Any], *, namespace: str) -> None:
    """Its name is of its own: what is there already was made by us, and only the answer was lost."""
    with contextlib.suppress(errors.Conflict):
        await cluster.create(kinds.POD, pod, namespace=namespace)


async def run(cluster: Cluster, pod: dict[str, Any], *, namespace: str, again: bool = False) -> dict[str, Any]:
    """Runs one helper pod to its end and returns its report; the pod is removed whatever happens.

    ``again``: it is tried again under the same name when it is too slow, so a pod that has not started yet stays for
    the next try: a node that is slow to start pods is not sent more of them. Raises KubeError with the helper's own
    words, or the kubelet's, when there is no report.
    """
    name = pod["metadata"]["name"]
    remove = True
    try:
        await create(cluster, pod, namespace=namespace)
        node = pod["spec"]["nodeName"]
        return await waiting.until(
            cluster,
            kinds.POD,
            _report,
            namespace=namespace,
            name=name,
            what=f"helper pod {name} on node {node} to finish",
            deadline_s=START_DEADLINE_S,
        )
    except errors.TimedOut:
        remove = not again
        raise
    finally:
        if remove:
            await asyncio.shield(cluster.delete(kinds.POD, name, namespace=namespace, grace_s=0))


def _report(pods: list[Pod]) -> dict[str, Any] | None:
    if not pods:
        raise errors.NotFound("the helper pod was removed before it could report")
    pod = pods[0]
    status = pod.container(CONTAINER)
    ended = status.state.terminated if status else None
    if ended is None and pod.over:
        raise errors.KubeError(f"helper pod {pod.metadata.name} ended without a report: {pod.status.message}")
    if ended is None:
        stuck = stuck_reason(pod)
        if stuck:
            raise errors.KubeError(f"helper pod {pod.metadata.name} can't start: {stuck}")
        return None
    try:
        report: dict[str, Any] = msgspec.json.decode(ended.message, type=dict)
    except msgspec.DecodeError as error:
        raise errors.KubeError(
            f"helper pod {pod.metadata.name} ended with exit code {ended.exit_code}: {ended.message or ended.reason}"
        ) from error
    return report


_HOPELESS = (
    "ErrImageNeverPull",
    "InvalidImageName",
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
)
# Not the first failure of a pull, ErrImagePull, which may be a hiccup of the registry: what follows it.
_PULL_FAILURES = ("ImagePullBackOff",)


def stuck_reason(pod: Pod) -> str:
    """Why a pod can never start by itself, '' if it still may: a wrong image name, a missing ConfigMap or Secret."""
    for status in pod.status.container_statuses:
        waiting_state = status.state.waiting
        if waiting_state and waiting_state.reason in (*_HOPELESS, *_PULL_FAILURES):
            return f"{waiting_state.reason}: {waiting_state.message}"
    return ""
