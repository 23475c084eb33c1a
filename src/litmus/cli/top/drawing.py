"""The view as the lines of a screen: no line is wider than the screen, and what matters most has its place first.

Columns are as wide as what stands in them; where that is too much, the widest gives way first. Sections share the
lines of the screen, and a section that is cut says how much is missing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from rich.text import Text

from litmus.cli import terminal

from .rows import Overdue, PastRun, Planned, Running, View, some
from .wording import moment, span

_GAP = 2
_WIDE = 100  # from here on, targets have a column of their own
_BAR = 8
_LONGEST_TROUBLE = 2  # lines
_STYLES = {"Pass": "green", "Fail": "bold red", "Error": "magenta", "Stopped": "yellow"}
_LATE = "bold red"


@dataclass(slots=True)
class _Section:
    """``lines`` belong to rows, of which ``first`` tells those that begin one."""

    heading: Text
    lines: list[Text] = field(default_factory=list)
    first: list[bool] = field(default_factory=list)

    def add(self, *lines: Text) -> None:
        self.lines += lines
        self.first += [number == 0 for number in range(len(lines))]

    def cut(self, room: int) -> Iterator[Text]:
        """As many lines as there is room for, the last one for what is not shown."""
        if room >= len(self.lines):
            yield from self.lines
        elif room:
            yield from self.lines[: room - 1]
            yield Text(f"… {sum(self.first[room - 1 :])} more", style="dim")


def draw(view: View, *, width: int, height: int) -> list[Text]:
    """The lines of a screen of this size; fewer where there is less to say."""
    top = [_title(view, width), *_troubles(view, width)]
    sections = [made for made in _sections(view, width) if made.lines]
    # A section takes an empty line and its heading. The least important one gives way where there is no room at all.
    while sections and len(top) + 3 * len(sections) > height:
        sections.pop()
    shares = _shared([len(made.lines) for made in sections], height - len(top) - 2 * len(sections))
    lines = top
    for made, room in zip(sections, shares, strict=True):
        lines += [Text(), made.heading, *made.cut(room)]
    return [_cut(line, width) for line in lines[:height]]


def _title(view: View, width: int) -> Text:
    where = f"namespace {view.namespace}" if view.namespace else "all namespaces"
    engines = len({row.engine for row in view.running})
    said = f"{engines} running" if engines else "no engine is running"
    left = Text.assemble(("litmus top", "bold"), f"  {where}  {said}")
    if view.overdue:
        left.append(f"  {len(view.overdue)} past the deadline", style=_LATE)
    right = Text(f"{view.now:%H:%M:%S}  q ends", style="dim")
    left = _cut(left, max(0, width - right.cell_len - _GAP), pad=True)
    return Text.assemble(left, " " * _GAP, right)


def _troubles(view: View, width: int) -> Iterator[Text]:
    for trouble in view.troubles:
        lines = list(terminal.wrapped("! ", trouble, rest="  ", width=width))
        if len(lines) > _LONGEST_TROUBLE:
            lines = [*lines[: _LONGEST_TROUBLE - 1], f"{lines[_LONGEST_TROUBLE - 1]}…"]
        yield from (Text(line, style="yellow") for line in lines)


def _sections(view: View, width: int) -> Iterator[_Section]:
    """The most important first."""
    yield _late(view)
    yield _going(view, width)
    yield _verdicts(view, width)
    yield _upcoming(view, width)


def _late(view: View) -> _Section:
    made = _Section(Text("OPEN FAULTS PAST THEIR DEADLINE", style=_LATE))
    for row in view.overdue:
        made.add(Text(_late_text(row), style=_LATE))
    return made


def _late_text(row: Overdue) -> str:
    late = f"{span(row.late_s)} late" if row.deadline else "its deadline can't be read"
    return f"{row.mechanism} on {row.where}: {late}, {row.result}"


def _going(view: View, width: int) -> _Section:
    wide = width >= _WIDE
    titles = ["ENGINE", "EXPERIMENT", "STEP", "LEFT", *(["TARGETS"] if wide else [])]
    cells = [[*_of_running(row), *([Text(some(row.targets))] if wide else [])] for row in view.running]
    heading, *lines = _columns(titles, cells, width)
    made = _Section(heading)
    for row, line in zip(view.running, lines, strict=True):
        below = [Text(f"  → {some(row.targets)}", style="cyan")] if row.targets and not wide else []
        made.add(line, *below)
    return made


def _of_running(row: Running) -> list[Text]:
    left = Text("–", style="dim")
    if row.left_s is not None:
        over = round(_BAR * row.done)
        left = Text.assemble(("━" * over, "dim"), ("━" * (_BAR - over), "red"), f" {span(row.left_s)}")
    return [Text(row.engine, style="bold"), Text(f"{row.place} {row.experiment}"), Text(row.step), left]


def _verdicts(view: View, width: int) -> _Section:
    heading, *lines = _columns(
        ["VERDICT", "ENGINE", "EXPERIMENT", "ENDED", "WHY"], [_of_past(row, view) for row in view.past], width
    )
    made = _Section(heading)
    for line in lines:
        made.add(line)
    return made


def _of_past(row: PastRun, view: View) -> list[Text]:
    ago = f"{span((view.now - row.finished).total_seconds())} ago" if row.finished else "–"
    style = _STYLES.get(row.verdict, "")
    return [Text(row.verdict, style=style), Text(row.engine), Text(row.experiment), Text(ago), Text(row.why)]


def _upcoming(view: View, width: int) -> _Section:
    heading, *lines = _columns(
        ["SCHEDULE", "STATE", "NEXT RUN", "AT", "NOTE"], [_of_planned(row, view) for row in view.planned], width
    )
    made = _Section(heading)
    for line in lines:
        made.add(line)
    return made


def _of_planned(row: Planned, view: View) -> list[Text]:
    left_s = (row.next - view.now).total_seconds() if row.next else 0.0
    upcoming = "–" if row.next is None else f"in {span(left_s)}" if left_s > 0 else "due"
    at = moment(row.next, view.now) if row.next else ""
    note = "; ".join(part for part in (f"{row.running} running" if row.running else "", row.message) if part)
    return [Text(row.name), Text(row.state), Text(upcoming), Text(at), Text(note)]


def _columns(titles: Sequence[str], rows: Sequence[Sequence[Text]], width: int) -> Iterator[Text]:
    """The titles and the rows below them, each on one line."""
    heading = [Text(title, style="bold dim") for title in titles]
    widths = [max(cell.cell_len for cell in column) for column in zip(heading, *rows, strict=True)]
    least = [min(wide, max(len(title), 6)) for wide, title in zip(widths, titles, strict=True)]
    excess = sum(widths) + _GAP * (len(widths) - 1) - width
    while excess > 0 and widths != least:
        widest = max(range(len(widths)), key=lambda place: (widths[place] > least[place], widths[place]))
        widths[widest] -= 1
        excess -= 1
    for row in (heading, *rows):
        line = Text()
        for place, (cell, wide) in enumerate(zip(row, widths, strict=True)):
            last = place == len(widths) - 1
            line.append_text(_cut(cell, wide, pad=not last))
            line.append("" if last else " " * _GAP)
        yield line


def _shared(wanted: Sequence[int], room: int) -> list[int]:
    """Lines for each section, one at a time in turn, so that a long one does not crowd out those below it."""
    given = [0] * len(wanted)
    while room > 0 and given != list(wanted):
        for place, most in enumerate(wanted):
            if given[place] < most and room > 0:
                given[place] += 1
                room -= 1
    return given


def _cut(text: Text, width: int, *, pad: bool = False) -> Text:
    made = text.copy()
    made.truncate(width, overflow="ellipsis", pad=pad)
    made.no_wrap = True
    return made
