"""What breaks where, as a drawing: a client, a Service, pods on two nodes, and in red what an experiment hits.

One scene for all experiments. What is red, and what feels it, comes from the words of the declaration (``breaks`` and
``blow``), so that an experiment of another package that says them is drawn as well. Colours are those of the page:
``currentColor`` for ink, the variable ``--diagram-hit`` for what is hit.
"""

from collections.abc import Mapping
from typing import get_args

from litmus.experiments.declaration import Blow, Experiment, Part
from litmus.experiments.node_fault import NodeFault

from . import blows, shapes
from .diagram_words import LANGUAGES, Words
from .shapes import element, words

WIDTH, HEIGHT = 700, 384
HIT = "var(--diagram-hit, #dc3d43)"
_INK = "currentColor"

_CLIENT, _SERVICE, _MIDDLE = 52, 164, 168
_NODE_X, _NODE_HEIGHT = 240, 150
_NODE_WIDTH, _WITH_DISK = 444, 392
_NODE_TOPS = (12, 176)
_SLOTS = (322, 428, 534)  # the application's pod, one that comes, one of somebody else
_POD = 27
_DISK = 670

_NODE_PARTS: Mapping[str, Part] = {
    "kubelet": "kubelet",
    "runtime": "runtime",
    "processor": "node-processor",
    "memory": "node-memory",
    "storage": "node-storage",
}
_INSIDE = {"processor": shapes.chip, "memory": shapes.memory, "storage": shapes.cylinder}
_PARTS_OF_NODES = {"kubelet": shapes.wheel, "runtime": shapes.crates} | _INSIDE


def diagram(experiment: Experiment, lang: str = "en") -> str:
    """The drawing as inline SVG. ``lang`` is en or ja; another one means English."""
    said = LANGUAGES.get(lang, LANGUAGES["en"])
    part, blow = _part(experiment), experiment.blow if experiment.blow in get_args(Blow) else None
    scene = _Scene(part, blow, said)
    what = said.what(part, blow)
    mark = f"diagram-{experiment.name}"
    drawn = element(
        "g",
        scene.draw(),
        fill="none",
        stroke=_INK,
        stroke_width=2,
        stroke_linecap="round",
        stroke_linejoin="round",
        font_size=13,
    )
    return element(
        "svg",
        words("title", said.title(experiment.name), id=f"{mark}-title"),
        words("desc", said.description(part, what), id=f"{mark}-desc"),
        drawn,
        _legend(what, said.feels[part], said),
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        role="img",
        aria_labelledby=f"{mark}-title {mark}-desc",
        class_="diagram",
    )


def _part(experiment: Experiment) -> Part:
    if experiment.breaks is not None and experiment.breaks in get_args(Part):
        return experiment.breaks
    return "node" if isinstance(experiment, NodeFault) else "pod"


