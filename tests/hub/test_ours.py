"""Our own hub as a model: everything that is installed, and what can't be used with the reason and without harm."""

from importlib import metadata as distributions
from typing import Any

import pytest
import yaml

from litmus import __version__
from litmus.experiments import catalogue, tunables
from litmus.experiments.declaration import Experiment
from litmus.hub import categories, charts, model, ours


class Quake(Experiment):
    """What another package might bring."""

    name = "quake"
    chart = "kafka"
    title = "Quake"
    help = "Shakes brokers."
    tunables = (tunables.DURATION.listed("60"), tunables.ignored("OLD"))

    async def inject(self, context) -> None: ...


class Sloppy(Quake):
    """Its tunables are none."""

    name = "sloppy"
    tunables: Any = ("DURATION",)


class Misnamed(Quake):
    name = "other"


class Escaping(Quake):
    name = "escaping"
    chart = "../../etc"


class Nameless(Experiment):
    async def inject(self, context) -> None: ...


class Unfinished(Quake):
    name = "unfinished"

    def __init__(self) -> None:
        raise RuntimeError("no licence\nfound")


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch):
    """Makes entry points, each of a name and what is behind it."""

    def install(*entries: tuple[str, str]) -> None:
        made = [
            distributions.EntryPoint(name, value if ":" in value else f"{__name__}:{value}", catalogue.ENTRY_POINTS)
            for name, value in entries
        ]
        monkeypatch.setattr(distributions, "entry_points", lambda **_: distributions.EntryPoints(made))

    return install


def problems(hub: model.Hub) -> dict[str, str]:
    return {chart.name: chart.problems[0].message for chart in hub.charts() if chart.problems}


def test_our_hub_offers_every_experiment_with_files_that_exist():
    hub = ours.hub()

    assert (hub.name, hub.revision, hub.problems) == (model.OURS, __version__, ())
    assert [chart.name for chart in hub.charts()] == [experiment.name for experiment in catalogue.everything()]
    for chart in hub.charts():
        for path in (chart.experiment_file, chart.rbac_file, chart.engine_file, chart.icon_file):
            assert path in hub.files
    for group in hub.groups:
        assert {group.bundle_file, group.icon_file} <= set(hub.files)
        assert group.title
        assert group.help


def test_a_file_is_what_the_chart_says_in_bytes():
    hub = ours.hub(image="litmus:mine", namespace="nginx")

    written = charts.table(catalogue.everything(), image="litmus:mine", namespace="nginx")
    for path in written:
        assert hub.files[path] == written[path]().encode()
    assert set(hub.files) == {*written, ours.CHICK}
    assert len(hub.files) == len(written) + 1
    with pytest.raises(KeyError):
        hub.files["charts/generic/../secrets"]


def test_a_file_is_written_once_and_only_when_it_is_asked_for():
    asked: list[str] = []

    def write() -> str:
        asked.append("a")
        return "text"

    files = ours.Files({"a": write})

    assert "a" in files
    assert list(files) == ["a"]
    assert asked == []
    assert files["a"] == files["a"] == b"text"
    assert asked == ["a"]


def test_a_chart_tells_what_the_declaration_does():
    chart = ours.hub().chart("generic", "pod-network-latency")
    assert chart is not None
    experiment = chart.declared
    assert experiment is not None

    assert (chart.title, chart.help, chart.sandbox) == (experiment.title, experiment.help, experiment.sandbox)
    assert chart.privileges == experiment.privileges
    known = {variable.name: variable for variable in chart.variables}
    assert known["NETWORK_LATENCY"].unit == "ms"
    assert "LIB" not in known  # accepted and without effect: nobody needs to read of it


def test_an_experiment_of_another_package_is_a_chart_like_ours(installed):
    installed(("quake", "Quake"))
    hub = ours.hub()
    chart = hub.chart("kafka", "quake")

    assert chart is not None
    assert not chart.problems
    assert isinstance(chart.declared, Quake)
    assert yaml.safe_load(hub.files[chart.experiment_file])["metadata"]["name"] == "quake"
    group = hub.group("kafka")
    assert group is not None
    assert group.title == "Kafka"
    assert [variable.name for variable in chart.variables] == ["TOTAL_CHAOS_DURATION", "INSTANCE_ID"]


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("gone", "no_such_module:Gone", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("gone", "NotThere", "AttributeError"),
        ("unfinished", "Unfinished", "RuntimeError: no licence found"),
        ("number", "builtins:int", "is no subclass of litmus.experiments.declaration.Experiment"),
        ("nameless", "Nameless", "does not declare name and title and help and tunables"),
        ("misnamed", "Misnamed", "calls itself 'other'"),
        ("escaping", "Escaping", "has the chart '../../etc'; only small letters, digits and - are allowed"),
        ("pod-delete", "Quake", "has the name of one of litmus; give it another name"),
        ("sloppy", "Sloppy", "its declaration can't be written as a chart: AttributeError"),
    ],
)
def test_one_that_can_not_be_used_is_listed_with_the_reason_and_hides_no_other(installed, name, value, reason):
    installed((name, value), ("quake", "Quake"))
    hub = ours.hub()

    assert reason in problems(hub)[name]
    assert f"{name!r}" in problems(hub)[name]
    assert hub.chart("kafka", "quake") is not None
    assert hub.chart("generic", "pod-delete") is not None
    broken = hub.chart(categories.UNUSABLE, name)
    assert broken is not None
    assert (broken.experiment_file, broken.icon_file, broken.declared) == ("", "", None)
    for path in hub.files:
        assert hub.files[path]


def test_of_two_packages_with_the_same_name_the_first_is_used_and_the_second_listed(installed):
    installed(("quake", "Quake"), ("quake", "Quake"))
    hub = ours.hub()

    assert hub.chart("kafka", "quake") is not None
    assert "has the name of one of" in problems(hub)["quake"]


def test_to_ask_for_one_that_can_not_be_loaded_is_answered_with_why(installed):
    installed(("gone", "no_such_module:Gone"))

    with pytest.raises(catalogue.UnknownExperiment, match=r"^the experiment 'gone' can't be loaded: ModuleNotFound"):
        catalogue.find("gone")
    assert "gone" not in [experiment.name for experiment in catalogue.everything()]


def test_given_experiments_are_the_whole_hub(installed):
    installed(("gone", "no_such_module:Gone"))

    assert [chart.name for chart in ours.hub(experiments=[Quake()]).charts()] == ["quake"]


def test_a_group_that_nobody_knows_is_called_by_its_name():
    assert categories.category("payment-chaos").title == "Payment chaos"
    assert ours.groups()["generic"].help
