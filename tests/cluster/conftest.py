"""Every test here runs on the cluster of KUBECONFIG, with the operator installed, in a namespace of its own."""

import os
import secrets
import time
from collections.abc import Iterator

import pytest

from litmus.experiments import catalogue
from litmus.hub import charts
from tests.cluster import hollow
from tests.cluster import stage as stages

SLOW_NODE = "netem1"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests on the slow node run alone: beside others it is so slow that a helper does not start in time."""
    for item in items:
        if SLOW_NODE in item.nodeid:
            item.add_marker(pytest.mark.alone)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """A run that must end in time (E2E_UNTIL, Unix time) begins no test after that, but repeats what has failed."""
    until = float(os.environ.get("E2E_UNTIL", "inf"))
    if time.time() > until and not item.config.getoption("lf"):
        pytest.skip("no time left in this run (E2E_UNTIL)")


@pytest.fixture(scope="session")
def operator() -> None:
    """The operator of this checkout's image, installed as a user would."""
    if not stages.KUBECONFIG:
        pytest.skip("needs a cluster: set KUBECONFIG")
    with stages.only_operator():
        done = stages.litmus("install", *(["--image", stages.IMAGE] if stages.IMAGE else []), check=True)
        stages.cap()
    assert "ready" in done.out
    # Only what names the slow node runs there: the scheduler would send it pods of every test.
    taint = f"{hollow.TAINT_KEY}={SLOW_NODE}:NoSchedule"
    stages.kubectl("taint", "node", SLOW_NODE, taint, "--overwrite", check=False)


# The sandbox answers these with one Error, which tests/cluster/test_grounds.py holds.
_REAL_NODES = ("test_network", "test_stress", "test_disk_fill", "test_service_kill", "test_node_restart")


@pytest.fixture(autouse=True)
def _real_nodes(request: pytest.FixtureRequest) -> None:
    if request.path.stem in _REAL_NODES and "sandbox" in stages.kubectl("get", "nodes", "-o", "wide"):
        pytest.skip("needs nodes with a kernel of their own to break: the sandbox has none")


@pytest.fixture
def stage(operator: None) -> Iterator[stages.Stage]:
    """A namespace with the experiments and a service account with the smallest role."""
    made = stages.Stage(f"e2e-{secrets.token_hex(3)}")
    stages.kubectl("create", "namespace", made.name)
    made.kubectl("apply", "-f", "-", stdin=experiments())
    stages.grant(made)
    yield made
    stages.kubectl("delete", "namespace", made.name, "--wait=false")


def experiments() -> str:
    """The bundle of the hub."""
    return charts.bundle(catalogue.everything(), image=stages.IMAGE or charts.DEFAULT_IMAGE)
