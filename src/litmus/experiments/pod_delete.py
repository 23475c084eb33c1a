"""pod-delete: deletes pods of the application again and again, and measures how long each takes to be replaced."""

from collections.abc import Sequence
from dataclasses import dataclass

from litmus import api
from litmus.kube import clock, errors, kinds, waiting, workloads
from litmus.kube.objects import Pod

from . import tunables, verdicts
from .context import Context, together
from .declaration import Experiment
from .tunables import AFFECTED, DURATION, INTERVAL, NODE_LABEL, RAMP, RANDOMNESS, SEQUENCE, TARGET_PODS

FORCE = tunables.Tunable(
    name="FORCE",
    default="false",
    read=tunables.boolean,
    allowed="true, false",
    help="Delete with a grace period of 0 instead of the pod's own.",
)

# How long a pod may take to vanish beyond its own grace period, in seconds: the kubelet's work and one more listing.
_REMOVAL_MARGIN_S = 30.0


@dataclass(slots=True)
class _Hit:
    """One deleted pod, its place in the account, and what has been seen of it."""

    pod: Pod
    place: int
    at: float
    gone: bool = False
    successor: str = ""
    ready: bool = False

    @property
    def done(self) -> bool:
        return self.gone and self.ready


class PodDelete(Experiment):
    name = "pod-delete"
    title = "Pod delete"
    help = "Deletes pods of the application, forced or gracefully, and checks that each is replaced in time."
    removes_pods = True
    tunables = (
        DURATION.listed("15"),
        RAMP.listed(),
        FORCE.listed("true"),
        INTERVAL.listed("5"),
        AFFECTED.listed(),
        TARGET_PODS.listed(),
        NODE_LABEL.listed(),
        SEQUENCE.listed("parallel"),
        RANDOMNESS,
        tunables.ignored("TARGET_CONTAINER"),
    )

    async def inject(self, context: Context) -> None:
        await context.start_chaos(context.values[DURATION])
        successors: dict[str, str] = {}
        round_ = 0
        while context.now < context.chaos_ends:
            choice = await context.choose(round_, successors=successors)
            serial = context.values[SEQUENCE] == "serial"
            groups = [[pod] for pod in choice.chosen] if serial else [list(choice.chosen)]
            for group in groups:
                if context.now >= context.chaos_ends:
                    break
                next_at = min(context.now + context.interval_s(), context.chaos_ends)
                hits = await self._delete(context, group)
                _follow(successors, context.values[TARGET_PODS], hits)
                await context.hold(next_at - context.now)
            round_ += 1

    async def _delete(self, context: Context, pods: list[Pod]) -> list[_Hit]:
        """Record, delete, prove that each uid is gone, and that a new pod took its place."""
        ids = await context.plan_faults(self.name, [(pod, "") for pod in pods])
        before = await _application(context, pods)
        hits = await together(self._delete_one(context, pod) for pod in pods)
        await context.moved(ids, "injected")
        killed = ", ".join(pod.metadata.name for pod in pods)
        await context.events.post(context.engine, "ChaosInject", f"Injecting {self.name} chaos on {killed}")
        await self._prove(context, hits, before)
        await context.moved(ids, "moot", f"deleted and replaced: {killed}")
        return hits

    async def _delete_one(self, context: Context, pod: Pod) -> _Hit:
        force = context.values[FORCE]
        at = context.now
        await context.cluster.delete(
            kinds.POD, pod.metadata.name, namespace=pod.metadata.namespace, grace_s=0 if force else None
        )
        place = context.note(
            api.Target(
                name=pod.metadata.name,
                namespace=pod.metadata.namespace,
                uid=pod.metadata.uid,
                node=pod.spec.node_name,
                injected_at=clock.stamp(),
                asked="delete with a grace period of 0 s" if force else "delete with the pod's own grace period",
            )
        )
        return _Hit(pod=pod, place=place, at=at)

    async def _prove(self, context: Context, hits: list[_Hit], before: dict[str, set[str]]) -> None:
        """Raises CannotRun when a pod outlives its deletion, CheckFailed when its place stays empty."""
        by_place: dict[tuple[str, str], list[_Hit]] = {}
        for hit in hits:
            target = next(t for t in context.setting.targets if workloads.belongs(hit.pod, t))
            by_place.setdefault((target.namespace, target.labels), []).append(hit)
        for (namespace, labels), group in by_place.items():
            grace_s = 0 if context.values[FORCE] else max(h.pod.spec.termination_grace_period_seconds for h in group)
            deadline_s = max(context.setting.check_timeout_s, grace_s + _REMOVAL_MARGIN_S)

            def look(pods: list[Pod], group: list[_Hit] = group) -> bool | None:
                _observe(context, group, pods, before)
                return True if all(hit.done for hit in group) else None

            try:
                await waiting.until(
                    context.cluster,
                    kinds.POD,
                    look,
                    namespace=namespace,
                    labels=labels,
                    what="deleted pods to be replaced",
                    deadline_s=deadline_s,
                )
            except errors.TimedOut:
                raise _verdict_on(group, deadline_s) from None


