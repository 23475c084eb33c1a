"""A dashboard of Grafana as data, and the JSON that Grafana reads. Pure.

Only what our dashboards use is here: rows of panels side by side, queries of Prometheus, variables, annotations. Where
a panel stands follows from the order and the widths, so that nobody counts columns by hand.

The JSON follows version 36 of Grafana's dashboard schema (Grafana 9 and later read it and bring it up to date).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Json = dict[str, Any]
Kind = Literal["timeseries", "stat", "gauge", "bargauge", "table", "state-timeline"]
Draw = Literal["line", "bars"]

SCHEMA_VERSION = 36
COLUMNS = 24
# The variable that says which Prometheus is asked; everything on a dashboard goes to it.
SOURCE: Json = {"type": "prometheus", "uid": "${datasource}"}


@dataclass(frozen=True, slots=True)
class Query:
    """One question to Prometheus. ``legend`` may have labels, ``{{pod}}``; ``instant`` asks for the last moment."""

    expr: str
    legend: str = ""
    instant: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One picture. ``limits`` are (from value, colour) in rising order, above the colour of everything below them.

    ``texts`` maps values to (text, colour). ``columns`` are the labels that a table shows, in that order, with Value
    for the number.
    """

    title: str
    help: str
    queries: Sequence[Query]
    kind: Kind = "timeseries"
    unit: str = "short"
    width: int = 12
    height: int = 8
    draw: Draw = "line"
    stacked: bool = False
    lowest: float | None = None
    highest: float | None = None
    below: str = "green"
    limits: Sequence[tuple[float, str]] = ()
    texts: Sequence[tuple[int, str, str]] = ()
    colours: Sequence[tuple[str, str]] = ()
    columns: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Panels under a heading, side by side as far as they fit."""

    title: str
    panels: Sequence[Panel]


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A choice at the top: the values of ``label`` of the series that ``series`` selects."""

    name: str
    title: str
    series: str
    label: str
    several: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """A band over every graph, as long as ``expr`` has a value above zero. ``step`` is the finest resolution."""

    name: str
    expr: str
    colour: str
    text: str
    step: str = "1s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    """A page of Grafana. Its ``uid`` stays the same for ever: links and bookmarks have it."""

    uid: str
    title: str
    help: str
    rows: Sequence[Row]
    variables: Sequence[Variable]
    annotations: Sequence[Annotation]
    refresh: str = "10s"
    since: str = "now-1h"
    tags: Sequence[str] = ()

    @property
    def panels(self) -> Iterator[Panel]:
        """All of them, in their order."""
        return (panel for row in self.rows for panel in row.panels)

    def document(self) -> Json:
        """What Grafana reads."""
        return {
            "uid": self.uid,
            "title": self.title,
            "description": self.help,
            "tags": ["litmus", *self.tags],
            "schemaVersion": SCHEMA_VERSION,
            "version": 1,
            "editable": True,
            "graphTooltip": 1,  # one crosshair over all graphs
            "timezone": "browser",
            "refresh": self.refresh,
            "time": {"from": self.since, "to": "now"},
            "templating": {"list": [_source(), *map(_variable, self.variables)]},
            "annotations": {"list": [_annotation(one) for one in self.annotations]},
            "links": [_links()],
            "panels": list(_placed(self.rows)),
        }


def _placed(rows: Sequence[Row]) -> Iterator[Json]:
    number, top = 1, 0
    for row in rows:
        at = {"x": 0, "y": top, "w": COLUMNS, "h": 1}
        yield {"id": number, "type": "row", "title": row.title, "collapsed": False, "gridPos": at, "panels": []}
        number, top, left, tallest = number + 1, top + 1, 0, 0
        for panel in row.panels:
            if left + panel.width > COLUMNS:
                top, left, tallest = top + tallest, 0, 0
            yield _panel(panel, number, {"x": left, "y": top, "w": panel.width, "h": panel.height})
            number, left, tallest = number + 1, left + panel.width, max(tallest, panel.height)
        top += tallest


def _panel(panel: Panel, number: int, at: Json) -> Json:
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.help,
        "datasource": SOURCE,
        "gridPos": at,
        "targets": [_target(query, chr(ord("A") + i), panel) for i, query in enumerate(panel.queries)],
        "fieldConfig": {"defaults": _defaults(panel), "overrides": [_coloured(*one) for one in panel.colours]},
        "options": _options(panel),
        **({"transformations": _as_table(panel)} if panel.kind == "table" else {}),
    }


def _target(query: Query, letter: str, panel: Panel) -> Json:
    return {
        "refId": letter,
        "datasource": SOURCE,
        "expr": query.expr,
        "legendFormat": query.legend or "__auto",
        "instant": query.instant,
        "range": not query.instant,
        "format": "table" if panel.kind == "table" else "time_series",
    }


def _defaults(panel: Panel) -> Json:
    steps: list[Json] = [{"color": panel.below, "value": None}]
    steps += [{"color": colour, "value": value} for value, colour in panel.limits]
    mode = "thresholds" if panel.limits or panel.kind not in ("timeseries", "table") else "palette-classic"
    found: Json = {
        "unit": panel.unit,
        "color": {"mode": mode if panel.kind != "timeseries" else "palette-classic"},
        "thresholds": {"mode": "absolute", "steps": steps},
        "mappings": [_mapping(panel.texts)] if panel.texts else [],
        "custom": _custom(panel),
    }
    for name, value in (("min", panel.lowest), ("max", panel.highest)):
        if value is not None:
            found[name] = value
    return found


def _custom(panel: Panel) -> Json:
    if panel.kind == "timeseries":
        return {
            "drawStyle": panel.draw,
            "lineWidth": 1,
            "fillOpacity": 80 if panel.draw == "bars" else 10,
            "showPoints": "auto",  # else a series with gaps around a point does not show it
            "spanNulls": False,
            "stacking": {"mode": "normal" if panel.stacked else "none", "group": "A"},
        }
    if panel.kind == "state-timeline":
        return {"lineWidth": 0, "fillOpacity": 80}
    return {}


def _mapping(texts: Sequence[tuple[int, str, str]]) -> Json:
    options = {str(value): {"text": text, "color": colour, "index": i} for i, (value, text, colour) in enumerate(texts)}
    return {"type": "value", "options": options}


def _coloured(series: str, colour: str) -> Json:
    fixed = {"id": "color", "value": {"mode": "fixed", "fixedColor": colour}}
    return {"matcher": {"id": "byName", "options": series}, "properties": [fixed]}


def _options(panel: Panel) -> Json:
    last = {"calcs": ["lastNotNull"], "fields": "", "values": False}
    legend = {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []}
    match panel.kind:
        case "timeseries":
            return {"legend": legend, "tooltip": {"mode": "multi", "sort": "desc"}}
        case "state-timeline":
            return {"legend": legend, "tooltip": {"mode": "single", "sort": "none"}, "showValue": "never"}
        case "table":
            return {"showHeader": True, "cellHeight": "sm"}
        case "bargauge":
            return {"reduceOptions": last, "orientation": "horizontal", "displayMode": "basic"}
        case "gauge":
            return {"reduceOptions": last, "orientation": "auto", "showThresholdMarkers": True}
        case "stat":
            return {"reduceOptions": last, "orientation": "auto", "colorMode": "value", "graphMode": "none"}


def _as_table(panel: Panel) -> list[Json]:
    order = {name: i for i, name in enumerate(panel.columns)}
    chosen = {"include": {"names": list(panel.columns)}}
    return [
        {"id": "filterFieldsByName", "options": chosen},
        {"id": "organize", "options": {"excludeByName": {}, "indexByName": order, "renameByName": {}}},
    ]


def _source() -> Json:
    return {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus", "hide": 0}


def _variable(variable: Variable) -> Json:
    asked = f"label_values({variable.series}, {variable.label})"
    several = {"multi": True, "includeAll": True, "allValue": ".*", "current": {"text": ["All"], "value": ["$__all"]}}
    one = {"multi": False, "includeAll": False}
    return {
        "name": variable.name,
        "label": variable.title,
        "type": "query",
        "datasource": SOURCE,
        "query": {"query": asked, "refId": variable.name},
        "definition": asked,
        "refresh": 2,  # with every change of the time range
        "sort": 1,
        "hide": 0,
        **(several if variable.several else one),
    }


def _annotation(annotation: Annotation) -> Json:
    return {
        "name": annotation.name,
        "datasource": SOURCE,
        "enable": True,
        "hide": False,
        "iconColor": annotation.colour,
        "expr": annotation.expr,
        "step": annotation.step,
        "titleFormat": annotation.name,
        "textFormat": annotation.text,
        "tagKeys": "namespace,engine,experiment",
        "useValueForTime": False,
    }


def _links() -> Json:
    return {
        "title": "Litmus",
        "type": "dashboards",
        "tags": ["litmus"],
        "asDropdown": True,
        "includeVars": True,
        "keepTime": True,
        "targetBlank": False,
        "icon": "external link",
        "tooltip": "",
        "url": "",
    }
