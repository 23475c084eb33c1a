"""pod-delete: deletes pods of the application again and again, and measures how long each takes to be replaced."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from litmus import api
from litmus.kube import clock, errors, kinds, waiting, workloads
from litmus.kube.objects import Pod

from . import tunables, verdicts
from .context import Context, together
from .declaration import Experiment, Permission
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


class PodDelete(Experiment):
    name = "pod-delete"
    title = "Pod delete"
    help = "Deletes pods of the application, forced or gracefully, and checks that each is replaced in time."
    breaks = "pod"
    blow = "delete"
    keywords = ("pod", "replica", "recovery", "restart")
    maturity = "beta"
    created = "2026-11-22T00:00:00Z"
    links = {"Kubernetes: disruptions of pods": "https://kubernetes.io/docs/concepts/workloads/pods/disruptions/"}
    removes_pods = True
    proof = "The pod's uid is gone, and another pod took its place and is ready."
    undo = "Nothing is left to undo: the owner of the pod replaces it."
    uses = (Permission(groups=("",), resources=("pods",), verbs=("delete",), reason="delete the targets"),)
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
        # A graceful deletion may outlast many rounds: a pod whose successor is ready is awaited at the end only.
        leaving: list[_Round] = []
        successors: dict[str, str] = {}
        number = 0
        while not context.over():
            choice = await context.choose(number, successors=successors)
            serial = context.values[SEQUENCE] == "serial"
            for pods in [[pod] for pod in choice.chosen] if serial else [list(choice.chosen)]:
                if context.over():
                    break
                next_at = min(context.now + context.interval_s(), context.chaos_ends)
                leaving.append(await self._delete(context, pods))
                await self._replaced(context, leaving)
                _follow(successors, context.values[TARGET_PODS], leaving[-1].hits)
                leaving = await self._leave(context, leaving, until=next_at)
                await context.hold(next_at - context.now)
            number += 1
        await self._gone(context, leaving)
        if not context.hit:
            raise verdicts.CannotRun(
                "no pod was deleted: whatever was chosen was gone before; is something else deleting pods?",
                code=verdicts.INJECT,
            )

    async def _delete(self, context: Context, pods: list[Pod]) -> "_Round":
        """Record first, then delete all at once."""
        ids = await context.plan_faults(self.name, [(pod, "") for pod in pods])
        before = await _present(context, pods)
        hits = [hit for hit in await together(self._delete_one(context, pod) for pod in pods) if hit]
        await context.moved(ids, "injected")
        killed = ", ".join(hit.pod.metadata.name for hit in hits) or "nothing: the chosen pods were gone already"
        await context.events.post(context.engine, "ChaosInject", f"Injecting {self.name} chaos on {killed}")
        return _Round(ids=ids, hits=hits, before=before)

    async def _delete_one(self, context: Context, pod: Pod) -> _Hit | None:
        """The hit; None when somebody else had removed the pod, which is no effect of ours."""
        force = context.values[FORCE]
        at = context.now
        ours = await context.cluster.delete(
            kinds.POD, pod.metadata.name, namespace=pod.metadata.namespace, grace_s=0 if force else None
        )
        if not ours:
            return None
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

    async def _replaced(self, context: Context, rounds: list["_Round"]) -> None:
        """Waits until the latest round's pods have ready successors. Raises CheckFailed when a place stays empty."""
        latest = rounds[-1].hits
        if not latest:
            return
        # A StatefulSet puts a new pod in place only after the old one is gone.
        deadline_s = context.setting.check_timeout_s + _grace_s(context, latest)
        if not await _watch(context, rounds, lambda: all(hit.ready for hit in latest), deadline_s=deadline_s):
            raise _not_replaced(latest, deadline_s)

    async def _leave(self, context: Context, rounds: list["_Round"], *, until: float) -> list["_Round"]:
        """Looks on until the deleted pods are gone, or it is time for the next round; returns who is still leaving."""
        await self._settle(context, [])  # who was replaced is known: it is written now
        remaining_s = until - context.now
        if remaining_s > 0:
            hits = [hit for round_ in rounds for hit in round_.hits]
            await _watch(context, rounds, lambda: all(hit.gone for hit in hits), deadline_s=remaining_s)
        return await self._settle(context, rounds)

    async def _gone(self, context: Context, rounds: list["_Round"]) -> None:
        """Waits until every deleted pod's uid is gone. Raises CannotRun when one outlives its grace period."""
        hits = [hit for round_ in rounds for hit in round_.hits]
        if not hits:
            return
        deadline_s = _grace_s(context, hits) + _REMOVAL_MARGIN_S
        await context.enter("waiting for deleted pods to be gone")
        if not await _watch(context, rounds, lambda: all(hit.gone for hit in hits), deadline_s=deadline_s):
            raise _not_gone(hits, deadline_s)
        await self._settle(context, rounds)

    async def _settle(self, context: Context, rounds: list["_Round"]) -> list["_Round"]:
        """Writes what was measured, closes the records of rounds whose pods are gone, and returns the other rounds."""
        done = [round_ for round_ in rounds if all(hit.gone for hit in round_.hits)]
        ids = [id_ for round_ in done for id_ in round_.ids]
        await context.moved(ids, "moot", "deleted and replaced")
        return [round_ for round_ in rounds if round_ not in done]