async def _application(context: Context, pods: Sequence[Pod]) -> dict[str, set[str]]:
    """uids of the pods that are there before the deletion, by workload: a replacement is none of these."""
    present: dict[str, set[str]] = {}
    for target in context.setting.targets:
        for pod in await workloads.pods(context.cluster, target):
            present.setdefault(_workload(pod), set()).add(pod.metadata.uid)
    for pod in pods:
        present.setdefault(_workload(pod), set()).add(pod.metadata.uid)
    return present


def _workload(pod: Pod) -> str:
    kind, name = workloads.workload_of(pod)
    return f"{pod.metadata.namespace}/{kind}/{name}"


def _observe(context: Context, hits: list[_Hit], pods: list[Pod], before: dict[str, set[str]]) -> None:
    """What one look at the pods says of each hit: gone when its uid is, replaced by a new pod of its workload."""
    uids = {pod.metadata.uid for pod in pods}
    taken = {hit.successor for hit in hits if hit.successor}
    for hit in hits:
        elapsed = round(context.now - hit.at, 2)
        if not hit.gone and hit.pod.metadata.uid not in uids:
            hit.gone = True
            context.measured(hit.place, gone_after_seconds=elapsed, delivered="pod gone")
        workload = _workload(hit.pod)
        new = [
            p
            for p in sorted(pods, key=lambda p: p.metadata.creation_timestamp or "")
            if p.metadata.uid not in before.get(workload, set())
            and _workload(p) == workload
            and p.metadata.deletion_timestamp is None
        ]
        current = next((p for p in new if p.metadata.name == hit.successor), None)
        if current is None:
            current = next((p for p in new if p.metadata.name not in taken), None)
            hit.successor = current.metadata.name if current else ""
            taken.add(hit.successor)
        if current and current.ready and not hit.ready:
            hit.ready = True
            context.measured(hit.place, replaced_by=hit.successor, ready_after_seconds=elapsed)


def _verdict_on(hits: list[_Hit], deadline_s: float) -> verdicts.RunEnded:
    stuck = [hit.pod.metadata.name for hit in hits if not hit.gone]
    if stuck:
        return verdicts.CannotRun(
            f"{', '.join(stuck)} was deleted but is still there after {deadline_s:g} s; "
            "look for a finalizer on it or a node that is gone",
            code=verdicts.INJECT,
        )
    empty = [
        f"{hit.pod.metadata.name} ({f'{hit.successor} is not ready' if hit.successor else 'no new pod'})"
        for hit in hits
        if not hit.ready
    ]
    return verdicts.CheckFailed(
        f"deleted pods were not replaced within {deadline_s:g} s: {', '.join(empty)}", code=verdicts.STATUS_CHECKS
    )


def _follow(successors: dict[str, str], named: tuple[str, ...], hits: Sequence[_Hit]) -> None:
    """A named pod is represented by what took its place, so that TARGET_PODS holds for the whole chaos."""
    for name in named:
        current = successors.get(name, name)
        for hit in hits:
            if hit.pod.metadata.name == current:
                successors[name] = hit.successor
