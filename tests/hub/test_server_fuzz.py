"""Whatever a client sends, the hub's server answers, and never with a defect of its own."""

import asyncio
import difflib
from functools import cache
from typing import Any
from urllib.parse import quote_from_bytes, unquote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from litmus.hub import answers, model, server
from litmus.hub.delivery import Delivery
from tests.hub import served

# Parts that lead somewhere, so that not everything ends at the first step.
WORDS = st.sampled_from(
    [
        *("api", "chaos", "charts", "icon", "version", "hubs", "healthz", "1.10.0", "master", "generic", "pod-delete"),
        *("static", "theirs", "litmus", "engine", "check", "pod-delete.svg", "..", ".", "", "%", "*", "{version}"),
    ]
)
NOISE = st.text(max_size=12).map(lambda text: text.encode("utf-8", "surrogatepass")) | st.binary(max_size=12)
PARTS = WORDS.map(str.encode) | NOISE
PATHS = st.lists(PARTS, max_size=6).map(lambda parts: "/" + "/".join(map(quote_from_bytes, parts)))
FILES = st.sampled_from(
    [b"charts/generic/pod-delete/engine.yaml", b"charts/foreign/break-it/broken.yaml", b"charts/foreign/bad"]
)
VALUES = PARTS | FILES | st.sampled_from([b"nginx", b"1", b"ja"])
NAMES = st.sampled_from([b"file", b"namespace", b"hub", b"lang", b"q"]) | NOISE
QUERIES = st.lists(st.tuples(NAMES, VALUES), max_size=4).map(
    lambda pairs: "&".join(f"{quote_from_bytes(name)}={quote_from_bytes(value)}" for name, value in pairs)
)
FIELDS = [b"accept", b"accept-encoding", b"accept-language", b"cookie", b"host", b"if-none-match", b"origin"]
FIELDS += [b"x-forwarded-proto", b"x-forwarded-host", b"content-type", b"range", b"if-modified-since"]
FIELDS += [b"access-control-request-method", b"content-length", b"transfer-encoding", b"expect", b"upgrade"]
PRINTABLE = st.binary(max_size=20).map(lambda raw: bytes(byte for byte in raw if byte >= 0x20 and byte != 0x7F))
KNOWN = st.sampled_from([b"gzip;q=x", b"application/json", b"text/html", b"*/*;q=", b"W/", b'"', b"lang=ja", b"https"])
HEADERS = st.lists(st.tuples(st.sampled_from(FIELDS), PRINTABLE | KNOWN), max_size=5)
METHODS = st.sampled_from(["GET", "GET", "GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE", "PATCH", "TRACE", "X"])
BODIES = st.binary(max_size=40) | st.sampled_from([b'{"values": 1}', b"[]", b"null", b"kind: ChaosEngine", b"{"])

Answer = tuple[int, dict[bytes, bytes], bytes]


@cache
def application() -> Delivery:
    return server.app(others=lambda: [served.foreign()])


async def asked(method: str, path: str, query: str, headers: list[tuple[bytes, bytes]], body: bytes) -> Answer:
    """What the application sends for a request, given to it as uvicorn gives it."""
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        "state": {},
    }
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await application()(scope, receive, send)
    start, *rest = sent
    return start["status"], dict(start["headers"]), b"".join(message.get("body", b"") for message in rest)


@example(method="GET", path="/api/chaos/master", query="file=%00", headers=[(b"accept", b"a;q=")], body=b"")
@example(method="POST", path="/engine", query="", headers=[(b"content-type", b"application/json")], body=b"[]")
@given(method=METHODS, path=PATHS, query=QUERIES, headers=HEADERS, body=BODIES)
def test_every_request_is_answered_and_none_with_a_defect(
    method: str, path: str, query: str, headers: list[tuple[bytes, bytes]], body: bytes
):
    status, sent, content = asyncio.run(asked(method, path, query, headers, body))

    assert status < 500, (method, path, query, headers, content)
    assert sent[b"x-content-type-options"] == b"nosniff"
    assert method != "HEAD" or content == b""
    if status >= 400 and method != "HEAD":
        assert content.strip()


@settings(max_examples=10)  # each starts a server
@example(raw=b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n")
@example(raw=b"GET /api/version HTTP/1.1\r\nHost: \xff\r\n\r\n")
@example(raw=b"GET http://[::1 HTTP/1.1\r\nHost: x\r\n\r\n")
@example(raw=b"GET /api/version HTTP/1.1\r\nHost: a\r\nHost: b\r\nAccept-Encoding: \xff\r\n\r\n")
@example(raw=b"POST /engine/check HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n")
@given(raw=st.binary(max_size=200).map(lambda noise: b"GET /" + noise + b"\r\n\r\n"))
def test_bytes_that_are_no_request_do_not_disturb_the_next_one(raw: bytes):
    async def talk() -> tuple[bytes, int]:
        async with served.running(application()) as client:
            reader, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
            writer.write(raw)
            writer.write_eof()
            said = await reader.read()
            writer.close()
            return said, (await client.get("/healthz")).status_code

    said, after = asyncio.run(talk())
    assert not said.startswith(b"HTTP/1.1 5")
    assert after == 200


@pytest.mark.parametrize("name", ["x" * 4000, "charts/" * 500])
def test_a_hub_of_many_files_is_not_slow_to_say_what_was_meant(name: str, monkeypatch: pytest.MonkeyPatch):
    """Likeness is not looked for where it would take long: the number of comparisons has a bound."""
    compared: list[int] = []
    real = difflib.get_close_matches
    monkeypatch.setattr(
        difflib,
        "get_close_matches",
        lambda word, known, **more: compared.append(len(known)) or real(word, known, **more),
    )
    known = [f"charts/generic/{number}/engine.yaml" for number in range(10_000)]
    assert answers.missing("file", name, known).nearest == ""
    assert not compared
    answers.missing("file", "charts/generic/1/engin.yaml", known)
    assert all(number <= 2000 for number in compared)


def test_a_hub_without_a_group_is_served():
    empty = model.Hub(name="empty", source="", groups=(), files={})

    async def ask() -> list[int]:
        async with served.running(server.app(others=lambda: [empty])) as client:
            addresses = ("/api/charts/master?hub=empty", "/api/hubs", "/api/chaos/master?hub=empty")
            return [(await client.get(address)).status_code for address in addresses]

    assert asyncio.run(ask()) == [200, 200, 400]
