"""The files beside the pages: style, scripts and icons, each under an address that changes with its content.

So a browser may keep them for a year, and a new release is seen at once. The icons of our experiments are one sprite,
fetched once for all pages; they take the colour of the text, so that they fit both themes.
"""

import hashlib
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

from litmus.hub import icons, model

SPRITE = "icons.svg"
LOGO = "chick"
_SVG = "http://www.w3.org/2000/svg"
_TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class Asset:
    """One file as it is sent."""

    content: bytes
    media_type: str


class Assets:
    """All files of ``static/`` and the sprite of a hub's icons, by their plain names and by their addresses."""

    def __init__(self, hub: model.Hub | None) -> None:
        folder = resources.files(__package__).joinpath("static")
        plain = {file.name: file.read_bytes() for file in folder.iterdir() if _extension(file.name) in _TYPES}
        plain["chick.svg"] = icons.chick().encode()
        plain[SPRITE] = sprite(_drawings(hub))
        self._names = {name: _fingerprinted(name, content) for name, content in plain.items()}
        self._files = {self._names[name]: Asset(content, _TYPES[_extension(name)]) for name, content in plain.items()}

    def address(self, name: str) -> str:
        """The path of a file, below the root of the site. Raises KeyError for one that is not there."""
        return f"/static/{self._names[name]}"

    def find(self, address: str) -> Asset | None:
        """What is sent for the last part of an address."""
        return self._files.get(address)


def sprite(drawings: Mapping[str, str]) -> bytes:
    """One SVG with a symbol for each drawing, by its id. A drawing that is no SVG is left out."""
    ET.register_namespace("", _SVG)
    root = ET.Element(f"{{{_SVG}}}svg")
    for name, drawing in drawings.items():
        try:
            svg = ET.fromstring(drawing)
        except ET.ParseError:
            continue
        symbol = ET.SubElement(root, f"{{{_SVG}}}symbol", {**svg.attrib, "id": name})
        for size in ("width", "height", "role", "aria-label"):
            symbol.attrib.pop(size, None)
        symbol.extend(child for child in svg if not child.tag.endswith("}title"))
    return ET.tostring(root)


def symbol(path: str) -> str:
    """The id in the sprite of an icon's path."""
    return path.removesuffix(".svg").replace("/", "-")


def _drawings(hub: model.Hub | None) -> dict[str, str]:
    if hub is None:
        return {LOGO: icons.chick()}
    paths = [group.icon_file for group in hub.groups] + [chart.icon_file for chart in hub.charts()]
    found = {symbol(path): hub.files[path].decode() for path in paths if path.endswith(".svg") and path in hub.files}
    return {LOGO: icons.chick(), **found}


def _fingerprinted(name: str, content: bytes) -> str:
    stem, _, extension = name.rpartition(".")
    return f"{stem}.{hashlib.sha256(content).hexdigest()[:12]}.{extension}"


def _extension(name: str) -> str:
    return name.rpartition(".")[2]
