from typing import Any

import pytest

from litmus.sandbox.controllers.aggregated_roles import RESOURCE, AggregatedRoles
from litmus.sandbox.machinery.objects import Obj
from tests.sandbox.world import World

READ = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}
WRITE = {"apiGroups": [""], "resources": ["pods"], "verbs": ["create"]}


@pytest.fixture
def world() -> World:
    return World()


def role(world: World, name: str, rules: list[Obj], labels: dict[str, str] | None = None, **more: Any) -> Obj:
    return world.make(RESOURCE, {"metadata": {"name": name, "labels": labels or {}}, "rules": rules, **more})


def rules(world: World, name: str) -> list[Obj]:
    return list((world.get(RESOURCE, name) or {}).get("rules") or [])


def test_a_role_is_the_sum_of_those_with_the_label_and_follows_them(world: World) -> None:
    controller = AggregatedRoles(world)
    summed = {"clusterRoleSelectors": [{"matchLabels": {"to-view": "true"}}, {"matchLabels": {"to-edit": "true"}}]}
    role(world, "sum", [], aggregationRule=summed)
    role(world, "a", [READ], {"to-view": "true"})
    role(world, "b", [WRITE, READ], {"to-edit": "true"})
    role(world, "c", [{**WRITE, "verbs": ["delete"]}])
    world.settle(controller)
    assert rules(world, "sum") == [READ, WRITE]
    world.delete(RESOURCE, "b")
    world.settle(controller)
    assert rules(world, "sum") == [READ]


def test_what_people_write_into_a_sum_is_overwritten(world: World) -> None:
    controller = AggregatedRoles(world)
    role(world, "sum", [WRITE], aggregationRule={"clusterRoleSelectors": [{"matchLabels": {"none": "x"}}]})
    role(world, "plain", [WRITE])
    world.settle(controller)
    assert rules(world, "sum") == []
    assert rules(world, "plain") == [WRITE]
