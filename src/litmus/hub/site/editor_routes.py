"""The two questions of the engine editor: which YAML a form makes, and what is wrong with a YAML text.

Nothing is kept. Both run in threads, because a text of the largest size takes a while, and a slow one must not hold up
the pages of others.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

import msgspec
from litestar import MediaType, Request, Response, post
from litestar.handlers import HTTPRouteHandler
from msgspec import Meta

from .. import model, translations
from . import engine_check, engine_form, wording
from .engine_form import Problem

Hubs = Callable[[], Sequence[model.Hub]]
_Text = Annotated[str, Meta(max_length=4096)]


class Filled(msgspec.Struct, kw_only=True, frozen=True):
    """The form of one chart."""

    group: _Text
    name: _Text
    hub: _Text = ""
    lang: _Text = ""
    namespace: _Text = ""
    values: dict[_Text, _Text] = {}


def routes(hubs: Hubs) -> list[HTTPRouteHandler]:
    """``POST /engine`` and ``POST /engine/check``."""

    @post("/engine", status_code=200)
    async def fill(request: Request[Any, Any, Any]) -> Response[Any]:
        return await asyncio.to_thread(filled, request, await request.body())

    @post("/engine/check", status_code=200)
    async def check(request: Request[Any, Any, Any]) -> Response[Any]:
        return await asyncio.to_thread(checked, request, await request.body())

    def filled(request: Request[Any, Any, Any], body: bytes) -> Response[Any]:
        lang = _language(request, "")
        if len(body) > engine_check.MOST_BYTES:
            return _refused(413, "the form has more than {most} bytes", lang, most=engine_check.MOST_BYTES)
        try:
            form = msgspec.json.decode(body, type=Filled)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            return _refused(400, "the body is not the JSON of a form: {error}", lang, error=str(error))
        lang = _language(request, form.lang)
        found = _chart(hubs(), form.hub, form.group, form.name)
        if found is None:
            where = "/".join(part for part in (form.hub, form.group, form.name) if part)
            return _refused(404, "there is no chart {where}; the pages list what there is", lang, where=where)
        chart, engine = found
        text, problems = engine_form.fill(chart, form.values, namespace=form.namespace, engine=engine)
        return Response({"yaml": text, "problems": _told(problems, lang)}, media_type=MediaType.JSON)

    def checked(request: Request[Any, Any, Any], body: bytes) -> Response[Any]:
        lang = _language(request, "")
        if len(body) > engine_check.MOST_BYTES:
            return _refused(413, "the text has more than {most} bytes", lang, most=engine_check.MOST_BYTES)
        try:
            text = body.decode()
        except UnicodeDecodeError as error:
            return _refused(400, "the text is not UTF-8: {error}", lang, error=str(error))
        known = _experiments(hubs(), request.query_params.get("hub", ""))
        return Response({"problems": _told(engine_form.check(text, known), lang)}, media_type=MediaType.JSON)

    return [fill, check]


def _told(problems: Sequence[Problem], lang: str) -> list[dict[str, Any]]:
    return [msgspec.to_builtins(problem) | {"message": wording.say(lang, problem.message)} for problem in problems]


def _language(request: Request[Any, Any, Any], wanted: str) -> str:
    return translations.negotiate(
        request.headers.get("accept-language", ""),
        wanted or request.query_params.get("lang", ""),
        request.cookies.get("lang", ""),
    )


def _refused(status: int, template: str, lang: str, **inserted: object) -> Response[Any]:
    sentence = translations.translate(lang, template).format(**inserted)
    return Response({"problems": [{"line": 0, "path": "", "message": sentence}]}, status_code=status)


def _chart(hubs: Sequence[model.Hub], hub: str, group: str, name: str) -> tuple[model.Chart, str] | None:
    """The chart, and the text of its engine where it is one of somebody else's hub."""
    for one in hubs:
        if one.name == (hub or model.OURS) and (chart := one.chart(group, name)):
            own = b"" if chart.declared else one.files.get(chart.engine_file, b"")
            return chart, own.decode("utf-8", "replace")
    return None


def _experiments(hubs: Sequence[model.Hub], hub: str) -> Mapping[str, model.Chart]:
    """All by name. Of equal names that of the page's hub counts, then ours."""
    order = sorted(hubs, key=lambda one: (one.name == (hub or model.OURS), one.name == model.OURS))
    return {chart.name: chart for one in order for chart in one.charts()}
