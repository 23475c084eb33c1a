"""The real Chaos Toolkit as a child process, on experiments that need no cluster."""

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest

from litmus.experiments import verdicts
from litmus.experiments.toolkit import journal, process

pytest.importorskip("chaostoolkit")


def call(name: str, code: str, *, kind: str = "action", **more: Any) -> dict[str, Any]:
    provider = {"type": "process", "path": sys.executable, "arguments": ["-c", code]}
    return {"type": kind, "name": name, "provider": provider, **more}


def experiment(method: list[Any], *, steady: str = "pass", rollbacks: list[Any] | None = None) -> dict[str, Any]:
    look = call("look", steady, kind="probe", tolerance=0)
    return {
        "version": "1.0.0",
        "title": "t",
        "description": "d",
        "steady-state-hypothesis": {"title": "steady", "probes": [look]},
        "method": method,
        "rollbacks": rollbacks or [],
    }


async def run(document: dict[str, Any], *, deadline_s: float = 60, **env: str) -> dict[str, Any]:
    return await process.run(document, env=env, kubeconfig={}, deadline_s=deadline_s)


def touch(path: Path) -> str:
    return f"open({str(path)!r}, 'w').close()"


async def test_a_run_leaves_a_journal_that_is_no_objection(tmp_path):
    told = await run(experiment([call("act", touch(tmp_path / "done"))]))
    journal.conclude(told)
    assert (tmp_path / "done").exists()


async def test_the_environment_reaches_the_experiment_and_the_kubeconfig_is_ours_alone(tmp_path):
    out = tmp_path / "out"
    mode = "oct(os.stat(os.environ['KUBECONFIG']).st_mode & 0o777)"
    code = f"import os; open({str(out)!r}, 'w').write(os.environ['LABEL_NAME'] + {mode})"
    await run(experiment([call("act", code)]), LABEL_NAME="web")
    assert out.read_text() == "web0o600"


async def test_a_steady_state_that_is_lost_is_a_fail(tmp_path):
    gone = tmp_path / "gone"
    steady = f"import os, sys; sys.exit(os.path.exists({str(gone)!r}))"
    told = await run(experiment([call("act", touch(gone))], steady=steady))
    with pytest.raises(verdicts.CheckFailed, match="'steady' was not met after the method"):
        journal.conclude(told)


async def test_an_abort_plays_the_rollbacks(tmp_path):
    began, back = tmp_path / "began", tmp_path / "back"
    wait = call("wait", touch(began), pauses={"after": 600})
    task = asyncio.create_task(run(experiment([wait], rollbacks=[call("back", touch(back))]), deadline_s=600))
    async with asyncio.timeout(60):
        while not began.exists():  # noqa: ASYNC110 - a file of another process
            await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert back.exists()


async def test_a_toolkit_that_takes_too_long_is_ended_and_an_error(monkeypatch):
    monkeypatch.setattr(process, "_ROLLBACK_S", 0.1)
    with pytest.raises(verdicts.CannotRun, match=r"did not end within 0\.2 s; set TOOLKIT_TIMEOUT"):
        await run(experiment([call("act", "pass", pauses={"after": 600})]), deadline_s=0.2)


async def test_what_the_toolkit_itself_refuses_is_an_error_in_its_words():
    with pytest.raises(verdicts.CannotRun, match="left no journal"):
        await run({"title": "t"})


async def test_a_missing_toolkit_is_named_with_its_extra(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(verdicts.CannotRun, match=r"install litmus-py\[chaostoolkit\]"):
        await run(experiment([]))
