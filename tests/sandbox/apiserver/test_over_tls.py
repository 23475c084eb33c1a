"""The application as it is served: uvicorn, TLS, and the real kubectl at the other end."""

import asyncio
import json
import os
import socket
import ssl
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import pytest
import uvicorn
import yaml

from litmus.sandbox.apiserver import streams
from litmus.sandbox.lifecycle import certificates

KUBECTL = Path(sys.executable).parent / "kubectl"
DEADLINE_S = 30


class Ended(NamedTuple):
    code: int
    out: str
    err: str


class _Server(uvicorn.Server):
    def install_signal_handlers(self) -> None:
        """The signals are pytest's."""


@pytest.fixture
async def url(server, tmp_path: Path) -> AsyncIterator[str]:
    """Where the server listens; ``tmp_path`` gets ``ca.crt``."""
    certificates.make(tmp_path, addresses=["127.0.0.1"], names=["localhost"])
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(
            server.app,
            http=streams.Protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            ssl_certfile=tmp_path / "server.crt",
            ssl_keyfile=str(tmp_path / "server.key"),
            timeout_graceful_shutdown=1,
        )
        serving = _Server(config)
        task = asyncio.create_task(serving.serve(sockets=[listener]))
        yield f"https://127.0.0.1:{listener.getsockname()[1]}"
        serving.should_exit = True
        await task


@pytest.fixture
def kubectl(url: str, tmp_path: Path) -> Callable[..., Awaitable[Ended]]:
    """Runs kubectl against the server, as ``user``."""
    authority = str(tmp_path / "ca.crt")
    clusters = [{"name": "test", "cluster": {"server": url, "certificate-authority": authority}}]
    users = [{"name": name, "user": {"token": name}} for name in ("admin", "alice")]
    contexts = [{"name": name, "context": {"cluster": "test", "user": name}} for name in ("admin", "alice")]
    config = {"apiVersion": "v1", "kind": "Config", "clusters": clusters, "users": users, "contexts": contexts}
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(config))
    env = {**os.environ, "KUBECONFIG": str(tmp_path / "kubeconfig"), "HOME": str(tmp_path)}

    async def run(*arguments: str, user: str = "admin", stdin: str = "") -> Ended:
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            KUBECTL, "--context", user, *arguments, env=env, stdin=pipe, stdout=pipe, stderr=pipe
        )
        async with asyncio.timeout(DEADLINE_S):
            out, err = await process.communicate(stdin.encode())
        assert process.returncode is not None
        return Ended(process.returncode, out.decode(), err.decode())

    return run


class Watched:
    """Tells when somebody begins and ends to watch config maps."""

    def __init__(self, store: Any) -> None:
        self.begun, self.ended = asyncio.Event(), asyncio.Event()
        self._subscribe = store.subscribe

    def subscribe(self, storage: str, listener: Any) -> Callable[[], None]:
        stop = self._subscribe(storage, listener)
        if storage != "configmaps":
            return stop
        self.begun.set()

        def ended() -> None:
            stop()
            self.ended.set()

        return ended


@pytest.fixture
def watched(server, monkeypatch: pytest.MonkeyPatch) -> Watched:
    found = Watched(server.registry.store)
    monkeypatch.setattr(server.registry.store, "subscribe", found.subscribe)
    return found


async def test_kubectl_finds_its_way(kubectl):
    shown = json.loads((await kubectl("version", "-o", "json")).out)
    assert shown["serverVersion"]["gitVersion"] == "v1.37.0+sandbox"
    lines = (await kubectl("api-resources", "--no-headers")).out.splitlines()
    assert any(line.split() == ["deployments", "deploy", "apps/v1", "true", "Deployment"] for line in lines)


async def test_kubectl_creates_reads_changes_and_deletes(kubectl):
    manifest = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: shop}\ndata: {k: v}\n"
    assert (await kubectl("apply", "-f", "-", stdin=manifest)).out == "configmap/a created\n"
    assert (await kubectl("apply", "-f", "-", stdin=manifest)).out == "configmap/a unchanged\n"
    assert (await kubectl("label", "cm", "a", "-n", "shop", "x=y")).out == "configmap/a labeled\n"
    assert (await kubectl("get", "cm", "a", "-n", "shop", "-o", "jsonpath={.metadata.labels.x}")).out == "y"
    table = (await kubectl("get", "cm", "-n", "shop", "--no-headers")).out
    assert table.split()[0] == "a"
    assert (await kubectl("delete", "cm", "a", "-n", "shop")).code == 0
    ended = await kubectl("get", "cm", "a", "-n", "shop")
    assert (ended.code, ended.err) == (1, 'Error from server (NotFound): configmaps "a" not found\n')


async def test_kubectl_sends_protobuf(kubectl):
    ended = await kubectl("create", "configmap", "a", "-n", "shop", "--from-literal=k=v")
    assert (ended.out, ended.err) == ("configmap/a created\n", "")
    ended = await kubectl("create", "token", "default", "-n", "shop")
    assert ended.out.count(".") == 2


async def test_kubectl_knows_who_may_what(kubectl):
    assert "alice" in (await kubectl("auth", "whoami", user="alice")).out
    assert (await kubectl("auth", "can-i", "get", "pods", user="alice")).out == "no\n"
    assert (await kubectl("auth", "can-i", "get", "pods", "--as", "alice", "-n", "shop")).out == "no\n"
    ended = await kubectl("get", "pods", "-n", "shop", user="alice")
    said = 'pods is forbidden: User "alice" cannot list resource "pods" in API group "" in the namespace "shop"'
    assert ended.err == f"Error from server (Forbidden): {said}\n"
    assert "selfsubjectreviews" in (await kubectl("auth", "can-i", "--list", user="alice")).out


async def test_kubectl_waits_by_watching(server, kubectl, watched):
    server.put("configmaps", {"metadata": {"name": "a"}}, "shop")
    waiting = asyncio.create_task(kubectl("wait", "cm/a", "-n", "shop", "--for=delete", "--timeout=20s"))
    async with asyncio.timeout(DEADLINE_S):
        await watched.begun.wait()
    await server("DELETE", "/api/v1/namespaces/shop/configmaps/a")
    assert (await waiting).code == 0


async def test_kubectl_reads_warnings(kubectl):
    ended = await kubectl("get", "componentstatuses")
    assert "Warning: v1 ComponentStatus is deprecated in v1.19+" in ended.err


async def test_kubectl_is_told_why_a_pod_runs_no_command(server, kubectl, pod):
    server.put("pods", pod("p"), "shop")
    ended = await kubectl("exec", "p", "-n", "shop", "--", "true")
    assert "pod p does not have a host assigned" in ended.err


async def test_a_watch_is_over_when_its_client_is(url, watched, tmp_path):
    tls = ssl.create_default_context(cafile=tmp_path / "ca.crt")
    connector = aiohttp.TCPConnector(ssl=tls)
    async with aiohttp.ClientSession(connector=connector, headers={"Authorization": "Bearer admin"}) as session:
        async with session.get(f"{url}/api/v1/configmaps?watch=1") as answer:
            assert answer.status == 200
            assert watched.begun.is_set()
            assert not watched.ended.is_set()
        async with asyncio.timeout(DEADLINE_S):
            await watched.ended.wait()
        async with session.get(f"{url}/api/v1/configmaps") as answer:
            assert answer.status == 200
