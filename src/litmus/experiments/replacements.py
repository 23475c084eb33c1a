"""Hitting what takes the place of a target that ends in the middle of its fault: tunable HIT_REPLACEMENTS.

Without it a fault that loses its target is over for that target: who comes next was in no plan, and is spared.
"""

import logging
from typing import TYPE_CHECKING

from litmus import api
from litmus.kube import errors, kinds, waiting, workloads
from litmus.kube.objects import Pod

from . import held, verdicts
from .context import Context, task_group

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .pod_fault import PodFault

log = logging.getLogger(__name__)

# A replacement that comes with less time left than this, in seconds, is not worth a helper pod.
_LEAST_S = 1.0


async def hold(context: Context, experiment: "PodFault", aims: "Sequence[held.Aim]") -> None:
    """As ``held.hold``, and for the rest of the time on the pods that replace targets. Raises what that raises."""
    known = {
        pod.metadata.uid for target in context.setting.targets for pod in await workloads.pods(context.cluster, target)
    }

    async with task_group() as group:

        def gone(target: api.Target) -> None:
            group.create_task(replace(target))

        async def replace(target: api.Target) -> None:
            next_aims = await _next_aims(context, experiment, target, known)
            left_s = context.chaos_ends - context.now
            if not next_aims or left_s < _LEAST_S:
                return
            replacement = next_aims[0].target.name
            log.info("hitting a replacement", extra={"gone": target.name, "replacement": replacement})
            await held.hold(context, experiment, next_aims, duration_s=left_s, gone=gone)

        await held.hold(context, experiment, aims, gone=gone)


async def _next_aims(context: Context, experiment: "PodFault", target: api.Target, known: set[str]) -> "list[held.Aim]":
    """A new pod of the application in the target's namespace, as soon as it can be hit; none if none comes in time.

    It is known from then on, so that two targets never get the same one.
    """

    def look(pods: list[Pod]) -> "list[held.Aim] | None":
        for pod in pods:
            ours = any(workloads.belongs(pod, app) for app in context.setting.targets)
            if ours and pod.metadata.uid not in known and pod.metadata.deletion_timestamp is None:
                try:
                    found = experiment.aims(pod, context.values)
                except verdicts.CannotRun:
                    continue  # the container that is meant does not run yet, whatever runs beside it
                known.add(pod.metadata.uid)
                return found
        return None

    labels = {app.labels for app in context.setting.targets if app.namespace == target.namespace}
    try:
        return await waiting.until(
            context.cluster,
            kinds.POD,
            look,
            namespace=target.namespace,
            labels=labels.pop() if len(labels) == 1 else "",
            what=f"a replacement of {target.name}",
            deadline_s=max(0.0, context.chaos_ends - context.now),
        )
    except errors.TimedOut:
        return []
