"""A node and an API server for each test that asks for them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.sandbox.apiserver.streams import cluster


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[cluster.Kubelet]:
    async with cluster.kubelet(tmp_path) as running:
        yield running


@pytest.fixture
async def port(node: cluster.Kubelet) -> AsyncIterator[int]:
    async with cluster.server(node) as listening:
        yield listening
