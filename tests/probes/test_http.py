"""httpProbe against real servers on loopback."""

import asyncio
from typing import Any

import pytest

from litmus.api.probe import Comparator, HttpGet, HttpMethod, HttpPost, HttpProbe, Probe
from litmus.probes import exchange, http, patterns
from litmus.probes.contract import Observation, ProbeError
from tests.probes import loopback
from tests.probes.loopback import answering, serving

TIMEOUT_S = 10.0
ANYWHERE: Any = None


def probe(url: str, criteria: str = "==", code: str = "200", **inputs: Any) -> Probe:
    """A GET in the words of 3.x."""
    method = inputs.pop("method", HttpMethod(get=HttpGet(criteria=criteria, response_code=code)))
    return Probe(name="front", type="httpProbe", mode="Continuous", http=HttpProbe(url=url, method=method, **inputs))


def posting(url: str, **post: Any) -> Probe:
    return probe(url, method=HttpMethod(post=HttpPost(criteria="==", response_code="200", **post)))


async def asked(given: Probe, *, timeout_s: float = TIMEOUT_S) -> Observation:
    assert http.check(given) == []
    one = http.prober(given, ANYWHERE)
    try:
        return await one.once(timeout_s=timeout_s)
    finally:
        await one.aclose()


async def of(handler: loopback.Handler, **inputs: Any) -> Observation:
    async with serving(handler) as server:
        return await asked(probe(server.url, **inputs))


async def test_a_get_passes_when_the_code_is_the_expected_one():
    seen = await of(answering(200, b"hello"))
    assert (seen.passed, seen.error, seen.observed, seen.expected) == (True, "", "code 200", "code == 200")
    assert seen.latency_ms is not None
    assert seen.latency_ms > 0
    assert seen.output == "hello"


async def test_a_regular_expression_without_an_end_is_no_failure_of_the_application(monkeypatch):
    monkeypatch.setattr(patterns, "BUDGET_S", 0.05)
    with pytest.raises(ProbeError, match="comes to no end"):
        await of(answering(200, b"a" * 40 + b"!"), response_body=body("matches", "(a+)+$"))


async def test_the_inputs_of_1_10_are_one_code_that_is_expected():
    async with serving(answering(204)) as server:
        given = probe(server.url, method=None, expected_response_code="204")
        assert (await asked(given)).passed
        other = await asked(probe(server.url, method=None, expected_response_code="200"))
    assert (other.passed, other.error) == (False, "http-204")
    assert [request.method for request in server.requests] == ["GET", "GET"]


@pytest.mark.parametrize(
    ("criteria", "code", "passes"),
    [("==", "503", True), ("!=", "200", True), ("oneOf", "[500,503]", True), ("oneOf", "200,204", False)],
)
async def test_a_code_is_compared_as_in_3_x(criteria, code, passes):
    assert (await of(answering(503), criteria=criteria, code=code)).passed is passes


async def test_a_wrong_code_is_an_error_of_its_class_and_shows_the_body():
    seen = await of(answering(503, b"no healthy upstream"))
    assert (seen.passed, seen.error) == (False, "http-503")
    assert seen.observed == "code 503, body 'no healthy upstream'"


async def test_a_post_sends_its_body_with_its_content_type():
    async with serving(answering()) as server:
        assert (await asked(posting(server.url, body='{"ä": 1}', content_type="application/json"))).passed
    sent = server.requests[0]
    assert (sent.method, sent.headers["content-type"]) == ("POST", "application/json")
    assert sent.body.decode() == '{"ä": 1}'


async def test_a_post_without_a_body_is_still_a_post():
    async with serving(answering()) as server:
        assert (await asked(posting(server.url))).passed
    assert (server.requests[0].method, server.requests[0].body) == ("POST", b"")


async def test_a_post_sends_a_file_of_the_pod_as_it_is_at_that_moment(tmp_path):
    file = tmp_path / "order.bin"
    file.write_bytes(b"\xff\x00one")
    async with serving(answering()) as server:
        one = http.prober(posting(server.url, body_path=str(file)), ANYWHERE)
        await one.once(timeout_s=TIMEOUT_S)
        file.write_bytes(b"two")
        await one.once(timeout_s=TIMEOUT_S)
        await one.aclose()
    assert [request.body for request in server.requests] == [b"\xff\x00one", b"two"]


async def test_a_file_that_is_not_there_is_an_error_that_names_it(tmp_path):
    with pytest.raises(ProbeError, match=r"bodyPath: '.*/gone' can't be read .*mount it"):
        await asked(posting("http://127.0.0.1:1", body_path=str(tmp_path / "gone")))


async def test_a_file_that_is_too_large_is_not_sent(tmp_path):
    file = tmp_path / "large"
    file.write_bytes(b"x" * (exchange.LARGEST + 1))
    with pytest.raises(ProbeError, match="larger than"):
        await asked(posting("http://127.0.0.1:1", body_path=str(file)))


def body(criteria: str, value: str, type_: str | None = None) -> Comparator:
    return Comparator(type=type_, criteria=criteria, value=value)


