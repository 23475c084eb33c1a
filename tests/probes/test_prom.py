"""promProbe: against the real Prometheus of Debian's package, and against servers that answer as none should."""

import asyncio
import base64
import itertools
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx2
import pytest

from litmus.api.probe import Comparator, Probe, PromProbe
from litmus.probes import prom
from litmus.probes.contract import Observation, ProbeError, Streaming
from tests.probes import loopback
from tests.probes.loopback import answering, serving

TIMEOUT_S = 10.0
ANYWHERE: Any = None


def probe(endpoint: str, query: str | None = "up", criteria: str = "==", value: str = "1", **inputs: Any) -> Probe:
    comparator = Comparator(type=inputs.pop("type", None), criteria=criteria, value=value)
    return Probe(
        name="rate",
        type="promProbe",
        mode="Continuous",
        prom=PromProbe(endpoint=endpoint, query=query, comparator=comparator, **inputs),
    )


async def asked(given: Probe, *, timeout_s: float = TIMEOUT_S) -> Observation:
    assert prom.check(given) == []
    one = prom.prober(given, ANYWHERE)
    try:
        return await one.once(timeout_s=timeout_s)
    finally:
        await one.aclose()


# The real one

METRICS = b"""\
# TYPE shop_orders gauge
shop_orders{shelf="a"} 3
shop_orders{shelf="b"} 4
# TYPE shop_queue gauge
shop_queue 12.5
"""


