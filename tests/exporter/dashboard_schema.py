"""The part of Grafana's dashboard schema that ours use, as types that refuse what is not in it.

Source: grafana/grafana, kinds/dashboard/dashboard_kind.cue (schemaVersion 36), whose facts are told here again. A field
that this part does not know is a mistake, so that nothing is written which Grafana would overlook; where the schema
itself is open (a panel's options, a query, the fields that a source of data adds to an annotation) the plugin's
own fields are named.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

Text = Annotated[str, Meta(min_length=1)]
Column = Annotated[int, Meta(ge=0, lt=24)]
Width = Annotated[int, Meta(ge=1, le=24)]
Height = Annotated[int, Meta(ge=1)]
Uid = Annotated[str, Meta(pattern="^[a-zA-Z0-9_-]{8,40}$")]
Period = Annotated[str, Meta(pattern=r"^\d+(ms|s|m|h|d)$")]
Colour = Annotated[str, Meta(pattern=r"^(#[0-9A-Fa-f]{6}|[a-z-]+)$")]


class Strict(msgspec.Struct, forbid_unknown_fields=True, rename="camel", kw_only=True):
    """Nothing but its fields."""


class DataSourceRef(Strict):
    type: Literal["prometheus"]
    uid: Literal["${datasource}"]


class GridPos(Strict):
    x: Column
    y: Annotated[int, Meta(ge=0)]
    w: Width
    h: Height


class Threshold(Strict):
    color: Colour
    value: float | None


class Thresholds(Strict):
    mode: Literal["absolute", "percentage"]
    steps: Annotated[list[Threshold], Meta(min_length=1)]


class MappedTo(Strict):
    text: Text
    color: Colour
    index: int


class ValueMap(Strict):
    type: Literal["value"]
    options: dict[str, MappedTo]


class FieldColor(Strict):
    mode: Literal["thresholds", "palette-classic", "fixed"]
    fixed_color: Colour = "red"


class FieldDefaults(Strict):
    unit: Text
    color: FieldColor
    thresholds: Thresholds
    mappings: list[ValueMap]
    custom: dict[str, Any]
    min: float | None = None
    max: float | None = None


class Matcher(Strict):
    id: Literal["byName"]
    options: Text


class Property(Strict):
    id: Literal["color"]
    value: FieldColor


class Override(Strict):
    matcher: Matcher
    properties: list[Property]


class FieldConfig(Strict):
    defaults: FieldDefaults
    overrides: list[Override]


class Target(Strict):
    """A query of the Prometheus plugin (DataQuery with expr, legendFormat, instant, range, format)."""

    ref_id: Annotated[str, Meta(pattern="^[A-Z]$")]
    datasource: DataSourceRef
    expr: Text
    legend_format: Text
    instant: bool
    range: bool
    format: Literal["time_series", "table"]


class Transformation(Strict):
    id: Literal["filterFieldsByName", "organize"]
    options: dict[str, Any]


class Panel(Strict):
    id: Annotated[int, Meta(ge=1)]
    type: Literal["timeseries", "stat", "gauge", "bargauge", "table", "state-timeline"]
    title: Text
    description: Text
    datasource: DataSourceRef
    grid_pos: GridPos
    targets: Annotated[list[Target], Meta(min_length=1)]
    field_config: FieldConfig
    options: dict[str, Any]
    transformations: list[Transformation] = []


class RowPanel(Strict):
    id: Annotated[int, Meta(ge=1)]
    type: Literal["row"]
    title: Text
    collapsed: bool
    grid_pos: GridPos
    panels: list[Panel]


class VariableQuery(Strict):
    query: Text
    ref_id: Text


class Chosen(Strict):
    text: list[str]
    value: list[str]


class VariableModel(Strict):
    """``type`` query or datasource; the fields after ``hide`` are those of QueryVariableModel."""

    name: Annotated[str, Meta(pattern=r"^\w+$")]
    label: Text
    type: Literal["query", "datasource"]
    query: VariableQuery | str
    hide: Literal[0, 1, 2]
    datasource: DataSourceRef | None = None
    definition: str = ""
    refresh: Literal[0, 1, 2] = 0
    sort: Annotated[int, Meta(ge=0, le=8)] = 0
    multi: bool = False
    include_all: bool = False
    all_value: str = ""
    current: Chosen | None = None


class Templating(Strict):
    list: list[VariableModel]


class AnnotationQuery(Strict):
    """The fields after ``icon_color`` are those that the Prometheus plugin spreads into the annotation."""

    name: Text
    datasource: DataSourceRef
    enable: bool
    hide: bool
    icon_color: Colour
    expr: Text
    step: Period
    title_format: Text
    text_format: Text
    tag_keys: str
    use_value_for_time: bool


class Annotations(Strict):
    list: list[AnnotationQuery]


class Link(Strict):
    title: Text
    type: Literal["link", "dashboards"]
    icon: str
    tooltip: str
    url: str
    tags: list[str]
    as_dropdown: bool
    target_blank: bool
    include_vars: bool
    keep_time: bool


class Time(Strict):
    from_: str = msgspec.field(name="from")
    to: str


class Dashboard(Strict):
    uid: Uid
    title: Text
    description: Text
    tags: list[Text]
    schema_version: Literal[36]
    version: int
    editable: bool
    graph_tooltip: Literal[0, 1, 2]
    timezone: Text
    refresh: Period
    time: Time
    templating: Templating
    annotations: Annotations
    links: list[Link]
    panels: list[dict[str, Any]]


def read(text: str) -> tuple[Dashboard, list[Panel | RowPanel]]:
    """A dashboard's file, its panels beside it (which type one has depends on a field). Raises ValidationError."""
    found = msgspec.json.decode(text, type=Dashboard)
    kinds: dict[bool, type[Panel] | type[RowPanel]] = {True: RowPanel, False: Panel}
    return found, [msgspec.convert(panel, kinds[panel.get("type") == "row"]) for panel in found.panels]
