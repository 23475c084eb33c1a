"""Waiting until the operator or a component works, and saying meanwhile what keeps it from it."""

import asyncio
import sys
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass

from litmus.api import ObjectMeta, Shape, names
from litmus.kube import Cluster, errors, helpers, kinds, waiting
from litmus.kube.objects import Condition, Pod

from . import manifests

_LOG_LINES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Awaited:
    """A Deployment that is waited for, and what it is called in a sentence."""

    called: str
    deployment: str
    labels: Mapping[str, str]

    @property
    def selector(self) -> str:
        """Its pods, as kubectl selects them."""
        return ",".join(f"{key}={value}" for key, value in self.labels.items())


OPERATOR = Awaited(called="the operator", deployment=names.OPERATOR_NAME, labels=manifests.POD_LABELS)


class _Spec(Shape, frozen=True, kw_only=True):
    replicas: int = 1


class _Status(Shape, frozen=True, kw_only=True):
    observed_generation: int = 0
    replicas: int = 0
    updated_replicas: int = 0
    ready_replicas: int = 0
    conditions: list[Condition] = []


class Deployment(Shape, frozen=True, kw_only=True):
    """As much of a Deployment as tells whether its rollout is done."""

    metadata: ObjectMeta = ObjectMeta()
    spec: _Spec = _Spec()
    status: _Status = _Status()

    @property
    def rolled_out(self) -> bool:
        """Every pod is of the newest form and ready, and none of an older form is left."""
        status, wanted = self.status, self.spec.replicas
        current = status.observed_generation >= self.metadata.generation
        return current and status.updated_replicas == status.ready_replicas == status.replicas == wanted


_DEPLOYMENT = kinds.Kind("apps", "v1", "Deployment", "deployments", Deployment)


async def until_ready(cluster: Cluster, awaited: Awaited, *, namespace: str, image: str, deadline_s: float) -> None:
    """Returns when it is ready. What keeps it from that goes to standard error as soon as it is known.

    Raises TimedOut with it after ``deadline_s``.
    """
    said = ""
    try:
        async with (
            asyncio.timeout(deadline_s),
            aclosing(waiting.follow(cluster, _DEPLOYMENT, namespace=namespace, name=awaited.deployment)) as states,
        ):
            async for deployments in states:
                if deployments and deployments[0].rolled_out:
                    return
                reason = await blocked_by(cluster, awaited, deployments, namespace=namespace, image=image)
                if reason and reason != said:
                    said = reason
                    print(f"waiting for {awaited.called}: {reason}", file=sys.stderr, flush=True)
    except TimeoutError:
        raise errors.TimedOut(
            f"{awaited.called} is not ready after {deadline_s:g} s: {said or 'its pod has not started yet'}. What was "
            "applied stays and goes on trying; look at it with: "
            f"kubectl -n {namespace} describe pods -l {awaited.selector}"
        ) from None


async def blocked_by(
    cluster: Cluster, awaited: Awaited, deployments: list[Deployment], *, namespace: str, image: str
) -> str:
    """Why it is not ready, '' while it is simply on its way."""
    for condition in deployments[0].status.conditions if deployments else ():
        if condition.type == "ReplicaFailure" and condition.status == "True":
            return f"its pod can't be created: {condition.message}"
    pods = await cluster.select(kinds.POD, namespace=namespace, labels=awaited.selector)
    for pod in pods:
        if pod.metadata.deletion_timestamp is None and image in [c.image for c in pod.spec.containers]:
            reason = stuck(pod)
            if reason.startswith("CrashLoopBackOff"):
                reason += f"; its last words: {await _last_words(cluster, pod)}"
            if reason:
                return reason
    return ""


def stuck(pod: Pod) -> str:
    """What the scheduler or the kubelet says about a pod that does not get ready, '' if nothing yet."""
    for condition in pod.status.conditions:
        if condition.type == "PodScheduled" and condition.status == "False":
            return f"no node for it: {condition.message}"
    reason = helpers.stuck_reason(pod)
    if reason:
        hint = f"; is {pod.spec.containers[0].image} in a registry that the nodes reach? See --image"
        return reason + (hint if "Pull" in reason else "")
    for status in pod.status.container_statuses:
        waits = status.state.waiting
        if waits and waits.reason == "CrashLoopBackOff":
            return f"CrashLoopBackOff: {waits.message}"
    return ""


async def _last_words(cluster: Cluster, pod: Pod) -> str:
    try:
        lines = await cluster.logs(pod.metadata.name, namespace=pod.metadata.namespace, tail_lines=_LOG_LINES)
    except errors.KubeError as error:
        return f"(its log can't be read: {error})"
    return " / ".join(line.strip() for line in lines) or "none"
