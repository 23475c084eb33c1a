"""Health of the application and of its neighbours, before and after the chaos (the AUT check of the reference, 4.2)."""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing

from litmus.api import targeting
from litmus.kube import Cluster, errors, kinds, waiting, workloads
from litmus.kube.objects import Node, Pod

from . import verdicts

# With a timeout of 0 the application is looked at once; an answer may take this long, in seconds.
_ONE_LOOK_S = 2.0


def complaint(pods: Sequence[Pod]) -> str:
    """What is wrong with an application's pods, '' if they all run with every container ready."""
    if not pods:
        return "no pod is left"
    sick = [pod for pod in pods if not pod.ready]
    if not sick:
        return ""
    shown = ", ".join(f"{pod.metadata.name} {_state(pod)}" for pod in sick[:5])
    more = f" and {len(sick) - 5} more" if len(sick) > 5 else ""
    return f"{len(pods) - len(sick)} of {len(pods)} pods are ready; not ready: {shown}{more}"


def _state(pod: Pod) -> str:
    if pod.metadata.deletion_timestamp:
        return "is being deleted"
    for container in pod.status.container_statuses:
        if container.state.waiting:
            return f"waits ({container.state.waiting.reason})"
        if container.state.terminated:
            return f"ended ({container.state.terminated.reason})"
    return f"is {pod.status.phase or 'not scheduled'}"


async def healthy(cluster: Cluster, targets: Sequence[targeting.AppTarget], *, timeout_s: float) -> None:
    """Waits until every application is healthy. Raises CheckFailed with the pods that are not, after ``timeout_s``."""
    for target in targets:
        await _healthy(cluster, target, timeout_s=timeout_s)


async def _healthy(cluster: Cluster, target: targeting.AppTarget, *, timeout_s: float) -> None:
    last = "it was not looked at"
    try:
        async with (
            asyncio.timeout(max(timeout_s, _ONE_LOOK_S)),
            aclosing(waiting.follow(cluster, kinds.POD, namespace=target.namespace, labels=target.labels)) as states,
        ):
            async for pods in states:
                # Completed pods of a Job that shares the label are no part of a service.
                own = [pod for pod in pods if workloads.belongs(pod, target)]
                last = complaint(own)
                if not last:
                    return
    except TimeoutError:
        raise verdicts.CheckFailed(
            f"{target.describe()} was not healthy within {timeout_s:g} s: {last}", code=verdicts.STATUS_CHECKS
        ) from None
    except errors.Forbidden as error:
        raise verdicts.CannotRun(
            f"the health of {target.describe()} can't be checked: {error}; grant list on pods there",
            code=verdicts.PERMISSION,
        ) from error


async def nodes_ready(cluster: Cluster, nodes: Sequence[Node], *, timeout_s: float) -> None:
    """Waits until the nodes are Ready. Raises CheckFailed with the nodes that are not, after ``timeout_s``."""
    wanted = {node.metadata.name for node in nodes}

    def sick(seen: list[Node]) -> list[str]:
        return sorted(wanted - {node.metadata.name for node in seen if node.ready})

    last = sorted(wanted)
    try:
        async with (
            asyncio.timeout(max(timeout_s, _ONE_LOOK_S)),
            aclosing(waiting.follow(cluster, kinds.NODE, namespace="")) as states,
        ):
            async for seen in states:
                last = sick(seen)
                if not last:
                    return
    except TimeoutError:
        raise verdicts.CheckFailed(
            f"node {', '.join(last)} was not Ready within {timeout_s:g} s", code=verdicts.STATUS_CHECKS
        ) from None
