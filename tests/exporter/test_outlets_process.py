"""The outlets of the real process: it tells a run, says mistakes in one line, and ends when it is asked to."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml

from litmus.kube import clock
from tests.apiserver import Server
from tests.exporter import window_stage as stage


def kubeconfig(server: Server, folder: Path) -> str:
    content = {
        "clusters": [{"name": "c", "cluster": {"server": server.url}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }
    file = folder / "kubeconfig"
    file.write_text(yaml.safe_dump(content))
    return str(file)


@asynccontextmanager
async def exporter(*arguments: str, **env: str) -> AsyncIterator[asyncio.subprocess.Process]:
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("LITMUS_", "OTEL_"))}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "litmus", "exporter", "--host", "127.0.0.1", "--port", "0", *arguments),
        env=plain | env,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def now() -> dict[str, object]:
    """A run whose chaos began a moment ago."""
    at = datetime.now(UTC)
    run = stage.CLOCKED | {
        "startedAt": clock.stamp(at),
        "chaosStartedAt": clock.stamp(at),
        "chaosEndsAt": clock.stamp(at + timedelta(minutes=1)),
    }
    return stage.manifest(run=run, targets=[stage.KILLED | {"injectedAt": clock.stamp(at)}])


async def test_a_run_is_told_signed_and_the_process_ends_on_sigterm(server: Server, tmp_path: Path) -> None:
    async with (
        stage.receiver() as there,
        exporter(
            "--kubeconfig",
            kubeconfig(server, tmp_path),
            "--webhook-url",
            there.url,
            LITMUS_WEBHOOK_KEY="geheim-geheim-geheim",
        ) as process,
    ):
        await server.until_asked("watch", "chaosresults")
        server.put("chaosresults", now())
        await there.until_got(1)
        await server.until_asked("create", "events")
        process.send_signal(signal.SIGTERM)
        _, said = await process.communicate()
    assert process.returncode == 0
    assert json.loads(there.got[0][3])["type"] == "org.litmuschaos.run.begun"
    assert "litmus-signature" in there.got[0][2]
    assert b"geheim" not in said
    assert b"Traceback" not in said


async def test_a_mistake_of_a_setting_is_one_line_and_no_start() -> None:
    async with exporter(LITMUS_GRAFANA_URL="http://g") as process:
        _, said = await process.communicate()
    assert process.returncode == 4
    assert said.decode() == (
        "litmus exporter: LITMUS_GRAFANA_URL needs a token that may write annotations; "
        "give LITMUS_GRAFANA_TOKEN, or its file with --grafana-token-file\n"
    )
