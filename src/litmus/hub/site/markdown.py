"""Texts of charts as HTML. Some come from hubs of strangers: no raw HTML, no images, no links but to the web.

An image would be a request to a third party, which the site never makes.
"""

from collections.abc import Sequence
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from markupsafe import Markup

_SCHEMES = frozenset({"http", "https", "mailto"})
_LONGEST = 20_000

_markdown = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")


def block(text: str) -> Markup:
    """A text of several paragraphs. Its headings are not among those of the page, which they know nothing of."""
    tokens = _markdown.parse(text[:_LONGEST])
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = "p"
        if token.type == "heading_open":
            token.attrSet("class", "heading")
    return Markup(_markdown.renderer.render(tokens, _markdown.options, {}))


def inline(text: str) -> Markup:
    """A sentence with code between backticks."""
    return Markup(_markdown.renderInline(text[:_LONGEST]))


def plain(text: str) -> str:
    """The words of a text without its marks, for a card or a description."""
    blocks = [_words(token.children) for token in _markdown.parse(text[:_LONGEST]) if token.children]
    return " ".join(" ".join(blocks).split())


def _words(children: Sequence[Token]) -> str:
    return "".join(" " if child.type in ("softbreak", "hardbreak") else child.content for child in children)


def safe_url(url: str) -> str:
    """The address if a page may link to it, else an empty text."""
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return ""
    return url.strip() if parts.scheme.lower() in _SCHEMES and (parts.netloc or parts.path) else ""


def _link(renderer: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, _: EnvType) -> str:
    tokens[index].attrSet("rel", "noopener noreferrer nofollow")
    return renderer.renderToken(tokens, index, options, {})


_markdown.add_render_rule("link_open", _link)
_markdown.validateLink = lambda url: bool(safe_url(url))  # type: ignore[method-assign]  # its documented hook
