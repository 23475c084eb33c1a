import asyncio
import signal
import sys
from pathlib import Path

import yaml


def kubeconfig(folder: Path) -> Path:
    """One that leads nowhere."""
    config = {
        "current-context": "here",
        "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": "http://127.0.0.1:1"}}],
        "users": [{"name": "u", "user": {"token": "abc"}}],
    }
    file = folder / "kubeconfig"
    file.write_text(yaml.safe_dump(config))
    return file


async def start(file: Path) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "litmus.sandbox.network", "--kubeconfig", str(file), stderr=asyncio.subprocess.PIPE
    )


async def test_it_keeps_trying_until_the_server_is_there_and_ends_when_it_is_told_to(tmp_path: Path) -> None:
    process = await start(kubeconfig(tmp_path))
    assert process.stderr is not None
    async with asyncio.timeout(30):
        first = await process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        _, rest = await process.communicate()
    assert b"is interrupted" in first
    assert b"Traceback" not in rest
    assert process.returncode == 0


async def test_without_a_kubeconfig_it_says_so_and_ends(tmp_path: Path) -> None:
    process = await start(tmp_path / "none")
    async with asyncio.timeout(30):
        _, said = await process.communicate()
    assert process.returncode == 2
    assert b"No such file" in said
    assert b"Traceback" not in said
