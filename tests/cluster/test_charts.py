"""What the hub hands out is taken by kubectl and the API server, for every experiment. Nothing of it stays."""

import pytest

from litmus.experiments import catalogue
from litmus.experiments.declaration import Experiment
from litmus.hub import charts
from tests.cluster.stage import Stage


@pytest.mark.parametrize("experiment", catalogue.everything(), ids=lambda experiment: experiment.name)
def test_kubectl_applies_a_chart(stage: Stage, experiment: Experiment) -> None:
    files = charts.table([experiment], namespace=stage.name)
    folder = f"charts/{experiment.chart}/{experiment.name}"
    for name in charts.FILES:
        said = stage.kubectl("apply", "--dry-run=server", "-f", "-", stdin=files[f"{folder}/{name}"]())
        assert "(server dry run)" in said
        assert "Warning" not in said