@pytest.mark.parametrize(
    ("sent", "wanted", "passes"),
    [
        (b"all is well\n", body("contains", "well"), True),
        (b"all is well\n", body("equal", "all is well"), True),
        (b"all is well", body("notMatches", "^all"), False),
        (b" 42\n", body(">=", "40", "int"), True),
        (b"39", body(">=", "40", "int"), False),
        (b"<html>sorry</html>", body(">=", "40", "int"), False),
    ],
)
async def test_a_body_is_compared(sent, wanted, passes):
    seen = await of(answering(200, sent), response_body=wanted)
    assert (seen.passed, seen.error) == (passes, "" if passes else "wrong-body")


async def test_a_wrong_code_counts_before_a_wrong_body():
    assert (await of(answering(500, b"x"), response_body=body("contains", "well"))).error == "http-500"


async def test_a_body_that_is_not_utf_8_is_compared_with_replacements_and_shown_escaped():
    seen = await of(answering(200, b"caf\xe9 \x1b[31m ok"), response_body=body("contains", "\ufffd \x1b[31m ok"))
    assert seen.passed
    assert seen.observed == "code 200, body 'caf\ufffd \\x1b[31m ok'"


async def test_a_body_is_read_in_the_charset_that_it_names():
    latin = answering(200, b"caf\xe9", Content_Type="text/plain; charset=iso-8859-1")
    assert (await of(latin, response_body=body("equal", "café"))).passed


@pytest.mark.parametrize("charset", ["klingon", "hex", "rot13", "zlib"])
async def test_a_charset_that_is_none_does_no_harm(charset):
    seen = await of(
        answering(200, b"ok", Content_Type=f"text/plain; charset={charset}"), response_body=body("equal", "ok")
    )
    assert seen.passed


async def test_a_long_body_is_cut_where_it_is_shown():
    seen = await of(answering(500, b"x" * 5000))
    assert len(seen.observed) < 300
    assert "(5000 characters)" in seen.observed


async def test_of_an_endless_body_only_the_first_mebibyte_is_read():
    async def endless(request: loopback.Request, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"x" * 65536)
            await writer.drain()

    async with serving(endless) as server:
        seen = await asked(probe(server.url, response_body=body("notMatches", "y")))
        await asyncio.wait_for(server.hung_up.wait(), TIMEOUT_S)
    assert seen.passed
    assert "more was not read" in seen.observed
    assert seen.output == ""


async def test_a_latency_is_compared_in_milliseconds():
    slow = await of(answering(), latency=Comparator(criteria="<=", value="0.0001"))
    assert (slow.passed, slow.error, slow.expected) == (False, "slow", "code == 200, latency <= 0.0001 ms")
    assert "latency" in slow.observed
    assert (await of(answering(), latency=Comparator(type="int", criteria="<=", value="9999"))).passed


async def test_a_server_that_says_nothing_is_given_up_and_its_connection_closed():
    async with serving(loopback.silent) as server:
        seen = await asked(probe(server.url), timeout_s=0.05)
        await asyncio.wait_for(server.hung_up.wait(), TIMEOUT_S)
    assert (seen.passed, seen.error, seen.latency_ms) == (False, "timeout", None)
    assert seen.observed == "no complete answer within 0.05 s"


async def test_a_body_that_trickles_does_not_outlive_the_timeout():
    async def trickling(request: loopback.Request, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.01)

    assert (await asked_with(trickling, timeout_s=0.1)).error == "timeout"


async def asked_with(handler: loopback.Handler, *, timeout_s: float) -> Observation:
    async with serving(handler) as server:
        return await asked(probe(server.url), timeout_s=timeout_s)


@pytest.mark.parametrize(
    ("handler", "kind"), [(loopback.reset, "reset"), (loopback.half, "reset"), (loopback.garbage, "protocol")]
)
async def test_an_answer_that_is_cut_off_or_is_none_is_told_apart(handler, kind):
    seen = await of(handler)
    assert (seen.passed, seen.error, seen.output) == (False, kind, "")


async def test_where_nobody_listens_the_connection_is_refused():
    seen = await asked(probe(f"http://127.0.0.1:{loopback.free_port()}"))
    assert (seen.error, seen.observed) == ("refused", "connection refused")


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a" * 70 + ".invalid"])
async def test_a_name_that_does_not_resolve_is_a_failure_of_the_dns(host):
    assert (await asked(probe(f"http://{host}/"))).error == "dns"


async def test_a_certificate_that_nobody_signed_is_a_failure_of_tls(tmp_path):
    async with serving(answering(), tls=loopback.self_signed(tmp_path)) as server:
        seen = await asked(probe(server.url))
        trusting = await asked(probe(server.url, insecure_skip_verify=True))
    assert (seen.passed, seen.error) == (False, "tls")
    assert "certificate verify failed" in seen.observed
    assert trusting.passed


async def test_https_asked_of_a_plain_server_is_a_failure_of_tls():
    async with serving(loopback.garbage) as server:
        seen = await asked(probe(server.url.replace("http:", "https:"), insecure_skip_verify=True), timeout_s=2.0)
    assert seen.error in ("tls", "reset", "timeout")


