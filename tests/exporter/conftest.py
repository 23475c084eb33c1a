"""An exporter that follows the small API server."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest

from litmus.exporter import state
from litmus.kube import Cluster
from tests.exporter import stage

Follow = Callable[..., Awaitable[stage.Stage]]


@pytest.fixture
async def follow(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Follow]:
    """Starts an exporter, with pauses between two tries that a test need not wait for."""
    monkeypatch.setattr(state, "POLL_S", 0.02)
    monkeypatch.setattr(state, "RETRY_S", (0.02,))
    async with AsyncExitStack() as open_:

        async def start(namespace: str = "") -> stage.Stage:
            return await open_.enter_async_context(stage.following(cluster, namespace))

        yield start
