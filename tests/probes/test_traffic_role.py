"""``litmus traffic``: what a pod beside the application runs, as a process of its own."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from typing import Any

import msgspec
import pytest

from litmus.probes import traffic_role
from litmus.probes.aim import Aim
from tests.experiments import test_imports as imports
from tests.probes import loopback


def start(*arguments: str) -> "asyncio.subprocess.Process":
    return asyncio.create_subprocess_exec(
        sys.executable, "-m", "litmus", "traffic", *arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def aimed(port: int, **more: Any) -> str:
    return msgspec.json.encode(Aim(scheme="http", host="127.0.0.1", port=port, timeout_s=30.0, **more)).decode()


async def test_it_tells_once_a_second_what_it_saw_and_ends_at_sigterm():
    async with loopback.serving(loopback.in_turn(*[200, 503] * 1000)) as server:
        process = await start(aimed(server.port, rate=20.0))
        assert process.stdout
        lines: list[dict[str, Any]] = []
        samples: list[list[float]] = []
        async with asyncio.timeout(100):
            while len(samples) < 20:
                lines.append(json.loads(await process.stdout.readline()))
                samples += lines[-1].get("samples", [])
            process.send_signal(signal.SIGTERM)
            await process.communicate()
    assert process.returncode == 0
    assert lines[0]["event"] == "started"
    assert [line["seq"] for line in lines] == list(range(1, len(lines) + 1))
    seen = {tuple(words) for line in lines for words in line.get("outcomes", [])}
    assert seen == {("", "code 200"), ("http-503", "code 503")}
    assert all(latency > 0 for _, latency, _ in samples)
    first = [line["now"] - age / 1000 for line in lines for age, _, _ in line.get("samples", [])]
    assert max(first) - min(first) == pytest.approx((len(first) - 1) / 20, rel=0.5)


async def test_once_sends_one_request():
    async with loopback.serving(loopback.answering()) as server:
        process = await start(aimed(server.port, rate=1000.0 / 31), "once")
        async with asyncio.timeout(100):
            out, _ = await process.communicate()
        assert len(server.requests) == 1
    *_, last = map(json.loads, out.splitlines())
    assert last["outcomes"] == [["", "code 200"]]
    assert process.returncode == 0


@pytest.mark.parametrize("arguments", [[], ["{}"], ["no json"]])
def test_what_is_no_aim_is_told(arguments, capsys):
    assert traffic_role.main(arguments) == 4
    assert "usage: litmus traffic AIM" in capsys.readouterr().err


def test_it_imports_what_pods_of_a_run_may_import():
    assert imports.third_parties("litmus.probes.traffic_role", "litmus.probes.command_pod") <= imports.ALLOWED


def test_nothing_that_could_be_broken_is_left_of_a_second_without_answers():
    told: list[str] = []
    traffic_role.Teller(told.append).tell(traffic_role.SAMPLES)
    assert json.loads(told[0]).keys() == {"seq", "event", "now"}
    assert os.linesep not in told[0].rstrip()