@asynccontextmanager
async def prometheus(folder: Path, target: str) -> AsyncIterator[str]:
    """The real server, once it has scraped the target."""
    program = shutil.which("prometheus")
    if program is None:
        pytest.skip("no prometheus here; Debian's package of that name has it")
    config = folder / "prometheus.yml"
    jobs = [
        {
            "job_name": "shop",
            "scrape_interval": "200ms",
            "scrape_timeout": "200ms",
            "static_configs": [{"targets": [target]}],
        }
    ]
    config.write_text(json.dumps({"scrape_configs": jobs}))
    port = loopback.free_port()
    process = await asyncio.create_subprocess_exec(
        program,
        f"--config.file={config}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        endpoint = f"http://127.0.0.1:{port}"
        async with asyncio.timeout(60), httpx2.AsyncClient() as client:
            while not await _scraped(client, endpoint):  # noqa: ASYNC110
                await asyncio.sleep(0.1)  # nothing tells when a scrape is done
        yield endpoint
    finally:
        process.terminate()
        await process.wait()


async def _scraped(client: httpx2.AsyncClient, endpoint: str) -> bool:
    try:
        answer = await client.get(f"{endpoint}/api/v1/query", params={"query": "shop_queue"})
    except httpx2.HTTPError:
        return False
    return answer.status_code == 200 and bool(answer.json()["data"]["result"])


async def test_a_real_prometheus_is_asked_all_that_can_be_asked_of_it(tmp_path, monkeypatch):
    """One test, because its start takes longer than all the questions."""
    async with (
        serving(answering(200, METRICS, Content_Type="text/plain; version=0.0.4")) as shop,
        prometheus(tmp_path, f"127.0.0.1:{shop.port}") as endpoint,
    ):
        queue = await asked(probe(endpoint, "shop_queue", ">=", "12"))
        assert (queue.passed, queue.observed, queue.expected) == (True, "12.5", "value >= 12")
        assert queue.output == "12.5"
        wrong = await asked(probe(endpoint, "shop_queue", "between", "1,2"))
        assert (wrong.passed, wrong.error) == (False, "wrong-value")
        assert (await asked(probe(endpoint, "sum(shop_orders)", "==", "7", type="int"))).passed
        assert (await asked(probe(f"{endpoint}/", "scalar(shop_queue)", "oneOf", "1,12.5"))).passed

        missing = await asked(probe(endpoint, "no_such_series", "!=", "1"))
        assert (missing.passed, missing.observed, missing.error) == (False, "no data", "no-data")
        nan = await asked(probe(endpoint, "shop_queue * 0 / 0", "!=", "1"))
        assert (nan.passed, nan.observed, nan.error) == (False, "NaN", "not-a-number")
        infinite = await asked(probe(endpoint, "shop_queue / 0", ">", "1e300"))
        assert (infinite.passed, infinite.observed) == (True, "+Inf")

        file = tmp_path / "query.promql"
        file.write_text("max(\n  shop_orders\n)\n")
        assert (await asked(probe(endpoint, None, "==", "4", query_path=str(file)))).passed

        with pytest.raises(ProbeError, match=r'gives 2 series \(shop_orders\{.*shelf="a"\}, .*aggregate them'):
            await asked(probe(endpoint, "shop_orders"))
        with pytest.raises(ProbeError, match=r"query: Prometheus refuses it: .*parse error"):
            await asked(probe(endpoint, "sum(("))
        with pytest.raises(ProbeError, match="gives a range of values and not a number"):
            await asked(probe(endpoint, "shop_queue[1m]"))
        with pytest.raises(ProbeError, match="gives text and not a number"):
            await asked(probe(endpoint, '"text"'))

        monkeypatch.setattr(prom, "_EVERY_S", 0.5)
        monkeypatch.setattr(prom, "_BEHIND_S", 0.3)
        await _range_is_a_signal(endpoint)


async def _range_is_a_signal(endpoint: str) -> None:
    """Cancelled as a run cancels it: the points come nevertheless, and are evenly spaced."""
    one = prom.prober(probe(endpoint, "shop_queue", ">", "12", range_step="100ms"), ANYWHERE)
    assert isinstance(one, Streaming)
    seen: list[Observation] = []
    some = asyncio.Event()

    async def read() -> None:
        async with aclosing(one.stream()) as stream:
            async for observation in stream:
                seen.append(observation)
                some.set()

    reading = asyncio.create_task(read())
    await asyncio.wait_for(some.wait(), 30)
    before = len(seen)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    await one.aclose()
    assert len(seen) > before >= 1
    assert all(observation.passed for observation in seen)
    gaps = [late.at - early.at for early, late in itertools.pairwise(seen)]
    assert gaps == pytest.approx([0.1] * len(gaps), abs=1e-3)


# Servers of the test


def document(result: list[Any], kind: str = "vector") -> bytes:
    return json.dumps({"status": "success", "data": {"resultType": kind, "result": result}}).encode()


ONE = document([{"metric": {}, "value": [1.5, "1"]}])


async def test_the_query_is_a_form_below_the_path_of_the_endpoint():
    async with serving(answering(200, ONE)) as server:
        assert (await asked(probe(f"{server.url}/prometheus/", 'up{job="ä+b"}'))).passed
    request = server.requests[0]
    assert (request.method, request.path) == ("POST", "/prometheus/api/v1/query")
    assert parse_qs(request.body.decode()) == {"query": ['up{job="ä+b"}'], "timeout": ["10s"]}


async def test_credentials_are_those_of_the_endpoint_or_of_the_environment(monkeypatch):
    async with serving(answering(200, ONE)) as server:
        await asked(probe(server.url.replace("//", "//me:secret@")))
        monkeypatch.setenv(prom.TOKEN, "t0k")
        await asked(probe(server.url))
    basic, bearer = [request.headers["authorization"] for request in server.requests]
    assert basic == f"Basic {base64.b64encode(b'me:secret').decode()}"
    assert bearer == "Bearer t0k"


async def test_refused_credentials_are_an_error_that_says_where_they_belong():
    async with serving(answering(401)) as server:
        with pytest.raises(ProbeError, match=r"refuses the credentials \(code 401\).*PROMETHEUS_TOKEN"):
            await asked(probe(server.url))


async def test_a_prometheus_that_is_not_there_is_an_error_without_the_password():
    endpoint = f"http://me:secret@127.0.0.1:{loopback.free_port()}"
    with pytest.raises(ProbeError, match="does not answer: connection refused") as wrong:
        await asked(probe(endpoint), timeout_s=0.3)
    assert "secret" not in str(wrong.value)


async def test_a_prometheus_that_says_nothing_is_given_up():
    async with serving(loopback.silent) as server:
        with pytest.raises(ProbeError, match="does not answer: no complete answer"):
            await asked(probe(server.url), timeout_s=0.05)


async def test_a_prometheus_that_was_just_restarted_is_asked_again():
    answers = [answering(503, b"Service Unavailable"), loopback.reset, answering(200, ONE)]

    async def restarting(request: loopback.Request, writer: asyncio.StreamWriter) -> None:
        await answers.pop(0)(request, writer)

    async with serving(restarting) as server:
        assert (await asked(probe(server.url))).passed
    assert answers == []


@pytest.mark.parametrize(
    ("code", "body"),
    [(200, b"<html>Grafana</html>"), (404, b"not found"), (200, b"\xff\xfe"), (302, b""), (200, document([{"a": 1}]))],
)
async def test_what_is_no_prometheus_is_an_error_that_names_the_endpoint(code, body):
    async with serving(answering(code, body)) as server:
        with pytest.raises(ProbeError, match=r"promProbe/inputs\.endpoint: "):
            await asked(probe(server.url))


async def test_a_histogram_is_no_number():
    histogram = document([{"metric": {}, "histogram": [1.5, {"count": "1"}]}])
    async with serving(answering(200, histogram)) as server:
        with pytest.raises(ProbeError, match="gives a histogram"):
            await asked(probe(server.url))


async def test_a_step_of_a_range_without_a_value_is_no_data():
    async def gap(request: loopback.Request, writer: asyncio.StreamWriter) -> None:
        start = float(parse_qs(request.body.decode())["start"][0])
        body = document([{"metric": {}, "values": [[start, "1"], [start + 2, "0"]]}], "matrix")
        await answering(200, body)(request, writer)

    async with serving(gap) as server:
        one = prom.RangeProber(probe(server.url).prom, 1.0)
        points = await one._points("up", 100.0, 102.5, timeout_s=TIMEOUT_S)
        await one.aclose()
    assert [(point.at, point.passed, point.error) for point in points] == [
        (100.0, True, ""),
        (101.0, False, "no-data"),
        (102.0, False, "wrong-value"),
    ]


def test_without_a_step_there_is_no_stream():
    assert not isinstance(prom.prober(probe("http://prometheus:9090"), ANYWHERE), Streaming)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (probe("prometheus:9090"), r"promProbe/inputs\.endpoint: 'prometheus:9090' must begin with http"),
        (probe("http://p", None), r"promProbe/inputs: needs query or queryPath"),
        (probe("http://p", "up", query_path="/q"), r"promProbe/inputs: has both query and queryPath"),
        (probe("http://p", criteria="equal"), r"comparator\.criteria: 'equal' is not known for float.*did you mean =="),
        (probe("http://p", value="many"), r"comparator\.value: 'many' is no number"),
        (probe("http://p", type="string"), r"comparator\.type: 'string' is not one of int, float"),
        (probe("http://p", range_step="1ms"), r"rangeStep: '1ms' must be from 100ms to 1h"),
        (probe("http://p", range_step="soon"), r"rangeStep: 'soon' is no duration"),
    ],
)
def test_a_mistake_in_the_inputs_is_one_sentence_with_its_path(given, sentence):
    with pytest.raises(ProbeError, match=sentence) as refused:
        prom.prober(given, ANYWHERE)
    assert prom.check(given) == [str(refused.value)]


async def test_a_file_that_is_not_there_is_an_error_that_names_it():
    with pytest.raises(ProbeError, match=r"queryPath: '/gone' can't be read"):
        await asked(probe("http://p", None, query_path="/gone"))
