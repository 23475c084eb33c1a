"""The icons: a tile with what is hit, and a red badge with how. Drawn here, so that all are of one family.

The tile's colour says where the blow lands: a pod, the network, or a node and its machine. An icon brings its own
background, so that it looks the same on light and on dark pages. An experiment of another package that says what it
breaks is drawn from the same parts; one that does not gets a tile with its initials.
"""

import hashlib
import re
from typing import get_args

from litmus.experiments.declaration import Blow, Experiment, Part

from . import blows, shapes
from .shapes import box, circle, element, hexagon, path

SIZE = 64

_POD, _NETWORK, _NODE = "#4c5bd4", "#0b7d93", "#4b5a75"
_OTHERS = ("#7b4aa8", "#2f7d54", "#96580f", "#a33a69", "#2b6cb0", "#0d7a6b")
_RED, _WHITE, _YELLOW = "#f0483e", "#ffffff", "#ffc83d"

_X, _Y = 28.5, 28.5  # the middle of what is hit; the badge takes the corner
_BADGE_X, _BADGE_Y, _BADGE = 47, 47, 12


def icon(experiment: Experiment) -> str:
    """The icon of an experiment, as SVG."""
    part, blow = experiment.breaks, experiment.blow
    if part is None or part not in get_args(Part):
        return monogram(experiment.name, title=experiment.title)
    inner = _tile(_colour(part)) + _glyph(_parts(part))
    if blow is not None and blow in get_args(Blow):
        inner += _badge(blows.sign(blow, colour=_WHITE), tile=_colour(part))
    if experiment.name.startswith("k8-"):
        inner += _toolkit(_colour(part))
    return _svg(experiment.title, inner)


def monogram(name: str, *, title: str = "") -> str:
    """A tile with the first letters of a name, in a colour that the name decides."""
    digest = hashlib.sha256(name.encode()).digest()
    colour = _OTHERS[digest[0] % len(_OTHERS)]
    initials = "".join(word[0] for word in re.split(r"[^a-z0-9]+", name.lower()) if word)[:3].upper() or "?"
    letters = shapes.words(
        "text",
        initials,
        x=32,
        y=32,
        dy="0.36em",
        text_anchor="middle",
        font_family="system-ui,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif",
        font_size={1: 24, 2: 20}.get(len(initials), 15),
        font_weight=700,
        fill=_WHITE,
    )
    # A bead on one of the corners tells names with the same initials apart.
    x, y = shapes.around(32, 32, 24, 6)[digest[1] % 6]
    bead = circle(x, y, 4.5, fill=_YELLOW, stroke=colour, stroke_width=2.5)
    return _svg(title or name, _tile(colour) + _glyph(hexagon(32, 32, 24)) + letters + bead)


def group(name: str, *, title: str = "") -> str:
    """The icon of a group of charts."""
    if name != "generic":
        return monogram(name, title=title)
    cells = [(32, 21.5), (21.8, 39.2), (42.2, 39.2)]
    comb = "".join(hexagon(x, y, 10) for x, y in cells[:2])
    struck = hexagon(*cells[2], 10, fill=_YELLOW, stroke=_YELLOW)
    return _svg(title or name, _tile("#2c3550") + _glyph(comb) + _glyph(struck))


