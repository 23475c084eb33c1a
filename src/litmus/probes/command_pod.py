"""A cmdProbe in an image of its own: each evaluation is a short pod whose main process is the command.

The original starts a pod that sleeps and runs the command in it by exec. The smallest role in the field has no
``pods/exec``, and a connection that lasts does not survive an API server that restarts; a pod does, and is started
within two or three seconds where its image is there. That way needs to create, list and delete pods and to read their
logs, nothing else. The time of the command counts from its start; pulling and starting have ``start_s``.

The log has the standard output alone: the standard error goes to the pod's termination message, whose last line is what
a failure is told by. What 3.x calls the source's ``command`` and ``args`` - there the main process, which the probe's
command finds running - is started beside it.
"""

import asyncio
import time
from typing import Any

import msgspec

from litmus.kube import errors, helpers, kinds, waiting
from litmus.kube.objects import ContainerStatus, Pod

from . import comparators, pods, shell
from .command import observation
from .contract import Observation, ProbeError, Surroundings
from .sources import Source

CONTAINER = "probe"
# Lines of the log that are read.
_LINES = 10_000
# The words after it are $0, the probe's command, and what runs beside it.
SCRIPT = (
    'if [ -w /dev/termination-log ]; then exec 2>/dev/termination-log; fi; [ $# -eq 0 ] || "$@" >/dev/null 2>&1 & '
    'exec /bin/sh -c "$0"'
)
_TOKENS = "/var/run/secrets/kubernetes.io/serviceaccount"
_SPARE_S = 10


class InPod:
    """Runs the command in a pod of the source's image."""

    start_s = pods.START_DEADLINE_S

    def __init__(self, command: str, comparator: comparators.Check, source: Source, surroundings: Surroundings) -> None:
        self._command = command
        self._comparator = comparator
        self._source = source
        self._surroundings = surroundings
        self._inherited: dict[str, Any] | None = None

    async def once(self, *, timeout_s: float) -> Observation:
        """``at`` is when the command was seen to run, ``timeout_s`` counts from there."""
        wanted = manifest(
            self._surroundings,
            self._source,
            self._command,
            inherited=await self._to_inherit(),
            lifetime_s=int(pods.START_DEADLINE_S + timeout_s) + _SPARE_S,
        )
        name = str(wanted["metadata"]["name"])
        try:
            await pods.create(self._surroundings, wanted)
            at, ended = await self._followed(name, timeout_s)
            return observation(ended, self._comparator, at=at, timeout_s=timeout_s, took_ms=None)
        except errors.KubeError as error:
            raise ProbeError(f"the probe's pod {name} can't be followed: {error}") from error
        finally:
            cluster, namespace = self._surroundings.cluster, self._surroundings.namespace
            await asyncio.shield(pods.remove(cluster, name, namespace=namespace))

    async def aclose(self) -> None:
        """Each pod went with its evaluation."""

    async def _to_inherit(self) -> dict[str, Any]:
        if not self._source.inherit_inputs:
            return {}
        if self._inherited is None:
            self._inherited = inherited(await pods.own_pod(self._surroundings))
        return self._inherited

    async def _followed(self, name: str, timeout_s: float) -> tuple[float, shell.Ended]:
        """When the command began, and how it ended."""
        await self._until(name, _begun, what="to start", deadline_s=pods.START_DEADLINE_S)
        at = time.time()
        try:
            ended = await self._until(name, _ended, what="to end", deadline_s=timeout_s)
        except errors.TimedOut:
            return at, shell.Ended(status=None, output="", errors="")
        done = ended.state.terminated
        assert done is not None
        if done.reason in ("ContainerCannotRun", "StartError"):
            raise ProbeError(
                f"the probe's command can't be started in {self._source.image}: {done.message or done.reason}; "
                "the image needs /bin/sh"
            )
        output = "" if done.exit_code else await self._output(name)
        return at, shell.Ended(status=done.exit_code, output=output, errors=done.message or done.reason)

    async def _output(self, name: str) -> str:
        try:
            lines = await self._surroundings.cluster.logs(
                name, namespace=self._surroundings.namespace, tail_lines=_LINES
            )
        except errors.Forbidden as error:
            raise ProbeError(
                f"the output of the probe's pod can't be read: {error}; add get on pods/log to the role"
            ) from error
        return "\n".join(lines)[: shell.LARGEST].strip()

    async def _until(self, name: str, look: Any, *, what: str, deadline_s: float) -> ContainerStatus:
        found: ContainerStatus = await waiting.until(
            self._surroundings.cluster,
            kinds.POD,
            look,
            namespace=self._surroundings.namespace,
            name=name,
            what=f"probe pod {name} {what}",
            deadline_s=deadline_s,
        )
        return found


