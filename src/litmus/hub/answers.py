"""Refusals of the hub's server: a status, a sentence, and what exists instead, as text or JSON as the caller accepts.

What is not there answers 404 and says what is. The original answers 200 with an error text that ``kubectl apply`` then
chokes on.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from litestar import MediaType, Request, Response
from litestar.exceptions import HTTPException

from litmus.api import strict

_LOG = logging.getLogger(__name__)
_FORMS = (MediaType.TEXT.value, MediaType.JSON.value)  # the first one if the caller does not care
_ALL_FORMS = (*_FORMS, MediaType.HTML.value)
_COMPARED, _LONGEST_NAME = 2000, 200
_FAILED = "litmus hub: a request failed"
_SENTENCES = {
    404: "There is nothing at this address. The API is at /api/version, /api/charts/{version} and "
    "/api/chaos/{version}?file=PATH, the pages begin at /.",
    405: "This address does not answer to that method; see the header Allow.",
    413: "The body is too large.",
}

AnyRequest = Request[Any, Any, Any]
Page = Callable[[AnyRequest, int], Response[str]]


class Refused(Exception):
    """The request can't be answered as asked. ``exist`` are the names that could have been meant."""

    def __init__(self, status: int, sentence: str, *, exist: Sequence[str] = (), nearest: str = "") -> None:
        super().__init__(sentence)
        self.status = status
        self.exist = exist
        self.nearest = nearest


def missing(kind: str, name: str, known: Iterable[str], *, listed: str = "", guess: bool = True) -> Refused:
    """404 for a name that is not one of those known; ``listed`` tells them shorter than one after the other.

    ``guess`` says which was meant; a number that is like another one is no slip of the pen.
    """
    exist = list(known)
    # Likeness takes time by length and number, and nobody mistypes so long a name.
    hint = strict.closest(name, exist[:_COMPARED]) if guess and len(name) <= _LONGEST_NAME else ""
    shown = name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…"
    there = listed or ", ".join(exist) or "none"
    near = hint.partition("did you mean ")[2].removesuffix("?")
    return Refused(404, f"There is no {kind} {shown!r}{hint or '.'} There is {there}.", exist=exist, nearest=near)


def handlers(page: Page) -> dict[int | type[Exception], Any]:
    """What the framework calls for an exception. ``page`` is for browsers, outside of the API."""

    def refuse(request: AnyRequest, error: Refused) -> Response[Any]:
        return _answer(request, error.status, str(error), exist=error.exist, nearest=error.nearest)

    def refuse_by_protocol(request: AnyRequest, error: HTTPException) -> Response[Any]:
        """What the framework refuses: an unknown address or method, a body that is too large, a broken request."""
        if _is_for_people(request):
            answer = page(request, error.status_code)
        else:
            sentence = _SENTENCES.get(error.status_code, error.detail or "The request can't be read.")
            answer = _answer(request, error.status_code, sentence)
        answer.headers.update(error.headers or {})
        return answer

    def fail(request: AnyRequest, error: Exception) -> Response[Any]:
        """A defect of ours. The caller learns that it is one, the log what it is."""
        _LOG.error(_FAILED, exc_info=error, extra={"method": request.method, "path": request.scope["path"]})
        return _answer(request, 500, "This is a defect of the hub; its log says more.")

    return {Refused: refuse, HTTPException: refuse_by_protocol, Exception: fail}


def _answer(
    request: AnyRequest, status: int, sentence: str, *, exist: Sequence[str] = (), nearest: str = ""
) -> Response[Any]:
    headers = {"cache-control": "no-store", "vary": "Accept"}
    if _wanted(request) == MediaType.JSON:
        about = {"status": status, "error": sentence, "nearest": nearest, "exist": list(exist)}
        return Response(about, status_code=status, media_type=MediaType.JSON, headers=headers)
    return Response(f"{sentence}\n", status_code=status, media_type=MediaType.TEXT, headers=headers)


def _is_for_people(request: AnyRequest) -> bool:
    return not request.scope["path"].startswith("/api/") and _wanted(request, _ALL_FORMS) == MediaType.HTML


def _wanted(request: AnyRequest, forms: Sequence[str] = _FORMS) -> str:
    try:
        return request.accept.best_match(list(forms), forms[0]) or forms[0]
    except ValueError:  # an Accept that can't be read
        return forms[0]
