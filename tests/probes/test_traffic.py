"""What a trafficProbe says of servers that answer well, late, half, or not at all."""

import asyncio
import socket
from contextlib import aclosing

import pytest

from litmus import api
from litmus.api.probe import Probe, TrafficProbe
from litmus.probes import aim, dialling, pace, traffic
from litmus.probes.contract import ProbeError, Prober, Streaming, Surroundings
from tests.probes import health_server, loopback


def probe(url: str, **inputs) -> Probe:
    return Probe(name="load", type="trafficProbe", mode="Continuous", traffic=TrafficProbe(url=url, **inputs))


def prober(url: str, **inputs) -> Prober:
    inputs.setdefault("timeout", "30s")  # this machine may be slow
    return traffic.prober(probe(url, **inputs | {"rate": 1.0}), NOWHERE)


NOWHERE = Surroundings(cluster=None, engine=None, experiment="pod-delete")


async def asked(url: str, *, timeout_s: float = 30.0, **inputs):
    one = prober(url, **inputs)
    try:
        return await one.once(timeout_s=timeout_s)
    finally:
        await one.aclose()


async def test_a_good_answer_passes_with_its_code_and_latency():
    async with loopback.serving(loopback.answering(204)) as server:
        seen = await asked(server.url)
    assert (seen.passed, seen.error, seen.observed) == (True, "", "code 204")
    assert seen.expected == "code 200-399 within 30 s"
    assert seen.latency_ms > 0


@pytest.mark.parametrize(("code", "error"), [(404, "http-404"), (503, "http-503")])
async def test_a_bad_code_is_its_own_kind_of_error(code, error):
    async with loopback.serving(loopback.answering(code, b"sorry")) as server:
        seen = await asked(server.url)
    assert (seen.passed, seen.error, seen.observed) == (False, error, f"code {code}")


@pytest.mark.parametrize(("code", "good"), [(200, False), (201, True), (404, True), (405, False)])
async def test_the_author_says_which_codes_are_good(code, good):
    async with loopback.serving(loopback.answering(code)) as server:
        seen = await asked(server.url, response_code="201, 403-404")
    assert seen.passed is good
    assert seen.expected == "code 201,403-404 within 30 s"


async def test_method_body_and_type_are_sent_and_the_path_with_its_query():
    async with loopback.serving(loopback.answering()) as server:
        seen = await asked(f"{server.url}/a b?q=ü", method="post", body='{"a": 1}', content_type="application/json")
        (request,) = server.requests
    assert seen.passed
    assert (request.method, request.path, request.body) == ("POST", "/a%20b?q=%C3%BC", b'{"a": 1}')
    assert request.headers["content-type"] == "application/json"
    assert request.headers["host"] == f"127.0.0.1:{server.port}"
    assert request.headers["connection"] == "close"


async def test_an_answer_to_head_has_no_body_to_wait_for():
    async with loopback.serving(loopback.silent) as server:

        async def answer(request, writer):
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")

        server.handler = answer
        assert (await asked(server.url, method="HEAD")).passed


async def test_an_answer_in_chunks_is_read_to_its_end():
    async def answer(request, writer):
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        writer.write(b"5\r\nhello\r\n0\r\n\r\n")

    async with loopback.serving(answer) as server:
        assert (await asked(server.url)).passed


async def test_nobody_listening_is_refused():
    seen = await asked(f"http://127.0.0.1:{loopback.free_port()}")
    assert (seen.passed, seen.error) == (False, "refused")


@pytest.mark.parametrize("handler", [loopback.half, loopback.reset], ids=["half an answer", "a reset"])
async def test_an_answer_that_breaks_off_is_a_reset(handler):
    async with loopback.serving(handler) as server:
        assert (await asked(server.url)).error == "reset"


async def test_what_is_not_http_is_an_error_of_the_protocol():
    async with loopback.serving(loopback.garbage) as server:
        assert (await asked(server.url)).error == "protocol"


async def test_no_answer_within_the_timeout_tells_what_was_waited_for_and_hangs_up():
    async with loopback.serving(loopback.silent) as server:
        seen = await asked(server.url, timeout="0.2s")
        assert (seen.error, seen.observed) == ("timeout", "no answer within 0.2 s")
        await asyncio.wait_for(server.hung_up.wait(), 30)


async def test_the_timeout_of_the_run_properties_is_kept_too():
    async with loopback.serving(loopback.silent) as server:
        assert (await asked(server.url, timeout_s=0.2)).observed == "no answer within 0.2 s"


