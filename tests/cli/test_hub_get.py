"""``litmus hub get``: what it prints is what kubectl apply -f - takes."""

import pytest
import yaml

from litmus.api import yaml_text
from litmus.cli import app, hub_get, hubs
from litmus.hub import model
from tests.cli.other_hub import theirs

ROLE = ["ServiceAccount", "Role", "RoleBinding"]


def got(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict]:
    assert app.main(["hub", "get", *arguments]) == 0
    return yaml_text.documents(capsys.readouterr().out)


def kinds(documents: list[dict]) -> list[str]:
    return [document["kind"] for document in documents]


def test_without_flags_all_files_come_in_the_order_in_which_they_are_applied(capsys: pytest.CaptureFixture[str]):
    assert kinds(got(capsys, "pod-delete")) == ["ChaosExperiment", *ROLE, "ChaosEngine"]


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (["--experiment"], ["ChaosExperiment"]),
        (["--rbac"], ROLE),
        (["--engine"], ["ChaosEngine"]),
        (["--engine", "--rbac"], [*ROLE, "ChaosEngine"]),
    ],
)
def test_flags_choose_among_the_files(flags: list[str], expected: list[str], capsys: pytest.CaptureFixture[str]):
    assert kinds(got(capsys, "pod-delete", *flags)) == expected


def test_several_experiments_come_as_one_text(capsys: pytest.CaptureFixture[str]):
    found = got(capsys, "pod-delete", "node-drain", "pod-delete", "--experiment")
    assert [document["metadata"]["name"] for document in found] == ["pod-delete", "node-drain"]


def test_a_namespace_is_filled_in_everywhere(capsys: pytest.CaptureFixture[str]):
    for document in got(capsys, "pod-delete", "node-drain", "-n", "nginx"):
        if not document["kind"].startswith("Cluster"):
            assert document["metadata"]["namespace"] == "nginx"
        for subject in document.get("subjects", ()):
            assert subject["namespace"] == "nginx"


def test_without_a_namespace_kubectl_decides(capsys: pytest.CaptureFixture[str]):
    assert not [document for document in got(capsys, "pod-delete") if "namespace" in document["metadata"]]


def test_the_image_is_the_one_that_was_asked_for(capsys: pytest.CaptureFixture[str]):
    [experiment] = got(capsys, "pod-delete", "--experiment", "--image", "registry/mine:1")
    assert experiment["spec"]["definition"]["image"] == "registry/mine:1"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "name an experiment; litmus hub list shows them"),
        (["pod-delte"], "there is no experiment 'pod-delte' in the hub; did you mean pod-delete?"),
        (["other/pod-delete"], "there is no experiment 'other/pod-delete' in the hub"),
        (["pod-delete", "-n", "Nginx"], "'Nginx' is no name of a namespace"),
    ],
)
def test_a_mistake_is_one_sentence_and_nothing_is_printed(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
):
    assert app.main(["hub", "get", *arguments]) == 4
    out, err = capsys.readouterr()
    assert out == ""
    assert sentence in err


@pytest.fixture
def added(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hubs, "named", lambda name, **_: theirs())


@pytest.mark.usefixtures("added")
def test_of_a_hub_without_roles_the_rest_comes_with_namespace_and_image(capsys: pytest.CaptureFixture[str]):
    experiment, engine = got(capsys, "quake", "-n", "shop", "--image", "mine:1", "--hub", "theirs")
    assert experiment["metadata"]["namespace"] == engine["metadata"]["namespace"] == "shop"
    assert experiment["spec"]["definition"]["image"] == "mine:1"


@pytest.mark.usefixtures("added")
def test_the_image_of_another_hub_is_its_own_unless_one_is_given(capsys: pytest.CaptureFixture[str]):
    [experiment] = got(capsys, "quake", "--experiment", "--hub", "theirs")
    assert experiment["spec"]["definition"]["image"] == "theirs:1"


@pytest.mark.usefixtures("added")
def test_a_file_that_a_hub_does_not_have_is_an_error_where_it_is_asked_for(capsys: pytest.CaptureFixture[str]):
    assert app.main(["hub", "get", "quake", "--rbac", "--hub", "theirs"]) == 2
    assert "the hub theirs has no rbac.yaml for quake" in capsys.readouterr().err


def test_an_experiment_with_a_problem_is_refused_with_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    problem = model.Problem("faults/ground/quake/fault.yaml", 3, "is no YAML")
    monkeypatch.setattr(hubs, "named", lambda name, **_: theirs(problems=(problem,)))
    assert app.main(["hub", "get", "quake", "--hub", "theirs"]) == 2
    assert "quake of the hub theirs can't be used: faults/ground/quake/fault.yaml:3: is no YAML" in (
        capsys.readouterr().err
    )


def test_texts_are_put_together_with_one_separator_between_each_two():
    texts = ["a: 1", "# two\n---\nb: 2\n---\nc: 3\n", "# four\nd: 4\n"]
    together = hub_get.together(texts)
    assert list(yaml.safe_load_all(together)) == [{"a": 1}, {"b": 2}, {"c": 3}, {"d": 4}]
    assert together.count("---\n") == 4