class _Scene:
    """One drawing: the whole scene, with one part hit."""

    def __init__(self, part: Part, blow: Blow | None, said: Words) -> None:
        self.part, self.blow, self.said = part, blow, said
        self.width = _WITH_DISK if part == "disk" else _NODE_WIDTH
        self.of_node = part in (*_NODE_PARTS.values(), "node", "disk")

    def draw(self) -> str:
        return self._links() + self._client() + self._service() + "".join(self._node(number) for number in (0, 1))

    def _client(self) -> str:
        screen = shapes.box(_CLIENT, _MIDDLE - 4, 44, 30, corner=4)
        foot = shapes.path("M", _CLIENT - 30, _MIDDLE + 18, "H", _CLIENT + 30)
        return screen + foot + _text(self.said.client, _CLIENT, _MIDDLE + 46)

    def _service(self) -> str:
        hit = self.part == "service"
        drawn = shapes.circle(_SERVICE, _MIDDLE, 29) + shapes.spokes(_SERVICE - 1, _MIDDLE, 32)
        return (
            _struck(drawn, hit=hit)
            + _text(self.said.service, _SERVICE, _MIDDLE + 46, hit=hit)
            + (self._badge(_SERVICE + 21, _MIDDLE - 21) if hit else "")
        )

    def _links(self) -> str:
        first = shapes.path("M", _CLIENT + 34, _MIDDLE, "H", _SERVICE - 36)
        drawn = element("g", first, _arrow(_SERVICE - 36, _MIDDLE), stroke_opacity=0.6)
        for number in (0, 1):
            x, y = _SLOTS[0] - _POD - 3, _pod_y(number)
            start = _SERVICE + 36
            curve = shapes.path("M", start, _MIDDLE, "C", start + 40, _MIDDLE, x - 60, y, x, y)
            cut = self.part == "service" or (self.part == "pod-network" and number == 0)
            link = _struck(curve, hit=True, dashed=True) if cut else element("g", curve, stroke_opacity=0.6)
            drawn += link + _arrow(x, y, hit=cut)
        return drawn

    def _node(self, number: int) -> str:
        top = _NODE_TOPS[number]
        hit = number == 0 and self.part == "node"
        wall = shapes.box(
            _NODE_X + self.width / 2,
            top + _NODE_HEIGHT / 2,
            self.width,
            _NODE_HEIGHT,
            corner=12,
            fill=HIT if hit else _INK,
            fill_opacity=0.08 if hit else 0.04,
            **({} if hit else {"stroke_opacity": 0.45}),
        )
        name = _text(self.said.node.format(number + 1), _NODE_X + self.width - 14, top + 22, anchor="end", hit=hit)
        drawn = _struck(wall, hit=hit) + name + self._pods(number) + self._strip(number)
        if hit:
            drawn += self._badge(_NODE_X + 4, top + 8)
        return drawn + (self._disk(number) if self.part == "disk" else "")

    def _pods(self, number: int) -> str:
        y = _pod_y(number)
        touched = number == 0 and self.of_node
        drawn = self._application(number, touched=touched)
        drawn += _pod(_SLOTS[2], y, self.said.other, feels=touched, faint=True)
        if self.part == "replicas" or self.blow == "scale":
            drawn += _struck(shapes.hexagon(_SLOTS[1], y, _POD), hit=True, dashed=True)
            drawn += _text(self.said.more, _SLOTS[1], y + 46, hit=True) + self._badge(_SLOTS[1], y)
        elif number == 1 and self.blow in ("delete", "drain") and self.part != "service":
            drawn += element("g", shapes.hexagon(_SLOTS[1], y, _POD), stroke_dasharray="2 6", stroke_opacity=0.8)
            drawn += _text(self.said.replacement, _SLOTS[1], y + 46)
        return drawn

    def _application(self, number: int, *, touched: bool) -> str:
        x, y = _SLOTS[0], _pod_y(number)
        mine = number == 0 and not self.of_node
        whole = mine and self.part == "pod"
        inside = self.part.removeprefix("pod-") if mine and self.part.startswith("pod-") else ""
        feels = touched or (mine and (self.part == "container" or bool(inside)))
        inner = _INSIDE[inside](x, y, 24) if inside in _INSIDE else shapes.container(x, y, 24)
        inner_hit = whole or (mine and self.part == "container") or inside in _INSIDE
        drawn = _struck(shapes.hexagon(x, y, _POD), hit=whole or feels, dashed=not whole)
        drawn += _struck(inner, hit=inner_hit) + _text(self.said.pod, x, y + 46, hit=whole)
        if whole or inner_hit:
            drawn += self._badge(x + 21, y + 19)
        return drawn + (self._badge(x - 74, y + 14) if inside == "network" else "")

    def _strip(self, number: int) -> str:
        """The parts of a node in a row: a sign and a word each."""
        y = _NODE_TOPS[number] + _NODE_HEIGHT - 20
        struck = "".join(name for name in _PARTS_OF_NODES if number == 0 and self.part == _NODE_PARTS[name])
        widths = {name: 26 + _width(self.said.parts[name]) + 18 * (name == struck) for name in _PARTS_OF_NODES}
        gap = (self.width - 28 - sum(widths.values())) / (len(widths) - 1)
        x, drawn = _NODE_X + 14.0, ""
        for name, sign in _PARTS_OF_NODES.items():
            hit = name == struck
            shape = element("g", sign(x + 9, y, 18), stroke_width=1.5, **({} if hit else {"stroke_opacity": 0.6}))
            drawn += _struck(shape, hit=hit)
            drawn += _text(self.said.parts[name], x + 23, y + 4, anchor="start", size=12, hit=hit, faint=not hit)
            if hit:
                drawn += self._badge(x + widths[name] - 9, y, scale=0.75)
            x += widths[name] + gap
        return drawn

    def _disk(self, number: int) -> str:
        """A disk of the cloud, attached to a node."""
        hit = number == 0
        y = _NODE_TOPS[number] + _NODE_HEIGHT / 2
        wire = shapes.path("M", _NODE_X + self.width + 2, y, "H", _DISK - 20)
        drawn = _struck(wire, hit=hit, dashed=True) + _struck(shapes.cylinder(_DISK, y, 42, bands=3), hit=hit)
        return drawn + _text(self.said.attached, _DISK, y + 42, hit=hit) + (self._badge(_DISK - 32, y) if hit else "")

    def _badge(self, x: float, y: float, *, scale: float = 1) -> str:
        if self.blow is None:
            return ""
        ground = shapes.circle(0, 0, 12, fill=HIT, stroke="none")
        return element(
            "g", ground, blows.sign(self.blow, colour="#fff"), transform=f"translate({x:g} {y:g}) scale({scale:g})"
        )


