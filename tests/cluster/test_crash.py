"""A seeded sample of the crash test: whatever is killed, nothing of the fault is left in its target.

All cases are run by ``make e2e-crash``. Here each kind of fault and each victim comes up once; which moment, and which
victim meets which fault, is drawn from CRASH_SEED.
"""

import os
import random
from typing import Any

import pytest

from tests.cluster import stage
from tests.cluster.crash import case, faults, ground
from tests.cluster.crash.case import Case

# A node that is silenced or drained concerns every test on it, and the one with netem is slow.
_ALONE = ("service", "cordon", "netem")


def sample(seed: str) -> list[Any]:
    """One case for each fault; victims and moments in a random order, as even as can be.

    The operator is not among the victims: that concerns every run of the cluster.
    """
    draw = random.Random(seed)
    victims, moments = list(case.VICTIMS), list(case.MOMENTS)
    victims.remove("operator")
    draw.shuffle(victims)
    draw.shuffle(moments)
    chosen = []
    for number, fault in enumerate(faults.ALL):
        wanted = [victim for victim in victims if case.applies(Case(fault, "holding", victim))]
        one = Case(fault, moments[number % len(moments)], wanted[number % len(wanted)])
        marks = [pytest.mark.alone] if fault.name in _ALONE else []
        chosen.append(pytest.param(one, marks=marks, id=str(one)))
    return chosen


@pytest.fixture
def cluster_of_the_kit(operator: None) -> None:
    """Its nodes are known by name, and two of them are this machine."""
    nodes = stage.kubectl("get", "nodes", "-o", "name").split()
    if "node/node1" not in nodes or "node/netem1" not in nodes:
        pytest.skip("needs the nodes of the kit, netem1 too: shared/kube/up and uml-node")


@pytest.mark.parametrize("one", sample(os.environ.get("CRASH_SEED", "litmus")))
def test_nothing_is_left_of_a_fault_when_its_processes_are_killed(cluster_of_the_kit: None, one: Case) -> None:
    place = ground.prepare(one.fault)
    try:
        outcome = case.run(one, place)
    finally:
        ground.clear(place)
    assert outcome.left == ""
    assert outcome.ledger == ""
    assert outcome.verdict in ("Error", "Pass"), "a run ends with a verdict, whoever was killed"
