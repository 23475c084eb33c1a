"""What a table is made of: columns, and the few ways in which cells are written everywhere.

Source: k8s.io/apimachinery/pkg/apis/meta/v1, Table; k8s.io/kubernetes/pkg/printers.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from litmus.sandbox.machinery import objects, selectors, status
from litmus.sandbox.machinery.crds import ages
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.schemas import definitions, descriptions

NONE, UNSET, UNKNOWN = "<none>", "<unset>", "<unknown>"
_LISTED = 3
"""Hosts, addresses, ports that a cell lists before it counts the rest."""


@dataclass(frozen=True, slots=True)
class Column:
    """``about``: the description, or where it stands (``core.v1.PodStatus.podIP``). Priority 1 is for ``-o wide``."""

    name: str
    type: str
    about: str
    format: str = ""
    priority: int = 0

    @property
    def definition(self) -> Obj:
        """As it stands in ``columnDefinitions``."""
        described = self.about if " " in self.about else _description(self.about)
        return {
            "name": self.name,
            "type": self.type,
            "format": self.format,
            "description": described,
            "priority": self.priority,
        }


Cells = Callable[[Obj, datetime], list[Any]]
"""The cells of one object at a moment."""


@dataclass(frozen=True, slots=True)
class Printer:
    """How one kind is shown. ``conditions``: of the row, as that a pod has completed."""

    columns: Sequence[Column]
    cells: Cells
    conditions: Callable[[Obj], list[Obj]] = lambda obj: []


@cache
def _description(place: str) -> str:
    package, version, name, field = place.split(".")
    return descriptions.of(definitions.named(f"{package}_{version}", name))[1].get(field, "")


def wide(name: str, about: str, type_: str = "string") -> Column:
    """A column that only ``-o wide`` shows."""
    return Column(name, type_, about, priority=1)


NAME = Column("Name", "string", "meta.v1.ObjectMeta.name", format="name")
AGE = Column("Age", "string", "meta.v1.ObjectMeta.creationTimestamp")
CREATED = Column("Created At", "date", "meta.v1.ObjectMeta.creationTimestamp")
CONTAINERS = wide("Containers", "Names of each container in the template.")
IMAGES = wide("Images", "Images referenced by each container in the template.")


def spec(obj: Obj) -> Obj:
    """What is wanted of it."""
    found: Obj = obj.get("spec") or {}
    return found


def state(obj: Obj) -> Obj:
    """Its status."""
    found: Obj = obj.get("status") or {}
    return found


def since(moment: str | None, now: datetime) -> str:
    """How long ago a timestamp was."""
    return ages.said(now - objects.moment(moment)) if moment else UNKNOWN


def age(obj: Obj, now: datetime) -> str:
    """How long ago it was created."""
    return since(objects.meta(obj).get("creationTimestamp"), now)


def pairs(labels: Mapping[str, str] | None) -> str:
    """``app=web,tier=front``: labels, or the selector of a service."""
    return ",".join(f"{name}={value}" for name, value in sorted((labels or {}).items())) or NONE


def label_selector(selector: Obj | None) -> str:
    """A LabelSelector in one line."""
    if selector is None:
        return NONE
    try:
        return str(selectors.from_label_selector(selector)) or NONE
    except status.Refusal:
        return "<error>"


def template(obj: Obj) -> tuple[str, str]:
    """The names and the images of a pod template's containers."""
    containers = ((obj.get("template") or {}).get("spec") or {}).get("containers") or []
    names = ",".join(container.get("name", "") for container in containers)
    return names, ",".join(container.get("image", "") for container in containers)


def some(found: Iterable[str], *, count: int | None = None) -> str:
    """The first three of a list, and how many more there are; ``count`` when there are more than are given."""
    listed = list(found)
    more = (len(listed) if count is None else count) - _LISTED
    shown = ",".join(listed[:_LISTED])
    return f"{shown} + {more} more..." if more > 0 else shown
