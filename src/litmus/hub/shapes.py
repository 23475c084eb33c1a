"""The shapes that icons and diagrams share: SVG elements on a grid, drawn around a middle with a size.

Strokes and colours come from the group that a shape stands in, so that one shape serves a white icon of 64 units as
well as a diagram in the colours of a page. Text and attributes are escaped here and nowhere else. No element has an id:
several drawings may stand in one page.
"""

import math
from collections.abc import Iterable
from xml.sax.saxutils import escape, quoteattr

Number = float | int


def element(tag: str, *inner: str, **attributes: str | Number) -> str:
    """An element. ``inner`` is markup; ``stroke_width`` means stroke-width, ``class_`` means class."""
    said = "".join(
        f" {name.rstrip('_').replace('_', '-')}={quoteattr(_written(value))}" for name, value in attributes.items()
    )
    return f"<{tag}{said}>{''.join(inner)}</{tag}>" if inner else f"<{tag}{said}/>"


def words(tag: str, text: str, **attributes: str | Number) -> str:
    """An element with text in it."""
    return element(tag, escape(text), **attributes)


def _written(value: str | Number) -> str:
    return value if isinstance(value, str) else number(value)


def number(value: Number) -> str:
    """Two places at most."""
    return f"{round(value, 2):g}"


def path(*steps: str | Number, **attributes: str | Number) -> str:
    """A path: its commands and coordinates, in pieces or as one text."""
    return element("path", d=" ".join(_written(step) for step in steps), **attributes)


def lines(*ends: tuple[Number, Number, Number, Number], **attributes: str | Number) -> str:
    """Straight lines, each from x1, y1 to x2, y2."""
    steps: list[str | Number] = []
    for x1, y1, x2, y2 in ends:
        steps += ["M", x1, y1, "L", x2, y2]
    return path(*steps, **attributes)


def polygon(points: Iterable[tuple[Number, Number]], **attributes: str | Number) -> str:
    """A closed shape with these corners."""
    return element("polygon", points=" ".join(f"{number(x)},{number(y)}" for x, y in points), **attributes)


def circle(x: Number, y: Number, r: Number, **attributes: str | Number) -> str:
    """A circle around a middle."""
    return element("circle", cx=x, cy=y, r=r, **attributes)


def box(x: Number, y: Number, width: Number, height: Number, *, corner: Number = 2, **attributes: str | Number) -> str:
    """A rectangle around a middle."""
    return element("rect", x=x - width / 2, y=y - height / 2, width=width, height=height, rx=corner, **attributes)


def around(x: Number, y: Number, r: Number, count: int, *, start: float = -90) -> list[tuple[float, float]]:
    """Points on a circle, from ``start`` degrees on; -90 is the top."""
    turns = [math.radians(start + 360 * step / count) for step in range(count)]
    return [(x + r * math.cos(turn), y + r * math.sin(turn)) for turn in turns]


def hexagon(x: Number, y: Number, r: Number, **attributes: str | Number) -> str:
    """A pod."""
    return polygon(around(x, y, r, 6), **attributes)


def container(x: Number, y: Number, size: Number) -> str:
    """A shipping container: a box with ribs."""
    width, height = size, size * 0.72
    ribs = [x - width / 6, x + width / 6]
    top, bottom = y - height / 4, y + height / 4
    return box(x, y, width, height) + lines(*((rib, top, rib, bottom) for rib in ribs))


def chip(x: Number, y: Number, size: Number) -> str:
    """A processor: a square with pins."""
    half, pin = size * 0.31, size / 2
    legs = [
        end
        for at in (-half * 0.5, half * 0.5)
        for end in (
            (x + at, y - pin, x + at, y - half),
            (x + at, y + half, x + at, y + pin),
            (x - pin, y + at, x - half, y + at),
            (x + half, y + at, x + pin, y + at),
        )
    ]
    return box(x, y, 2 * half, 2 * half, corner=size / 12) + lines(*legs)


