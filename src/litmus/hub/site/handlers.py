"""The addresses of the site, and which page is behind each."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from litestar import MediaType, Request, Response, get
from litestar.datastructures import Cookie
from litestar.handlers import HTTPRouteHandler

from litmus.api import strict
from litmus.hub import model

from . import commands, editor, editor_routes, finding, views, visits
from .assets import Assets
from .rendering import Renderer

Hubs = Callable[[], Sequence[model.Hub]]
AnyRequest = Request[Any, Any, Any]
Page = Response[str]

_A_YEAR_S = 365 * 86400
_CHANGES = {"cache-control": "no-cache", "vary": "Accept-Language, Cookie"}
_KEPT = {"cache-control": f"public, max-age={_A_YEAR_S}, immutable"}

_SENTENCES = {
    400: "The request can't be read.",
    404: "There is nothing at this address.",
    405: "This address does not answer to that method.",
    413: "The request is too large.",
    500: "This is a defect of the hub.",
}
_LONGEST_NAME = 100


class Site:
    """The pages over the hubs that there are when one is asked for."""

    def __init__(self, hubs: Hubs, *, public_url: str = "") -> None:
        self._hubs = hubs
        self._public_url = public_url
        self._assets: tuple[model.Hub | None, Assets] | None = None

    def home(self, request: AnyRequest, hub_name: str = model.OURS) -> Page:
        """All charts of a hub, with search and filters."""
        visit = self._visit(request)
        hub = self._hub(hub_name)
        if hub is None:
            return self._no_hub(visit, hub_name)
        wish = finding.Wish.read(visit.query)
        cards = views.cards(hub.groups, wish, visit)
        others = [other for other in self._hubs() if other.name != model.OURS] if hub.name == model.OURS else []
        return self._page(
            "home.html",
            visit,
            hub=hub,
            wish=wish,
            cards=cards,
            found=sum(card.shown for card in cards),
            groups=views.groups(hub.groups, visit),
            platforms=views.platforms(cards),
            others=others,
        )

    def group(self, request: AnyRequest, group_name: str, hub_name: str = model.OURS) -> Page:
        """One category."""
        visit = self._visit(request)
        hub = self._hub(hub_name)
        if hub is None:
            return self._no_hub(visit, hub_name)
        group = hub.group(group_name)
        if group is None:
            return self._no_group(visit, hub, group_name)
        usable = [chart for chart in group.charts if not chart.problems]
        return self._page(
            "group.html",
            visit,
            hub=hub,
            group=group,
            cards=views.cards([group], finding.Wish(), visit),
            commands=commands.of_group(group, hub=hub.name, origin=visit.origin),
            litmus_command=commands.by_litmus(usable, hub=hub.name) if usable else None,
            links=views.links(group.links),
        )

    def chart(self, request: AnyRequest, group_name: str, name: str, hub_name: str = model.OURS) -> Page:
        """One experiment."""
        visit = self._visit(request)
        hub = self._hub(hub_name)
        if hub is None:
            return self._no_hub(visit, hub_name)
        group = hub.group(group_name)
        chart = hub.chart(group_name, name)
        if group is None:
            return self._no_group(visit, hub, group_name)
        if chart is None:
            return self._missing(visit, "There is no experiment “{name}” here.", name, _addresses(hub, group.charts))
        return self._page(
            "chart.html",
            visit,
            hub=hub,
            group=group,
            chart=chart,
            views=views,
            commands=[] if chart.problems else commands.of_chart(chart, hub=hub.name, origin=visit.origin),
            litmus_command=commands.by_litmus([chart], hub=hub.name),
            links=views.links(chart.links),
            editor=self._editor(hub, chart, visit),
        )

    def _editor(self, hub: model.Hub, chart: model.Chart, visit: visits.Visit) -> Mapping[str, Any]:
        """The engine editor's variables. A chart of others starts from the engine that it brings."""
        theirs = b"" if chart.declared else hub.files.get(chart.engine_file, b"")
        return editor.context(
            chart,
            visit.lang,
            hub="" if hub.name == model.OURS else hub.name,
            engine=theirs.decode("utf-8", "replace"),
            values=visit.query,
        )

    def hubs(self, request: AnyRequest) -> Page:
        """Every hub with its state."""
        return self._page("hubs.html", self._visit(request), hubs=self._hubs())

    def static(self, file: str) -> Response[Any]:
        """Style, script and icons."""
        asset = self._current_assets().find(file)
        if asset is None:
            return Response("There is no such file.\n", status_code=404, media_type=MediaType.TEXT)
        return Response(asset.content, media_type=asset.media_type, headers=_KEPT)

    def _visit(self, request: AnyRequest) -> visits.Visit:
        return visits.visit(request, self._public_url)

    def _hub(self, name: str) -> model.Hub | None:
        return next((hub for hub in self._hubs() if hub.name == name), None)

    def _current_assets(self) -> Assets:
        """Made once; again when our hub is another one, for its icons are among them."""
        ours = self._hub(model.OURS)
        if self._assets is None or self._assets[0] is not ours:
            self._assets = (ours, Assets(ours))
        return self._assets[1]

    def _page(self, template: str, visit: visits.Visit, *, status: int = 200, **values: Any) -> Page:
        renderer = Renderer(self._current_assets(), public_url=self._public_url)
        return _answer(renderer.page(template, visit, **values), visit, status)

    def _no_hub(self, visit: visits.Visit, name: str) -> Page:
        known = {hub.name: (hub.name, "", "") for hub in self._hubs()}
        return self._missing(visit, "There is no hub “{name}”.", name, known)

    def _no_group(self, visit: visits.Visit, hub: model.Hub, name: str) -> Page:
        known = {group.name: (hub.name, group.name, "") for group in hub.groups}
        return self._missing(visit, "There is no category “{name}” here.", name, known)

    def _missing(self, visit: visits.Visit, sentence: str, name: str, known: dict[str, tuple[str, str, str]]) -> Page:
        near = ""
        if len(name) <= _LONGEST_NAME:  # nobody mistypes a longer one, and likeness takes time by length
            near = strict.closest(name, list(known)).partition("did you mean ")[2].removesuffix("?")
        else:
            name = f"{name[:_LONGEST_NAME]}…"
        return self._page(
            "error.html", visit, status=404, code=404, sentence=visit.say(sentence, name=name), near=near, known=known
        )


