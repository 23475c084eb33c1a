"""A folder that others wrote becomes a hub, in either layout; a broken chart is listed and hides no other."""

import os
from pathlib import Path

import pytest

from litmus.hub import model, reading
from tests.hub import others


def read(folder: Path) -> model.Hub:
    return reading.hub(folder, name="mine", source="here", revision="abc", synced="2026-01-02T03:04:05Z")


def test_a_hub_of_1_10_is_read_with_everything_that_it_says(tmp_path: Path):
    hub = read(others.write(tmp_path, others.of_1_10("broker-stop", "broker-kill")))
    assert (hub.name, hub.source, hub.revision, hub.synced, hub.problems) == (
        "mine",
        "here",
        "abc",
        "2026-01-02T03:04:05Z",
        (),
    )
    [group] = hub.groups
    assert (group.name, group.title, group.version, group.problems) == ("queues", "Queues", "0.2.1", ())
    assert group.bundle_file == "charts/queues/experiments.yaml"
    assert group.icon_file == "charts/queues/icons/queues.svg"
    assert [chart.name for chart in group.charts] == ["broker-stop", "broker-kill"]  # as the author lists them
    chart = group.charts[0]
    assert (chart.group, chart.title, chart.version, chart.scope) == (
        "queues",
        "Title of broker-stop",
        "0.2.1",
        "Cluster",
    )
    assert chart.help == "Stops broker-stop.\n- and looks what happens"
    assert (chart.keywords, chart.platforms, chart.maturity) == (("Queue",), ("Minikube",), "alpha")
    assert chart.maintainers == (model.Maintainer("Ada", "ada@example.com"),)
    assert chart.links == (model.Link("Docs", "https://example.com/docs"),)
    assert chart.sandbox is None
    assert chart.declared is None
    assert chart.problems == ()
    assert chart.privileges == ("hostPID",)
    for path in (chart.experiment_file, chart.engine_file, chart.rbac_file, chart.icon_file):
        assert hub.files[path] == (tmp_path / path).read_bytes()


def test_variables_and_rights_carry_the_comments_above_them(tmp_path: Path):
    hub = read(others.write(tmp_path, others.of_1_10("broker-stop")))
    chart = hub.chart("queues", "broker-stop")
    assert chart is not None
    assert [(v.name, v.value, v.help) for v in chart.variables] == [
        ("TOTAL_CHAOS_DURATION", "15", ""),
        ("BROKER", "", "which broker, by its number"),
    ]
    [right] = chart.permissions
    assert (right.groups, right.resources, right.verbs, right.reason) == (
        ("",),
        ("pods",),
        ("get", "list"),
        "Find the broker",
    )


def test_a_hub_of_3_is_read_and_needs_no_roles(tmp_path: Path):
    hub = read(others.write(tmp_path, others.of_3("broker-stop")))
    chart = hub.chart("queues", "broker-stop")
    assert chart is not None
    assert (chart.problems, hub.groups[0].problems, hub.problems) == ((), (), ())
    assert chart.experiment_file == "faults/queues/broker-stop/fault.yaml"
    assert chart.rbac_file == ""
    assert chart.icon_file == ""


def test_both_layouts_may_stand_side_by_side(tmp_path: Path):
    others.write(tmp_path, others.of_3("a") | others.of_1_10("b", group="caches"))
    assert [(g.name, [c.name for c in g.charts]) for g in read(tmp_path).groups] == [
        ("caches", ["b"]),
        ("queues", ["a"]),
    ]


def test_a_chart_that_is_no_yaml_is_listed_with_its_line_and_hides_no_other(tmp_path: Path):
    files = others.of_1_10("good", "bad")
    files["charts/queues/bad/experiment.yaml"] = "apiVersion: v1\nkind: [\n"
    hub = read(others.write(tmp_path, files))
    good, bad = hub.groups[0].charts
    assert good.problems == ()
    assert [(p.file, p.line) for p in bad.problems] == [("charts/queues/bad/experiment.yaml", 3)]
    assert bad.title == "Title of bad"
    assert bad.engine_file


def test_a_chart_whose_metadata_is_nonsense_is_listed_by_its_folder(tmp_path: Path):
    files = others.of_1_10("odd")
    files["charts/queues/odd/odd.chartserviceversion.yaml"] = (
        "apiVersion: litmuchaos.io/v1alpha1\nkind: ChartServiceVersion\nmetadata: 7\nspec: {links: 3, keywords: {}}\n"
    )
    files["charts/queues/odd/experiment.yaml"] = (
        "apiVersion: litmuschaos.io/v1alpha1\nkind: ChaosExperiment\nmetadata: {name: odd}\nspec: {definition: [1]}\n"
    )
    chart = read(others.write(tmp_path, files)).chart("queues", "odd")
    assert chart is not None
    assert (chart.title, chart.help, chart.links, chart.variables, chart.permissions) == ("odd", "", (), (), ())
    assert len(chart.problems) >= 3


