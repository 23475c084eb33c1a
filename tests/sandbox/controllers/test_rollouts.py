from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litmus.sandbox.controllers import rollouts
from litmus.sandbox.controllers.rollouts import Room
from litmus.sandbox.machinery.objects import Obj


def deployment(replicas: int, surge: int | str = "25%", unavailable: int | str = "25%", **status: Any) -> Obj:
    rolling = {"maxSurge": surge, "maxUnavailable": unavailable}
    strategy = {"type": "RollingUpdate", "rollingUpdate": rolling}
    return {"spec": {"replicas": replicas, "strategy": strategy}, "status": status}


def replica_set(name: str, replicas: int, maximum: int | None = None, age: int = 0) -> Obj:
    annotations = {} if maximum is None else {rollouts.MAXIMUM: str(maximum)}
    meta = {"name": name, "annotations": annotations, "creationTimestamp": f"2030-01-01T00:00:{59 - age:02}Z"}
    return {"metadata": meta, "spec": {"replicas": replicas}}


@pytest.mark.parametrize(
    ("replicas", "surge", "unavailable", "room"),
    [
        (3, "25%", "25%", Room(1, 0)),
        (4, "25%", "25%", Room(1, 1)),
        (10, "25%", "25%", Room(3, 2)),
        (1, "25%", "25%", Room(1, 0)),
        (10, 0, 0, Room(0, 1)),
        (2, "0%", "10%", Room(0, 1)),
        (2, 1, 5, Room(1, 2)),
        (0, "25%", "25%", Room(0, 0)),
    ],
)
def test_percentages_round_up_for_surge_and_down_for_unavailability(
    replicas: int, surge: int | str, unavailable: int | str, room: Room
) -> None:
    assert rollouts.room(deployment(replicas, surge, unavailable)) == room


def test_recreate_leaves_no_room() -> None:
    assert rollouts.room({"spec": {"replicas": 4, "strategy": {"type": "Recreate"}}}) == Room(0, 0)


@pytest.mark.parametrize(
    ("new", "all_pods", "size"),
    [(0, 0, 10), (0, 10, 3), (3, 13, 3), (3, 11, 5), (9, 9, 10), (0, 20, 0)],
)
def test_the_new_set_grows_into_the_surge(new: int, all_pods: int, size: int) -> None:
    assert rollouts.new_size(deployment(10), new=new, all_pods=all_pods) == size


def test_proportional_scaling_is_that_of_the_documentation() -> None:
    """10 replicas, maxSurge 3, maxUnavailable 2, scaled to 15 in mid-rollout: of the 5 more, 3 old and 2 new."""
    sets = [replica_set("old", 8, maximum=13, age=9), replica_set("new", 5, maximum=13)]
    assert rollouts.proportional(deployment(15, 3, 2), sets) == {"old": 11, "new": 7}


def test_scaling_to_none_empties_every_set() -> None:
    sets = [replica_set("old", 8, maximum=13, age=9), replica_set("new", 5, maximum=13)]
    assert rollouts.proportional(deployment(0, 3, 2), sets) == {"old": 0, "new": 0}


def test_what_rounding_leaves_over_goes_to_the_largest() -> None:
    sets = [
        replica_set("a", 2, maximum=6),
        replica_set("b", 2, maximum=6, age=5),
        replica_set("c", 2, maximum=6, age=9),
    ]
    found = rollouts.proportional(deployment(10, 0, 1), sets)
    assert sum(found.values()) == 10
    assert found["a"] == max(found.values())


@given(st.lists(st.integers(1, 40), min_size=2, max_size=5), st.integers(0, 80), st.integers(0, 10))
def test_proportions_always_add_up_to_what_is_allowed(sizes: list[int], wanted: int, surge: int) -> None:
    sets = [replica_set(f"s{number}", size, maximum=sum(sizes), age=number) for number, size in enumerate(sizes)]
    found = rollouts.proportional(deployment(wanted, surge, 1), sets)
    assert sum(found.values()) == (wanted + surge if wanted else 0)
    assert min(found.values()) >= 0
