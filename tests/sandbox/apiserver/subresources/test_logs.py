"""Golden: a real server's answers to the same requests; the kubelet is a stand-in on a unix socket."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web

PODS = "/api/v1/namespaces/shop/pods"


@dataclass
class Kubelet:
    """Answers as told; remembers what it was asked."""

    code: int = 200
    text: str = "one\ntwo\n"
    asked: list[str] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(str(request.rel_url))
        return web.Response(status=self.code, text=self.text)


@pytest.fixture
async def kubelet(server, tmp_path: Path) -> AsyncIterator[Kubelet]:
    found = Kubelet()
    application = web.Application()
    application.router.add_get("/{path:.*}", found.answer)
    runner = web.AppRunner(application)
    await runner.setup()
    server.sockets["node1"] = tmp_path / "kubelet.sock"
    await web.UnixSite(runner, str(server.sockets["node1"])).start()
    server.put("nodes", {"metadata": {"name": "node1"}})
    yield found
    await runner.cleanup()


@pytest.fixture
def placed(server, pod):
    def made(name, *containers, node="node1", **spec):
        server.put("pods", pod(name, *containers, **({"nodeName": node} if node else {}), **spec), "shop")

    return made


async def test_a_log_comes_from_the_node(server, kubelet, placed):
    placed("x")
    answer = await server("GET", f"{PODS}/x/log?tailLines=5&timestamps=true&follow=0&sinceSeconds=7")
    assert (answer.code, answer.content) == (200, "one\ntwo\n")
    assert answer.headers["content-type"].startswith("text/plain")
    assert kubelet.asked == ["/containerLogs/shop/x/main?timestamps=true&sinceSeconds=7&tailLines=5"]


async def test_the_container_may_be_chosen(server, kubelet, placed):
    init = [{"name": "i", "image": "busybox"}]
    placed("x", "a", "b", initContainers=init)
    for container in ("b", "i"):
        assert (await server("GET", f"{PODS}/x/log?container={container}")).code == 200
    assert [path.rpartition("/")[2] for path in kubelet.asked] == ["b", "i"]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("", "a container name must be specified for pod x, choose one of: [a b]"),
        ("?container=c", "container c is not valid for pod x"),
    ],
)
async def test_a_container_must_be_named_where_there_are_several(server, placed, query, message):
    placed("x", "a", "b", node="")
    answer = await server("GET", f"{PODS}/x/log{query}")
    assert (answer.code, answer.content["reason"], answer.message) == (400, "BadRequest", message)


async def test_a_pod_without_a_node_has_no_log(server, placed):
    placed("x", node="")
    answer = await server("GET", f"{PODS}/x/log")
    assert (answer.code, answer.content) == (204, "")


@pytest.mark.parametrize(
    ("query", "code", "message"),
    [
        (
            "tailLines=-1",
            422,
            'PodLogOptions "x" is invalid: tailLines: Invalid value: -1: must be greater than or equal to 0',
        ),
        ("tailLines=x", 400, 'strconv.ParseInt: parsing "x": invalid syntax'),
        ("limitBytes=0", 422, 'PodLogOptions "x" is invalid: limitBytes: Invalid value: 0: must be greater than 0'),
        ("sinceSeconds=0", 422, 'PodLogOptions "x" is invalid: sinceSeconds: Invalid value: 0: must be greater than 0'),
        (
            "sinceSeconds=1&sinceTime=2020-01-01T00:00:00Z",
            422,
            'PodLogOptions "x" is invalid: []: Forbidden: '
            "at most one of `sinceTime` or `sinceSeconds` may be specified",
        ),
        ("sinceTime=foo", 400, 'parsing time "foo" as "2006-01-02T15:04:05Z07:00": cannot parse "foo" as "2006"'),
    ],
)
async def test_bad_parameters_are_refused(server, placed, query, code, message):
    placed("x")
    answer = await server("GET", f"{PODS}/x/log?{query}")
    assert (answer.code, answer.message) == (code, message)


@pytest.mark.parametrize(
    ("code", "reason", "message"),
    [
        (400, "BadRequest", "said"),
        (404, "NotFound", "the server could not find the requested resource ( pods/log x)"),
        (500, "InternalError", "Internal error occurred: said"),
    ],
)
async def test_what_the_kubelet_refuses_is_refused(server, kubelet, placed, code, reason, message):
    placed("x")
    kubelet.code, kubelet.text = code, "said"
    answer = await server("GET", f"{PODS}/x/log")
    assert (answer.code, answer.content["reason"], answer.message) == (code, reason, message)


async def test_a_node_that_is_gone_from_the_cluster(server, placed):
    placed("x", node="nosuch")
    answer = await server("GET", f"{PODS}/x/log")
    assert (answer.code, answer.message) == (404, 'pods "nosuch" not found')


async def test_a_kubelet_that_does_not_answer(server, placed, tmp_path):
    server.put("nodes", {"metadata": {"name": "node1"}})
    server.sockets["node1"] = tmp_path / "nobody.sock"
    placed("x")
    answer = await server("GET", f"{PODS}/x/log")
    assert (answer.code, answer.content["reason"]) == (500, "InternalError")
    assert answer.message.startswith('Internal error occurred: Get "https://node1:10250/containerLogs/shop/x/main"')


async def test_a_pod_that_is_not_there(server):
    answer = await server("GET", f"{PODS}/x/log")
    assert (answer.code, answer.message) == (404, 'pods "x" not found')
    assert (await server("POST", f"{PODS}/x/log")).code == 405
