"""What is wrong with the probes and criteria of an engine is told by everybody who reads it, with its path."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from litmus import api
from litmus.cli import engine_file, failures
from litmus.experiments import admission, steady_form
from tests import samples

TRAFFIC = {"name": "load", "type": "trafficProbe", "mode": "Continuous", "trafficProbe/inputs": {"url": "http://web"}}
CLUSTER = {
    "name": "deployed",
    "type": "k8sProbe",
    "mode": "Continuous",
    "k8sProbe/inputs": {"version": "v1", "resource": "pods", "namespace": "shop", "operation": "present"},
}
WRONG = TRAFFIC | {"runProperties": {"probeTimeout": "soon"}}
PATHS = [
    "spec.experiments[0].spec.probe[0].runProperties.probeTimeout: 'soon' is no duration",
    "spec.experiments[0].spec.impact.availability: '99' is not understood",
]


def experiments(*probes: dict[str, Any], **impact: str) -> list[dict[str, Any]]:
    return [{"name": "pod-delete", "spec": {"probe": list(probes), "impact": impact}}]


def mistakes(*probes: dict[str, Any], **impact: str) -> list[str]:
    spec = samples.engine(experiments=experiments(*probes, **impact))["spec"]
    return list(steady_form.mistakes(msgspec.convert(spec, api.EngineSpec)))


def test_an_engine_without_probes_has_nothing_wrong_with_them():
    assert mistakes() == []


def test_every_mistake_is_told_with_its_path():
    found = mistakes(WRONG, availability="99")
    assert [told.startswith(path) for told, path in zip(found, PATHS, strict=True)] == [True, True]


def test_criteria_need_something_that_is_asked_continuously():
    (told,) = mistakes(TRAFFIC | {"mode": "OnChaos"}, availability=">= 99%", recovery="<= 20s")
    assert told == (
        "spec.experiments[0].spec.impact: availability, recovery can't be measured without a continuous signal; add a "
        "trafficProbe, or another probe, in mode Continuous"
    )


@pytest.mark.parametrize(
    ("probes", "judging"),
    [([CLUSTER, TRAFFIC], ["load"]), ([CLUSTER], ["deployed"]), ([TRAFFIC | {"mode": "EOT"}], [])],
)
def test_real_traffic_judges_where_there_is_some(probes, judging):
    assert steady_form.measuring(msgspec.convert(probes, list[api.Probe])) == judging


async def test_the_operator_refuses_the_engine(cluster):
    with pytest.raises(admission.Refused) as told:
        await admission.targets(cluster, samples.an_engine(experiments=experiments(WRONG)))
    assert str(told.value).startswith(PATHS[0])


def test_the_command_line_tells_all_of_it_before_anything_is_applied(tmp_path: Path):
    file = tmp_path / "engine.yaml"
    manifest = samples.engine(experiments=experiments(WRONG, availability="99"))
    file.write_text(yaml.safe_dump({"apiVersion": "litmuschaos.io/v1alpha1", "kind": "ChaosEngine"} | manifest))
    with pytest.raises(failures.Misused) as told:
        engine_file.read(file, namespace="shop")
    assert all(path in str(told.value) for path in PATHS)