def test_rights_that_are_no_list_are_shown_and_named_as_a_problem(tmp_path: Path):
    files = others.of_1_10("old")
    text = str(files["charts/queues/old/experiment.yaml"])
    rule = '      - apiGroups: [""]\n        resources: [pods]\n        verbs: [get, list]\n'
    assert rule in text
    text = text.replace(rule, '      apiGroups: [""]\n      resources: [pods]\n      verbs: ["*"]\n')
    files["charts/queues/old/experiment.yaml"] = text
    chart = read(others.write(tmp_path, files)).chart("queues", "old")
    assert chart is not None
    assert [right.verbs for right in chart.permissions] == [("*",)]
    assert [p.line for p in chart.problems] == [12]


def test_templates_stay_text(tmp_path: Path):
    files = others.of_1_10("a")
    files["charts/queues/a/experiment.yaml"] = str(files["charts/queues/a/experiment.yaml"]).replace(
        "value: ''", "value: '{{ 7 * 7 }} $(id)'"
    )
    chart = read(others.write(tmp_path, files)).chart("queues", "a")
    assert chart is not None
    assert chart.variables[1].value == "{{ 7 * 7 }} $(id)"


def test_an_address_that_is_not_of_the_web_is_no_link(tmp_path: Path):
    files = others.of_1_10("a")
    path = "charts/queues/a/a.chartserviceversion.yaml"
    files[path] = str(files[path]).replace("https://example.com/docs", "javascript:alert(1)")
    chart = read(others.write(tmp_path, files)).chart("queues", "a")
    assert chart is not None
    assert chart.links == ()


def test_what_no_chart_needs_is_not_handed_out(tmp_path: Path):
    extra: dict[str, str | bytes] = {
        "charts/queues/a/run.sh": "rm -rf /",
        "charts/queues/a/index.html": "<script>",
        "charts/queues/.git/config": "secret",
        "README.md": "hello",
        "secret.yaml": "a: 1",
    }
    hub = read(others.write(tmp_path, others.of_1_10("a") | extra))
    assert not set(extra) & set(hub.files)
    assert hub.problems == ()


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path):
    (tmp_path / "outside.yaml").write_text("a: secret\n")
    hub_folder = others.write(tmp_path / "hub", others.of_1_10("a", "b"))
    engine = hub_folder / "charts/queues/a/engine.yaml"
    engine.unlink()
    engine.symlink_to(tmp_path / "outside.yaml")
    hub = read(hub_folder)
    a, b = hub.groups[0].charts
    assert [(p.file, "unsafe path" in p.message) for p in a.problems] == [("charts/queues/a/engine.yaml", True)]
    assert a.engine_file == ""
    assert b.problems == ()
    assert not any(b"secret" in content for content in hub.files.values())


def test_a_link_within_the_folder_is_a_file_like_others(tmp_path: Path):
    others.write(tmp_path, others.of_1_10("a"))
    rbac = tmp_path / "charts/queues/a/rbac.yaml"
    rbac.rename(tmp_path / "charts/queues/roles.yaml")
    rbac.symlink_to("../roles.yaml")
    chart = read(tmp_path).chart("queues", "a")
    assert chart is not None
    assert chart.problems == ()


def test_a_pipe_in_place_of_a_file_holds_nobody_up(tmp_path: Path):
    others.write(tmp_path, others.of_1_10("a"))
    engine = tmp_path / "charts/queues/a/engine.yaml"
    engine.unlink()
    os.mkfifo(engine)
    chart = read(tmp_path).chart("queues", "a")
    assert chart is not None
    assert [str(p) for p in chart.problems] == ["charts/queues/a/engine.yaml: not a regular file; remove it"]


@pytest.mark.parametrize("name", ["a b", "<script>", "-x", "é"])
def test_a_strange_name_of_a_folder_is_a_problem_of_the_hub(tmp_path: Path, name: str):
    others.write(tmp_path, others.of_1_10("a") | {f"charts/queues/{name}/experiment.yaml": "a: 1\n"})
    hub = read(tmp_path)
    assert [chart.name for chart in hub.charts()] == ["a"]
    assert [p.file for p in hub.problems] == [f"charts/queues/{name}"]


def test_an_empty_folder_is_a_hub_without_charts(tmp_path: Path):
    assert read(tmp_path).groups == ()
