"""container-kill: signals the main process of a container from a helper pod on its node, again and again.

The kubelet restarts the container; the proof is that its id changed and its restart count rose.
"""

from collections.abc import Sequence
from typing import Any

from litmus import api
from litmus.faults import processes
from litmus.kube import clock, errors, helpers, kinds, waiting
from litmus.kube.objects import ContainerStatus, Pod

from . import tunables, verdicts
from .context import Context, together
from .declaration import Experiment
from .pod_fault import running_container
from .tunables import (
    AFFECTED,
    DURATION,
    INTERVAL,
    NODE_LABEL,
    RAMP,
    RANDOMNESS,
    SEQUENCE,
    TARGET_CONTAINER,
    TARGET_PODS,
    Values,
)

SIGNAL = tunables.Tunable(
    name="SIGNAL",
    default="SIGKILL",
    read=tunables.signal_name,
    allowed="a signal that ends a process, by name or number",
    help="Signal for the container's main process.",
)

# How long a signalled process may take to end, in seconds, beyond which the signal has no effect.
_PATIENCE_S = 30.0


class ContainerKill(Experiment):
    name = "container-kill"
    title = "Container kill"
    help = "Kills a container of the application's pods and checks that it is restarted and ready in time."
    breaks = "container"
    blow = "kill"
    keywords = ("container", "signal", "restart", "crash")
    maturity = "beta"
    created = "2026-11-22T00:00:00Z"
    links = {"Kubernetes: life of a pod": "https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/"}
    mechanism = "kill"
    needs = helpers.Needs(capabilities=("KILL",), holds=False)
    proof = "The container has another id and a higher restart count."
    undo = "Nothing is left to undo: the kubelet starts the container again."
    tunables = (
        DURATION.listed("20", default="20"),
        RAMP.listed(),
        INTERVAL.listed("10"),
        TARGET_CONTAINER.listed(),
        SIGNAL.listed("SIGKILL"),
        AFFECTED.listed(),
        TARGET_PODS.listed(),
        NODE_LABEL.listed(),
        SEQUENCE.listed("parallel"),
        RANDOMNESS,
        tunables.ignored("SOCKET_PATH"),
        tunables.ignored("CONTAINER_RUNTIME"),
        tunables.ignored("CONTAINER_API_TIMEOUT"),
    )

    def vet(self, pods: Sequence[Pod], values: Values) -> None:
        for pod in pods:
            running_container(pod, values[TARGET_CONTAINER])

    async def inject(self, context: Context) -> None:
        image = await helpers.own_image(context.cluster, pod=context.setting.pod, namespace=context.setting.namespace)
        await context.start_chaos(context.values[DURATION])
        round_ = 0
        while not context.over():
            choice = await context.choose(round_, successors={})
            targets = [(pod, running_container(pod, context.values[TARGET_CONTAINER])) for pod in choice.chosen]
            serial = context.values[SEQUENCE] == "serial"
            for group in [[target] for target in targets] if serial else [targets]:
                if context.over():
                    break
                next_at = min(context.now + context.interval_s(), context.chaos_ends)
                await self._kill(context, image, group)
                await context.hold(next_at - context.now)
            round_ += 1

    async def _kill(self, context: Context, image: helpers.Image, targets: list[tuple[Pod, ContainerStatus]]) -> None:
        ids = await context.plan_faults(self.name, [(pod, status.name) for pod, status in targets])
        by_node: dict[str, list[tuple[Pod, ContainerStatus]]] = {}
        for pod, status in targets:
            by_node.setdefault(pod.spec.node_name, []).append((pod, status))
        shown = ", ".join(f"{pod.metadata.name}/{status.name}" for pod, status in targets)
        await context.events.post(context.engine, "ChaosInject", f"Injecting {self.name} chaos on {shown}")
        at = context.now
        try:
            reports = await together(self._signal(context, image, node, group) for node, group in by_node.items())
        except errors.KubeError as error:
            raise verdicts.CannotRun(str(error), code=verdicts.HELPER) from error
        await context.moved(ids, "injected")
        _refuse_undelivered(reports, len(targets))
        await together(self._prove(context, pod, status, at) for pod, status in targets)
        await context.moved(ids, "moot", f"restarted by the kubelet: {shown}")

    async def _signal(
        self, context: Context, image: helpers.Image, node: str, targets: list[tuple[Pod, ContainerStatus]]
    ) -> dict[str, Any]:
        """One helper on one node signals all its targets together; its report."""
        name = context.values[SIGNAL]
        request = {
            "mechanism": self.mechanism,
            "targets": [
                {
                    "name": f"{pod.metadata.name}/{status.name}",
                    "parameters": {
                        "container_id": processes.bare_id(status.container_id),
                        "signal": name,
                        "patience_s": _PATIENCE_S,
                    },
                }
                for pod, status in targets
            ],
        }
        pod = helpers.manifest(
            context.engine,
            experiment=self.name,
            node=node,
            image=image,
            request=request,
            needs=self.needs,
        )
        report = await helpers.run(context.cluster, pod, namespace=context.setting.namespace)
        if "error" in report:
            raise errors.KubeError(f"helper pod on node {node}: {report['error']}")
        return report

    async def _prove(self, context: Context, pod: Pod, before: ContainerStatus, at: float) -> None:
        """Raises CannotRun when the container stays the same one, CheckFailed when it does not come back in time."""
        place = context.note(
            api.Target(
                name=pod.metadata.name,
                namespace=pod.metadata.namespace,
                uid=pod.metadata.uid,
                node=pod.spec.node_name,
                container=before.name,
                injected_at=clock.stamp(),
                asked=f"{context.values[SIGNAL]} to the main process",
            )
        )
        deadline_s = max(context.setting.check_timeout_s, _PATIENCE_S)
        seen = {"gone": False, "changed": False, "waits": ""}

        def look(pods: list[Pod]) -> bool | None:
            current = next((p for p in pods if p.metadata.uid == pod.metadata.uid), None)
            if current is None:
                raise verdicts.CheckFailed(
                    f"pod {pod.metadata.name} is gone after its container {before.name} was killed",
                    code=verdicts.STATUS_CHECKS,
                )
            now = current.container(before.name)
            if now is None:
                return None
            elapsed = round(context.now - at, 2)
            if not seen["gone"] and (now.container_id != before.container_id or now.state.running is None):
                seen["gone"] = True
                context.measured(place, gone_after_seconds=elapsed)
            if not seen["changed"] and replaced(before, now):
                seen["changed"] = True
                context.measured(
                    place,
                    replaced_by=now.container_id,
                    delivered=f"restart count {before.restart_count} → {now.restart_count}",
                )
            seen["waits"] = now.state.waiting.reason if now.state.waiting else ""
            if seen["changed"] and now.ready:
                context.measured(place, ready_after_seconds=elapsed)
                return True
            return None

        try:
            await waiting.until(
                context.cluster,
                kinds.POD,
                look,
                namespace=pod.metadata.namespace,
                name=pod.metadata.name,
                what=f"container {before.name} of {pod.metadata.name} to be restarted",
                deadline_s=deadline_s,
            )
        except errors.TimedOut:
            raise _verdict_on(
                pod, before, deadline_s, changed=bool(seen["changed"]), waits=str(seen["waits"])
            ) from None


