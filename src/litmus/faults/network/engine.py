"""What both engines of network faults - the kernel's netem, and ours in user space - are told, and what they promise.

An engine acts in the network namespace of the thread that calls it; whoever calls has entered the target's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Impairment:
    """What happens to each packet. Times in milliseconds, shares in percent of packets (0 to 100)."""

    delay_ms: float = 0.0
    jitter_ms: float = 0.0  # evenly distributed: delay ± jitter
    correlation: float = 0.0  # of delay, loss, corruption, duplication and reordering with the packet before
    loss: float = 0.0
    corruption: float = 0.0  # one bit of the packet is flipped
    duplication: float = 0.0
    reordering: float = 0.0  # this share is sent at once, overtaking the delayed ones; needs a delay
    rate_kbit: float = 0.0  # 0: not limited


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """The peers that are meant. ``ports`` are the peer's or our own; without any, every packet of the network."""

    family: Literal[4, 6]
    network: str  # CIDR
    ports: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which packets. No matches: all packets of the interface."""

    interface: str
    egress: bool = True
    ingress: bool = False
    matches: tuple[Match, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Counters:
    """Packets that the engine itself counted since it was installed."""

    seen: int = 0
    dropped: int = 0
    backlog: int = 0


class Engine(Protocol):
    """One way to impair packets. ``recipe`` is JSON-able and goes into the ledger before anything is changed."""

    name: str

    def unavailable(self) -> str:
        """Why this node can't do it, '' if it can. Changes nothing that stays."""
        ...

    def recipe(self, scope: Scope, *, fault_id: str) -> dict[str, Any]:
        """How to undo an installation: what to look for, and what was there before. Reads only; raises FaultError."""
        ...

    def install(self, impairment: Impairment, scope: Scope, recipe: Mapping[str, Any]) -> None: ...

    def rescope(self, scope: Scope) -> None:
        """Other matches while it runs (a host name resolves differently now), without a gap for those that stay."""
        ...

    def counters(self) -> Counters: ...

    def check(self) -> None:
        """Raises FaultError when it is not in force any more."""
        ...

    @staticmethod
    def remove(recipe: Mapping[str, Any]) -> None:
        """Idempotent, in any process. Raises FaultError when something is still there."""
        ...

    @staticmethod
    def leftovers(recipe: Mapping[str, Any]) -> str: ...
