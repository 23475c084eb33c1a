"""promProbe: the value of a PromQL expression, now or at every step of a range, against a comparator.

What it says of the application and what it says of itself are kept apart. A query without a result is a failed probe
(``no data``): the series that should be there is not. A Prometheus that does not answer within the timeout, a query
that it refuses, and one with several series are Errors of the probe: nothing is known of the application. NaN, which is
0/0 in PromQL, meets no criterion; infinity is compared like a number.

With ``rangeStep`` the probe is a signal where its mode lasts: the points of range queries, each judged. A point is
asked for when it is a few seconds old, so that it has been scraped, and the last ones when the run ends. A Prometheus
that is away meanwhile is asked later for what it kept; only at the end it has to answer.

Credentials: a user and a password in the endpoint, or a bearer token in the experiment's environment variable
PROMETHEUS_TOKEN, which an engine can fill from a Secret.
"""

import asyncio
import logging
import os
import time
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec

from litmus import api
from litmus.api.probe import PromProbe

from . import comparators, exchange, properties
from .contract import Observation, ProbeError, Surroundings

log = logging.getLogger(__name__)

TOKEN = "PROMETHEUS_TOKEN"

_INPUTS = "promProbe/inputs"
_FORM = "application/x-www-form-urlencoded"
_PAUSE_S = 0.2
# A range is asked for so often, and so far behind now, as what was scraped takes a moment to be found.
_EVERY_S = 5.0
_BEHIND_S = 2.0
_FINAL_S = 5.0
_SHOWN_SERIES = 3
_NOUNS = {"matrix": "a range of values", "string": "text"}


class _NoAnswer(ProbeError):
    """Prometheus is away."""


class _Result(msgspec.Struct, frozen=True, rename="camel"):
    result_type: str = ""
    result: list[Any] = []


class _Document(msgspec.Struct, frozen=True, rename="camel"):
    """What the HTTP API answers, also to a wrong query (prometheus.io, HTTP API, format overview)."""

    status: str
    data: _Result = _Result()
    error_type: str = ""
    error: str = ""


class _Series(msgspec.Struct, frozen=True):
    metric: dict[str, str]
    value: tuple[float, str] | None = None
    values: list[tuple[float, str]] = []


def check(probe: api.Probe) -> list[str]:
    """One sentence for each thing that is wrong with the inputs, with its path inside the probe."""
    inputs = probe.prom
    if inputs is None:
        return [f"{_INPUTS}: missing; a probe of type promProbe needs endpoint, query and comparator"]
    found = []
    for part in (_endpoint, _query, _wanted, _step_s):
        try:
            part(inputs)
        except ProbeError as error:
            found.append(str(error))
    return found


def prober(probe: api.Probe, surroundings: Surroundings) -> "PromProber":
    """Raises ProbeError with the first thing that is wrong. The surroundings play no part."""
    del surroundings
    wrong = check(probe)
    if wrong or probe.prom is None:
        raise ProbeError(wrong[0])
    step_s = _step_s(probe.prom)
    return RangeProber(probe.prom, step_s) if step_s else PromProber(probe.prom)


