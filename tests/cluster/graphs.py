"""Our dashboards drawn without Grafana, for the eye: the same places, colours and bands, from what Prometheus answers.

No test looks at these pictures. They show what a list of numbers does not: a panel that says nothing, a unit that does
not fit, a legend that nobody can tell apart.
"""

import math
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib import dates
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure

from litmus.exporter.dashboards import Dashboard, asked
from litmus.exporter.dashboards.model import COLUMNS, Panel
from tests.cluster.monitored import STEP_S, Series, View, regions

_COLUMN_IN, _LINE_IN = 0.75, 0.42
_EDGE_IN = 0.3
_DAY_S = 86400
_INK, _FAINT, _PAGE, _PANEL = "#222222", "#7a7a7a", "#f4f5f5", "#ffffff"
# Grafana's names, and its palette for series that have no colour of their own.
_NAMED = {"green": "#37872D", "red": "#C4162A", "orange": "#FA6400", "transparent": "#00000000"}
_PALETTE = ("#7EB26D", "#EAB839", "#6ED0E0", "#EF843C", "#E24D42", "#1F78C1", "#BA43A9", "#705DA0", "#508642")
_LABEL = re.compile(r"{{(\w+)}}")
_SCALES = ((1e9, "G"), (1e6, "M"), (1e3, "k"))
_STYLE = {
    "font.size": 7.5,
    "text.color": _INK,
    "axes.edgecolor": "#cccccc",
    "xtick.color": _FAINT,
    "ytick.color": _FAINT,
}

Named = tuple[str, Series]


def draw(dashboard: Dashboard, view: View, file: Path) -> None:
    """A picture of the whole dashboard, over the time of the view."""
    placed = dashboard.document()["panels"]
    tallest = max(one["gridPos"]["y"] + one["gridPos"]["h"] for one in placed)
    height = tallest * _LINE_IN + 2 * _EDGE_IN + _LINE_IN
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(COLUMNS * _COLUMN_IN, height), facecolor=_PAGE, dpi=80)
        figure.text(_EDGE_IN / figure.get_figwidth(), 1 - _EDGE_IN / height, dashboard.title, size=14, va="top")
        bands = _bands(dashboard, view)
        panels = iter(dashboard.panels)
        for one in placed:
            box = _box(one["gridPos"], figure)
            if one["type"] == "row":
                figure.text(box[0], box[1] + box[3] / 2, one["title"], size=10, weight="bold", va="center")
            else:
                _panel(figure, box, next(panels), dashboard, view, bands)
        file.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(file)


def _box(at: dict[str, int], figure: Figure) -> tuple[float, float, float, float]:
    """Left, bottom, width and height of a place of the grid, as shares of the picture."""
    wide, high = figure.get_figwidth(), figure.get_figheight()
    usable = (wide - 2 * _EDGE_IN) / COLUMNS
    bottom = high - 1.2 * _EDGE_IN - _LINE_IN - (at["y"] + at["h"]) * _LINE_IN
    return (_EDGE_IN + at["x"] * usable) / wide, bottom / high, at["w"] * usable / wide, at["h"] * _LINE_IN / high


def _panel(
    figure: Figure,
    box: tuple[float, float, float, float],
    panel: Panel,
    dashboard: Dashboard,
    view: View,
    bands: list[tuple[float, float, str]],
) -> None:
    left, bottom, width, height = box
    wide, high = figure.get_figwidth(), figure.get_figheight()
    gap_x, gap_y = 0.05 / wide, 0.05 / high
    frame = figure.add_axes((left + gap_x, bottom + gap_y, width - 2 * gap_x, height - 2 * gap_y), facecolor=_PANEL)
    frame.set(xticks=[], yticks=[])
    figure.text(left + 0.15 / wide, bottom + height - 0.15 / high, panel.title, size=8.5, weight="bold", va="top")
    found = [
        (_legend(question.legend, series), series)
        for question in asked.of_panel(dashboard, panel)
        for series in view.answer(question)
    ]
    if not found:
        frame.text(0.5, 0.5, "No data", color=_FAINT, ha="center", va="center", transform=frame.transAxes)
        return
    ways: dict[str, Callable[[Axes, Panel, list[Named]], None]] = {
        "stat": _stat, "gauge": _stat, "bargauge": _bars, "table": _table, "state-timeline": _states,
    }  # fmt: skip
    lines, over_time = panel.kind == "timeseries", panel.kind in ("timeseries", "state-timeline")
    margin = (0.6 if over_time else 0.15) / wide, (0.62 if lines else 0.3) / high
    inner = figure.add_axes(
        (left + margin[0], bottom + margin[1], width - margin[0] - 0.2 / wide, height - margin[1] - 0.42 / high),
        facecolor="none",
    )
    ways.get(panel.kind, _lines)(inner, panel, found)
    if over_time:
        _time(inner, view)
    if lines:
        for start, end, colour in bands:
            inner.axvspan(_day(start), _day(end), color=_colour(colour), alpha=0.18, linewidth=0)


def _bands(dashboard: Dashboard, view: View) -> list[tuple[float, float, str]]:
    colours = {band.name: band.colour for band in dashboard.annotations}
    questions = [one for one in asked.questions(dashboard) if one.by == "annotation"]
    return [(*region, colours[one.title]) for one in questions for region in regions(view.answer(one))]


