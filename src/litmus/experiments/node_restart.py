"""node-restart: a node is restarted from within, by a helper pod that goes down with it; no SSH and no key are needed.

The proof is another boot id in the node's status. Refused before anything is touched: a node that shares its machine
with another one, and a node on which the run itself or the operator lives.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from litmus import api
from litmus.api import names
from litmus.api.targeting import AppTarget
from litmus.kube import Cluster, clock, errors, helpers, kinds, waiting
from litmus.kube.objects import Node

from . import checks, drain_rules, node_fault, node_pods, platforms, selection, tunables, verdicts
from .context import Context, together
from .tunables import DURATION, NODE_LABEL, RAMP, TARGET_NODE, Values


def _reboot_command(text: str) -> str:
    """Accepted for what it means: the node restarts. What powers it off would never bring it back."""
    if text and "reboot" not in text:
        raise ValueError("must be empty or a command that reboots; only restarts are done, and without this command")
    return text


REBOOT_COMMAND = tunables.Tunable(
    name="REBOOT_COMMAND",
    default="",
    read=_reboot_command,
    allowed="empty, or a command that reboots",
    help="Accepted for compatibility: the node is restarted by its systemd, or by reboot(2) where it has none.",
)


class NodeRestart(node_fault.NodeFault):
    name = "node-restart"
    title = "Node restart"
    help = "Restarts a node and waits until it is back; refuses a machine that serves more than this node."
    breaks = "node"
    blow = "restart"
    keywords = ("node", "reboot", "power", "NotReady")
    platforms = platforms.MACHINES
    maturity = "beta"
    created = "2026-11-22T00:00:00Z"
    links = {"Kubernetes: nodes": "https://kubernetes.io/docs/concepts/architecture/nodes/"}
    mechanism = "restart"
    needs = helpers.Needs(capabilities=("SYS_ADMIN", "SYS_BOOT", "SYS_CHROOT", "SYS_PTRACE"), holds=False)
    proof = "The node reports another boot id than before, and is Ready again."
    undo = "Nothing to undo: the node comes back by itself."
    deadly = True
    sandbox = "The nodes of the sandbox are one and the same machine: yours."
    tunables = (
        TARGET_NODE.listed(),
        NODE_LABEL.listed(),
        DURATION.listed("30"),
        RAMP.listed(),
        REBOOT_COMMAND.listed("sudo systemctl reboot"),
        tunables.ignored("SSH_USER", default="root"),
        tunables.ignored("TARGET_NODE_IP"),
    )

    def asked(self, node: Node, values: Values) -> str:
        return "another boot id, and Ready again"

    def vet_nodes(self, nodes: Sequence[Node], values: Values) -> None:
        for node in nodes:
            if not node.status.node_info.boot_id:
                raise verdicts.CannotRun(
                    f"node {node.metadata.name} reports no boot id, so that a restart could not be proven",
                    code=verdicts.TARGET_SELECTION,
                )

    async def foresee(
        self, cluster: Cluster, targets: Sequence[AppTarget], values: Values, *, seed: str
    ) -> selection.Prospect:
        prospect = await super().foresee(cluster, targets, values, seed=seed)
        for node in (await selection.choose_nodes(cluster, targets, values, seed=seed)).chosen:
            await _refuse_shared_machine(cluster, node)
        return prospect

    async def inject(self, context: Context) -> None:
        nodes = await context.choose_nodes()
        self.vet_nodes(nodes, context.values)
        for node in nodes:
            await _refuse_shared_machine(context.cluster, node)
            await refuse_own_node(context, node, doing="restarted")
        image = await helpers.own_image(context.cluster, pod=context.setting.pod, namespace=context.setting.namespace)
        ids = await _record(context, nodes)
        shown = ", ".join(node.metadata.name for node in nodes)
        await context.events.post(context.engine, "ChaosInject", f"Injecting {self.name} chaos on {shown}")
        await context.start_chaos(float(context.values[DURATION]))
        await together(self._restart(context, node, image, id_) for node, id_ in zip(nodes, ids, strict=True))
        await context.hold(context.chaos_ends - context.now)

    async def _restart(self, context: Context, node: Node, image: helpers.Image, id_: str) -> None:
        """Raises CannotRun when the node goes on as before, CheckFailed when it does not come back."""
        place = context.note(node_fault.target(node, asked=self.asked(node, context.values)))
        pod = helpers.manifest(
            context.engine,
            experiment=self.name,
            node=node.metadata.name,
            image=image,
            request=_request(node),
            needs=self.needs,
        )
        begun = context.now
        context.measured(place, injected_at=clock.stamp())
        order = asyncio.create_task(helpers.run(context.cluster, pod, namespace=context.setting.namespace))
        watch = asyncio.create_task(_other_boot_id(context, node))
        try:
            await asyncio.wait({order, watch}, return_when=asyncio.FIRST_COMPLETED)
            if not watch.done() and (why := _refusal(order)):
                raise verdicts.CannotRun(f"node {node.metadata.name} was not restarted: {why}", code=verdicts.INJECT)
            boot_id = await _seen_by(watch, order)
        finally:
            for task in (order, watch):
                task.cancel()
            await asyncio.gather(order, watch, return_exceptions=True)
        context.measured(place, gone_after_seconds=round(context.now - begun, 2))
        await context.moved([id_], "proven")
        await checks.nodes_ready(context.cluster, [node], timeout_s=context.setting.check_timeout_s)
        context.measured(
            place,
            ready_after_seconds=round(context.now - begun, 2),
            delivered=f"boot id {node.status.node_info.boot_id} → {boot_id}, Ready again",
        )
        await context.moved([id_], "moot", f"node {node.metadata.name} was restarted, and that needs no undoing")


def _request(node: Node) -> dict[str, object]:
    parameters = {
        "fault_id": f"restart-{names.random_suffix(8)}",
        "node": node.metadata.name,
        "boot_id": node.status.node_info.boot_id,
    }
    return {"mechanism": "restart", "targets": [{"name": node.metadata.name, "parameters": parameters}]}


async def refuse_own_node(context: Context, node: Node, *, doing: str) -> None:
    """Raises CannotRun when a pod of a chaos run or the operator is on the node: they would go down with it."""
    pods = [pod for pod in await node_pods.on(context.cluster, node.metadata.name) if not pod.over]
    if ours := [pod for pod in pods if drain_rules.is_ours(pod)]:
        shown = ", ".join(f"{pod.metadata.namespace}/{pod.metadata.name}" for pod in ours)
        raise verdicts.CannotRun(
            f"node {node.metadata.name} can't be {doing}: {shown} runs there; give the engine and the operator another "
            "place by a nodeSelector",
            code=verdicts.TARGET_SELECTION,
        )


async def _refuse_shared_machine(cluster: Cluster, node: Node) -> None:
    """Raises CannotRun when other nodes run on the same kernel, as several kubelets on a host or kind's nodes do."""
    same = [
        other.metadata.name
        for other in await cluster.select(kinds.NODE)
        if other.metadata.uid != node.metadata.uid
        and other.status.node_info.boot_id.lower() == node.status.node_info.boot_id.lower()
    ]
    if same:
        raise verdicts.CannotRun(
            f"node {node.metadata.name} can't be restarted: it shares its machine with {', '.join(same)} (one boot "
            "id), and all of them would go down",
            code=verdicts.TARGET_SELECTION,
        )


