"""A run of a container: output, exit, stop signal, and the end of everything that it started."""

import asyncio
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from litmus.sandbox.node import logs, processes, spawning
from litmus.sandbox.node.container import Container, Recipe
from litmus.sandbox.node.spawning import NotStarted


def recipe(tmp_path: Path, script: str, **more: Any) -> Recipe:
    details: dict[str, Any] = {
        "name": "c",
        "argv": ["/bin/sh", "-c", script],
        "env": {"PATH": "/usr/local/bin:/usr/bin:/bin", processes.SANDBOX: str(tmp_path)},
        "cwd": str(tmp_path),
        "log": tmp_path / "logs" / "0.log",
        "mark": str(tmp_path),
    }
    return Recipe(**(details | more))


async def text(container: Container) -> str:
    pieces = [piece async for piece in logs.read(container.recipe.log, logs.Wanted())]
    return b"".join(pieces).decode()


async def said(container: Container, word: str) -> None:
    """Returns when the container has written the word."""
    seen = b""
    async for piece in logs.read(container.recipe.log, logs.Wanted(follow=True), log=container.log):
        seen += piece
        if word.encode() in seen:
            return
    raise AssertionError(f"it ended without saying {word!r}: {seen!r}")


@pytest.mark.parametrize(
    ("script", "code", "number"),
    [("exit 0", 0, 0), ("exit 3", 3, 0), ("kill -TERM $$", 143, 15), ("kill -9 $$", 137, 9)],
)
async def test_the_exit_code_is_128_and_the_signal_for_one_that_was_killed(
    tmp_path: Path, script: str, code: int, number: int
) -> None:
    container = Container(recipe(tmp_path, script))
    await container.start()
    found = await container.wait()
    assert (found.code, found.signal) == (code, number)
    assert found.at >= container.started_at


async def test_the_log_has_both_streams_and_the_last_line_without_its_end(tmp_path: Path) -> None:
    container = Container(recipe(tmp_path, "echo out; echo err >&2; printf tail"))
    await container.start()
    await container.wait()
    assert sorted((await text(container)).splitlines()) == ["err", "out", "tail"]
    lines = container.recipe.log.read_text().splitlines()
    assert {tuple(line.split(" ", 3)[1:]) for line in lines} == {
        ("stdout", "F", "out"),
        ("stderr", "F", "err"),
        ("stdout", "P", "tail"),
    }


async def test_its_processes_carry_its_marks(tmp_path: Path) -> None:
    container = Container(recipe(tmp_path, 'echo "$LITMUS_SANDBOX_CONTAINER $LITMUS_SANDBOX_NODE"'))
    await container.start()
    await container.wait()
    assert await text(container) == f"{container.id} {tmp_path}\n"
    assert len(container.id) == 64


async def test_what_it_started_ends_with_it_even_in_another_session(tmp_path: Path) -> None:
    daemon = f"{sys.executable} -S -c 'import os, time; os.setsid(); print(\"up\", flush=True); time.sleep(3600)'"
    container = Container(recipe(tmp_path, f"{daemon} & sleep 3600"))
    await container.start()
    await said(container, "up")
    container.kill()
    await container.wait()
    assert not list(processes.marked(processes.CONTAINER, container.id))


async def test_the_stop_signal_may_be_another_one(tmp_path: Path) -> None:
    script = "trap 'echo quit; exit 5' QUIT; echo up; while :; do sleep 0.01; done"
    container = Container(recipe(tmp_path, script, stop_signal=signal.SIGQUIT))
    await container.start()
    await said(container, "up")
    container.interrupt()
    assert (await container.wait()).code == 5
    assert "quit" in await text(container)


async def test_a_command_that_is_none_is_refused_and_leaves_no_open_log(tmp_path: Path) -> None:
    container = Container(recipe(tmp_path, "", argv=["nosuchcmd"]))
    with pytest.raises(NotStarted):
        await container.start()
    assert container.log.closed


async def test_its_standard_input_is_written_and_closed(tmp_path: Path) -> None:
    container = Container(recipe(tmp_path, "cat; echo end", stdin=True))
    await container.start()
    assert container.write(b"hello\n")
    container.close_stdin()
    await container.wait()
    assert await text(container) == "hello\nend\n"
    assert not container.write(b"late")


async def test_without_stdin_it_reads_the_end_at_once(tmp_path: Path) -> None:
    container = Container(recipe(tmp_path, "cat; echo end"))
    await container.start()
    await container.wait()
    assert await text(container) == "end\n"


async def test_a_terminal_is_one_with_a_size(tmp_path: Path) -> None:
    script = "test -t 0 && test -t 1 && echo up; read x; stty size; echo got $x"
    container = Container(recipe(tmp_path, script, terminal=True, stdin=True))
    await container.start()
    await said(container, "up")
    container.resize(columns=101, rows=33)
    container.write(b"word\n")
    await container.wait()
    assert "33 101" in await text(container)
    assert "got word" in await text(container)


async def test_who_is_attached_gets_the_bytes_as_they_come(tmp_path: Path) -> None:
    container = Container(recipe(tmp_path, "printf one; printf two >&2"))
    got: dict[str, bytes] = {"stdout": b"", "stderr": b""}

    def tap(stream: logs.Stream, chunk: bytes) -> None:
        got[stream] += chunk

    container.log.taps.append(tap)
    await container.start()
    await container.wait()
    assert got == {"stdout": b"one", "stderr": b"two"}


async def test_many_start_and_end_at_once(tmp_path: Path) -> None:
    containers = [Container(recipe(tmp_path, f"exit {number}", log=tmp_path / f"{number}.log")) for number in range(20)]
    await asyncio.gather(*(container.start() for container in containers))
    exits = await asyncio.gather(*(container.wait() for container in containers))
    assert [found.code for found in exits] == list(range(20))


async def test_what_cleared_its_environment_ends_with_it_too(tmp_path: Path) -> None:
    spawning.become_subreaper()
    folder = tmp_path / "containers" / "c" / "0"
    folder.mkdir(parents=True)
    stray = "import os, sys; open('pid', 'w').write(str(os.getpid())); sys.stdin.read()"
    script = f'mkfifo never; env -i setsid {sys.executable} -S -c "{stray}" <> never >/dev/null 2>&1 & ' + (
        "until [ -s pid ]; do :; done"
    )
    container = Container(recipe(tmp_path, script, cwd=str(folder)))
    await container.start()
    await container.wait()
    spawning.reap()
    assert not Path("/proc", (folder / "pid").read_text()).exists()