def memory(x: Number, y: Number, size: Number) -> str:
    """A memory module: a bar with a notch and contacts."""
    width, height = size * 1.1, size * 0.56
    left, top, bottom = x - width / 2, y - height / 2 - size * 0.06, y + height / 2 - size * 0.06
    body = path("M", left, top, "h", width, "v", height, "h", -width, "z")
    feet = [
        (left + width * part, bottom, left + width * part, bottom + size * 0.2) for part in (0.14, 0.38, 0.62, 0.86)
    ]
    dies = [
        (left + width * part, top + height * 0.3, left + width * part, top + height * 0.68)
        for part in (0.28, 0.5, 0.72)
    ]
    return body + lines(*feet) + lines(*dies)


def cylinder(x: Number, y: Number, size: Number, *, bands: int = 2) -> str:
    """A disk, as a stack of platters."""
    rx, ry = size * 0.42, size * 0.15
    top, bottom = y - size / 2 + ry, y + size / 2 - ry
    body = path("M", x - rx, top, "V", bottom, "A", rx, ry, 0, 0, 0, x + rx, bottom, "V", top)
    rings = [top + (bottom - top) * step / bands for step in range(1, bands)]
    arcs = "".join(path("M", x - rx, ring, "A", rx, ry, 0, 0, 0, x + rx, ring) for ring in rings)
    return element("ellipse", cx=x, cy=top, rx=rx, ry=ry) + body + arcs


def server(x: Number, y: Number, size: Number) -> str:
    """A node: two units of a rack, each with a lamp."""
    height, gap = size * 0.4, size * 0.12
    units = [y - height / 2 - gap / 2, y + height / 2 + gap / 2]
    drawn = ""
    for unit in units:
        drawn += box(x, unit, size, height, corner=size / 12)
        drawn += lines((x - size * 0.3, unit, x - size * 0.29, unit), (x, unit, x + size * 0.3, unit))
    return drawn


def frame(x: Number, y: Number, size: Number) -> str:
    """A node with room for something in it: a machine on its feet."""
    height = size * 0.84
    top = y - size / 2
    foot = top + height
    return box(x, top + height / 2, size, height, corner=size / 9) + lines(
        (x, foot, x, top + size), (x - size * 0.24, top + size, x + size * 0.24, top + size)
    )


def wheel(x: Number, y: Number, size: Number) -> str:
    """A ship's wheel: what steers a node, the kubelet."""
    outer, inner = around(x, y, size * 0.5, 6), around(x, y, size * 0.12, 6)
    spokes = [(*start, *end) for start, end in zip(inner, outer, strict=True)]
    return circle(x, y, size * 0.33) + lines(*spokes)


def crates(x: Number, y: Number, size: Number) -> str:
    """Three crates on one another: what a container runtime keeps."""
    side = size * 0.44
    step = side / 2 + size * 0.04
    return "".join(
        box(cx, cy, side, side, corner=size / 14)
        for cx, cy in ((x, y - step), (x - step, y + step), (x + step, y + step))
    )


def spokes(x: Number, y: Number, size: Number) -> str:
    """A Service: one address with several ends."""
    ends = around(x, y, size * 0.42, 3, start=-120)
    hub = size * 0.13
    drawn = circle(x, y, hub)
    for (ex, ey), (sx, sy) in zip(ends, around(x, y, hub, 3, start=-120), strict=True):
        drawn += lines((sx, sy, x + (ex - x) * 0.7, y + (ey - y) * 0.7))
        drawn += circle(ex, ey, size * 0.13)
    return drawn


def link(x: Number, y: Number, size: Number) -> str:
    """Two pods and the packets on the wire between them."""
    r, reach = size * 0.24, size * 0.35
    low, high = (x - reach, y + reach), (x + reach, y - reach)
    wire = [(x + reach * part, y - reach * part) for part in (-0.36, -0.18, 0, 0.18, 0.36)]
    packets = [(*wire[0], *wire[0]), (*wire[1], *wire[3]), (*wire[4], *wire[4])]
    return hexagon(*low, r) + hexagon(*high, r) + lines(*packets)
