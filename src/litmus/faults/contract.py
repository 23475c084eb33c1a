"""What every fault on a node promises (design.md, section 5).

``plan`` says what will change and how to undo it, ``inject`` changes it, ``prove`` measures in the target what was
delivered, ``revert`` restores what was there, as often as it is called and in any process, given only the recipe.
"""

from dataclasses import asdict, dataclass, field
from typing import Any, Protocol


class FaultError(Exception):
    """The fault could not do what was asked. The sentence says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a fault is about to do on this node."""

    changes: str
    undo: dict[str, Any] = field(default_factory=lambda: {"kind": "none"})
    capabilities: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """Asked versus delivered, in words with units, and whether the two agree."""

    asked: str
    delivered: str
    holds: bool

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


class Fault(Protocol):
    """One mechanism acting on one target. Parameters are JSON-able; times are in seconds."""

    def plan(self) -> Plan: ...

    def inject(self) -> None: ...

    def prove(self) -> Proof: ...

    def revert(self) -> None: ...
