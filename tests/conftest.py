"""What the tests of several rooms share: a small API server on loopback and a connection to it."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import settings
from lightkube.config.kubeconfig import KubeConfig, SingleConfig
from lightkube.config.models import Cluster as ClusterConfig
from lightkube.config.models import User

from litmus.kube import Cluster, waiting
from tests import apiserver

# The same examples in every run: a property that fails once must fail again.
settings.register_profile("litmus", derandomize=True, deadline=None, max_examples=40, database=None)
settings.load_profile("litmus")


def pytest_configure() -> None:
    """Before a test without a loop, looptime asks for one, and asyncio would make one that nobody closes."""
    asyncio.set_event_loop(None)


def connection(url: str) -> SingleConfig:
    """Plain HTTP; without `insecure` the certificates of this machine would be read for nothing, every time."""
    server = ClusterConfig(server=url, insecure=True)
    config = KubeConfig.from_one(cluster=server, user=User(token="t"), namespace="shop").get()
    assert config is not None
    return config


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a proxy nor a kubeconfig of whoever runs the tests takes part in them."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "KUBECONFIG"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
async def server() -> AsyncIterator[apiserver.Server]:
    async with apiserver.running() as started:
        yield started


@pytest.fixture
async def cluster(server: apiserver.Server, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Cluster]:
    """A connection without patience, whose polls are short and which remembers no refusal of another test."""
    monkeypatch.setattr(waiting, "POLL_S", 0.01)
    monkeypatch.setattr(waiting, "_refused", set())
    async with Cluster(connection(server.url)) as connected:
        yield connected