@dataclass(slots=True, kw_only=True)
class _Round:
    """Pods that were deleted together, their records, and the uids of who was there before."""

    ids: list[str]
    hits: list[_Hit]
    before: set[str]


async def _watch(context: Context, rounds: list[_Round], done: Callable[[], bool], *, deadline_s: float) -> bool:
    """Looks at the application's pods until ``done``; False if that takes longer than ``deadline_s``."""
    namespaces = {hit.pod.metadata.namespace for round_ in rounds for hit in round_.hits}
    try:
        await together(_watch_namespace(context, rounds, name, done, deadline_s) for name in namespaces)
    except errors.TimedOut:
        return False
    return True


async def _watch_namespace(
    context: Context, rounds: list[_Round], namespace: str, done: Callable[[], bool], deadline_s: float
) -> None:
    """All pods of the namespace are listed: with a label selector, a pod that lost its label would look gone."""

    def look(pods: list[Pod]) -> bool | None:
        for round_ in rounds:
            here = [hit for hit in round_.hits if hit.pod.metadata.namespace == namespace]
            _observe(context, here, pods, round_.before)
        return True if done() else None

    await waiting.until(
        context.cluster,
        kinds.POD,
        look,
        namespace=namespace,
        what="deleted pods to be replaced",
        deadline_s=deadline_s,
    )


def _grace_s(context: Context, hits: list[_Hit]) -> float:
    """How long the slowest of these pods may take to end, in seconds."""
    return 0 if context.values[FORCE] else max(hit.pod.spec.termination_grace_period_seconds for hit in hits)


async def _present(context: Context, pods: Sequence[Pod]) -> set[str]:
    """uids of all pods that are there before the deletion: a replacement is none of these."""
    present = {pod.metadata.uid for pod in pods}
    for namespace in {pod.metadata.namespace for pod in pods}:
        present |= {pod.metadata.uid for pod in await context.cluster.select(kinds.POD, namespace=namespace)}
    return present


def _workload(pod: Pod) -> str:
    """What a pod belongs to; one that nobody owns can only be replaced by one with the same labels."""
    kind, name = workloads.workload_of(pod)
    return f"{pod.metadata.namespace}/{kind}/{name or sorted(pod.metadata.labels.items())}"


def _observe(context: Context, hits: list[_Hit], pods: list[Pod], before: set[str]) -> None:
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
            if p.metadata.uid not in before
            and _workload(p) == workload
            and p.metadata.deletion_timestamp is None
            and not p.over
        ]
        current = next((p for p in new if p.metadata.name == hit.successor), None)
        if current is None:
            current = next((p for p in new if p.metadata.name not in taken), None)
            hit.successor = current.metadata.name if current else ""
            taken.add(hit.successor)
        if current and current.ready and not hit.ready:
            hit.ready = True
            context.measured(hit.place, replaced_by=hit.successor, ready_after_seconds=elapsed)


def _not_gone(hits: list[_Hit], deadline_s: float) -> verdicts.CannotRun:
    stuck = ", ".join(hit.pod.metadata.name for hit in hits if not hit.gone)
    return verdicts.CannotRun(
        f"{stuck} was deleted but is still there after {deadline_s:g} s; "
        "look for a finalizer on it or a node that is gone",
        code=verdicts.INJECT,
    )


def _not_replaced(hits: list[_Hit], deadline_s: float) -> verdicts.CheckFailed:
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