def _pod_y(number: int) -> int:
    return _NODE_TOPS[number] + 54


def _pod(x: float, y: float, name: str, *, feels: bool, faint: bool) -> str:
    shape = shapes.hexagon(x, y, _POD) + shapes.container(x, y, 24)
    return _struck(shape, hit=feels, dashed=True, faint=faint) + _text(name, x, y + 46, faint=faint)


def _struck(drawn: str, *, hit: bool, dashed: bool = False, faint: bool = False) -> str:
    """In red where it is hit; dashed where it only feels it."""
    if not hit:
        return element("g", drawn, stroke_opacity=0.45) if faint else drawn
    dashes: dict[str, str | float] = {"stroke_dasharray": "6 5"} if dashed else {}
    return element("g", drawn, stroke=HIT, stroke_width=2 if dashed else 2.5, **dashes)


def _arrow(x: float, y: float, *, hit: bool = False) -> str:
    head = shapes.path("M", x - 7, y - 5, "L", x, y, "L", x - 7, y + 5)
    return element("g", head, stroke=HIT) if hit else element("g", head, stroke_opacity=0.6)


def _text(
    text: str, x: float, y: float, *, anchor: str = "middle", size: int = 13, hit: bool = False, faint: bool = False
) -> str:
    more: dict[str, str | float] = {"font_weight": 600} if hit else {}
    if faint and not hit:
        more["fill_opacity"] = 0.75
    colour = HIT if hit else _INK
    return words("text", text, x=x, y=y, text_anchor=anchor, font_size=size, fill=colour, stroke="none", **more)


def _width(text: str) -> float:
    """About how wide a text of 12 units is: letters of East Asia are square."""
    return sum(12 if letter > "\u2e80" else 10 if letter in "mw" else 8.6 if letter.isupper() else 7 for letter in text)


def _legend(what: str, who: str, said: Words) -> str:
    y = HEIGHT - 22
    dot = shapes.circle(20, y - 5, 7, fill=HIT)
    hit = words("text", f"{said.hit}: {what}", x=36, y=y, fill=HIT, font_size=15, font_weight=600)
    if not who:
        return dot + hit
    x = max(372, 80 + _width(what) * 1.3 + _width(said.hit))
    ring = shapes.circle(x, y - 5, 7, fill="none", stroke=HIT, stroke_width=2, stroke_dasharray="4 3")
    feels = words("text", f"{said.felt}: {who}", x=x + 16, y=y, fill=_INK, font_size=15)
    return dot + hit + ring + feels
