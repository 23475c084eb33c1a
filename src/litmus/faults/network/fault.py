"""Delay, loss, corruption, duplication, reordering and a rate limit for the packets of one pod.

The fault acts in the network namespace of a container's pod, so all containers of the pod have it. It refuses a pod in
the host's own network, where it would hit the whole node. What it changed is found again by the number of the
namespace, even when the container ended meanwhile: the namespace, with the fault in it, lives as long as the pod.
"""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

from .. import marked, namespaces, processes
from ..contract import FaultError, Plan, Proof, TargetGoneError, Undo
from . import CAPABILITIES, commands, destinations, judging, links, peers, probing
from .engine import Engine, Impairment, Match, Scope
from .kernel import KernelEngine
from .userspace import UserspaceEngine

ENGINES: dict[str, type[Engine]] = {"kernel": KernelEngine, "userspace": UserspaceEngine}
_CHECK_S = 2.0
_RESOLVE_S = 10.0
# What the answers of an undelayed network may take, beside the delay itself.
_PATIENCE_S = 0.5
# A busy node spoils a measurement: while there is time for a second one, that one counts. A share of 0.1 % takes many.
_AGAIN_S = 1.2
_AGAIN_RARE_S = 8.0


@dataclass(slots=True, kw_only=True)
class NetworkFault:
    """``interface`` '': the one that carries the default route. ``destinations``: addresses, CIDRs and host names.

    ``ports``: the peer's or the target's own. ``engine``: kernel, userspace, or auto for what the node's kernel offers.
    """

    fault_id: str
    container_id: str
    interface: str = ""
    delay_ms: float = 0.0
    jitter_ms: float = 0.0
    correlation: float = 0.0
    loss: float = 0.0
    corruption: float = 0.0
    duplication: float = 0.0
    reordering: float = 0.0
    rate_kbit: float = 0.0
    destinations: Sequence[str] = ()
    ports: Sequence[int] = ()
    direction: str = "egress"
    engine: str = "auto"
    _target: processes.Process | None = None
    _netns: int = 0
    _scope: Scope = field(default_factory=lambda: Scope(interface=""))
    _engine: Engine | None = None
    _recipe: dict[str, Any] = field(default_factory=dict)
    _peer: peers.Acquaintance | None = None
    _checked_at: float = 0.0
    _asked_at: float = 0.0
    _answer: "Future[tuple[Match, ...]] | None" = None

    def plan(self) -> Plan:
        """Raises FaultError when there is no such interface or host, or no engine that can do it here."""
        self._target = target = self._find()
        self._netns = netns = links.netns_of(target.pid)
        if links.is_the_hosts(netns):
            raise FaultError(
                f"container {self._short} is in the host's own network; the fault would hit the whole node"
            )
        matches = self._resolve()
        with namespaces.network_of(target.pid):
            device = self.interface or links.routed()
            links.details(device)
            self._scope = Scope(
                interface=device,
                egress=self.direction != "ingress",
                ingress=self.direction != "egress",
                matches=matches,
            )
            self._engine, self._recipe = self._choose()
            self._peer = peers.find(self._scope, pid=target.pid)
        undo = {
            "kind": "netem",
            "fault_id": self.fault_id,
            "container_id": processes.bare_id(self.container_id),
            "netns": netns,
            "engine": self._engine.name,
            "recipe": self._recipe,
        }
        return Plan(changes=self._changes(), undo=undo, capabilities=CAPABILITIES)

    def inject(self) -> None:
        if self._engine is None:
            self.plan()
        assert self._engine is not None
        with self._inside():
            self._engine.install(self.impairment, self._scope, self._recipe)
        self._asked_at = self._checked_at = time.monotonic()

    def prove(self) -> Proof:
        """Probe packets from the target, and the engine's own counters of the same time."""
        if self._engine is None:
            return Proof(asked=self._wanted(), delivered="nothing was injected", holds=False)
        if self._peer is None:
            return Proof(asked=self._wanted(), delivered="there is no peer that probes could be sent to", holds=False)
        rare = judging.is_rare(self.impairment, port=bool(self._peer.peer.port))
        give_up = time.monotonic() + (_AGAIN_RARE_S if rare else _AGAIN_S)
        proof = self._measure(self._peer)
        while not proof.holds and time.monotonic() < give_up:
            proof = self._measure(self._peer)
        return proof

    def tend(self) -> None:
        """Raises TargetGoneError when the pod's network ended, FaultError when the engine is not in force any more.

        A container that is restarted finds the network of its pod as it was: the fault goes on.
        """
        now = time.monotonic()
        if self._engine is None or now - self._checked_at < _CHECK_S:
            return
        self._checked_at = now
        with self._inside():
            self._engine.check()
        self._follow_names(now)

    @staticmethod
    def revert(undo: Undo) -> None:
        try:
            with links.inside(undo["netns"]):
                ENGINES[undo["engine"]].remove(undo["recipe"])
        except TargetGoneError:
            return  # the namespace ended with the pod, and all that was in it

    @staticmethod
    def leftovers(undo: Undo) -> str:
        try:
            with links.inside(undo["netns"]):
                return ENGINES[undo["engine"]].leftovers(undo["recipe"])
        except TargetGoneError:
            return ""

    @property
    def impairment(self) -> Impairment:
        return Impairment(**{name: float(getattr(self, name)) for name in asdict(Impairment())})

    @property
    def _short(self) -> str:
        return processes.bare_id(self.container_id)[:12]

    def _find(self) -> processes.Process:
        target = processes.main_process(self.container_id)
        if target is None:
            raise FaultError(
                f"container {self._short} runs no process on this node; it ended, or the pod lacks hostPID"
            )
        return target

    @contextmanager
    def _inside(self) -> Iterator[None]:
        """In the target's network, by its main process, else by another of its pod that is not a process of ours."""
        target = self._target
        if target is None or not processes.still_there(target):
            ours = marked.find(self.fault_id)
            others = (pid for pid in links.processes_in(self._netns) if pid not in ours)
            pid = next(others, 0)
        else:
            pid = target.pid
        if not pid:
            raise TargetGoneError(f"the network of container {self._short} has ended with its pod")
        with namespaces.network_of(pid):
            yield

    def _choose(self) -> tuple[Engine, dict[str, Any]]:
        """The first engine that can do it here, with its recipe. Raises FaultError with every engine's reason."""
        reasons = []
        for name in ENGINES if self.engine == "auto" else (self.engine,):
            engine = ENGINES[name]()
            why = engine.unavailable()
            if not why:
                try:
                    return engine, engine.recipe(self._scope, fault_id=self.fault_id)
                except FaultError as error:
                    why = str(error)
            reasons.append(f"{name} engine: {why}")
        raise FaultError("; ".join(reasons))

    def _measure(self, acquaintance: peers.Acquaintance) -> Proof:
        assert self._engine is not None
        impairment, passes = self.impairment, commands.passes(self._scope)
        before, peer = acquaintance.before, acquaintance.peer
        count = judging.probes_for(impairment, port=bool(peer.port))
        delay_s = passes * (impairment.delay_ms + impairment.jitter_ms) / 1000
        if not judging.waits_for_answers(impairment, passes):
            delay_s = 0.5
        if impairment.rate_kbit:
            delay_s += min(1.5, count * 8.6 / impairment.rate_kbit)
        window_s = probing.patience_s(peer, delay_s + _PATIENCE_S)
        with self._inside():
            counted = self._engine.counters()
            after = probing.probe(
                peer, count=count, window_s=window_s, settle_s=0.1 + delay_s if impairment.duplication else 0.0
            )
            then = self._engine.counters()
        evidence = judging.Evidence(
            passes=passes,
            before=before,
            after=after,
            counted=counted,
            then=then,
            window_s=window_s,
            engine=self._engine.name,
            peer=str(peer) if before else f"{peer}, which does not answer",
        )
        return judging.judge(impairment, evidence)

    def _follow_names(self, now: float) -> None:
        """Asks for host names again, in a thread of its own: an answer may take longer than a second."""
        if all(destinations.network(text) for text in self.destinations):
            return
        if self._answer is None and now - self._asked_at >= _RESOLVE_S:
            self._asked_at = now
            worker = ThreadPoolExecutor(max_workers=1)
            self._answer = worker.submit(self._resolve)
            worker.shutdown(wait=False)
        if self._answer is None or not self._answer.done():
            return
        answer, self._answer = self._answer, None
        if isinstance(answer.exception(), FaultError):
            return  # a name server that is silent for a while changes nothing
        matches = answer.result()
        if matches != self._scope.matches and self._engine is not None:
            scope = Scope(
                interface=self._scope.interface,
                egress=self._scope.egress,
                ingress=self._scope.ingress,
                matches=matches,
            )
            with self._inside():
                self._engine.rescope(scope)
            self._scope = scope

    def _resolve(self) -> tuple[Match, ...]:
        return destinations.matches(self.destinations, ports=self.ports, pid=self._find().pid)

    def _wanted(self) -> str:
        asked = self.impairment
        words = [
            (asked.delay_ms, f"{asked.delay_ms:g} ms delay"),
            (asked.jitter_ms, f"± {asked.jitter_ms:g} ms jitter"),
            (asked.loss, f"{asked.loss:g} % loss"),
            (asked.corruption, f"{asked.corruption:g} % corruption"),
            (asked.duplication, f"{asked.duplication:g} % duplication"),
            (asked.reordering, f"{asked.reordering:g} % reordering"),
            (asked.rate_kbit, f"{asked.rate_kbit:g} kbit/s"),
        ]
        return " ".join(text for value, text in words if value) or "nothing"

    def _changes(self) -> str:
        assert self._engine is not None
        named = [match.network for match in self._scope.matches]
        peers_ = ", ".join(named[:5]) + (f" and {len(named) - 5} more" if len(named) > 5 else "")
        ports = f" on ports {', '.join(map(str, self.ports))}" if self.ports else ""
        ways = {"egress": "outgoing", "ingress": "arriving", "both": "outgoing and arriving"}[self.direction]
        return (
            f"{self._wanted()} for {ways} packets of {self._scope.interface} "
            f"({peers_ or 'all peers'}{ports}) by the {self._engine.name} engine"
        )