def error_page(request: AnyRequest, status: int, sentence: str = "", *, public_url: str = "") -> Page:
    """A page for an error, for a browser: 404 for an address that there is not, 500 for a defect of ours."""
    visit = visits.visit(request, public_url)
    told = sentence or _SENTENCES.get(status) or _SENTENCES[500 if status >= 500 else 400]
    page = Renderer(Assets(None), public_url=public_url).page(
        "error.html", visit, code=status, sentence=visit.say(told), near="", known={}
    )
    return _answer(page, visit, status)


def _addresses(hub: model.Hub, charts: Iterable[model.Chart]) -> dict[str, tuple[str, str, str]]:
    return {chart.name: (hub.name, chart.group, chart.name) for chart in charts}


def _answer(page: str, visit: visits.Visit, status: int) -> Page:
    remembered = Cookie(key=visits.COOKIE, value=visit.lang, path="/", max_age=_A_YEAR_S, samesite="lax")
    cookies = [remembered] if visit.chosen else []
    return Response(page, status_code=status, media_type=MediaType.HTML, headers=_CHANGES, cookies=cookies)


def routes(hubs: Hubs, *, public_url: str = "") -> list[HTTPRouteHandler]:
    """The handlers of the site. ``hubs`` gives those that there are now, ours among them by the name of model.OURS.

    ``public_url`` is the address for commands and links where the one of the request is not to be used.
    """
    site = Site(hubs, public_url=public_url)

    @get("/", sync_to_thread=False)
    def home(request: AnyRequest) -> Page:
        return site.home(request)

    @get("/charts/{group:str}", sync_to_thread=False)
    def group(request: AnyRequest) -> Page:
        return site.group(request, request.path_params["group"])

    @get("/charts/{group:str}/{name:str}", sync_to_thread=False)
    def chart(request: AnyRequest) -> Page:
        return site.chart(request, request.path_params["group"], request.path_params["name"])

    @get("/hubs", sync_to_thread=False)
    def every_hub(request: AnyRequest) -> Page:
        return site.hubs(request)

    @get("/hubs/{hub:str}", sync_to_thread=False)
    def home_of(request: AnyRequest) -> Page:
        return site.home(request, request.path_params["hub"])

    @get("/hubs/{hub:str}/charts/{group:str}", sync_to_thread=False)
    def group_of(request: AnyRequest) -> Page:
        return site.group(request, request.path_params["group"], request.path_params["hub"])

    @get("/hubs/{hub:str}/charts/{group:str}/{name:str}", sync_to_thread=False)
    def chart_of(request: AnyRequest) -> Page:
        path = request.path_params
        return site.chart(request, path["group"], path["name"], path["hub"])

    @get("/static/{file:str}", sync_to_thread=False)
    def static(request: AnyRequest) -> Response[Any]:
        return site.static(request.path_params["file"])

    return [home, group, chart, every_hub, home_of, group_of, chart_of, static, *editor_routes.routes(hubs)]
