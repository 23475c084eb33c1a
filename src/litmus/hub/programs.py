"""The one way in which the hub calls another program: an argument list, bounded output, a folder that may grow so far.

It ends with whoever waits for it: a cancelled or timed-out call leaves no process behind, nor one that it started.
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .unpacking import CannotFetch

_LOOK_S = 0.1
_CHUNK = 65_536
_LONGEST_WORDS = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    status: int
    output: bytes
    words: str  # what it said on standard error


async def run(
    command: Sequence[str],
    *,
    env: Mapping[str, str],
    stdin: bytes = b"",
    most: int,
    growing: Path | None = None,
    grown: int = 0,
) -> Done:
    """Runs to the end. Raises CannotFetch for more than ``most`` bytes of output, or when ``growing`` is too large."""
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            env=dict(env),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
    except FileNotFoundError as error:
        raise CannotFetch(f"there is no {command[0]} here; install it, or give the hub as a zip") from error
    except OSError as error:
        raise CannotFetch(f"{command[0]} can't be started: {error.strerror}") from error
    talk = asyncio.ensure_future(_talk(process, stdin, most=most))
    try:
        while not talk.done():
            await asyncio.wait({talk}, timeout=_LOOK_S)
            if growing is not None and await asyncio.to_thread(size, growing) > grown:
                raise CannotFetch(f"it has more than {grown:,} bytes; a hub has some hundred thousand")
        return talk.result()
    finally:
        await asyncio.shield(_end(process, talk))


def size(folder: Path) -> int:
    """The bytes of all files below a folder, while others write there."""
    total = 0
    for place, _, files in os.walk(folder):
        for name in files:
            with contextlib.suppress(OSError):
                total += os.lstat(f"{place}/{name}").st_size
    return total


async def _talk(process: asyncio.subprocess.Process, stdin: bytes, *, most: int) -> Done:
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    words = asyncio.ensure_future(_words(process.stderr))
    feed = asyncio.ensure_future(_feed(process.stdin, stdin))
    output = bytearray()
    try:
        while chunk := await process.stdout.read(_CHUNK):
            output += chunk
            if len(output) > most:
                raise CannotFetch("it has more files than a hub can have")
        await feed
        return Done(status=await process.wait(), output=bytes(output), words=await words)
    finally:
        words.cancel()
        feed.cancel()


async def _feed(stream: asyncio.StreamWriter, content: bytes) -> None:
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        stream.write(content)
        await stream.drain()
    stream.close()


async def _words(stream: asyncio.StreamReader) -> str:
    words = bytearray()
    while chunk := await stream.read(_CHUNK):
        words += chunk[: _LONGEST_WORDS - len(words)]
    return words.decode("utf-8", errors="replace")


async def _end(process: asyncio.subprocess.Process, talk: "asyncio.Future[Done]") -> None:
    """Ends the whole group: git starts ssh and others."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    talk.cancel()
    await asyncio.wait({talk})
    await process.wait()
    if not talk.cancelled():
        talk.exception()  # it was raised already, or nobody waits for it any more
