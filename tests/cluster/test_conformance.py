"""The sandbox and a real cluster answer the same thousand requests; differences have reasons that users can read."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster import stage
from tests.cluster.conformance import comparison, known, play

INTERACTIONS_MIN = 150
GUIDE = Path(__file__).parents[2] / "docs" / "sandbox.md"


@pytest.fixture
def real() -> Path:
    """The kubeconfig of a real cluster."""
    if not stage.KUBECONFIG:
        pytest.skip("needs a cluster: set KUBECONFIG")
    kubeconfig = Path(stage.KUBECONFIG)
    if "+sandbox" in play.version(kubeconfig):
        pytest.skip("the cluster of KUBECONFIG is a sandbox itself: there is nothing to compare it with")
    return kubeconfig


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The kubeconfig of a sandbox of this test's own. Its folder is short: the path of a socket is limited."""
    with tempfile.TemporaryDirectory(prefix="cf-", dir="/tmp") as home:
        monkeypatch.setenv("LITMUS_SANDBOX_HOME", f"{home}/h")
        up = stage.litmus("sandbox", "up", "--name", "c", "--nodes", "1")
        try:
            assert up.status == 0, str(up)
            yield Path(home) / "h" / "c" / "kubeconfig"
        finally:
            stage.litmus("sandbox", "down", "--name", "c")


def test_a_sandbox_answers_as_a_real_cluster_does_or_has_a_reason(real: Path, sandbox: Path) -> None:
    compared = comparison.of(real, sandbox)
    assert compared.interactions >= INTERACTIONS_MIN
    assert not compared.unexplained, "\n".join(compared.unexplained)
    assert not compared.stale, "\n".join(f"{each.pattern} matches nothing" for each in compared.stale)


def test_every_reason_is_in_the_guide() -> None:
    text = " ".join(GUIDE.read_text().split())
    assert not [reason for reasons in known.GROUPS.values() for reason in reasons if reason not in text]