class PromProber:
    """Asks one Prometheus for one number."""

    def __init__(self, inputs: PromProbe) -> None:
        self._inputs = inputs
        self._wanted = _wanted(inputs)
        self._expected = f"value {self._wanted.describe().partition(' ')[2]}"
        self._address = exchange.shown_url(inputs.endpoint)
        base, insecure = inputs.endpoint.strip().rstrip("/"), bool(inputs.insecure_skip_verify)
        self._instant = exchange.Client(f"{base}/api/v1/query", insecure=insecure)
        self._range = exchange.Client(f"{base}/api/v1/query_range", insecure=insecure)

    async def once(self, *, timeout_s: float) -> Observation:
        query = await self._text()
        at = time.time()
        data = await self._asked(self._instant, {"query": query, "timeout": f"{timeout_s:g}s"}, timeout_s=timeout_s)
        return self._judged(at, _value(data, query))

    async def aclose(self) -> None:
        await self._instant.aclose()
        await self._range.aclose()

    def _judged(self, at: float, value: str | None) -> Observation:
        if value is None:
            return Observation(at, False, "no data", self._expected, error="no-data")
        passed = self._wanted.holds(value)
        error = "" if passed else "not-a-number" if value == "NaN" else "wrong-value"
        return Observation(at, passed, value, self._expected, error=error, output=value)

    async def _text(self) -> str:
        if self._inputs.query:
            return self._inputs.query
        return await asyncio.to_thread(_file, self._inputs.query_path or "")

    async def _asked(self, client: exchange.Client, form: dict[str, str], *, timeout_s: float) -> _Result:
        """Asks again until the time is over, as a Prometheus that is restarted is back soon. Raises ProbeError."""
        clock = asyncio.get_running_loop().time
        until = clock() + timeout_s
        while True:
            try:
                return self._read(await self._sent(client, form, timeout_s=max(until - clock(), 0.01)))
            except exchange.Failed as failed:
                if failed.kind == "timeout" or until - clock() <= _PAUSE_S:
                    raise _NoAnswer(
                        f"the Prometheus at {self._address} does not answer: {failed}; look at {_INPUTS}.endpoint"
                    ) from failed
            await asyncio.sleep(_PAUSE_S)

    async def _sent(self, client: exchange.Client, form: dict[str, str], *, timeout_s: float) -> exchange.Answer:
        headers = {"Content-Type": _FORM, "Accept": "application/json"}
        if token := os.environ.get(TOKEN):
            headers["Authorization"] = f"Bearer {token}"
        answer = await client.ask("POST", timeout_s=timeout_s, content=urlencode(form).encode(), headers=headers)
        # 503 is a query that took too long or a server that is starting, which has a document of its own or none.
        if answer.code in (429, 502, 503, 504) and not answer.text.lstrip().startswith("{"):
            raise exchange.Failed("protocol", f"code {answer.code}, body {exchange.shown(answer.text)}")
        return answer

    def _read(self, answer: exchange.Answer) -> _Result:
        if answer.code in (401, 403):
            raise ProbeError(
                f"the Prometheus at {self._address} refuses the credentials (code {answer.code}); put a user and a "
                f"password into {_INPUTS}.endpoint, or a token into the variable {TOKEN} of the experiment"
            )
        try:
            document = msgspec.json.decode(answer.body, type=_Document)
        except (msgspec.MsgspecError, UnicodeError) as error:
            why = "" if answer.whole else " and is too long"
            raise ProbeError(
                f"{_INPUTS}.endpoint: {self._address} is not the address of a Prometheus: code {answer.code}, "
                f"body {exchange.shown(answer.text)} is no answer of its API{why}"
            ) from error
        if document.status != "success":
            raise ProbeError(f"{_INPUTS}.query: Prometheus refuses it: {document.error or document.error_type}")
        return document.data


class RangeProber(PromProber):
    """A signal: a point every ``step_s`` seconds."""

    def __init__(self, inputs: PromProbe, step_s: float) -> None:
        super().__init__(inputs)
        self._step_s = step_s

    async def stream(self) -> AsyncGenerator[Observation]:
        """The points from now on. When it is cancelled, those up to that moment come before it ends.

        Raises ProbeError.
        """
        query, due = await self._text(), time.time()
        try:
            while True:
                await asyncio.sleep(max(_EVERY_S, self._step_s))
                until = time.time() - _BEHIND_S
                try:
                    points = await self._points(query, due, until, timeout_s=_FINAL_S)
                except _NoAnswer as error:
                    log.warning("a range will be asked for again: %s", error)
                    continue
                for seen in points:
                    # What was yielded is never asked for again, even if the cancellation comes between two points.
                    due = seen.at + self._step_s
                    yield seen
        except asyncio.CancelledError:
            for seen in await self._points(query, due, time.time(), timeout_s=_FINAL_S):
                yield seen
            raise

    async def _points(self, query: str, start: float, end: float, *, timeout_s: float) -> list[Observation]:
        """A judgement for every step from start to end; a step without a value is no data."""
        if end < start:
            return []
        count = int((end - start) / self._step_s + 1e-6) + 1
        form = {
            "query": query,
            "start": f"{start:.3f}",
            "end": f"{end:.3f}",
            "step": f"{self._step_s:.3f}",
            "timeout": f"{timeout_s:g}s",
        }
        series = _one(await self._asked(self._range, form, timeout_s=timeout_s), query)
        points = series.values if series else []
        by_step = {round((at - start) / self._step_s): value for at, value in points}
        return [self._judged(start + place * self._step_s, by_step.get(place)) for place in range(count)]


