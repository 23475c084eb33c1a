"""``litmus top`` as a process: on a terminal of its own, in a pipe, and against clusters that refuse it."""

import asyncio
import fcntl
import os
import pty
import re
import struct
import sys
import termios
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from litmus.cli import failures
from litmus.cli.top import command, watching
from litmus.kube import clock
from tests import apiserver, samples

_PATIENCE_S = 60
_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def run(step: str) -> dict[str, Any]:
    ends = datetime.now(UTC) + timedelta(seconds=300)
    times = {"startedAt": clock.stamp(), "chaosStartedAt": clock.stamp(), "chaosEndsAt": clock.stamp(ends)}
    return {"number": 1, "engineUid": samples.ENGINE_UID, "step": step, **times}


def begin(server: apiserver.Server, step: str = "ChaosInject") -> None:
    server.put("chaosengines", samples.engine(status={"engineStatus": "initialized"}))
    server.put("chaosresults", samples.result(run=run(step), targets=[{"name": "web-1"}]))


class Terminal:
    """The person's side of a pseudo-terminal: what was written to it so far, and its keys."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self.text = ""
        self._more = asyncio.Event()
        asyncio.get_running_loop().add_reader(fd, self._read)

    def _read(self) -> None:
        try:
            read = os.read(self.fd, 65536)
        except OSError:  # the other side was closed
            read = b""
        if not read:
            asyncio.get_running_loop().remove_reader(self.fd)
        self.text += read.decode("utf-8", "replace")
        self._more.set()

    def resize(self, columns: int, lines: int) -> None:
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def press(self, keys: bytes) -> None:
        os.write(self.fd, keys)

    async def until(self, seen: Callable[[str], bool], *, since: int = 0) -> None:
        """Returns when this is so of what was written since."""
        async with asyncio.timeout(_PATIENCE_S):
            while not seen(self.text[since:]):
                self._more.clear()
                await self._more.wait()

    async def shows(self, text: str, *, since: int = 0) -> None:
        await self.until(lambda written: text in _ESCAPE.sub("", written), since=since)


@asynccontextmanager
async def started(kubeconfig: str, *options: str, columns: int = 80, lines: int = 24) -> AsyncIterator[Any]:
    """The process, its terminal, and what the settings of the terminal were before."""
    ours, theirs = pty.openpty()
    terminal = Terminal(ours)
    terminal.resize(columns, lines)
    before = termios.tcgetattr(theirs)
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "NO_COLOR")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "litmus", "top", "--kubeconfig", kubeconfig, *options),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment | {"TERM": "xterm-256color", "PYTHONUTF8": "1"},
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # so that Ctrl-C and a new size reach it
    )
    try:
        yield process, terminal, lambda: termios.tcgetattr(theirs) == before
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        asyncio.get_running_loop().remove_reader(ours)
        os.close(ours)
        os.close(theirs)


async def ended(process: asyncio.subprocess.Process) -> int:
    async with asyncio.timeout(_PATIENCE_S):
        return await process.wait()


@pytest.mark.parametrize("key", [b"q", b"\x03"], ids=["q", "Ctrl-C"])
async def test_on_a_terminal_it_follows_an_engine_and_leaves_the_terminal_as_it_was(server, kubeconfig, key):
    async with started(kubeconfig) as (process, terminal, as_before):
        await terminal.shows("no engine is running")
        assert "\x1b[?1049h" in terminal.text  # the alternate screen
        assert not as_before()  # keys take effect without Return

        begin(server)
        await terminal.shows("shop/shop-chaos  1/1 pod-delete  ChaosInject")
        await terminal.shows("→ web-1")
        here = len(terminal.text)
        server.change("chaosresults", "shop-chaos-pod-delete", {"status": {"run": {"step": "PostChaosCheck"}}})
        await terminal.shows("PostChaosCheck", since=here)
        assert "\x1b[2J" not in terminal.text[here:]  # a screen that is cleared flickers

        terminal.press(key)
        assert await ended(process) == 0
        await terminal.until(lambda text: "\x1b[?1049l" in text)
        assert terminal.text.rindex("\x1b[?25h") > terminal.text.rindex("\x1b[?25l")  # the cursor is back
        assert as_before()
        assert "Traceback" not in terminal.text


async def test_a_terminal_that_changes_its_size_is_filled_anew(server, kubeconfig):
    begin(server)
    async with started(kubeconfig) as (process, terminal, _):
        await terminal.shows("→ web-1")  # below the row, as there is no room beside it
        assert "TARGETS" not in terminal.text
        terminal.resize(120, 40)
        await terminal.shows("TARGETS")
        terminal.press(b"xyq")
        assert await ended(process) == 0


async def test_a_cluster_that_goes_away_is_a_line_and_the_view_recovers(server, kubeconfig):
    server.forbid("watch", "*")  # so that it asks again and again, also without a role that may watch
    begin(server)
    async with started(kubeconfig) as (process, terminal, _):
        await terminal.shows("ChaosInject")
        with server.answer(lambda asked: apiserver.failure(503, "restarting")):
            await terminal.shows("the cluster does not answer; shown is the state of")
        here = len(terminal.text)
        server.change("chaosresults", "shop-chaos-pod-delete", {"status": {"run": {"step": "PostChaosCheck"}}})
        await terminal.shows("PostChaosCheck", since=here)
        here = len(terminal.text)
        await terminal.shows("litmus top", since=here)
        assert "does not answer" not in terminal.text[here:]
        terminal.press(b"q")
        assert await ended(process) == 0


async def test_once_shows_the_state_on_the_terminal_and_ends_without_a_screen_of_its_own(server, kubeconfig):
    begin(server)
    async with started(kubeconfig, "--once") as (process, terminal, as_before):
        assert await ended(process) == 0
        await terminal.shows("→ web-1")
        assert "\x1b[?1049h" not in terminal.text
        assert as_before()


async def test_plain_on_a_terminal_has_no_escape_codes(server, kubeconfig):
    begin(server)
    async with started(kubeconfig, "--plain") as (process, terminal, _):
        await terminal.shows("shop/shop-chaos 1/1 pod-delete: ChaosInject, chaos until ")
        terminal.press(b"\x03")
        assert await ended(process) == 0
        assert "\x1b" not in terminal.text


async def test_a_pipe_gets_a_line_for_each_change(server, kubeconfig):
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "litmus", "top", "-n", "shop", "--kubeconfig", kubeconfig),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(_PATIENCE_S):
            first = await process.stdout.readline()
            begin(server)
            then = [await process.stdout.readline()]
            while b"web-1" not in then[-1]:  # engine and result come by watches of their own
                then.append(await process.stdout.readline())
            process.terminate()
            rest, said = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert first.endswith(b"no engine is running\n")
    assert b"shop-chaos 1/1 pod-delete: ChaosInject" in then[-1]
    assert (process.returncode, rest, said) == (0, b"", b"")
    assert b"\x1b" not in b"".join(then)


async def once(kubeconfig: str, **given: Any) -> int:
    async with asyncio.timeout(_PATIENCE_S):
        return await command.top(once=True, kubeconfig=kubeconfig, **given)


async def test_without_definitions_it_says_what_brings_them(server, kubeconfig, capsys):
    with server.answer(lambda asked: apiserver.failure(404, "the server could not find the requested resource")):
        assert await once(kubeconfig) == failures.REFUSED
    out = capsys.readouterr().out
    assert "! not defined in this cluster: chaosengines, chaosresults, chaosschedules; litmus install brings" in out
    assert len(out.splitlines()) == 2  # and that no engine is running


async def test_a_list_that_is_forbidden_does_not_hide_the_others(server, kubeconfig, capsys):
    begin(server)
    server.forbid("list", "chaosschedules")
    assert await once(kubeconfig) == 0
    out = capsys.readouterr().out
    assert "! not allowed to list chaosschedules; with -n NAMESPACE only that one is asked for" in out
    assert "shop/shop-chaos 1/1 pod-delete: ChaosInject" in out


async def test_a_namespace_is_all_that_is_asked_for(server, kubeconfig, capsys):
    begin(server)
    server.put("chaosengines", samples.engine(name="elsewhere", meta={"namespace": "other"}), namespace="other")
    await once(kubeconfig, namespace="shop")
    assert {asked.namespace for asked in server.asked} == {"shop"}
    assert "elsewhere" not in capsys.readouterr().out


async def test_nobody_who_answers_is_status_2(kubeconfig, server, capsys, tmp_path):
    file = tmp_path / "other"
    file.write_text(Path(kubeconfig).read_text().replace(server.url, "http://127.0.0.1:1"))
    assert await once(str(file)) == failures.REFUSED
    assert "! the cluster does not answer; it is asked again" in capsys.readouterr().out


async def test_what_is_granted_or_installed_later_is_seen_later(server, cluster, monkeypatch):
    monkeypatch.setattr(watching, "AGAIN_S", 0.01)
    begin(server)
    seeing = watching.Watching(cluster, "")
    async with asyncio.timeout(_PATIENCE_S), seeing.going():
        with server.answer(lambda asked: apiserver.failure(404, "not found")):
            await until(seeing, lambda: seeing.complete)
            assert seeing.seen().engines == []
            assert len(seeing.seen().troubles) == 1
        await until(seeing, lambda: not seeing.seen().troubles)
        assert len(seeing.seen().engines) == 1


async def until(seeing: watching.Watching, condition: Callable[[], bool]) -> None:
    while not condition():
        seeing.changed.clear()
        await seeing.changed.wait()
