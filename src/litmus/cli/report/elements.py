"""HTML elements without a template language: the page has to work with the base install, and nothing in it may be
markup that somebody else wrote.

The tree is that of ``xml.etree``, which escapes when it writes; what a result says can only ever become text.
Characters that no document may hold, and those that turn the direction of what follows, become the replacement
character.
"""

import re
from xml.etree import ElementTree

Element = ElementTree.Element

_UNFIT = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)


def node(tag: str, *children: "Element | str | None", **attributes: "str | float | None") -> Element:
    """An element; ``class_`` means class, ``stroke_width`` stroke-width. None is left out, among both."""
    made = Element(tag)
    for name, value in attributes.items():
        if value is not None:
            made.set(name.rstrip("_").replace("_", "-"), clean(value) if isinstance(value, str) else number(value))
    for child in children:
        if isinstance(child, str):
            _append(made, clean(child))
        elif child is not None:
            made.append(child)
    return made


def clean(text: str) -> str:
    """The text without what no document may hold."""
    return _UNFIT.sub("\ufffd", text)


def number(value: float) -> str:
    """Two places at most."""
    return f"{round(value, 2):g}" if abs(value) < 1e5 else f"{value:.0f}"


def written(root: Element) -> str:
    """A whole page."""
    return "<!doctype html>\n" + ElementTree.tostring(root, encoding="unicode", method="html") + "\n"


def _append(parent: Element, text: str) -> None:
    if len(parent):
        parent[-1].tail = (parent[-1].tail or "") + text
    else:
        parent.text = (parent.text or "") + text
