"""Texts of charts as HTML. Some come from hubs of strangers: no raw HTML, no images, no links but to the web.

An image would be a request to a third party, which the site never makes.
"""

from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markupsafe import Markup

_SCHEMES = frozenset({"http", "https", "mailto"})
_LONGEST = 20_000

_markdown = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")


def block(text: str) -> Markup:
    """A text of several paragraphs. Headings in it are below those of the page."""
    tokens = _markdown.parse(text[:_LONGEST])
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, int(token.tag[1:]) + 2)}"
    return Markup(_markdown.renderer.render(tokens, _markdown.options, {}))  # noqa: S704 - raw HTML is off


def inline(text: str) -> Markup:
    """A sentence with code between backticks."""
    return Markup(_markdown.renderInline(text[:_LONGEST]))  # noqa: S704 - raw HTML is off


def plain(text: str) -> str:
    """The words of a text without its marks, for a card or a description."""
    tokens = [child for token in _markdown.parse(text[:_LONGEST]) for child in token.children or []]
    words = (" " if token.type in ("softbreak", "hardbreak") else token.content for token in tokens)
    return " ".join("".join(words).split())


def safe_url(url: str) -> str:
    """The address if a page may link to it, else an empty text."""
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return ""
    return url.strip() if parts.scheme.lower() in _SCHEMES and (parts.netloc or parts.path) else ""


_markdown.validateLink = lambda url: bool(safe_url(url))  # type: ignore[method-assign]  # its documented hook
