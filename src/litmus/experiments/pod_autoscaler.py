"""pod-autoscaler: scales workloads of the application, waits until the replicas are available, and scales them back."""

from collections.abc import Sequence
from dataclasses import dataclass

from litmus import api
from litmus.api import targeting
from litmus.kube import Cluster, errors, kinds, scales, waiting
from litmus.kube.objects import Autoscaler, Workload

from . import api_fault, selection, tunables, verdicts
from .context import Context, together
from .declaration import SMALL_ROLE, Experiment, Permission
from .tunables import DURATION, RAMP, Values

_MOST = 10_000


def _count(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or int(text) > _MOST:
        raise ValueError(f"must be a whole number of replicas from 0 to {_MOST}")
    return int(text)


REPLICAS = tunables.Tunable(
    name="REPLICA_COUNT",
    default="5",
    unit="replicas",
    read=_count,
    allowed=f"0 to {_MOST}",
    help="Number of replicas that each workload is scaled to, up or down.",
)

_SCALED = ("deployment", "statefulset")
_SCALE = Permission(
    groups=("apps",),
    resources=("deployments", "statefulsets"),
    verbs=("get", "list", "patch"),
    reason="scale the application, and back",
)
_AUTOSCALERS = Permission(
    groups=("autoscaling",),
    resources=("horizontalpodautoscalers",),
    verbs=("list",),
    reason="refuse a workload that an autoscaler scales, too",
)


@dataclass(frozen=True, slots=True)
class _Scaled:
    """A workload, with the app kind that it was named by."""

    kind: str
    workload: Workload

    @property
    def name(self) -> str:
        return f"{self.kind} {self.workload.metadata.name}"


class PodAutoscaler(Experiment):
    name = "pod-autoscaler"
    title = "Pod autoscaler"
    help = "Scales the application's deployments and statefulsets, checks that the replicas come up, and scales back."
    breaks = "replicas"
    blow = "scale"
    keywords = ("deployment", "statefulset", "replica", "capacity")
    maturity = "beta"
    created = "2026-11-22T00:00:00Z"
    links = {"Kubernetes: Deployments": "https://kubernetes.io/docs/concepts/workloads/controllers/deployment/"}
    proof = "As many replicas are available as were asked for, within TOTAL_CHAOS_DURATION; else the run is a Fail."
    undo = "Scaled back to exactly what was there, unless somebody else scaled it meanwhile."
    scope = "Cluster"
    hits = "deployments and statefulsets of the application"
    permissions = (SMALL_ROLE, _SCALE, _AUTOSCALERS)
    uses = (_SCALE, _AUTOSCALERS)
    tunables = (DURATION.listed("60", default="60"), RAMP.listed(), REPLICAS.listed("5"))

    async def foresee(
        self, cluster: Cluster, targets: Sequence[targeting.AppTarget], values: Values, *, seed: str
    ) -> selection.Prospect:
        """The workloads that would be scaled."""
        found = await _workloads(cluster, targets, asked=values[REPLICAS])
        victims = tuple(
            selection.Victim(
                kind=one.kind.capitalize(),
                name=one.workload.metadata.name,
                namespace=one.workload.metadata.namespace,
                uid=one.workload.metadata.uid,
            )
            for one in found
        )
        return selection.Prospect(candidates=victims, first_round=victims)

    async def inject(self, context: Context) -> None:
        asked: int = context.values[REPLICAS]
        found = await _workloads(context.cluster, context.setting.targets, asked=asked)
        duration_s = float(context.values[DURATION])
        changes = [
            api_fault.Change(target=_target(one, asked), undo=_recipe(one, asked), put=scales.put) for one in found
        ]
        async with api_fault.changed(context, changes, mechanism="scale", limit_s=duration_s) as held:
            await context.start_chaos(duration_s)
            await held.inject()
            await together(_available(context, one, asked, within_s=duration_s) for one in found)
            if why := await _rescaled(context, found, asked):
                raise verdicts.CannotRun(why, code=verdicts.INJECT)
            told = [f"{scales.replicas(one.workload)} → {asked} replicas, all available" for one in found]
            await held.proven(told, hold_s=max(0.0, context.chaos_ends - context.now))
            await held.hold(lambda: _rescaled(context, found, asked))
        await context.enter("waiting for the replicas that were there before")
        back = [one for one, done in zip(found, held.outcomes, strict=True) if not done.moot]
        await together(_back(context, one, within_s=context.setting.check_timeout_s) for one in back)


async def _workloads(cluster: Cluster, targets: Sequence[targeting.AppTarget], *, asked: int) -> list[_Scaled]:
    """Every workload that the engine names. Raises CannotRun when one can't be scaled; then nothing was touched."""
    found: list[_Scaled] = []
    for target in targets:
        kinds_named = _SCALED if target.kind == targeting.ANY_OWNER else (target.kind,)
        if not set(kinds_named) <= set(_SCALED):
            raise verdicts.CannotRun(
                f"a {target.kind} can't be scaled; name a {' or a '.join(_SCALED)} ({target.describe()})",
                code=verdicts.TARGET_SELECTION,
            )
        for kind in kinds_named:
            named = await cluster.select(kinds.WORKLOADS[kind], namespace=target.namespace, labels=target.labels)
            found += [_Scaled(kind, one) for one in named if not target.names or one.metadata.name in target.names]
    found = list({one.workload.metadata.uid: one for one in found}.values())
    if not found:
        named_ = "; ".join(target.describe() for target in targets) or "the engine names no application"
        raise verdicts.CannotRun(f"there is nothing to scale: {named_}", code=verdicts.TARGET_SELECTION)
    for one in found:
        if scales.replicas(one.workload) == asked:
            raise verdicts.CannotRun(
                f"{REPLICAS.name}={asked}: {one.name} has {asked} replicas already, so nothing would happen",
                code=verdicts.TARGET_SELECTION,
            )
    await _refuse_autoscaled(cluster, found)
    return found


async def _refuse_autoscaled(cluster: Cluster, found: Sequence[_Scaled]) -> None:
    """Two that scale one workload work against each other, and neither would prove anything."""
    for namespace in sorted({one.workload.metadata.namespace for one in found}):
        for scaler in await _autoscalers(cluster, namespace):
            aim = scaler.spec.scale_target_ref
            for one in found:
                meta = one.workload.metadata
                if (meta.namespace, one.kind, meta.name) == (namespace, aim.kind.lower(), aim.name):
                    raise verdicts.CannotRun(
                        f"HorizontalPodAutoscaler {scaler.metadata.name} scales {one.name}, too, and would work "
                        "against the experiment; remove it for the time of the run, or load the application instead",
                        code=verdicts.TARGET_SELECTION,
                    )


async def _autoscalers(cluster: Cluster, namespace: str) -> list[Autoscaler]:
    """Those of a namespace; none where the role may not see them: what one does shows later, as a lost effect."""
    for kind in kinds.AUTOSCALERS:
        try:
            return await cluster.select(kind, namespace=namespace)
        except errors.NotFound:
            continue  # this cluster does not serve that version
        except errors.Forbidden:
            break
    return []


async def _available(context: Context, one: _Scaled, asked: int, *, within_s: float) -> None:
    """Raises CheckFailed when the replicas do not come up in time, with how many did."""
    try:
        await _reached(context.cluster, one, asked, within_s=within_s)
    except errors.TimedOut as late:
        raise verdicts.CheckFailed(
            f"{one.name} did not reach {asked} available replicas within {within_s:g} s: {late}",
            code=verdicts.STATUS_CHECKS,
        ) from None


async def _back(context: Context, one: _Scaled, *, within_s: float) -> None:
    """Waits for the replicas of before, unless somebody else scaled the workload meanwhile."""
    before = scales.replicas(one.workload)
    try:
        await _reached(context.cluster, one, before, within_s=within_s)
    except errors.TimedOut as late:
        raise verdicts.CheckFailed(
            f"{one.name} did not come back to {before} available replicas within {within_s:g} s: {late}",
            code=verdicts.STATUS_CHECKS,
        ) from None


async def _reached(cluster: Cluster, one: _Scaled, wanted: int, *, within_s: float) -> None:
    """Returns when so many replicas are available, or another number is asked for. Raises TimedOut with what is."""
    meta, seen = one.workload.metadata, "it was not looked at"

    def look(workloads: list[Workload]) -> bool | None:
        nonlocal seen
        now = next((w for w in workloads if w.metadata.uid == meta.uid), None)
        if now is None or scales.replicas(now) != wanted:
            return True
        there, available = now.status.replicas, _available_of(one.kind, now)
        seen = f"{there} there, {available} available"
        return True if there == available == wanted else None

    try:
        await waiting.until(
            cluster,
            kinds.WORKLOADS[one.kind],
            look,
            namespace=meta.namespace,
            name=meta.name,
            what=f"{wanted} replicas",
            deadline_s=within_s,
        )
    except errors.TimedOut:
        raise errors.TimedOut(seen) from None


def _available_of(kind: str, workload: Workload) -> int:
    """The available replicas; a StatefulSet of a cluster before 1.22 tells only which are ready."""
    told = workload.status.available_replicas
    if told is None and kind == "statefulset":
        return workload.status.ready_replicas
    return told or 0


async def _rescaled(context: Context, found: Sequence[_Scaled], asked: int) -> str:
    """Which workload somebody else scaled or deleted, '' if none."""
    for one in found:
        meta = one.workload.metadata
        now = await context.cluster.find(kinds.WORKLOADS[one.kind], meta.name, namespace=meta.namespace)
        if now is None or now.metadata.uid != meta.uid:
            return f"{one.name} was deleted"
        if scales.replicas(now) != asked:
            return f"{one.name} was scaled to {scales.replicas(now)} by somebody else"
    return ""


def _recipe(one: _Scaled, asked: int) -> dict[str, object]:
    return scales.recipe(one.workload, kind=one.kind, asked=asked)


def _target(one: _Scaled, asked: int) -> api.Target:
    meta = one.workload.metadata
    return api.Target(
        name=meta.name,
        namespace=meta.namespace,
        kind=one.kind.capitalize(),
        uid=meta.uid,
        asked=f"{scales.replicas(one.workload)} → {asked} replicas",
    )