def replaced(before: ContainerStatus, now: ContainerStatus) -> bool:
    """The proof of a kill: another container id, and a restart count that rose."""
    return now.container_id != before.container_id and now.restart_count > before.restart_count


def _refuse_undelivered(reports: list[dict[str, Any]], targets: int) -> None:
    """A helper must account for every target: what it does not speak of was not hit."""
    failed = [f"{entry['name']}: {entry['delivered']}" for report in reports for entry in report["failed"]]
    held = sum(report["held"] for report in reports)
    if held != targets:
        why = "; ".join(failed) or "the helper pods do not say why"
        raise verdicts.CannotRun(
            f"the signal had no effect on {targets - held} of {targets}: {why}", code=verdicts.INJECT
        )


def _verdict_on(
    pod: Pod, before: ContainerStatus, deadline_s: float, *, changed: bool, waits: str
) -> verdicts.RunEnded:
    what = f"container {before.name} of {pod.metadata.name}"
    if changed:
        return verdicts.CheckFailed(
            f"{what} was restarted but not ready within {deadline_s:g} s", code=verdicts.STATUS_CHECKS
        )
    reason = f" ({waits})" if waits else ""
    return verdicts.CheckFailed(
        f"{what} was killed but not restarted within {deadline_s:g} s{reason}", code=verdicts.STATUS_CHECKS
    )