def _value(data: _Result, query: str) -> str | None:
    """The one number of an instant query. Raises ProbeError."""
    if data.result_type == "scalar" and len(data.result) == 2:
        return str(data.result[1])
    if data.result_type != "vector":
        raise ProbeError(
            f"{_INPUTS}.query: {query!r} gives {_NOUNS.get(data.result_type, data.result_type)} and not a number; "
            "ask for one, for instance with rate(…) or last_over_time(…)"
        )
    series = _one(data, query)
    if series is None:
        return None
    if series.value is None:
        raise ProbeError(f"{_INPUTS}.query: {query!r} gives a histogram and not a number; use histogram_quantile(…)")
    return series.value[1]


def _one(data: _Result, query: str) -> _Series | None:
    try:
        series = msgspec.convert(data.result, list[_Series])
    except msgspec.ValidationError as error:
        raise ProbeError(f"{_INPUTS}.endpoint: what is there answers not as a Prometheus does: {error}") from error
    if len(series) > 1:
        shown = ", ".join(_labels(one.metric) for one in series[:_SHOWN_SERIES])
        more = ", …" if len(series) > _SHOWN_SERIES else ""
        raise ProbeError(
            f"{_INPUTS}.query: {query!r} gives {len(series)} series ({shown}{more}) and a probe compares one "
            "value; aggregate them, for instance with sum(…) or max(…)"
        )
    return series[0] if series else None


def _labels(metric: dict[str, str]) -> str:
    inner = ", ".join(f'{key}="{value}"' for key, value in sorted(metric.items()) if key != "__name__")
    return f"{metric.get('__name__', '')}{{{inner}}}"


def _file(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeError) as error:
        raise ProbeError(
            f"{_INPUTS}.queryPath: {path!r} can't be read in the experiment's pod: {error}; mount it by the engine's "
            "configMaps"
        ) from error


def _endpoint(inputs: PromProbe) -> None:
    if "{{" not in inputs.endpoint and (wrong := exchange.wrong_url(inputs.endpoint.strip())):
        raise ProbeError(f"{_INPUTS}.endpoint: {wrong}")


def _query(inputs: PromProbe) -> None:
    given = [name for name, text in (("query", inputs.query), ("queryPath", inputs.query_path)) if (text or "").strip()]
    if len(given) != 1:
        raise ProbeError(
            f"{_INPUTS}: {'has both query and queryPath; keep one' if given else 'needs query or queryPath'}"
        )


def _wanted(inputs: PromProbe) -> comparators.Check:
    """Values of Prometheus are floats, so whole numbers are compared as such too."""
    wanted = inputs.comparator
    path = f"{_INPUTS}.comparator"
    if (wanted.type or "float").lower() not in ("int", "float"):
        raise ProbeError(f"{path}.type: {wanted.type!r} is not one of int, float: what Prometheus gives is a number")
    return comparators.check("float", wanted.criteria, wanted.value, path=path)


def _step_s(inputs: PromProbe) -> float:
    """0 where no range is asked for."""
    if inputs.range_step in (None, "", 0):
        return 0.0
    step_s = properties.seconds(inputs.range_step or 0, path=f"{_INPUTS}.rangeStep")
    if not 0.1 <= step_s <= 3600:
        raise ProbeError(f"{_INPUTS}.rangeStep: {inputs.range_step!r} must be from 100ms to 1h")
    return step_s
