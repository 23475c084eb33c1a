"""What every fault on a node promises (design.md, section 5).

    plan      reads only: what will change, and a recipe that undoes it
    inject    changes it; may fail half-way
    prove     measures in the target what was delivered
    tend      looks after the fault while it holds
    revert    restores what was there, as often as it is called and in any process, given only the recipe
    leftovers says what is still there, measured anew

``revert`` and ``leftovers`` are static: whoever calls them - the helper, its guardian, a helper that the operator sends
after a crash - may never have seen the object that injected.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

Undo = Mapping[str, Any]

# Set in the environment of every process that a fault starts, so that they are found again in /proc/<pid>/environ.
MARK = "LITMUS_FAULT"


class FaultError(Exception):
    """The fault could not do what was asked. The sentence says why and what to do."""


class TargetGoneError(FaultError):
    """The target exists no more, so there is nothing left to undo in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a fault is about to do. ``undo`` is JSON-able, and names what to look for and what was there."""

    changes: str
    undo: dict[str, Any] = field(default_factory=lambda: {"kind": "none"})
    capabilities: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """Asked versus delivered, in words with units, and whether the two agree; the two figures where there are any."""

    asked: str
    delivered: str
    holds: bool
    asked_value: float | None = None
    delivered_value: float | None = None
    unit: str = ""

    def as_json(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if value not in (None, "") or name == "asked"}


class Fault(Protocol):
    """One mechanism acting on one target. Made from JSON-able keyword parameters; times are in seconds."""

    def plan(self) -> Plan:
        """Raises FaultError when it can't be done here; then nothing was touched."""
        ...

    def inject(self) -> None:
        """Raises FaultError; what was changed until then is undone by ``revert`` of the plan's recipe."""
        ...

    def prove(self) -> Proof: ...

    def tend(self) -> None:
        """Called about once a second while it holds. Raises TargetGoneError, or FaultError when its effect is lost."""
        ...

    @staticmethod
    def revert(undo: Undo) -> None:
        """Raises FaultError when something is still there and could not be removed."""
        ...

    @staticmethod
    def leftovers(undo: Undo) -> str:
        """What is still there of the fault, '' when nothing is."""
        ...
