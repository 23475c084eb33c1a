"""Golden: what a real server says about a wrong name; the other ends are stand-ins on this machine."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web

from litmus.sandbox.machinery import objects, ports
from litmus.sandbox.machinery.options import Options

BASE = "/api/v1/namespaces/shop"


@dataclass
class Backend:
    """Echoes; remembers what it was asked and with which headers."""

    port: int = 0
    asked: list[str] = field(default_factory=list)
    headers: list[str] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(f"{request.method} {request.rel_url} {await request.text()}".strip())
        self.headers = [name.lower() for name in request.headers]
        return web.Response(status=418, text="tea", headers={"X-Tea": "yes"})


@pytest.fixture
async def backend(server, tmp_path: Path) -> AsyncIterator[Backend]:
    found = Backend()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", found.answer)
    runner = web.AppRunner(application)
    await runner.setup()
    server.sockets["node1"] = tmp_path / "kubelet.sock"
    await web.UnixSite(runner, str(server.sockets["node1"])).start()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    found.port = next(address[1] for address in runner.addresses if isinstance(address, tuple))
    server.put("nodes", {"metadata": {"name": "node1"}})
    yield found
    await runner.cleanup()


@pytest.fixture
def placed(server, pod):
    """Puts a pod with an address; ``port`` is the one of its container."""

    def made(port: int, address: str = "127.0.0.1"):
        whole = pod("x", nodeName="node1")
        whole["spec"]["containers"][0]["ports"] = [{"containerPort": port}]
        found = objects.copy(server.put("pods", whole, "shop"))
        found["status"] = {**found["status"], "podIP": address, "podIPs": [{"ip": address}]}
        known = server.registry.catalogue.named("pods")
        server.registry.update(known, objects.key(found), found, subresource="status", asked=Options())

    return made


async def test_the_kubelet_of_a_node(server, backend):
    answer = await server("GET", "/api/v1/nodes/node1/proxy/stats/summary?a=b")
    assert (answer.code, answer.content, answer.headers["x-tea"]) == (418, "tea", "yes")
    assert backend.asked == ["GET /stats/summary?a=b"]


async def test_a_pod_by_its_first_port_or_another(server, backend, placed):
    placed(backend.port)
    await server("GET", f"{BASE}/pods/x/proxy/path/?q=1")
    await server("POST", f"{BASE}/pods/http:x:{backend.port}/proxy/", "body")
    assert backend.asked == ["GET /path/?q=1", "POST / body"]


async def test_a_token_is_not_passed_on(server, backend, placed):
    placed(backend.port)
    another = {"Impersonate-User": "bob", "Impersonate-Group": "system:masters"}
    await server("GET", f"{BASE}/pods/x/proxy/", headers={"X-Mine": "1", **another})
    assert "x-mine" in backend.headers
    assert not {"authorization", "impersonate-user"} & set(backend.headers)


@pytest.mark.parametrize("name", ["web", "web:http", "web:80", "http:web:80"])
async def test_a_service_by_one_of_its_endpoints(server, backend, name):
    service = {"metadata": {"name": "web"}, "spec": {"ports": [{"name": "http", "port": 80}]}}
    server.put("services", service, "shop")
    meta = {"name": "web-1", "labels": {"kubernetes.io/service-name": "web"}}
    ends = [{"addresses": ["127.0.0.1"]}, {"addresses": ["127.0.0.9"], "conditions": {"ready": False}}]
    content = {"addressType": "IPv4", "endpoints": ends, "ports": [{"name": "http", "port": backend.port}]}
    server.put("endpointslices.discovery.k8s.io", {"metadata": meta, **content}, "shop")
    assert (await server("GET", f"{BASE}/services/{name}/proxy/")).code == 418


@pytest.mark.parametrize(
    ("path", "code", "message"),
    [
        ("/api/v1/nodes/nosuch/proxy/", 404, 'nodes "nosuch" not found'),
        (f"{BASE}/services/nosuch:x/proxy/", 404, 'services "nosuch" not found'),
        (f"{BASE}/services/a:b:c:d/proxy/", 400, 'invalid service request "a:b:c:d"'),
        (f"{BASE}/services/web/proxy/", 503, 'no endpoints available for service "web"'),
        (f"{BASE}/services/web:81/proxy/", 503, 'no service port 81 found for service "web"'),
        (f"{BASE}/pods/nosuch/proxy/", 404, 'pods "nosuch" not found'),
        (f"{BASE}/pods/x/proxy/", 400, "address not allowed"),
        (f"{BASE}/pods/ftp:x:80/proxy/", 400, 'invalid pod request "ftp:x:80"'),
    ],
)
async def test_a_wrong_name_is_refused(server, pod, path, code, message):
    server.put("services", {"metadata": {"name": "web"}, "spec": {"ports": [{"port": 80}]}}, "shop")
    server.put("pods", pod("x"), "shop")
    answer = await server("GET", path)
    assert (answer.code, answer.message) == (code, message)


async def test_a_pod_that_does_not_listen(server, placed, unused_tcp_port):
    placed(max(unused_tcp_port, ports.lowest_free()))
    answer = await server("GET", f"{BASE}/pods/x/proxy/")
    assert (answer.code, answer.content["reason"]) == (503, "ServiceUnavailable")
    assert answer.message.startswith("error trying to reach service: ")


async def test_the_root_is_a_folder(server, backend):
    answer = await server("GET", "/api/v1/nodes/node1/proxy")
    assert (answer.code, answer.headers["location"]) == (301, "/api/v1/nodes/node1/proxy/")
