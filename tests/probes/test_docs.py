"""docs/probes.md says what the code says: its examples are read by the readers of probes, and it names every key."""

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from litmus import api
from litmus.api import probe as shapes
from litmus.api.engine import ExperimentAttributes
from litmus.experiments import steady_form
from litmus.probes import aim, comparators, kinds, pods, properties, reading, sources

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "probes.md").read_text(encoding="utf-8")
EXAMPLES = [yaml.safe_load(text) for text in re.findall(r"^```yaml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)]
LISTS = [example for example in EXAMPLES if isinstance(example, list)]
STRUCTS = [
    shapes.Probe,
    shapes.RunProperties,
    shapes.Comparator,
    shapes.HttpProbe,
    shapes.HttpMethod,
    shapes.HttpGet,
    shapes.HttpPost,
    shapes.CmdProbe,
    sources.Source,
    shapes.K8sProbe,
    shapes.K8sCommand,
    shapes.PromProbe,
    shapes.TrafficProbe,
]


def as_read(given: list[dict[str, Any]]) -> list[api.Probe]:
    """As the experiment reads an engine: keys that no probe has are dropped."""
    return msgspec.convert(given, list[api.Probe])


@pytest.mark.parametrize("example", LISTS, ids=lambda example: example[0]["name"])
def test_an_example_of_probes_is_read_without_a_mistake(example: list[dict[str, Any]]) -> None:
    probes = as_read(example)
    assert list(reading.mistakes(probes, path="probe")) == []
    assert [checked.name for checked in reading.read(probes, path="probe")] == [one["name"] for one in example]


def test_the_examples_of_engines_are_read_without_a_mistake() -> None:
    entries = [entry for example in EXAMPLES if isinstance(example, dict) for entry in example["experiments"]]
    attributes = [msgspec.convert(entry["spec"], ExperimentAttributes) for entry in entries]
    assert len(attributes) > 1
    for one in attributes:
        assert list(steady_form.of_experiment(one, path="spec")) == []


def test_the_example_of_the_readme_is_read_without_a_mistake() -> None:
    text = (ROOT / "examples" / "nginx" / "impact.yaml").read_text(encoding="utf-8")
    engine = msgspec.convert(yaml.safe_load(text), api.ChaosEngine)
    assert engine.spec.experiments[0].spec.impact
    assert list(steady_form.mistakes(engine.spec)) == []


def test_no_example_has_a_key_that_no_probe_has() -> None:
    for example in LISTS:
        for given, probe in zip(example, as_read(example), strict=True):
            assert unknown(given, msgspec.to_builtins(probe)) == []


def unknown(given: object, kept: object, path: str = "") -> list[str]:
    """Keys of what was written that are not in what was read."""
    if not isinstance(given, dict):
        return []
    assert isinstance(kept, dict), path
    lost = [f"{path}.{key}" for key in given if key not in kept]
    return lost + [name for key in given if key in kept for name in unknown(given[key], kept[key], f"{path}.{key}")]


def test_there_is_an_example_of_every_type_and_mode() -> None:
    probes = [probe for example in LISTS for probe in example]
    assert {probe["type"] for probe in probes} == set(kinds.MODULES)
    assert {probe["mode"] for probe in probes} == {"SOT", "EOT", "Edge", "Continuous", "OnChaos"}


@pytest.mark.parametrize("struct", STRUCTS, ids=lambda struct: struct.__name__)
def test_every_key_is_explained(struct: type[msgspec.Struct]) -> None:
    names = {field.encode_name for field in msgspec.structs.fields(struct)} - {"sloProbe/inputs"}
    spans = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", PAGE, flags=re.DOTALL | re.MULTILINE))
    told = {part for span in spans for part in re.split(r"[.…]", span)} | set(spans)
    assert {name for name in names if name not in told and not name.endswith("/inputs")} == set()


def test_every_criterion_is_named() -> None:
    _, _, part = PAGE.partition("## Comparators")
    for type_ in comparators.TYPES:
        (line,) = (line for line in part.splitlines() if re.match(rf"\| [^|]*\b{type_}\b", line))
        assert set(comparators.criteria_of(type_)) <= set(re.findall(r"`([^`]+)`", line))


@pytest.mark.parametrize(
    ("key", "default"),
    [
        ("probeTimeout", f"{properties.DEFAULT_TIMEOUT_S:g} s"),
        ("interval", f"{properties.DEFAULT_INTERVAL_S:g} s; `0s` is none"),
        ("probePollingInterval", f"{properties.DEFAULT_POLLING_S:g} s"),
        ("rate", f"{aim.DEFAULT_RATE:g}"),
        ("timeout", f"{aim.DEFAULT_TIMEOUT_S:g}s"),
    ],
)
def test_a_default_is_that_of_the_code(key: str, default: str) -> None:
    (line,) = (line for line in PAGE.splitlines() if line.startswith(f"| `{key}` |"))
    assert line.rstrip(" |").rpartition("| ")[2] == default


def test_the_limits_are_those_of_the_code() -> None:
    assert f"{properties.LEAST_POLLING_S * 1000:g} ms at least" in PAGE
    assert f"{aim.LEAST_RATE:g} to {aim.HIGHEST_RATE:g}" in PAGE
    assert f"rate × timeout may be {aim.MOST_OPEN} at most" in PAGE
    assert f"A pod has {pods.START_DEADLINE_S:g} s to start" in PAGE
    assert f"1 to {reading.LONGEST_NAME} characters" in PAGE