async def test_a_certificate_that_nobody_signed_is_an_error_of_tls_unless_it_does_not_matter(tmp_path):
    async with loopback.serving(loopback.answering(), tls=loopback.self_signed(tmp_path)) as server:
        seen = await asked(server.url)
        assert seen.error == "tls"
        assert "self-signed certificate" in seen.observed
        assert (await asked(server.url, insecure_skip_verify=True)).passed


async def test_plain_http_on_a_port_of_tls_is_an_error_of_tls():
    async def answer(reader, writer):
        writer.write(b"220 mail.example ESMTP\r\n")
        await reader.read()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        assert (await asked(f"https://127.0.0.1:{port}")).error == "tls"


async def test_a_name_that_nobody_knows_is_an_error_of_dns(monkeypatch):
    async def getaddrinfo(*_args, **_kwargs):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
    seen = await asked("http://web.shop")
    assert (seen.error, seen.observed) == ("dns", "name can't be resolved")


async def test_a_name_server_that_hangs_is_an_error_of_dns_and_asked_once_at_a_time(monkeypatch):
    questions = 0

    async def getaddrinfo(*_args, **_kwargs):
        nonlocal questions
        questions += 1
        await asyncio.Event().wait()

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
    one = prober("http://web.shop", timeout="0.1s")
    seen = [await one.once(timeout_s=5) for _ in range(3)]
    await one.aclose()
    assert [(each.error, each.observed) for each in seen] == [("dns", "no name server answered within 0.1 s")] * 3
    assert questions == 1


async def test_of_several_addresses_the_first_that_answers_is_taken(monkeypatch):
    loop = asyncio.get_running_loop()
    ask = loop.getaddrinfo

    async def getaddrinfo(host, port, **more):
        both = [("127.0.0.2", port), ("127.0.0.1", port)] if host == "web.shop" else None
        return [(2, 1, 6, "", address) for address in both] if both else await ask(host, port, **more)

    monkeypatch.setattr(loop, "getaddrinfo", getaddrinfo)
    async with loopback.serving(loopback.answering()) as server:
        assert (await asked(f"http://web.shop:{server.port}")).passed


async def test_a_shortage_of_our_own_says_nothing_of_the_application(monkeypatch):
    async def refuse(*_args, **_kwargs):
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(dialling.asyncio, "open_connection", refuse)
    with pytest.raises(ProbeError, match="may open too few files; lower rate or timeout"):
        await asked("http://127.0.0.1:80")


async def test_tcp_connects_and_says_nothing():
    async with loopback.serving(loopback.garbage) as server:
        seen = await asked(f"tcp://127.0.0.1:{server.port}")
        assert (seen.passed, seen.observed, seen.expected) == (True, "connected", "a connection within 30 s")
        assert not server.requests
    assert (await asked(f"tcp://127.0.0.1:{loopback.free_port()}")).error == "refused"


async def test_the_health_of_a_grpc_server_is_asked_as_its_protocol_wants():
    async with health_server.serving(ping=True) as health:
        seen = await asked(f"grpc://127.0.0.1:{health.port}")
    assert (seen.passed, seen.observed) == (True, "status SERVING")
    (headers,) = health.headers
    assert headers[":path"] == "/grpc.health.v1.Health/Check"
    assert headers["te"] == "trailers"


@pytest.mark.parametrize("name", ["shop.Cart", "long." + "x" * 300], ids=["short", "long"])
async def test_the_health_of_one_service_of_a_grpc_server_is_asked_by_its_name(name):
    async with health_server.serving(statuses={"": 1, name: health_server.NOT_SERVING}) as health:
        seen = await asked(f"grpc://127.0.0.1:{health.port}/{name}")
    assert (seen.passed, seen.error, seen.observed) == (False, "not-serving", "status NOT_SERVING")


async def test_a_grpc_service_that_is_unknown_is_told_as_such():
    async with health_server.serving() as health:
        assert (await asked(f"grpc://127.0.0.1:{health.port}/shop.Cart")).error == "no-health-service"


async def test_what_is_not_http2_is_an_error_of_the_protocol():
    async def answer(reader, writer):
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        await reader.read()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        assert (await asked(f"grpc://127.0.0.1:{port}")).error == "protocol"


async def test_every_request_of_a_stream_has_a_connection_of_its_own(monkeypatch):
    monkeypatch.setattr(pace, "LATE_S", 30.0)
    async with loopback.serving(loopback.answering()) as server:
        one = traffic.prober(probe(server.url, rate=200.0, timeout="5s"), NOWHERE)
        assert isinstance(one, Streaming)
        times = []
        async with asyncio.timeout(60), aclosing(one.stream()) as observations:
            async for seen in observations:
                times.append(seen.at)
                assert seen.passed
                if len(times) == 20:
                    break
        await one.aclose()
        assert server.connections >= 20
    steps = [round((later - earlier) * 200) for earlier, later in zip(sorted(times), sorted(times)[1:], strict=False)]
    assert set(steps) == {1}


