"""The mirror of /proc: who is in it, what a process looks like there, and our own fault helper on top of it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from litmus.faults import processes as faults
from litmus.sandbox.node import logs, processes
from litmus.sandbox.node.container import Container, Recipe
from litmus.sandbox.node.proc_mirror import Mirror


@pytest.fixture
async def container(tmp_path: Path) -> AsyncIterator[Container]:
    made = Container(
        Recipe(
            name="c",
            argv=["/bin/sh", "-c", "sleep 3600 & echo up; wait"],
            env={"PATH": "/usr/bin:/bin", processes.SANDBOX: str(tmp_path)},
            cwd=str(tmp_path),
            log=tmp_path / "0.log",
            mark=str(tmp_path),
        )
    )
    await made.start()
    async for _ in logs.read(made.recipe.log, logs.Wanted(follow=True), log=made.log):
        break
    yield made
    made.kill()
    await made.wait()


@pytest.fixture
async def mirror(tmp_path: Path, container: Container) -> AsyncIterator[Mirror]:
    made = Mirror(tmp_path / "proc", str(tmp_path), lambda found: f"/kubepods/pod-uid/{found}")
    await made.acquire()
    yield made
    made.release()


async def test_our_fault_helper_finds_the_main_process(mirror: Mirror, container: Container) -> None:
    found = faults.of_container(f"sandbox://{container.id}", proc=mirror.folder)
    assert len(found) == 2
    main = faults.main_process(f"sandbox://{container.id}", proc=mirror.folder)
    assert main is not None
    assert (main.pid, main.name) == (container.pid, "sh")
    assert faults.main_process("f" * 64, proc=mirror.folder) is None


async def test_a_process_looks_as_it_is(mirror: Mirror, container: Container) -> None:
    place = mirror.folder / str(container.pid)
    assert (place / "cgroup").read_text() == f"0::/kubepods/pod-uid/{container.id}\n"
    assert (place / "status").read_text().startswith("Name:\tsh\n")
    assert (place / "cmdline").read_bytes().startswith(b"/bin/sh\0-c\0")


async def test_what_ended_is_gone_at_the_next_look(mirror: Mirror, container: Container) -> None:
    container.kill()
    await container.wait()
    await mirror.refresh()
    assert list(mirror.folder.iterdir()) == []


async def test_a_change_is_seen_without_being_asked(mirror: Mirror, container: Container) -> None:
    container.kill()
    await container.wait()
    mirror.changed()
    while list(mirror.folder.iterdir()):  # noqa: ASYNC110 - a folder tells nobody
        await asyncio.sleep(0.001)


async def test_nobody_looks_while_nobody_needs_it(tmp_path: Path, container: Container) -> None:
    mirror = Mirror(tmp_path / "proc", str(tmp_path), lambda found: found)
    await mirror.refresh()
    assert not mirror.folder.exists()