def _begun(found: list[Pod]) -> ContainerStatus | None:
    """Raises ProbeError where it never will."""
    pod = _there(found)
    if stuck := helpers.stuck_reason(pod):
        raise ProbeError(f"the probe's pod {pod.metadata.name} can't start: {stuck}")
    status = pod.container(CONTAINER)
    if status is None or not (status.state.running or status.state.terminated):
        if pod.over:
            raise ProbeError(f"the probe's pod {pod.metadata.name} could not start: {_why(pod)}")
        return None
    return status


def _ended(found: list[Pod]) -> ContainerStatus | None:
    pod = _there(found)
    status = pod.container(CONTAINER)
    if status is not None and status.state.terminated is not None:
        return status
    if pod.over:
        raise ProbeError(f"the probe's pod {pod.metadata.name} was ended: {_why(pod)}")
    return None


def _there(found: list[Pod]) -> Pod:
    if not found:
        raise ProbeError("the probe's pod was removed before its command had ended")
    return found[0]


def _why(pod: Pod) -> str:
    return pod.status.message or pod.status.reason or pod.status.phase


def manifest(
    surroundings: Surroundings, source: Source, command: str, *, inherited: dict[str, Any], lifetime_s: int
) -> dict[str, Any]:
    """The pod of one evaluation. ``inherited``: of the experiment's own pod; the source has the last word."""
    metadata = pods.metadata(surroundings, "probe")
    # Ours last: by them the pod is found, and kept from being taken for the application.
    metadata["labels"] = source.labels | metadata["labels"]
    if source.annotations:
        metadata["annotations"] = source.annotations
    beside = [*(source.command or (["/bin/sh"] if source.args else [])), *source.args]
    env = {one["name"]: one for one in (*inherited.get("env", ()), *msgspec.to_builtins(source.env))}
    container: dict[str, Any] = {
        "name": CONTAINER,
        "image": source.image,
        "command": ["/bin/sh", "-c", SCRIPT, command, *beside],
        "env": list(env.values()),
        "volumeMounts": _merged(inherited.get("volumeMounts", []), source.volume_mount, key="mountPath"),
    }
    if source.image_pull_policy:
        container["imagePullPolicy"] = source.image_pull_policy
    if source.privileged:
        container["securityContext"] = {"privileged": True}
    spec: dict[str, Any] = {
        "restartPolicy": "Never",
        "activeDeadlineSeconds": lifetime_s,
        "terminationGracePeriodSeconds": 2,
        "containers": [container],
        "volumes": _merged(inherited.get("volumes", []), source.volumes, key="name"),
        "nodeSelector": source.node_selector,
        "tolerations": msgspec.to_builtins(source.tolerations),
        "imagePullSecrets": msgspec.to_builtins(source.image_pull_secrets) or inherited.get("imagePullSecrets", []),
    }
    if inherited.get("envFrom"):
        container["envFrom"] = inherited["envFrom"]
    if source.host_network:
        spec |= {"hostNetwork": True, "dnsPolicy": "ClusterFirstWithHostNet"}
    if surroundings.service_account:
        spec["serviceAccountName"] = surroundings.service_account
    return {"metadata": metadata, "spec": spec}


def inherited(pod: dict[str, Any]) -> dict[str, Any]:
    """What ``inheritInputs`` takes over: environment, volumes, pull secrets; not the token, given anew."""
    spec = pod.get("spec") or {}
    container = (spec.get("containers") or [{}])[0]
    tokens = {one["name"] for one in container.get("volumeMounts") or [] if one.get("mountPath") == _TOKENS}
    return {
        "env": container.get("env") or [],
        "envFrom": container.get("envFrom") or [],
        "volumeMounts": [one for one in container.get("volumeMounts") or [] if one["name"] not in tokens],
        "volumes": [one for one in spec.get("volumes") or [] if one["name"] not in tokens],
        "imagePullSecrets": spec.get("imagePullSecrets") or [],
    }


def _merged(first: list[Any], last: list[Any], *, key: str) -> list[Any]:
    """Both lists; of two entries with the same key the last."""
    return list({one.get(key): one for one in (*first, *last)}.values())
