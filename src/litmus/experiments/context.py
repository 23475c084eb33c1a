"""What an experiment works with while it runs: its setting, its tunables, the cluster, and its two diaries.

The diaries are the ChaosResult (for machines and for the record) and the events (for people at ``kubectl describe``).
"""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Coroutine, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from litmus import api
from litmus.faults import moments
from litmus.kube import Cluster, clock, events, kinds, results
from litmus.kube.objects import Node, Pod

from . import capped, selection, setting, tunables
from .timeline import Timeline

if TYPE_CHECKING:
    from .steady_state import SteadyState

log = logging.getLogger(__name__)
R = TypeVar("R")


@dataclass(slots=True, kw_only=True)
class Context:
    """One run of one experiment."""

    cluster: Cluster
    experiment: str
    setting: setting.Setting
    values: tunables.Values
    engine: api.ChaosEngine
    results: results.Results
    events: events.Poster
    run_number: int
    result: api.ChaosResult
    hit: list[api.Target] = field(default_factory=list)
    step: str = "starting"
    chaos_ends: float = 0.0
    rounds: int = 0
    timeline: Timeline = field(default_factory=Timeline)
    # Probes and what is measured, where the engine has any; who wants the run ended sets ``tripped``.
    steady: "SteadyState | None" = None
    tripped: asyncio.Event = field(default_factory=asyncio.Event)
    _nodes: tuple[Node, ...] | None = None
    _rng: random.Random = field(default_factory=random.Random)

    @property
    def now(self) -> float:
        """Seconds on the monotonic clock."""
        return asyncio.get_running_loop().time()

    async def enter(self, step: str, **times: str) -> None:
        """Begins a step: in the log and in the result, where ``litmus run`` reads it."""
        self.step = step
        log.info("step", extra={"step": step})
        await self.results.step(step, **times)

    async def start_chaos(self, duration_s: float) -> None:
        """Sets the clock of the chaos: nothing is injected after its end."""
        self.chaos_ends = self.now + duration_s
        self.timeline.clock_started(duration_s)
        if self.steady:
            self.steady.chaos_begins(duration_s)
        start = datetime.now(UTC)
        await self.enter(
            "chaos", chaosStartedAt=clock.stamp(start), chaosEndsAt=clock.stamp(start + timedelta(seconds=duration_s))
        )

    async def choose(self, round_: int, *, successors: dict[str, str]) -> selection.Choice:
        """This round's targets; `litmus plan` predicts those of the first round by the same seed."""
        seed = selection.seed(self.setting.engine, self.experiment, run=self.run_number, round_=round_)
        choice = await selection.choose(
            self.cluster, self.setting.targets, self.values, seed=seed, successors=successors
        )
        await capped.pods(self.cluster, self.setting.caps, choice.chosen, self.values)
        return choice

    async def choose_nodes(self) -> tuple[Node, ...]:
        """The nodes that this run hits: chosen once, because pods move while nodes are hit."""
        if self._nodes is None:
            seed = selection.seed(self.setting.engine, self.experiment, run=self.run_number, round_=0)
            choice = await selection.choose_nodes(self.cluster, self.setting.targets, self.values, seed=seed)
            await capped.nodes(self.cluster, self.setting.caps, choice.chosen, self.values)
            self._nodes = choice.chosen
        return self._nodes

    def interval_s(self) -> float:
        """The pause after this round in seconds, at most what is left of the chaos."""
        drawn: tunables.Range = self.values[tunables.INTERVAL]
        if self.values[tunables.RANDOMNESS] and drawn.low == drawn.high:
            drawn = tunables.Range(min(1.0, drawn.high), drawn.high)
        return drawn.draw(self._rng)

    async def stopped(self) -> bool:
        """Whether somebody stopped the engine, deleted it, or put another one in its place."""
        meta = self.engine.metadata
        seen = await self.cluster.find(kinds.ENGINE, meta.name, namespace=meta.namespace)
        return seen is None or seen.metadata.uid != meta.uid or not seen.wanted

    async def hold(self, seconds: float) -> None:
        """Lets the chaos go on. An abort ends it at once, because it cancels the run."""
        await asyncio.sleep(max(0.0, seconds))

    def over(self) -> bool:
        """Whether nothing more is to be injected. The first round always is: a run without one proves nothing."""
        return self.rounds > 0 and self.now >= self.chaos_ends

    async def plan_faults(self, mechanism: str, targets: Iterable[tuple[Pod, str]]) -> list[str]:
        """Records what is about to be hit, one record a node, before anything is; returns the records' ids.

        ``targets``: pods with the container that is meant, '' for the whole pod. Kill faults have nothing to undo:
        the owner of a pod, and the kubelet for a container, put back what was there.
        """
        targets = list(targets)
        capped.namespaces(self.setting.caps, (pod.metadata.namespace for pod, _ in targets))
        per_node: dict[str, list[api.FaultTarget]] = {}
        for pod, container in targets:
            target = api.FaultTarget(
                name=pod.metadata.name, namespace=pod.metadata.namespace, uid=pod.metadata.uid, container=container
            )
            per_node.setdefault(pod.spec.node_name, []).append(target)
        deadline = clock.stamp(datetime.now(UTC) + timedelta(seconds=max(0.0, self.chaos_ends - self.now)))
        faults = [
            api.Fault(
                id=f"{mechanism}/{node}/{self.rounds}",
                mechanism=mechanism,
                node=node,
                targets=hit,
                undo={"kind": "none"},
                deadline=deadline,
            )
            for node, hit in per_node.items()
        ]
        self.rounds += 1
        await self.results.record(faults)
        self.timeline.killing()
        return [fault.id for fault in faults]

    def note(self, target: api.Target) -> int:
        """Adds a target to the account of this run and returns its place there; ``moved`` writes the account."""
        self.hit.append(target)
        return len(self.hit) - 1

    def measured(self, place: int, **figures: object) -> None:
        """Fills in what was measured of a target."""
        self.hit[place] = msgspec.structs.replace(self.hit[place], **figures)

    async def moment(self, name: str) -> None:
        """A moment of the run at which a rehearsal of a crash may let it linger."""
        if seconds := moments.linger_s(self.setting.linger, name):
            log.info("lingering", extra={"moment": name, "seconds": seconds})
            await self.enter(f"lingering: {name}")
            await asyncio.sleep(seconds)

    async def moved(self, ids: Iterable[str], state: str, message: str = "") -> None:
        """Moves records to their next state and writes the account of the targets with it."""
        self.timeline.moved(state)
        await self.results.move(ids, state, targets=self.hit, message=message)


@asynccontextmanager
async def task_group() -> AsyncIterator[asyncio.TaskGroup]:
    """Tasks that end together: the first failure cancels the others and is raised as itself, not as a group."""
    try:
        async with asyncio.TaskGroup() as group:
            yield group
    except BaseExceptionGroup as failures:
        first: BaseException = failures
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
        raise first from None


async def together(work: Iterable[Coroutine[Any, Any, R]]) -> list[R]:
    """Runs all at once, as a ``task_group``."""
    async with task_group() as group:
        tasks = [group.create_task(item) for item in work]
    return [task.result() for task in tasks]


async def finished(work: Coroutine[Any, Any, R]) -> tuple[R, asyncio.CancelledError | None]:
    """Awaits ``work`` to its end even when we are cancelled meanwhile, as often as it may be; and that, if we were."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            cancelled = error
    return task.result(), cancelled
