import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from litmus.sandbox.controllers import pods
from litmus.sandbox.machinery import objects
from litmus.sandbox.machinery.objects import Obj

NOW = datetime(2030, 1, 1, tzinfo=UTC)


def ago(seconds: float) -> str:
    return objects.timestamp(NOW - timedelta(seconds=seconds))


def pod(
    name: str,
    *,
    node: str = "node1",
    phase: str = "Running",
    ready_s: float | None = 1000,
    age_s: float = 2000,
    restarts: int = 0,
    cost: str = "",
) -> Obj:
    meta: dict[str, Any] = {"name": name, "uid": name, "creationTimestamp": ago(age_s)}
    if cost:
        meta["annotations"] = {pods.DELETION_COST: cost}
    ready = {"type": "Ready", "status": "False" if ready_s is None else "True", "lastTransitionTime": ago(ready_s or 0)}
    status = {"phase": phase, "conditions": [ready], "containerStatuses": [{"name": "c", "restartCount": restarts}]}
    return {"metadata": meta, "spec": {"nodeName": node} if node else {}, "status": status}


@pytest.mark.parametrize(
    ("sooner", "later"),
    [
        (pod("z", node="", phase="Pending", ready_s=None), pod("a", phase="Pending", ready_s=None)),
        (pod("z", phase="Pending", ready_s=None), pod("a", ready_s=None)),
        (pod("z", ready_s=None), pod("a")),
        (pod("z", cost="-5"), pod("a")),
        (pod("z"), pod("a", cost="10")),
        (pod("z", cost="no number"), pod("a", cost="1")),
        (pod("z", ready_s=10), pod("a", ready_s=1000)),
        (pod("z", restarts=3), pod("a")),
        (pod("z", age_s=1100), pod("a", age_s=9000)),
        (pod("a", ready_s=1000), pod("z", ready_s=1020)),  # of about the same age: the uid decides
    ],
)
def test_scaling_down_prefers(sooner: Obj, later: Obj) -> None:
    for found in ([sooner, later], [later, sooner]):
        assert pods.first_to_go(found, [], NOW) == [sooner, later]


def test_of_equal_pods_those_on_the_fullest_node_go_first() -> None:
    found = [pod("a", node="node1"), pod("b", node="node2"), pod("c", node="node2")]
    random.Random(1).shuffle(found)
    assert [objects.name(one) for one in pods.first_to_go(found, found, NOW)][-1] == "a"


def test_siblings_of_another_set_count_for_how_full_a_node_is() -> None:
    found = [pod("a", node="node1"), pod("b", node="node2")]
    related = [*found, pod("other", node="node2")]
    assert [objects.name(one) for one in pods.first_to_go(found, related, NOW)] == ["b", "a"]


@pytest.mark.parametrize(
    ("ready_s", "min_ready_s", "expected"), [(None, 0, None), (0, 0, 0.0), (4, 10, 6.0), (10, 10, 0.0), (99, 10, 0.0)]
)
def test_a_pod_is_available_when_it_has_been_ready_long_enough(
    ready_s: float | None, min_ready_s: int, expected: float | None
) -> None:
    assert pods.available_in_s(pod("a", ready_s=ready_s), min_ready_s, NOW) == expected


def test_the_next_availability_is_that_of_the_pod_that_waits_least() -> None:
    found = [pod("a", ready_s=3), pod("b", ready_s=7), pod("c", ready_s=None), pod("d", ready_s=99)]
    assert pods.next_available_s(found, 10, NOW) == 3.0
    assert pods.next_available_s(found, 0, NOW) is None


def test_a_pod_without_a_status_is_pending_active_and_not_ready() -> None:
    new: Obj = {"metadata": {"name": "a"}, "spec": {}}
    assert (pods.phase(new), pods.is_active(new), pods.is_ready(new)) == ("Pending", True, False)
