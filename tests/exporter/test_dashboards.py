"""The dashboards: what Grafana reads is in its schema, nothing overlaps, and each has the band and the choices."""

import itertools
import json
import re

import msgspec
import pytest
import yaml

from litmus.exporter import dashboards
from litmus.exporter.dashboards import chaos, model
from tests.exporter import dashboard_schema as schema

EVERY = pytest.mark.parametrize("dashboard", dashboards.every(), ids=lambda dashboard: dashboard.uid)


def overlap(some: schema.GridPos, other: schema.GridPos) -> bool:
    beside = some.x + some.w <= other.x or other.x + other.w <= some.x
    return not (beside or some.y + some.h <= other.y or other.y + other.h <= some.y)


def test_there_are_the_dashboards_that_were_asked_for():
    assert [dashboard.uid for dashboard in dashboards.every()] == [
        "litmus-overview",
        "litmus-experiment",
        "litmus-resources",
        "litmus-operator",
        "litmus-kafka",
        "litmus-cassandra",
        "litmus-openebs",
    ]


@EVERY
def test_what_grafana_reads_is_in_its_schema(dashboard: dashboards.Dashboard):
    read, panels = schema.read(dashboards.text(dashboard))

    assert read.uid == dashboard.uid
    assert len([panel for panel in panels if isinstance(panel, schema.Panel)]) == len(list(dashboard.panels))


@pytest.mark.parametrize(
    "mistake",
    [
        {"gridPos": {"x": 24, "y": 0, "w": 1, "h": 1}},
        {"type": "graph"},
        {"targets": []},
        {"datasource": {"type": "loki", "uid": "${datasource}"}},
        {"legend": "a field of another kind of panel"},
    ],
    ids=lambda mistake: next(iter(mistake)),
)
def test_the_schema_refuses_a_mistake(mistake: dict):
    text = json.loads(dashboards.text(dashboards.every()[0]))
    text["panels"][1] |= mistake

    with pytest.raises(msgspec.ValidationError):
        schema.read(json.dumps(text))


@EVERY
def test_panels_stand_side_by_side_and_have_numbers_of_their_own(dashboard: dashboards.Dashboard):
    _, panels = schema.read(dashboards.text(dashboard))

    assert len({panel.id for panel in panels}) == len(panels)
    assert all(panel.grid_pos.x + panel.grid_pos.w <= model.COLUMNS for panel in panels)
    assert not [(a.title, b.title) for a, b in itertools.combinations(panels, 2) if overlap(a.grid_pos, b.grid_pos)]


@EVERY
def test_each_has_the_band_in_the_colour_of_the_verdict_and_the_choice_of_what_is_shown(
    dashboard: dashboards.Dashboard,
):
    read, _ = schema.read(dashboards.text(dashboard))

    assert [band.icon_color for band in read.annotations.list] == [
        chaos.COLOURS[verdict] for verdict in ("Awaited", "Pass", "Fail", "Error", "Stopped")
    ]
    assert [variable.name for variable in read.templating.list][:4] == [
        "datasource",
        "namespace",
        "engine",
        "experiment",
    ]


@EVERY
def test_every_variable_that_a_query_names_can_be_chosen(dashboard: dashboards.Dashboard):
    names = {variable.name for variable in dashboard.variables}
    built_in = {"__range", "__interval_ms", "__rate_interval"}

    for query in (query for panel in dashboard.panels for query in panel.queries):
        assert set(model_variables(query.expr)) <= names | built_in


@pytest.mark.parametrize("uid", ["litmus-resources", "litmus-kafka", "litmus-cassandra", "litmus-openebs"])
def test_what_nobody_exports_is_not_drawn_as_if_all_were_well(uid: str):
    [dashboard] = [one for one in dashboards.every() if one.uid == uid]

    for query in (query for panel in dashboard.panels for query in panel.queries):
        assert "vector(" not in query.expr
        assert (
            not re.search(r"\bup\{", query.expr) or " and on (job)" in query.expr
        )  # everything that is scraped has it


def model_variables(expr: str) -> list[str]:
    return re.findall(r"\$(\w+)", expr)


def test_the_choices_depend_on_those_before_them():
    namespace, engine, experiment = chaos.choices()

    assert "$" not in namespace.series
    assert "$namespace" in engine.series
    assert {"$namespace", "$engine"} <= set(experiment.series.replace('"', " ").split())


def test_the_files_of_provisioning_point_at_the_folder_and_the_prometheus_that_were_given():
    files = dashboards.files(prometheus="http://p:1", folder="/srv/boards")

    assert yaml.safe_load(files["provisioning/dashboards/litmus.yaml"])["providers"][0]["options"] == {
        "path": "/srv/boards"
    }
    assert yaml.safe_load(files["provisioning/datasources/litmus.yaml"])["datasources"][0]["url"] == "http://p:1"
