"""httpProbe: one request, judged by the code of its answer, and if asked by its body and by how long it took.

The inputs of 1.10 (``url`` with ``expectedResponseCode``, a GET) and those of 3.x (``method.get`` or ``method.post``
with ``criteria`` and ``responseCode``) are both read; where an engine has both, the method counts, as in 3.x. A
redirect is judged as what it is, unless ``followRedirects`` is set. How a request is made is told in ``exchange``.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from litmus import api
from litmus.api.probe import HttpPost, HttpProbe

from . import comparators, exchange, failures
from .contract import Observation, ProbeError, Surroundings

_INPUTS = "httpProbe/inputs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is sent and what is expected, as read from the inputs. ``body_path`` is a file of the pod."""

    method: str
    url: str
    content_type: str = ""
    body: bytes | None = None
    body_path: str = ""
    code: comparators.Check
    text: comparators.Check | None = None
    latency: comparators.Check | None = None

    @property
    def expected(self) -> str:
        parts = [f"code {_bare(self.code)}"]
        parts += [f"body {self.text.describe()}"] if self.text else []
        parts += [f"latency {_bare(self.latency)} ms"] if self.latency else []
        return ", ".join(parts)


class _Open(ProbeError):
    """A value that an earlier probe has yet to fill in (see ``chaining``)."""


def check(probe: api.Probe) -> list[str]:
    """One sentence for each thing that is wrong with the inputs, with its path inside the probe."""
    if probe.http is None:
        return [f"{_INPUTS}: missing; a probe of type httpProbe needs url and method"]
    parts: list[Callable[[HttpProbe], object]] = [_url, _code, _sent, _text, _latency]
    found = []
    for part in parts:
        try:
            part(probe.http)
        except _Open:
            continue
        except ProbeError as error:
            found.append(str(error))
    return found


def prober(probe: api.Probe, surroundings: Surroundings) -> "HttpProber":
    """Raises ProbeError with the first thing that is wrong. The surroundings play no part."""
    del surroundings
    inputs = probe.http
    if inputs is None:
        raise ProbeError(check(probe)[0])
    _url(inputs)
    method, path, body, content_type = _sent(inputs)
    question = Question(
        method=method,
        url=inputs.url.strip(),
        content_type=content_type,
        body=body,
        body_path=path,
        code=_code(inputs),
        text=_text(inputs),
        latency=_latency(inputs),
    )
    client = exchange.Client(
        question.url, insecure=bool(inputs.insecure_skip_verify), follow=bool(inputs.follow_redirects)
    )
    return HttpProber(question, client)


class HttpProber:
    """Asks one URL."""

    def __init__(self, question: Question, client: exchange.Client) -> None:
        self._question = question
        self._client = client

    async def once(self, *, timeout_s: float) -> Observation:
        question = self._question
        headers = {"Content-Type": question.content_type} if question.content_type else {}
        content = await self._content()
        at = time.time()
        try:
            answer = await self._client.ask(question.method, timeout_s=timeout_s, content=content, headers=headers)
        except exchange.Failed as failed:
            return Observation(at, False, str(failed), question.expected, error=failed.kind)
        error = _judge(question, answer)
        return Observation(
            at,
            not error,
            _seen(question, answer, error),
            question.expected,
            latency_ms=round(answer.latency_ms, 3),
            error=error,
            output=answer.text if answer.whole else "",
        )

    async def aclose(self) -> None:
        await self._client.aclose()

    async def _content(self) -> bytes | None:
        if not self._question.body_path:
            return self._question.body
        return await asyncio.to_thread(_file, self._question.body_path)


def _file(path: str) -> bytes:
    """What is posted; read anew every time, as a mounted ConfigMap may change."""
    try:
        with Path(path).open("rb") as file:
            content = file.read(exchange.LARGEST + 1)
    except OSError as error:
        raise ProbeError(
            f"{_INPUTS}.method.post.bodyPath: {path!r} can't be read in the experiment's pod: {error.strerror}; "
            "mount it by the engine's configMaps or secrets"
        ) from error
    if len(content) > exchange.LARGEST:
        raise ProbeError(f"{_INPUTS}.method.post.bodyPath: {path!r} is larger than {exchange.LARGEST} bytes; send less")
    return content