async def _record(context: Context, nodes: Sequence[Node]) -> list[str]:
    """The ledger, before anything is touched: there is nothing to undo, but it says who is hit."""
    limit_s = helpers.START_DEADLINE_S + context.setting.check_timeout_s
    deadline = clock.stamp(datetime.now(UTC) + timedelta(seconds=limit_s))
    faults = [
        api.Fault(
            id=f"restart/{node.metadata.name}/{names.random_suffix(8)}",
            mechanism="restart",
            node=node.metadata.name,
            targets=[api.FaultTarget(name=node.metadata.name, uid=node.metadata.uid)],
            undo={"kind": "none"},
            deadline=deadline,
        )
        for node in nodes
    ]
    context.rounds += 1
    await context.results.record(faults)
    return [fault.id for fault in faults]


async def _other_boot_id(context: Context, node: Node) -> str:
    """The boot id after the restart. Raises CannotRun when the node goes on, CheckFailed when it stays away."""
    name, before = node.metadata.name, node.status.node_info.boot_id
    limit_s = helpers.START_DEADLINE_S + context.setting.check_timeout_s
    last = node

    def look(seen: list[Node]) -> str | None:
        nonlocal last
        last = next((found for found in seen if found.metadata.uid == node.metadata.uid), last)
        now = last.status.node_info.boot_id
        return now if now and now != before else None

    try:
        return await waiting.until(
            context.cluster, kinds.NODE, look, namespace="", name=name, what="", deadline_s=limit_s
        )
    except errors.TimedOut:
        if last.ready:
            raise verdicts.CannotRun(
                f"node {name} was not restarted within {limit_s:g} s: it is Ready with the same boot id",
                code=verdicts.INJECT,
            ) from None
        raise verdicts.CheckFailed(
            f"node {name} went down and was not back within {limit_s:g} s", code=verdicts.STATUS_CHECKS
        ) from None


async def _seen_by(watch: "asyncio.Task[str]", order: "asyncio.Task[dict[str, Any]]") -> str:
    """The new boot id. Where there is none, what became of the helper is a part of the answer."""
    try:
        return await watch
    except verdicts.CannotRun as error:
        failure = order.exception() if order.done() and not order.cancelled() else None
        raise verdicts.CannotRun(f"{error}{f'; {failure}' if failure else ''}", code=error.code) from error


def _refusal(order: "asyncio.Task[dict[str, Any]]") -> str:
    """Why the helper did not restart the node; '' if it did, or could not say because it went down, too."""
    if not order.done() or order.exception():
        return ""
    report = order.result()
    return str(report.get("error") or "; ".join(str(entry["delivered"]) for entry in report["failed"]))
