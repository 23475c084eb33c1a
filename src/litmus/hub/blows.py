"""The signs for how something is hit: a clock, a flame, a bolt. Drawn around 0, 0 within 7 units, in strokes of 2.5.

``sign`` takes the colour from its caller: a badge of an icon is white on red, in a diagram as well.
"""

from litmus.experiments.declaration import Blow

from .shapes import box, circle, element, path

_STROKES: dict[Blow, tuple[str, ...]] = {
    "delete": ("M-4.4 -4.4L4.4 4.4M-4.4 4.4L4.4 -4.4",),
    "scale": ("M-5 5L5 -5", "M-0.4 -5.4H5.4V0.4", "M-5.4 -0.4V5.4H0.4"),
    "drain": ("M0 -6V2.4", "M-4.2 -1.6L0 2.6L4.2 -1.6", "M-5 6.2H5"),
    "restart": ("M4.9 -3.6A6 6 0 1 0 6 0.6", "M5.8 -7V-3H1.8"),
    "drop": ("M-7 -2.6H-4M4 -2.6H7", "M0 -5V5", "M-3.4 2.2L0 5.6L3.4 2.2"),
    "corrupt": ("M-7 0.4H-4.4L-2.2 -5L0.6 5.2L2.8 -3L4.4 0.4H7",),
}
_SOLID: dict[Blow, str] = {
    "kill": "M2.2 -7.4L-4.6 1.2H-0.4L-2.2 7.4L4.6 -1.6H0.3Z",
    "taint": "M0 -7.2C2.6 -3.6 5.2 -0.9 5.2 2.1A5.2 5.2 0 0 1 -5.2 2.1C-5.2 -0.9 -2.6 -3.6 0 -7.2Z",
    "load": "M0.6 -7.6C1.4 -3.9 5.8 -2.2 5.8 2.1A5.7 5.4 0 0 1 -5.8 2.1C-5.8 -0.3 -4.6 -2 -3.1 -3.2"
    "C-2.9 -1.7 -2.3 -1 -1.2 -0.6C-2 -3.3 -1.1 -5.9 0.6 -7.6Z",
}


def sign(blow: Blow, *, colour: str) -> str:
    """The sign as a group of shapes."""
    return element(
        "g",
        _drawn(blow, colour),
        fill="none",
        stroke=colour,
        stroke_width=2.5,
        stroke_linecap="round",
        stroke_linejoin="round",
    )


def _drawn(blow: Blow, colour: str) -> str:
    if blow in _STROKES:
        return "".join(path(line) for line in _STROKES[blow])
    if blow in _SOLID:
        return path(_SOLID[blow], fill=colour, stroke_width=1)
    match blow:
        case "fill":
            level = path("M-4.6 -0.8Q-2.3 -3.4 0 -0.8T4.6 -0.8V5H-4.6Z", fill=colour, stroke="none")
            return path("M-5.4 -6V4.2Q-5.4 5.8 -3.8 5.8H3.8Q5.4 5.8 5.4 4.2V-6", stroke_width=2) + level
        case "detach":
            return path("M0 -5.6L5 0.2H-5Z", fill=colour, stroke_width=1.5) + path("M-5 5.2H5")
        case "delay":
            return circle(0, 0, 6.6) + path("M0 -3.4V0.3L2.6 1.9")
        case "duplicate":
            return box(-1.9, -1.9, 8.2, 8.2, corner=1.6) + path("M6.2 -1V4.6A1.6 1.6 0 0 1 4.6 6.2H-1")
        case _:
            return box(0, 0, 9, 9, corner=1.6, fill=colour, stroke="none")