@pytest.mark.parametrize(
    ("inputs", "sentence"),
    [
        ({"url": "ftp://web"}, "url: 'ftp://web' must begin with http://, https://, tcp:// or grpc://"),
        ({"url": "http://"}, "url: 'http://' names no host"),
        ({"url": "http://a:99999"}, "url: 'http://a:99999' is no URL"),
        ({"url": "tcp://web"}, "url: 'tcp://web' names no port; write tcp://web:PORT"),
        ({"url": "tcp://web:0"}, "names no port"),
        ({"url": "tcp://web:1/path"}, "tcp:// only connects"),
        ({"url": "http://a:b@web"}, "url: a user name in a URL is not supported"),
        ({"url": "http://we b"}, "url: 'we b' is no name of a host"),
        ({"url": f"http://{'x' * 70}.y"}, "is no name of a host"),
        ({"url": "tcp://web:1", "method": "GET"}, "method: 'GET' has no meaning for tcp://"),
        ({"url": "grpc://web:1", "body": "x"}, "body: 'x' has no meaning for grpc://"),
        ({"url": "http://web", "insecure_skip_verify": True}, "insecureSkipVerify: true has no meaning for http://"),
        ({"url": "http://web", "method": "GET POST"}, "method: 'GET POST' is no method of HTTP"),
        ({"url": "http://web", "body": "x"}, "body: a GET sends none; set method to POST or PUT"),
        ({"url": "http://web", "content_type": "a\r\nb"}, "contentType: 'a\\r\\nb' can't be sent"),
        ({"url": "http://web", "response_code": "2xx"}, "responseCode: '2xx' must be codes of 100 to 599"),
        ({"url": "http://web", "response_code": "399-200"}, "responseCode: '399-200' must be codes"),
        ({"url": "http://web", "rate": float("nan")}, "rate: nan requests a second are not within 0.01 to 1000"),
        ({"url": "http://web", "rate": 2000.0}, "rate: 2000 requests a second are not within 0.01 to 1000"),
        ({"url": "http://web", "timeout": "1 second"}, "timeout: '1 second' is no duration"),
        ({"url": "http://web", "timeout": 0}, "timeout: 0 leaves no time"),
        ({"url": "http://web", "rate": 500.0, "timeout": "5s"}, "may leave 2500 of them open at once"),
        ({"url": "http://web", "source": "pods"}, "source: 'pods' is not one of experiment, pod; did you mean pod?"),
        ({"url": "http://web", "source": {"image": "x"}}, "is not one of experiment, pod"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_wrong_inputs_are_told_with_path_value_and_remedy(inputs, sentence):
    (said,) = traffic.check(probe(**inputs))
    assert said.startswith("trafficProbe/inputs.")
    assert sentence in said
    with pytest.raises(ProbeError):
        traffic.prober(probe(**inputs), NOWHERE)


def test_inputs_that_are_missing_are_told():
    missing = Probe(name="load", type="trafficProbe", mode="SOT")
    assert "trafficProbe/inputs: missing" in traffic.check(missing)[0]


def test_what_an_earlier_probe_fills_in_is_judged_when_it_is_there():
    url = "http://{{ .where.ProbeArtifacts.Register }}:80"
    assert traffic.check(probe(url)) == []
    with pytest.raises(ProbeError, match="is no name of a host"):
        traffic.prober(probe(url), NOWHERE)


def test_a_pod_needs_a_run_in_a_pod():
    with pytest.raises(ProbeError, match="write experiment instead"):
        traffic.prober(probe("http://web", source="pod"), NOWHERE)


@pytest.mark.parametrize(
    ("url", "authority", "target"),
    [
        ("http://Web.Shop", "web.shop", "/"),
        ("https://web:443/x#y", "web", "/x"),
        ("http://[::1]:8080/?a=b", "[::1]:8080", "/?a=b"),
        ("http://bücher.example/", "xn--bcher-kva.example", "/"),
        ("grpc://web.shop.svc.cluster.local.:9000/shop.Cart/", "web.shop.svc.cluster.local.:9000", "shop.Cart"),
    ],
)
def test_urls_are_read_as_clients_read_them(url, authority, target):
    read = aim.read(probe(url))
    assert (read.authority, read.target) == (authority, target)
    assert isinstance(probe(url), api.probe.Probe)
