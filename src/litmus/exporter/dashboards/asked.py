"""Every question that the dashboards ask, as Prometheus gets it: for checks, and for who draws them without Grafana."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from .model import Dashboard, Panel

_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One question: where it stands, its text with Grafana's variables, and what kind of thing asks.

    ``instant``: only the last moment is asked for, not a range.
    """

    dashboard: str
    title: str
    expr: str
    by: Literal["panel", "annotation", "variable"]
    legend: str = ""
    instant: bool = False


def questions(dashboard: Dashboard) -> Iterator[Asked]:
    """All of one dashboard. That of a variable is the selection whose labels it lists."""
    for panel in dashboard.panels:
        yield from of_panel(dashboard, panel)
    for band in dashboard.annotations:
        yield Asked(dashboard=dashboard.uid, title=band.name, expr=band.expr, by="annotation")
    for variable in dashboard.variables:
        yield Asked(dashboard=dashboard.uid, title=variable.title, expr=variable.series, by="variable", instant=True)


def of_panel(dashboard: Dashboard, panel: Panel) -> Iterator[Asked]:
    """Those of one panel, in their order."""
    for query in panel.queries:
        yield Asked(
            dashboard=dashboard.uid,
            title=panel.title,
            expr=query.expr,
            by="panel",
            legend=query.legend,
            instant=query.instant,
        )


def filled(expr: str, *, range_s: int, step_s: int, choices: Mapping[str, str] | None = None) -> str:
    """The question as Grafana would send it. A variable that is not chosen means everything."""
    built_in = {
        "__range": f"{range_s}s",
        "__range_s": str(range_s),
        "__interval": f"{step_s}s",
        "__interval_ms": str(step_s * 1000),
        "__rate_interval": f"{max(4 * step_s, 60)}s",
    }
    values = {**built_in, **(choices or {})}
    return _VARIABLE.sub(lambda found: values.get(found[1] or found[2], ".*"), expr)
