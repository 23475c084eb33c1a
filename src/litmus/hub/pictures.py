"""Icons that others made: whether a picture may be shown on a page of ours. Pure.

An SVG is a program in disguise: it can carry scripts, handlers of events, styles that fetch, and references to other
hosts. Nothing is cleaned here; what is not plainly a drawing is refused with its line, and its author mends it.
"""

import re
import struct
from xml.parsers import expat

LARGEST = 256 * 1024
_WIDEST = 2048  # pixels of a side; a small file can unfold to a picture of gigabytes

_PNG = b"\x89PNG\r\n\x1a\n"
_SVG = "http://www.w3.org/2000/svg"
_REFUSED = frozenset(
    {"script", "foreignobject", "iframe", "object", "embed", "audio", "video", "image", "handler", "listener", "set"}
    | {"animate", "animatetransform", "animatemotion", "a"}
)
_FETCHES = re.compile(r"url\((?!\s*['\"]?#)|@|expression\(|javascript:|data:|\\", re.I)  # a backslash hides letters
_STYLED = frozenset(
    {"style", "fill", "stroke", "filter", "mask", "clip-path", "marker", "marker-start", "marker-mid", "marker-end"}
    | {"cursor", "from", "to", "values", "by"}
)
_MOST_USES = 20  # each may repeat what repeats others


class Unfit(Exception):
    """The picture may not be shown. ``line`` is 0 where the whole of it is meant."""

    def __init__(self, message: str, *, line: int = 0) -> None:
        super().__init__(message)
        self.line = line


def check(content: bytes, *, kind: str) -> None:
    """``kind`` is the file's suffix, ``png`` or ``svg``. Raises Unfit."""
    if len(content) > LARGEST:
        raise Unfit(f"the icon has {len(content):,} bytes; {LARGEST:,} are allowed")
    if kind == "png":
        _check_png(content)
    elif kind == "svg":
        _check_svg(content)
    else:
        raise Unfit(f"an icon of type {kind or 'unknown'}; use .png or .svg")


def _check_png(content: bytes) -> None:
    if not content.startswith(_PNG) or content[12:16] != b"IHDR" or len(content) < 24:
        raise Unfit("this is no PNG, whatever its name says")
    width, height = struct.unpack(">II", content[16:24])
    if not (0 < width <= _WIDEST and 0 < height <= _WIDEST):
        raise Unfit(f"the icon is {width} x {height} pixels; at most {_WIDEST} x {_WIDEST} are allowed")


def _check_svg(content: bytes) -> None:
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    depth = uses = 0
    inside = ""

    def refuse(what: str) -> None:
        raise Unfit(f"{what}; an icon may only draw", line=parser.CurrentLineNumber)

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth, uses, inside
        space, _, element = name.rpartition(" ")
        if not depth and (space, element) != (_SVG, "svg"):
            raise Unfit(f'the first element is <{element}>, not <svg xmlns="{_SVG}">', line=parser.CurrentLineNumber)
        depth, inside, uses = depth + 1, element.lower(), uses + (element == "use")
        if inside in _REFUSED or uses > _MOST_USES:
            refuse(f"<{element}>" if inside in _REFUSED else f"more than {_MOST_USES} <use>")
        for key, value in attributes.items():
            _check_attribute(key.rpartition(" ")[2].lower(), value, refuse)

    def end(name: str) -> None:
        nonlocal depth, inside
        depth, inside = depth - 1, ""

    def text(content: str) -> None:
        if inside == "style" and _FETCHES.search(content):
            refuse("a style that fetches")

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = lambda *_: refuse("a DOCTYPE")  # with it go entities, and entity bombs
    parser.ProcessingInstructionHandler = lambda *_: refuse("a processing instruction")
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise Unfit(f"this is no SVG: {expat.errors.messages[error.code]}", line=error.lineno) from error


def _check_attribute(key: str, value: str, refuse) -> None:  # type: ignore[no-untyped-def]  # it never returns
    if key.startswith("on"):
        refuse(f"the handler {key}=")
    if key in {"href", "src"} and not value.strip().startswith("#"):
        refuse(f"a reference to {value.strip()[:60]!r}")
    if key in _STYLED and _FETCHES.search(value):
        refuse(f"{key}={value.strip()[:60]!r}")
