"""Templates into HTML: what every template may call, and nothing more.

Everything is escaped unless it is Markup, which only ``markdown`` and our own drawings make.
"""

from collections.abc import Callable
from functools import cache
from typing import Any
from urllib.parse import quote, urlsplit

import jinja2
from markupsafe import Markup, escape

from litmus import __version__
from litmus.hub import model, translations

from . import commands, markdown
from .assets import Assets, symbol
from .visits import Visit


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("litmus.hub.site"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals |= {"version": __version__, "languages": translations.LANGUAGES, "OURS": model.OURS}
    environment.filters |= {"markdown": markdown.block, "inline": markdown.inline, "link": markdown.safe_url}
    return environment


class Renderer:
    """Renders pages that lead to these assets, under the path of the public URL if there is one."""

    def __init__(self, assets: Assets, *, public_url: str = "") -> None:
        self._assets = assets
        self._root = urlsplit(public_url).path.rstrip("/")

    def page(self, template: str, visit: Visit, **values: Any) -> str:
        """The HTML of a page."""
        links = _Links(self._root, self._assets)
        return (
            _environment()
            .get_template(template)
            .render(
                _=visit.say,
                count=visit.count,
                visit=visit,
                lang=visit.lang,
                root=self._root,
                asset=links.asset,
                href=links.page,
                icon=links.icon,
                namespace=visit.namespace or commands.DEFAULT_NAMESPACE,
                namespaced=_namespaced(visit.namespace or commands.DEFAULT_NAMESPACE),
                **values,
            )
        )


class _Links:
    """Addresses in pages."""

    def __init__(self, root: str, assets: Assets) -> None:
        self._root = root
        self._assets = assets

    def asset(self, name: str) -> str:
        return self._root + self._assets.address(name)

    def page(self, hub: str, group: str = "", chart: str = "") -> str:
        """A page of a hub: its home, a group, or a chart."""
        of = "" if hub == model.OURS else f"/hubs/{quote(hub, safe='')}"
        below = "".join(f"/{quote(part, safe='')}" for part in (group, chart) if part)
        return f"{self._root}{of}/charts{below}" if below else f"{self._root}{of}/"

    def icon(self, hub: str, path: str, size: int = 40) -> Markup:
        """An icon: of ours from the sprite, of others as a picture of its own, which can't do anything."""
        if hub != model.OURS and path:
            group, _, file = path.removeprefix("charts/").removeprefix("faults/").partition("/icons/")
            address = f"{self._root}/api/icon/{commands.VERSION}/{quote(group)}/{quote(file)}?hub={quote(hub, safe='')}"
            picture = '<img class="icon" src="{0}" width="{1}" height="{1}" alt="" loading="lazy">'
            return Markup(picture).format(address, size)
        address = f"{self.asset('icons.svg')}#{symbol(path) if path else 'chick'}"
        drawing = '<svg class="icon" width="{1}" height="{1}" aria-hidden="true"><use href="{0}"></use></svg>'
        return Markup(drawing).format(address, size)


def _namespaced(namespace: str) -> Callable[[str], Markup]:
    """A filter for commands: the namespace is marked, so that the script can put another one there."""
    marked = Markup("<span data-namespace>{}</span>").format(namespace)
    option = Markup('<span class="keep">-n {}</span>').format(marked)  # no end of a line between the two

    def mark(text: str) -> Markup:
        parts = text.split(f"-n {commands.NAMESPACE}")
        return option.join(marked.join(escape(piece) for piece in part.split(commands.NAMESPACE)) for part in parts)

    return mark