def chick() -> str:
    """The hub's own sign: a chick that has just broken its egg."""
    ink, orange, cheek = "#3b3f58", "#f0a81c", "#ff9f6b"
    wings = path("M14 37C8.5 34 7 30 8.5 26.5C12.5 27 15.5 29.5 16.5 34Z") + path(
        "M50 37C55.5 34 57 30 55.5 26.5C51.5 27 48.5 29.5 47.5 34Z"
    )
    tuft = path("M32 13V5M30.5 12.5L26 7M33.5 12.5L38 7", stroke=orange, stroke_width=3, stroke_linecap="round")
    body = path("M13.5 43C11 25 18 11 32 11C46 11 53 25 50.5 43Z", fill=_YELLOW)
    eyes = circle(24.5, 25, 2.9, fill=ink) + circle(39.5, 25, 2.9, fill=ink)
    light = circle(25.5, 24, 1, fill=_WHITE) + circle(40.5, 24, 1, fill=_WHITE)
    cheeks = circle(20, 31, 2.8, fill=cheek) + circle(44, 31, 2.8, fill=cheek)
    beak = path("M27.5 28.8Q32 25.6 36.5 28.8L32 34Z", fill="#f5762f", stroke="#f5762f", stroke_linejoin="round")
    shell = path(
        "M12 38L18.7 43.5L25.3 37.5L32 43.5L38.7 37.5L45.3 43.5L52 38C53 51.5 44 60.5 32 60.5S11 51.5 12 38Z",
        fill="#f6f3ec",
        stroke=ink,
        stroke_width=2.5,
        stroke_linejoin="round",
    )
    return _svg(
        "Litmus ChaosHub", element("g", wings, fill=orange) + tuft + body + cheeks + eyes + light + beak + shell
    )


def _svg(title: str, inner: str, **attributes: str) -> str:
    return (
        element(
            "svg",
            shapes.words("title", title),
            inner,
            xmlns="http://www.w3.org/2000/svg",
            viewBox=f"0 0 {SIZE} {SIZE}",
            role="img",
            **attributes,
        )
        + "\n"
    )


def _tile(colour: str) -> str:
    return box(32, 32, 60, 60, corner=14, fill=colour) + box(
        32, 32, 59, 59, corner=13.5, fill="none", stroke=_WHITE, stroke_opacity=0.16
    )


def _glyph(inner: str, *, width: float = 2.75) -> str:
    return element(
        "g", inner, fill="none", stroke=_WHITE, stroke_width=width, stroke_linecap="round", stroke_linejoin="round"
    )


def _badge(inner: str, *, tile: str) -> str:
    ground = circle(_BADGE_X, _BADGE_Y, _BADGE, fill=_RED, stroke=tile, stroke_width=3)
    return ground + element("g", inner, transform=f"translate({_BADGE_X} {_BADGE_Y})")


def _toolkit(tile: str) -> str:
    """The mark of the experiments that run the Chaos Toolkit: a wrench in the upper corner."""
    wrench = path("M45.4 24.4L49.4 20.4M53.6 12.4A4.8 4.8 0 1 0 57.4 16.2")
    edge = element("g", wrench, stroke=tile, stroke_width=9)
    return element("g", edge + wrench, fill="none", stroke=_YELLOW, stroke_width=3.2, stroke_linecap="round")


def _colour(part: Part) -> str:
    if part in ("pod-network", "service"):
        return _NETWORK
    return _POD if part.startswith("pod") or part in ("container", "replicas") else _NODE


def _parts(part: Part) -> str:
    """What is hit."""
    where, _, what = part.partition("-")
    if what and what != "network":
        inner = {"processor": shapes.chip, "memory": shapes.memory, "storage": shapes.cylinder}[what]
        if where == "pod":
            return hexagon(_X, _Y, 19.5) + inner(_X, _Y, 16)
        return shapes.frame(_X, _Y + 1, 36) + inner(_X, _Y - 2, 17)
    match part:
        case "pod-network":
            return shapes.link(30.5, 31.5, 40)
        case "container":
            return hexagon(_X, _Y, 19.5) + shapes.container(_X, _Y, 18)
        case "replicas":
            return hexagon(22, 21, 9.5) + hexagon(41, 21, 9.5) + hexagon(22, 41, 9.5)
        case "service":
            return shapes.spokes(25, 29, 36)
        case "node":
            return shapes.server(_X, _Y, 35)
        case "kubelet":
            return shapes.frame(_X, _Y + 1, 36) + shapes.wheel(_X, _Y - 2, 21)
        case "runtime":
            return shapes.frame(_X, _Y + 1, 36) + shapes.crates(_X, _Y - 2, 17)
        case "disk":
            return shapes.cylinder(_X, _Y, 36, bands=3)
        case _:
            return hexagon(_X, _Y, 19.5) + hexagon(_X, _Y, 8.5)
