"""Who asks: the language, the address by which the site was asked, and the query. Pure, but for reading the request."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from litestar import Request

from litmus.hub import translations
from litmus.hub.charts import is_namespace

COOKIE = "lang"
_HOST = re.compile(r"[A-Za-z0-9._-]+(:\d{1,5})?|\[[0-9A-Fa-f:.]+\](:\d{1,5})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One request for a page."""

    lang: str
    origin: str  # scheme and host (and the path of the public URL), without a slash at the end
    path: str
    query: Mapping[str, str]
    chosen: bool  # whether the address names the language, which is then remembered

    @property
    def namespace(self) -> str:
        """The namespace that the address names, if it can be one."""
        wanted = self.query.get("namespace", "").strip()
        return wanted if is_namespace(wanted) else ""

    def say(self, english: str, **values: Any) -> str:
        """A sentence of the site in the visitor's language, with what is to be filled in."""
        text = translations.translate(self.lang, english)
        return text.format(**values) if values else text

    def count(self, number: int, one: str, many: str) -> str:
        """One of two sentences; the second is filled in with the number."""
        return self.say(one) if number == 1 else self.say(many, n=number)

    def in_language(self, lang: str) -> str:
        """The query of this page in another language."""
        return urlencode({**self.query, "lang": lang})


def visit(request: Request[Any, Any, Any], public_url: str) -> Visit:
    """What a request tells."""
    query = {name: value for name, value in request.query_params.items() if isinstance(value, str)}
    wanted = query.get("lang", "")
    return Visit(
        lang=translations.negotiate(
            request.headers.get("accept-language", ""), wanted=wanted, cookie=request.cookies.get(COOKIE, "")
        ),
        origin=public_url.rstrip("/") or origin(request),
        path=request.scope["path"],
        query=query,
        chosen=wanted in translations.LANGUAGES,
    )


def origin(request: Request[Any, Any, Any]) -> str:
    """The address by which the site was asked. It ends up in commands for a shell, so a host that can't be one is not
    repeated."""
    host = request.headers.get("host", "")
    forwarded = request.headers.get("x-forwarded-proto", "").split(",")[0].strip().lower()
    scheme = forwarded if forwarded in ("http", "https") else request.scope["scheme"]
    return f"{scheme}://{host if _HOST.fullmatch(host) else 'localhost'}"