def _lines(axes: Axes, panel: Panel, found: list[Named]) -> None:
    own = dict(panel.colours)
    below: dict[float, float] = {}
    for index, (name, series) in enumerate(found):
        colour = _colour(own.get(name, _PALETTE[index % len(_PALETTE)]))
        points = list(_with_gaps(series))
        days = [_day(at) for at, _ in points]
        base = [below.get(at, 0.0) if panel.stacked else 0.0 for at, _ in points]
        values = [value for _, value in points]
        top = [value + low for value, low in zip(values, base, strict=True)]
        if panel.draw == "bars":
            axes.bar(days, values, bottom=base, width=STEP_S / _DAY_S, color=colour, label=name)
        else:
            axes.plot(days, top, color=colour, linewidth=1.3, label=name, marker=".", markevery=_alone(values))
            axes.fill_between(days, base, top, color=colour, alpha=0.1, linewidth=0)
        below |= {at: value + below.get(at, 0.0) for at, value in series.points}
    low, high = axes.get_ylim()
    axes.set_ylim(
        panel.lowest if panel.lowest is not None else low, panel.highest if panel.highest is not None else high
    )
    axes.yaxis.set_major_formatter(lambda value, _: _text(value, panel.unit))
    axes.grid(color="#e6e6e6", linewidth=0.6)
    axes.legend(loc="upper left", bbox_to_anchor=(0, -0.12), ncols=4, frameon=False, borderaxespad=0, handlelength=1)


def _with_gaps(series: Series) -> Iterator[tuple[float, float]]:
    """With no number at the steps between its points at which it was not there."""
    known = dict(series.points)
    first, last = series.points[0][0], series.points[-1][0]
    for step in range(round((last - first) / STEP_S) + 1):
        at = first + step * STEP_S
        yield at, known.get(at, math.nan)


def _alone(values: list[float]) -> list[int]:
    """Where there is a point between gaps, through which no line goes."""
    gaps = [True, *map(math.isnan, values), True]
    return [i for i in range(len(values)) if gaps[i] and gaps[i + 2]]


def _states(axes: Axes, panel: Panel, found: list[Named]) -> None:
    texts = {value: _colour(colour) for value, _, colour in panel.texts}
    for line, (_, series) in enumerate(found):
        for at, value in series.points:
            colour = texts.get(int(value), "#cccccc")
            axes.barh(line, STEP_S / _DAY_S, left=_day(at), color=colour, height=0.8, antialiased=False)
    axes.set_yticks(range(len(found)), [name for name, _ in found])
    axes.set_ylim(len(found) - 0.5, -0.5)
    axes.tick_params(axis="y", direction="in", pad=-8, left=False)
    for label in axes.get_yticklabels():
        label.set_horizontalalignment("left")


def _stat(axes: Axes, panel: Panel, found: list[Named]) -> None:
    axes.set_axis_off()
    for index, (_, series) in enumerate(found):
        at, value = series.points[-1]
        text, colour = _said(panel, value)
        if panel.unit == "dateTimeFromNow":
            text = f"{at - value / 1000:.0f} s ago"
        place = (index + 0.5) / len(found)
        axes.text(place, 0.45, text, size=22, color=colour, ha="center", va="center", transform=axes.transAxes)


def _bars(axes: Axes, panel: Panel, found: list[Named]) -> None:
    axes.set_axis_off()
    values = [series.points[-1][1] for _, series in found]
    longest = panel.highest or max(values) or 1.0
    for line, ((name, _), value) in enumerate(zip(found, values, strict=True)):
        text, colour = _said(panel, value)
        axes.text(0, line, name, va="center")
        axes.barh(line, 0.45, left=0.4, color="#eeeeee", height=0.7)
        axes.barh(line, 0.45 * value / longest, left=0.4, color=colour, height=0.7)
        axes.text(0.87, line, text, color=colour, va="center", weight="bold")
    axes.set(xlim=(0, 1), ylim=(max(len(found), 4) - 0.5, -0.5))


def _table(axes: Axes, panel: Panel, found: list[Named]) -> None:
    axes.set_axis_off()
    rows = [{**series.labels, "Value": _text(series.points[-1][1], panel.unit)} for _, series in found]
    for place, column in enumerate(panel.columns):
        at = place / len(panel.columns)
        axes.text(at, 0, column, color=_FAINT, va="center")
        for line, row in enumerate(rows, start=1):
            axes.text(at, line, row.get(column, ""), va="center")
    axes.set(xlim=(0, 1), ylim=(max(len(rows), 12) + 0.5, -0.5))


def _time(axes: Axes, view: View) -> None:
    axes.set_xlim(_day(view.start), _day(view.end))
    axes.xaxis.set_major_locator(dates.AutoDateLocator(maxticks=8))
    axes.xaxis.set_major_formatter(dates.DateFormatter("%H:%M:%S"))
    axes.spines[["top", "right"]].set_visible(False)


def _said(panel: Panel, value: float) -> tuple[str, Any]:
    """What a panel says of a number, and in which colour."""
    for meant, text, colour in panel.texts:
        if value == meant:
            return text, _colour(colour)
    passed = [colour for limit, colour in panel.limits if value >= limit]
    return _text(value, panel.unit), _colour(passed[-1] if passed else panel.below)


def _text(value: float, unit: str) -> str:
    """A number in the unit of a panel, as short as Grafana writes it."""
    if unit == "percentunit":
        return f"{value * 100:.4g}%"
    if unit == "s" and 0 < abs(value) < 1:
        return f"{value * 1000:.3g} ms"
    scale, letter = next(((size, name) for size, name in _SCALES if abs(value) >= size), (1.0, ""))
    suffix = {"s": " s", "bytes": "B", "ops": " ops/s"}.get(unit, "")
    return f"{value / scale:.4g}{' ' if letter and suffix else ''}{letter}{suffix}"


def _legend(pattern: str, series: Series) -> str:
    return _LABEL.sub(lambda found: series.labels.get(found[1], ""), pattern)


def _colour(name: str) -> Any:
    return to_rgba(_NAMED.get(name, name))


def _day(at: float) -> float:
    return float(dates.date2num(datetime.fromtimestamp(at, UTC)))
