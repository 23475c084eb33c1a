"""The metadata of charts, read the way the original portal reads it: by the names of its fields, and no others."""

import re
from itertools import pairwise

import pytest
import yaml

from litmus.experiments import catalogue, platforms, tunables
from litmus.experiments.declaration import Experiment
from litmus.hub import charts, metadata

EXPERIMENTS = catalogue.everything()
ALL = pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda experiment: experiment.name)

# What the server of the public hub decodes at 1.10 (reference/litmus-outer.md, 1.4).
METADATA = {"createdAt", "name", "version", "annotations"}
SPEC = {
    "displayName",
    "categoryDescription",
    "keywords",
    "platforms",
    "maturity",
    "maintainers",
    "minKubeVersion",
    "provider",
    "links",
    "icon",
    "chaosexpcrdlink",
    "chaosType",
    "labels",
}


class Quake(Experiment):
    """Of another package, with nothing said that need not be said."""

    name = "quake"
    chart = "kafka"
    title = "Quake"
    help = "Shakes: 'everything' # at once."
    tunables = (tunables.DURATION,)

    async def inject(self, context) -> None: ...


def of(experiment: Experiment) -> dict:
    return yaml.safe_load(metadata.of_experiment(experiment))


def of_group(group: str, experiments: list[Experiment]) -> dict:
    return yaml.safe_load(metadata.of_group(group, experiments))


@ALL
def test_a_chart_is_described_in_the_fields_that_the_original_reads(experiment: Experiment):
    described = of(experiment)

    assert (described["apiVersion"], described["kind"]) == ("litmuchaos.io/v1alpha1", "ChartServiceVersion")
    assert set(described["metadata"]) == METADATA
    assert SPEC - {"chaosType"} <= set(described["spec"]) <= SPEC
    assert described["metadata"]["name"] == experiment.name
    assert described["metadata"]["annotations"]["categories"] == "Generic"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", described["metadata"]["createdAt"])


@ALL
def test_an_experiment_of_ours_says_what_people_search_for(experiment: Experiment):
    spec = of(experiment)["spec"]

    assert len(spec["keywords"]) == len(set(spec["keywords"])) >= 4
    assert set(spec["platforms"]) <= set(platforms.ANY)
    assert spec["maturity"] in ("alpha", "beta", "stable")
    assert all(link["name"] and link["url"].startswith("https://") for link in spec["links"])
    assert spec["links"]
    assert all(person["name"] for person in spec["maintainers"])
    assert experiment.breaks
    assert experiment.blow


def test_a_version_is_one_by_the_rules_of_versions():
    assert re.fullmatch(r"\d+\.\d+\.\d+", of(EXPERIMENTS[0])["metadata"]["version"])


@pytest.mark.parametrize(
    ("name", "badge"), [("node-drain", "infra"), ("disk-loss", "infra"), ("kubelet-service-kill", "infra")]
)
def test_what_hits_machines_has_the_badge_of_the_original(name: str, badge: str):
    assert of(catalogue.find(name))["spec"]["chaosType"] == badge
    assert "chaosType" not in of(catalogue.find("pod-delete"))["spec"]


@pytest.mark.parametrize(
    ("name", "absent"),
    [
        ("node-restart", {"Kind", "Minikube"}),
        ("node-memory-hog", {"Kind"}),
        ("kubelet-service-kill", {"K3s"}),
        ("disk-loss", {"AKS", "Kind", "kubeadm"}),
    ],
)
def test_a_platform_is_not_named_where_the_mechanism_does_not_work(name: str, absent: set[str]):
    assert not absent & set(catalogue.find(name).platforms)
    assert absent <= set(catalogue.find("pod-delete").platforms)


def test_a_group_lists_its_experiments_and_its_package_their_files():
    group = of_group("generic", EXPERIMENTS)
    package = yaml.safe_load(metadata.package("generic", EXPERIMENTS))
    names = [experiment.name for experiment in EXPERIMENTS]

    assert group["spec"]["experiments"] == names
    assert package["packageName"] == "generic"
    assert [entry["name"] for entry in package["experiments"]] == names
    files = charts.table(EXPERIMENTS)
    for entry in package["experiments"]:
        assert set(entry) == {"name", "CSV", "desc"}
        assert f"charts/generic/{entry['name']}/{entry['CSV']}" in files


def test_every_file_that_a_chart_refers_to_is_there():
    files = charts.table([*EXPERIMENTS, Quake()])
    for path, write in files.items():
        if path.endswith(".chartserviceversion.yaml"):
            spec = yaml.safe_load(write())["spec"]
            assert spec["chaosexpcrdlink"] in files
            assert [icon["url"] in files and icon["mediatype"] for icon in spec["icon"]] == ["image/svg+xml"]


def test_an_experiment_of_another_package_is_described_in_the_same_way_and_as_its_own():
    spec, about = of(Quake())["spec"], of(Quake())["metadata"]

    assert spec["provider"] == {"name": __name__.partition(".")[0]}
    assert spec["categoryDescription"] == Quake.help
    assert about["annotations"]["categories"] == "Kafka"
    assert "createdAt" not in about
    assert set(of_group("kafka", [Quake()])["spec"]["experiments"]) == {"quake"}


def test_a_group_of_experiments_of_several_packages_names_them_all():
    spec = of_group("generic", [EXPERIMENTS[0], Quake()])["spec"]

    assert spec["provider"]["name"].split(", ") == [metadata.OURS, __name__.partition(".")[0]]
    assert len(spec["maintainers"]) == 2


def test_an_experiment_with_the_name_of_its_group_has_a_description_of_its_own():
    class Kafka(Quake):
        name = "kafka"

    files = charts.table([Kafka()])

    assert yaml.safe_load(files["charts/kafka/kafka.chartserviceversion.yaml"]())["spec"]["experiments"] == ["kafka"]
    assert "experiments" not in yaml.safe_load(files["charts/kafka/kafka/kafka.chartserviceversion.yaml"]())["spec"]


def test_the_groups_are_one_after_the_other_in_the_table():
    groups = [path.split("/")[1] for path in charts.table([EXPERIMENTS[0], Quake(), EXPERIMENTS[1]])]

    assert sum(before != after for before, after in pairwise(groups)) == 1
