"""What pytest loads: options, fixtures, a section of the report. Imports nothing of ours until a fixture is used."""

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .chaos import Chaos
    from .outcome import Outcome
    from .places import Place

_OUTCOMES: pytest.StashKey["list[Outcome]"] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Where the chaos happens, and what becomes of it."""
    group = parser.getgroup("litmus", "chaos experiments")
    group.addoption(
        "--litmus",
        choices=("sandbox", "cluster"),
        default="sandbox",
        help="Where the fixture chaos runs: a sandbox of its own (the default), or the cluster of KUBECONFIG.",
    )
    group.addoption(
        "--litmus-keep", action="store_true", help="Keep engines, results and the sandbox, to look at them afterwards."
    )


@pytest.fixture(scope="session")
def litmus_sandbox(request: pytest.FixtureRequest) -> "Iterator[Place]":
    """A cluster on this machine, for this process of pytest, with the operator installed; gone at the end."""
    from . import places

    keep = request.config.getoption("--litmus-keep")
    yield from places.held(lambda: places.sandbox(keep=keep), fail=_fail)


@pytest.fixture(scope="session")
def litmus_cluster() -> "Iterator[Place]":
    """The cluster of KUBECONFIG, where litmus is installed."""
    from . import places

    yield from places.held(places.cluster, fail=_fail)


@pytest.fixture
def chaos(request: pytest.FixtureRequest) -> "Iterator[Chaos]":
    """Runs experiments where ``--litmus`` says; what it makes is removed after the test."""
    from . import chaos as chaos_

    where = request.config.getoption("--litmus")
    place = request.getfixturevalue(f"litmus_{where}")
    outcomes: list[Outcome] = []
    request.node.stash[_OUTCOMES] = outcomes
    running = chaos_.Chaos(place, outcomes=outcomes, keep=request.config.getoption("--litmus-keep"))
    yield running
    running.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: "pytest.CallInfo[None]"
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What the runs of a failed test came to, as a section of its report."""
    report = yield
    outcomes = item.stash.get(_OUTCOMES, [])
    if report.failed and call.when == "call" and outcomes:
        from . import report as report_

        report.sections += [(report_.title(each), report_.text(each)) for each in outcomes]
    return report


def _fail(sentence: str) -> None:
    pytest.fail(sentence, pytrace=False)
