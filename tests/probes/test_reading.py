"""What is wrong with the probes of an engine is told with its path before anything is touched."""

from typing import Any

import msgspec
import pytest

from litmus import api
from litmus.probes import reading
from litmus.probes.contract import ProbeError

PATH = "spec.experiments[0].spec.probe"
HTTP = {"url": "http://web", "expectedResponseCode": "200"}


def manifest(**changes: Any) -> dict[str, Any]:
    given = {"name": "page", "type": "httpProbe", "mode": "SOT", "httpProbe/inputs": HTTP} | changes
    return {key: value for key, value in given.items() if value is not None}


def mistakes(*manifests: dict[str, Any]) -> list[str]:
    return list(reading.mistakes(msgspec.convert(list(manifests), list[api.Probe]), path=PATH))


def test_a_probe_that_can_be_run_has_a_plan_and_a_path():
    probes = msgspec.convert([manifest(runProperties={"probeTimeout": "3s"})], list[api.Probe])
    (checked,) = reading.read(probes, path=PATH)
    assert (checked.name, checked.path, checked.plan.timeout_s) == ("page", f"{PATH}[0]", 3.0)


def test_the_first_mistake_is_raised():
    probes = msgspec.convert([manifest(name="a"), manifest(name="")], list[api.Probe])
    with pytest.raises(ProbeError, match=r"probe\[1\]\.name: '' must have"):
        reading.read(probes, path=PATH)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"name": " "}, "[0].name: ' ' must have 1 to 253 characters"),
        ({"httpProbe/inputs": None}, "[0].httpProbe/inputs: missing; a httpProbe needs its inputs"),
        (
            {"cmdProbe/inputs": {"command": "true", "comparator": {"criteria": "==", "value": "1"}}},
            "[0].cmdProbe/inputs: not for a httpProbe; remove it, or change the type",
        ),
        ({"data": "kind: Pod"}, "[0].data: not for a httpProbe; remove it"),
        ({"operation": "present"}, "[0].operation: not for a httpProbe; remove it"),
        ({"runProperties": {"probeTimeout": "5 s"}}, "[0].runProperties.probeTimeout: '5 s' is no duration"),
        ({"httpProbe/inputs": HTTP | {"url": "web"}}, "[0].httpProbe/inputs.url: "),
        ({"httpProbe/inputs": HTTP | {"expectedResponseCode": "OK"}}, "[0].httpProbe/inputs.expectedResponseCode: "),
        ({"type": "sloProbe", "httpProbe/inputs": None, "sloProbe/inputs": {}}, "[0].type: sloProbe is not supported"),
    ],
)
def test_a_mistake_is_told_with_its_path(changes, told):
    (found,) = mistakes(manifest(**changes))
    assert found.startswith(PATH + told)


def test_names_are_unique():
    (found,) = mistakes(manifest(), manifest(name="other"), manifest())
    assert found == f"{PATH}[2].name: 'page' is the name of probe[0] too; names must be unique"


def test_every_mistake_is_told():
    assert len(mistakes(manifest(data="x", runProperties={"attempt": -1}), manifest(httpProbe=None))) == 3


def test_an_output_that_is_not_there_is_a_mistake():
    url = "http://{{ .nobody.ProbeArtifacts.Register }}/"
    (found,) = mistakes(manifest(**{"httpProbe/inputs": HTTP | {"url": url}}))
    assert "names no probe of this experiment" in found
