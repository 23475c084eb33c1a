"""Processes are started off the loop, die with who started them, and their end is seen by everybody who waits."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from litmus.sandbox.node import spawning
from litmus.sandbox.node.spawning import Command, NotStarted, spawn

ENV = {"PATH": "/usr/local/bin:/usr/bin:/bin"}


def command(*argv: str, cwd: str = "/") -> Command:
    return Command(argv=argv, env=ENV, cwd=cwd)


@pytest.mark.parametrize(("script", "status"), [("exit 0", 0), ("exit 7", 7), ("kill -KILL $$", -9)])
async def test_everybody_who_waits_learns_how_it_ended(script: str, status: int) -> None:
    process = await spawn(command("sh", "-c", script))
    assert await asyncio.gather(process.wait(), process.wait()) == [status, status]
    process.send(signal.SIGTERM)  # nothing happens to whoever has the number now
    assert process.status == status


async def test_it_leads_a_session_of_its_own() -> None:
    process = await spawn(command("sleep", "60"))
    try:
        assert os.getsid(process.pid) == process.pid
    finally:
        process.send_group(signal.SIGKILL)
        await process.wait()


@pytest.mark.parametrize(
    ("argv", "cwd", "message"),
    [
        (("nosuchcmd",), "/", 'exec: "nosuchcmd": executable file not found in $PATH'),
        (("/no/such",), "/", 'exec: "/no/such": stat /no/such: no such file or directory'),
        (("/etc/passwd",), "/", 'exec: "/etc/passwd": permission denied'),
        (("sh",), "/no/such", "chdir to cwd ('/no/such'): no such file or directory"),
    ],
)
async def test_what_can_not_be_run_is_told_in_a_runtimes_words(argv: tuple[str, ...], cwd: str, message: str) -> None:
    with pytest.raises(NotStarted) as raised:
        await spawn(command(*argv, cwd=cwd))
    assert str(raised.value) == f"unable to start container process: {message}" or message in str(raised.value)


async def test_a_cancelled_start_leaves_no_process(tmp_path: Path) -> None:
    said = tmp_path / "pid"
    task = asyncio.create_task(spawn(command("sh", "-c", f"echo $$ > {said}; exec sleep 3600")))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    # The thread finishes the start and ends it; the next start is made by the same thread, so it comes after.
    other = await spawn(command("true"))
    await other.wait()
    if said.exists() and said.read_text().strip():
        with contextlib.suppress(ProcessLookupError):
            stat = Path(f"/proc/{int(said.read_text())}/stat")
            assert not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z"


PARENT = """
import asyncio, sys
from litmus.sandbox.node.spawning import Command, spawn
async def main():
    process = await spawn(Command(argv=["sleep", "3600"], env={"PATH": "/usr/bin:/bin"}, cwd="/"))
    print(process.pid, flush=True)
    await process.wait()
asyncio.run(main())
"""


def test_it_dies_with_who_started_it() -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    handle = os.pidfd_open(child)
    try:
        parent.kill()
        parent.communicate()
        import select

        poll = select.poll()
        poll.register(handle, select.POLLIN)
        assert poll.poll(10_000), "the child has ended"
    finally:
        os.close(handle)


ORPHANS = """
import asyncio, os, signal, sys
from litmus.sandbox.node import spawning
from litmus.sandbox.node.spawning import Command, spawn
async def main():
    spawning.become_subreaper()
    script = "(sleep 0.01 & echo $! > " + sys.argv[1] + ")"
    shell = Command(argv=["sh", "-c", script], env={"PATH": "/usr/bin:/bin"}, cwd="/")
    await (await spawn(shell)).wait()
    orphan = int(open(sys.argv[1]).read())
    handle = os.pidfd_open(orphan)
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(handle, ended.set)
    await ended.wait()
    print(os.path.exists(f"/proc/{orphan}"))
    spawning.reap()
    print(os.path.exists(f"/proc/{orphan}"))
asyncio.run(main())
"""


def test_orphans_come_to_the_node_and_are_reaped(tmp_path: Path) -> None:
    said = subprocess.run(
        [sys.executable, "-c", ORPHANS, str(tmp_path / "pid")], capture_output=True, text=True, check=True, timeout=30
    )
    assert said.stdout.split() == ["True", "False"]


def test_the_thread_that_spawns_is_one_and_stays() -> None:
    assert spawning._thread._max_workers == 1, "the death of the thread would be the death of all containers"