def _judge(question: Question, answer: exchange.Answer) -> str:
    """The kind of the failure; '' if the answer is as expected."""
    if not question.code.holds(str(answer.code)):
        return failures.of_code(answer.code)
    if question.text and not _holds(question.text, answer.text):
        return "wrong-body"
    if question.latency and not question.latency.holds(f"{answer.latency_ms:.3f}"):
        return "slow"
    return ""


def _holds(wanted: comparators.Check, text: str) -> bool:
    """An application that answers with an error's page where a number belongs failed; the probe did not."""
    try:
        return wanted.holds(text)
    except comparators.NoNumber:
        return False


def _seen(question: Question, answer: exchange.Answer, error: str) -> str:
    parts = [f"code {answer.code}"]
    if answer.code // 100 == 3 and "location" in answer.headers and error:
        parts.append(f"redirected to {exchange.shown(answer.headers['location'])} (see followRedirects)")
    elif question.text or (error and answer.body):
        parts.append(f"body {exchange.shown(answer.text)}{'' if answer.whole else ', more was not read'}")
    if question.latency:
        parts.append(f"latency {answer.latency_ms:.0f} ms")
    return ", ".join(parts)


def _bare(wanted: comparators.Check) -> str:
    """Without its type, which goes without saying."""
    return wanted.describe().partition(" ")[2]


def _url(inputs: HttpProbe) -> None:
    if "{{" in inputs.url:
        raise _Open(f"{_INPUTS}.url: {inputs.url!r} has an expression that was not filled in")
    if wrong := exchange.wrong_url(inputs.url.strip()):
        raise ProbeError(f"{_INPUTS}.url: {wrong}")


def _code(inputs: HttpProbe) -> comparators.Check:
    """1.10 has one code that is expected, 3.x a comparison."""
    method = inputs.method
    if method is None or not (method.get or method.post):
        if not inputs.expected_response_code:
            raise ProbeError(f"{_INPUTS}: needs method.get or method.post, or expectedResponseCode: '200'")
        return _code_check("==", inputs.expected_response_code, path=_INPUTS, name="expectedResponseCode")
    if method.get and method.post:
        raise ProbeError(f"{_INPUTS}.method: has both get and post; keep one")
    asked = method.get or method.post
    assert asked is not None
    path = f"{_INPUTS}.method.{'get' if method.get else 'post'}"
    return _code_check(asked.criteria, asked.response_code, path=path, name="responseCode")


def _code_check(criteria: str, code: str, *, path: str, name: str) -> comparators.Check:
    if "{{" in code:
        raise _Open(f"{path}.{name}: {code!r} has an expression that was not filled in")
    return comparators.check("int", criteria, code, path=path, value_name=name)


def _sent(inputs: HttpProbe) -> tuple[str, str, bytes | None, str]:
    """Method, path of the body's file, body and its content type."""
    post: HttpPost | None = inputs.method.post if inputs.method else None
    if post is None:
        return "GET", "", None, ""
    if post.body and post.body_path:
        raise ProbeError(f"{_INPUTS}.method.post: has both body and bodyPath; keep one")
    wanted = (post.content_type or "").strip()
    if not wanted.isascii() or not wanted.isprintable():
        raise ProbeError(f"{_INPUTS}.method.post.contentType: {wanted!r} can't be a header; write application/json")
    return "POST", post.body_path or "", (post.body or "").encode(), wanted


def _text(inputs: HttpProbe) -> comparators.Check | None:
    wanted = inputs.response_body
    return comparators.read(wanted, path=f"{_INPUTS}.responseBody", default="string") if wanted else None


def _latency(inputs: HttpProbe) -> comparators.Check | None:
    wanted = inputs.latency
    if wanted is None:
        return None
    path = f"{_INPUTS}.latency"
    if (wanted.type or "float").lower() not in ("int", "float"):
        raise ProbeError(
            f"{path}.type: {wanted.type!r} is not one of int, float: a latency is a number of milliseconds"
        )
    return comparators.check("float", wanted.criteria, wanted.value, path=path)