async def test_a_redirect_is_judged_as_what_it_is_unless_it_is_to_be_followed():
    async def sending(request: loopback.Request, writer: asyncio.StreamWriter) -> None:
        await (answering(302, Location="/new") if request.path == "/old" else answering(200))(request, writer)

    async with serving(sending) as server:
        stays = await asked(probe(f"{server.url}/old"))
        moved = await asked(probe(f"{server.url}/old", code="302"))
        follows = await asked(probe(f"{server.url}/old", follow_redirects=True))
    assert (stays.passed, stays.error) == (False, "http-302")
    assert stays.observed == "code 302, redirected to '/new' (see followRedirects)"
    assert moved.passed
    assert follows.passed


async def test_redirects_in_a_circle_end():
    seen = await of(answering(302, Location="/"), follow_redirects=True)
    assert (seen.passed, seen.error) == (False, "protocol")


async def test_every_question_makes_a_connection_of_its_own_and_brings_no_cookie_along():
    async with serving(answering(200, b"", Set_Cookie="backend=1")) as server:
        one = http.prober(probe(server.url), ANYWHERE)
        for _ in range(3):
            assert (await one.once(timeout_s=TIMEOUT_S)).passed
        await one.aclose()
    assert server.connections == 3
    assert not any("cookie" in request.headers for request in server.requests)


async def test_a_prober_goes_on_after_a_failure():
    async with serving(loopback.in_turn(500, 200)) as server:
        one = http.prober(probe(server.url), ANYWHERE)
        assert [(await one.once(timeout_s=TIMEOUT_S)).passed for _ in range(2)] == [False, True]
        await one.aclose()


async def test_cancelling_a_question_closes_its_connection():
    async with serving(loopback.silent) as server:
        one = http.prober(probe(server.url), ANYWHERE)
        asking = asyncio.create_task(one.once(timeout_s=TIMEOUT_S))
        await asyncio.wait_for(server.asked.wait(), TIMEOUT_S)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await asyncio.wait_for(server.hung_up.wait(), TIMEOUT_S)
        await one.aclose()


BOTH = HttpMethod(get=HttpGet(criteria="==", response_code="200"), post=HttpPost(criteria="==", response_code="200"))
SPOILT = HttpMethod(post=HttpPost(criteria="==", response_code="200", content_type="a\r\nb: c"))
TWICE = HttpMethod(post=HttpPost(criteria="==", response_code="200", body="a", body_path="/b"))


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (probe("web:80/"), r"httpProbe/inputs\.url: 'web:80/' must begin with http:// or https://"),
        (probe("ftp://web/"), r"url: 'ftp://web/' must begin with http"),
        (probe("http:///health"), r"url: 'http:///health' names no host"),
        (probe("http://web:99999/"), r"url: .* has a port that is not one from 1 to 65535"),
        (probe("http://web", criteria="=>"), r"method\.get\.criteria: '=>' is not known"),
        (probe("http://web", code="OK"), r"method\.get\.responseCode: 'OK' is no whole number"),
        (probe("http://web", method=None), r"httpProbe/inputs: needs method\.get or method\.post, or expectedRes"),
        (probe("http://web", method=None, expected_response_code="2xx"), r"expectedResponseCode: '2xx' is no whole"),
        (probe("http://web", method=BOTH), r"method: has both get and post"),
        (probe("http://web", method=SPOILT), r"method\.post\.contentType: .* can't be a header"),
        (probe("http://web", method=TWICE), r"method\.post: has both body and bodyPath"),
        (
            probe("http://web", response_body=body("matches", "(")),
            r"responseBody\.value: '\(' is no regular expression",
        ),
        (probe("http://web", latency=body("contains", "1")), r"latency\.criteria: 'contains' is not known for float"),
        (
            probe("http://web", latency=body("equal", "1", "string")),
            r"latency\.type: 'string' is not one of int, float",
        ),
    ],
)
def test_a_mistake_in_the_inputs_is_one_sentence_with_its_path(given, sentence):
    found = http.check(given)
    assert len(found) == 1
    with pytest.raises(ProbeError, match=sentence) as refused:
        http.prober(given, ANYWHERE)
    assert found == [str(refused.value)]


def test_a_probe_without_inputs_says_what_it_needs():
    given = Probe(name="front", type="httpProbe", mode="SOT")
    assert http.check(given) == ["httpProbe/inputs: missing; a probe of type httpProbe needs url and method"]


def test_what_an_earlier_probe_fills_in_is_not_judged_before_it_is_there():
    given = probe("{{ .find.ProbeArtifacts.Register }}/health", code="{{ .code.ProbeArtifacts.Register }}")
    assert http.check(given) == []
    with pytest.raises(ProbeError, match="not filled in"):
        http.prober(given, ANYWHERE)


def test_a_password_in_a_url_is_not_shown():
    assert exchange.shown_url("http://me:secret@web/x") == "http://web/x"
