"""How far one step of a Deployment's rollout may go: surge, unavailability and shares, in whole pods.

Documentation: "Deployments", "Max Unavailable" (a percentage is rounded down), "Max Surge" (rounded up) and
"Proportional scaling". Pure arithmetic on objects; source of the edge cases: pkg/controller/deployment/util.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from litmus.sandbox.machinery import objects
from litmus.sandbox.machinery.objects import Obj

DESIRED = "deployment.kubernetes.io/desired-replicas"
MAXIMUM = "deployment.kubernetes.io/max-replicas"


def share(value: int | str, total: int, *, up: bool) -> int:
    """What an int or a percentage of ``total`` comes to, rounded up or down."""
    if isinstance(value, int):
        return value
    if not value.endswith("%"):
        return int(value)
    exact = int(value.removesuffix("%")) * total
    return -(-exact // 100) if up else exact // 100


def replicas(obj: Obj) -> int:
    """The replicas that a Deployment or ReplicaSet asks for."""
    found: int | None = obj["spec"].get("replicas")
    return 1 if found is None else found


def total(replica_sets: Sequence[Obj]) -> int:
    """The replicas that the sets ask for together."""
    return sum(map(replicas, replica_sets))


def counted(replica_sets: Sequence[Obj], field: str) -> int:
    """The sum of a figure in the sets' statuses."""
    return sum(replica_set.get("status", {}).get(field, 0) for replica_set in replica_sets)


def is_rolling(deployment: Obj) -> bool:
    """Whether its strategy is RollingUpdate."""
    return bool(deployment["spec"].get("strategy", {}).get("type", "RollingUpdate") == "RollingUpdate")


@dataclass(frozen=True, slots=True)
class Room:
    """How many pods may be there beyond the wanted ones, and how many of the wanted ones may be missing."""

    surge: int
    unavailable: int


def room(deployment: Obj) -> Room:
    """The room of a rollout; never none at all, or it could not begin."""
    wanted = replicas(deployment)
    if not is_rolling(deployment):
        return Room(surge=0, unavailable=0)
    given = deployment["spec"].get("strategy", {}).get("rollingUpdate") or {}
    surge = share(given.get("maxSurge", "25%"), wanted, up=True)
    unavailable = share(given.get("maxUnavailable", "25%"), wanted, up=False)
    if surge == 0 and unavailable == 0:
        unavailable = 1
    return Room(surge=surge, unavailable=min(unavailable, wanted))


def new_size(deployment: Obj, *, new: int, all_pods: int) -> int:
    """How large the new set may become now that ``all_pods`` are asked for, ``new`` of them by it."""
    wanted = replicas(deployment)
    if not is_rolling(deployment):
        return wanted
    free = wanted + room(deployment).surge - all_pods
    return new if free <= 0 else new + min(free, wanted - new)


def proportional(deployment: Obj, replica_sets: Sequence[Obj]) -> dict[str, int]:
    """The sizes of the active sets, by name, after the Deployment itself was scaled in the middle of a rollout.

    ``replica_sets`` in any order; each gets its share of the change, the largest takes what rounding leaves over.
    """
    wanted = replicas(deployment)
    allowed = wanted + room(deployment).surge if wanted > 0 else 0
    change = allowed - total(replica_sets)
    newest_first = change > 0
    order = sorted(replica_sets, key=lambda one: objects.meta(one).get("creationTimestamp", ""), reverse=newest_first)
    order.sort(key=replicas, reverse=True)
    sizes: dict[str, int] = {}
    given = 0
    for replica_set in order:
        part = _part(replica_set, deployment, change, given) if change else 0
        given += part
        sizes[objects.name(replica_set)] = replicas(replica_set) + part
    if order and change:
        largest = objects.name(order[0])
        sizes[largest] = max(0, sizes[largest] + change - given)
    return sizes


def _part(replica_set: Obj, deployment: Obj, change: int, given: int) -> int:
    left = change - given
    if replicas(replica_set) == 0 or left == 0:
        return 0
    part = _fraction(replica_set, deployment)
    return min(part, left) if change > 0 else max(part, left)


def _fraction(replica_set: Obj, deployment: Obj) -> int:
    size, wanted = replicas(replica_set), replicas(deployment)
    if wanted == 0:
        return -size
    before = annotated(replica_set, MAXIMUM) or deployment.get("status", {}).get("replicas", 0)
    if not before:
        return 0
    return math.floor(size * (wanted + room(deployment).surge) / before + 0.5) - size


def annotated(replica_set: Obj, name: str) -> int | None:
    """The number that an annotation holds, None when there is none."""
    text = objects.annotations(replica_set).get(name, "")
    return int(text) if text.isdigit() else None
