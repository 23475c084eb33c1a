"""A signal as a drawing: availability and latency over time, the chaos as a red band, injections as marks.

Drawn for a width in pixels: the page holds a wide drawing and a narrow one and shows what fits, so that letters stay
legible on a phone. Colours are classes of the page's style, for light, dark and paper.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from litmus.api.impact import Signal, Slice

from . import axes, wording
from .elements import Element, node, number
from .wording import Say

_LEFT, _RIGHT, _TOP = 56.0, 14.0, 42.0
_LABELS = 12.0  # where the names of the chaos and of the recovery stand
_WORD = 60.0
_PANEL, _GAP, _BOTTOM = 132.0, 40.0, 38.0
_MOST_TIPS = 900


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """Moments in seconds after the first sample; ``zero`` is where the axis has its 0."""

    zero: float = 0.0
    chaos: tuple[float, float] | None = None
    injections: tuple[float, ...] = ()
    recovered: float | None = None


def plot(signal: Signal, marks: Marks, *, width: int, say: Say) -> Element:
    """The drawing of one signal. Without latencies it has one panel."""
    return _Plot(signal, marks, width=width, say=say).draw()


class _Plot:
    def __init__(self, signal: Signal, marks: Marks, *, width: int, say: Say) -> None:
        self.signal, self.marks, self.say = signal, marks, say
        self.slices = sorted(signal.slices, key=lambda piece: piece.at)
        self.step = signal.slice_seconds if signal.slice_seconds > 0 else 1.0
        self.width = float(width)
        ends = [piece.at + self.step for piece in self.slices] + list(marks.chaos or ())
        starts = [piece.at for piece in self.slices] + list(marks.chaos or ())
        low, high = min(starts, default=0.0), max(ends, default=1.0)
        self.x = axes.Axis(low, max(high, low + self.step), _LEFT, self.width - _RIGHT)
        self.panels = 2 if any(p is not None for piece in self.slices for p in (piece.p50, piece.p95)) else 1
        self.foot = _TOP + _PANEL + (_PANEL + _GAP) * (self.panels - 1)

    def draw(self) -> Element:
        height = self.foot + _BOTTOM
        parts: list[Element | None] = [self._band(), *self._availability()]
        if self.panels == 2:
            parts += self._latency()
        parts += [*self._times(), *self._injections(), *self._recovered(), *self._tips()]
        return node(
            "svg",
            *parts,
            viewBox=f"0 0 {self.width:g} {height:g}",
            role="img",
            aria_label=self._told(),
            class_="plot",
        )

    def _told(self) -> str:
        """The drawing for who can't see it."""
        signal = self.signal
        return self.say("{probe}: availability {before} before, {during} during and {after} after the chaos").format(
            probe=signal.probe,
            before=wording.value(signal.baseline.availability),
            during=wording.value(signal.fault.availability),
            after=wording.value(signal.recovery.availability),
        )

    def _band(self) -> Element | None:
        if self.marks.chaos is None:
            return None
        start, end = (self.x(at) for at in self.marks.chaos)
        height = self.foot - _TOP
        band = node("rect", x=start, y=_TOP, width=max(2.0, end - start), height=height, class_="band")
        edges = [node("line", x1=at, x2=at, y1=_TOP, y2=self.foot, class_="edge") for at in (start, end)]
        place, anchor = (start, "start") if self._has_room(start) else (end, "end")
        name = node("text", self.say("chaos"), x=place, y=_LABELS, text_anchor=anchor, class_="bandname")
        return node("g", band, *edges, name)

    def _has_room(self, start: float) -> bool:
        """Whether a word fits to the right of the beginning of the chaos, before the edge and the next word."""
        recovered = self.marks.recovered
        taken = self.width - _RIGHT if recovered is None else self.x(recovered)
        return not start <= taken < start + _WORD

    def _availability(self) -> Iterator[Element]:
        top = _TOP
        seen = [(piece, share) for piece in self.slices if (share := _share(piece)) is not None]
        floor, ticks = axes.percentages([share for _, share in seen])
        y = axes.Axis(floor, 100.0, top + _PANEL, top)
        yield from self._grid(self.say("availability"), [(y(t), f"{t:g} %") for t in ticks], top)
        for run in _unbroken([piece for piece, _ in seen], step=self.step):
            line = []
            for piece in run:
                at = y(_share(piece) or 0.0)
                line += [(self.x(piece.at), at), (self.x(piece.at + self.step), at)]
            lost = [(line[0][0], y(100)), *line, (line[-1][0], y(100))]
            yield node("path", d=_path(lost) + "Z", class_="lost")
            yield node("path", d=_path(line), class_="line good")

    def _latency(self) -> Iterator[Element]:
        top = _TOP + _PANEL + _GAP
        values = [p for piece in self.slices for p in (piece.p50, piece.p95) if p is not None]
        y, ticks = axes.latencies(values, start=top + _PANEL, end=top)
        kind = self.say("latency, logarithmic") if y.logarithmic else self.say("latency")
        yield from self._grid(kind, [(y(tick), _milliseconds(tick)) for tick in ticks], top)
        for name, read in (("p50", _p50), ("p95", _p95)):
            measured = [piece for piece in self.slices if read(piece) is not None]
            for run in _unbroken(measured, step=self.step):
                points = [(self.x(piece.at + self.step / 2), y(read(piece) or 0.0)) for piece in run]
                if len(points) == 1:  # a point alone is drawn as a dot by its round ends
                    points *= 2
                yield node("path", d=_path(points), class_=f"line {name}")

    def _grid(self, name: str, ticks: Sequence[tuple[float, str]], top: float) -> Iterator[Element]:
        for at, label in ticks:
            yield node("line", x1=_LEFT, x2=self.width - _RIGHT, y1=at, y2=at, class_="grid")
            yield node("text", label, x=_LEFT - 7, y=at + 4, text_anchor="end", class_="tick")
        yield node("text", name, x=_LEFT, y=top - 9, text_anchor="start", class_="name")

    def _times(self) -> Iterator[Element]:
        span = self.x.high - self.x.low
        zero = self.marks.zero
        yield node("line", x1=_LEFT, x2=self.width - _RIGHT, y1=self.foot, y2=self.foot, class_="axis")
        for tick in axes.times(self.x.low - zero, self.x.high - zero, most=int(self.width / 90)):
            at = self.x(tick + zero)
            yield node("line", x1=at, x2=at, y1=self.foot, y2=self.foot + 4, class_="axis")
            label = axes.seconds(tick, span=span)
            yield node("text", label, x=at, y=self.foot + 18, text_anchor="middle", class_="tick")
        chaos = self.marks.chaos is not None
        said = self.say("time after the chaos began") if chaos else self.say("time after the first sample")
        yield node("text", said, x=self.width - _RIGHT, y=self.foot + 33, text_anchor="end", class_="tick")

    def _injections(self) -> Iterator[Element]:
        for at in self.marks.injections:
            x = self.x(at)
            yield node("line", x1=x, x2=x, y1=_TOP, y2=self.foot, class_="injection")
            yield node("path", d=f"M{number(x - 5)} {_TOP - 6:g}h10l-5 8z", class_="arrow")

    def _recovered(self) -> Iterator[Element]:
        if self.marks.recovered is None:
            return
        x = self.x(self.marks.recovered)
        yield node("line", x1=x, x2=x, y1=_LABELS - 10, y2=self.foot, class_="recovered")
        took = wording.value(self.signal.time_to_recover)
        said = self.say("steady again") + ("" if took == wording.NONE else f" ({took})")
        room = self.width - _RIGHT - x > 2 * _WORD
        side = 5 if room else -5
        anchor = "start" if room else "end"
        yield node("text", said, x=x + side, y=_LABELS, text_anchor=anchor, class_="name recoveredname")

    def _tips(self) -> Iterator[Element]:
        """What a mouse that rests on a slice is told."""
        if len(self.slices) > _MOST_TIPS:
            return
        for piece in self.slices:
            left, right = self.x(piece.at), self.x(piece.at + self.step)
            tip = node("title", self._tip(piece))
            height = self.foot - _TOP
            yield node("rect", tip, x=left, y=_TOP, width=max(0.5, right - left), height=height, class_="tip")

    def _tip(self, piece: Slice) -> str:
        at = axes.seconds(round(piece.at - self.marks.zero, 1), span=0)
        share = _share(piece)
        told = f"{share:.4g} % ({piece.good}/{piece.good + piece.bad})" if share is not None else wording.NONE
        for name, latency in (("p50", piece.p50), ("p95", piece.p95)):
            if latency is not None:
                told += f", {name} {wording.number(latency, 'ms')} ms"
        return f"{at}: {told}"


def _share(piece: Slice) -> float | None:
    every = piece.good + piece.bad
    return 100 * piece.good / every if every > 0 else None


def _p50(piece: Slice) -> float | None:
    return piece.p50


def _p95(piece: Slice) -> float | None:
    return piece.p95


def _unbroken(slices: Sequence[Slice], *, step: float) -> Iterator[list[Slice]]:
    """Stretches without a gap: a line over what nobody measured would be an invention."""
    run: list[Slice] = list(slices[:1])
    for before, piece in pairwise(slices):
        if piece.at - before.at > step * 1.6:
            yield run
            run = []
        run.append(piece)
    if run:
        yield run


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{number(x)} {number(y)}" for x, y in points)


def _milliseconds(value: float) -> str:
    return f"{value / 1000:g} s" if value >= 1000 else f"{value:g} ms"
