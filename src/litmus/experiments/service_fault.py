"""A service of a node - its kubelet, its container runtime - is out for a while; the cluster sees it, and sees it back.

The helper on the node can't be heard while it holds the fault, because what is out is what would carry its words. So
what is looked at meanwhile is the node's own condition.
"""

import asyncio
from typing import ClassVar

from litmus.kube import errors, helpers, kinds, waiting
from litmus.kube.objects import Node

from . import held, node_fault, verdicts
from .context import Context, together
from .tunables import DURATION, Values


class ServiceFault(node_fault.NodeFault):
    """Subclasses name the service."""

    mechanism = "service"
    # For a host without systemd SYS_PTRACE is enough; it is not known before which one it is.
    needs = helpers.Needs(capabilities=("SYS_ADMIN", "SYS_CHROOT", "SYS_PTRACE"))
    service: ClassVar[str]
    # After how many seconds out of service the node has to be NotReady.
    shows_after_s: ClassVar[float] = 0.0
    proof = "systemd calls the unit inactive, or every thread of the process is stopped; the node turns NotReady."
    undo = (
        "By the helper pod on the node itself; if that is killed, the kernel lets go of the process at once, "
        "and a timer of systemd starts the unit when its time is over."
    )
    sandbox = "The nodes of the sandbox have no kubelet and no container runtime."

    def aim(self, node: Node, values: Values) -> held.Aim:
        target = node_fault.target(node, asked=f"{self.service_on(node)} out of service for {values[DURATION]} s")
        parameters = {"service": self.service, "node": node.metadata.name, "hold_s": float(values[DURATION])}
        return held.Aim(target=target, parameters=parameters)

    def service_on(self, node: Node) -> str:
        """What the service is called on this node."""
        return self.service

    async def inject(self, context: Context) -> None:
        nodes = await context.choose_nodes()
        self.vet_nodes(nodes, context.values)
        first = len(context.hit)
        watches = [asyncio.create_task(_not_ready(context, node)) for node in nodes]
        try:
            await held.hold(context, self, [self.aim(node, context.values) for node in nodes], silent=True)
            ended = context.now
        finally:
            for watch in watches:
                watch.cancel()
            await asyncio.gather(*watches, return_exceptions=True)
        places = {context.hit[place].name: place for place in range(first, len(context.hit))}
        for node, watch in zip(nodes, watches, strict=True):
            self._saw(context, node, places[node.metadata.name], watch)
        await together(_ready_again(context, node, places[node.metadata.name], since=ended) for node in nodes)

    def _saw(self, context: Context, node: Node, place: int, watch: "asyncio.Task[float]") -> None:
        """Notes when the node turned NotReady. Raises CannotRun if it should have and did not."""
        target, duration_s = context.hit[place], context.values[DURATION]
        if not watch.cancelled() and (error := watch.exception()):
            raise error
        if not watch.cancelled():
            seconds = round(watch.result(), 2)
            context.measured(place, gone_after_seconds=seconds, delivered=f"{target.delivered}; node NotReady")
        elif duration_s >= self.shows_after_s:
            raise verdicts.CannotRun(
                f"node {node.metadata.name} stayed Ready although its {self.service_on(node)} was out of service for "
                f"{duration_s} s; the cluster notices it later than that: raise TOTAL_CHAOS_DURATION",
                code=verdicts.INJECT,
            )
        else:
            context.measured(place, delivered=f"{target.delivered}; node still Ready, its kubelet waits for an answer")


async def _not_ready(context: Context, node: Node) -> float:
    """Waits until the cluster calls the node NotReady; after how many seconds."""
    begun = context.now
    await _until_ready_is(False, context, node, deadline_s=None)
    return context.now - begun


async def _ready_again(context: Context, node: Node, place: int, *, since: float) -> None:
    """Raises CheckFailed when the node does not come back in time."""
    limit_s = context.setting.check_timeout_s
    try:
        await _until_ready_is(True, context, node, deadline_s=limit_s)
    except errors.TimedOut:
        raise verdicts.CheckFailed(
            f"node {node.metadata.name} was not Ready within {limit_s:g} s after the fault had ended",
            code=verdicts.STATUS_CHECKS,
        ) from None
    told = context.hit[place]
    again = f"{told.delivered}, then Ready again" if told.gone_after_seconds is not None else told.delivered
    context.measured(place, ready_after_seconds=round(context.now - since, 2), delivered=again)


async def _until_ready_is(wanted: bool, context: Context, node: Node, *, deadline_s: float | None) -> None:
    def look(seen: list[Node]) -> bool | None:
        return True if any(n.metadata.uid == node.metadata.uid and n.ready is wanted for n in seen) else None

    await waiting.until(
        context.cluster,
        kinds.NODE,
        look,
        namespace="",
        name=node.metadata.name,
        what=f"node {node.metadata.name} to be {'Ready' if wanted else 'NotReady'}",
        deadline_s=deadline_s,
    )
