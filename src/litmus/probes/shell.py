"""One command of a person's, run by ``/bin/sh -c`` as the original does, which nothing can make last or grow.

It gets a process group of its own, which is killed when its time is over, and also when the command has ended: what it
left in the background would go on and hold its output open. Both outputs are read to their end, and the first
``LARGEST`` bytes of each are kept. What is not UTF-8 is replaced by U+FFFD.
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import IO

from .contract import ProbeError

LARGEST = 1 << 20
SHELL = "/bin/sh"
_PIECE = 1 << 16
# For outputs that a daemon holds open that has left the process group, in seconds.
_LAST_WORDS_S = 0.5


@dataclass(frozen=True, slots=True)
class Ended:
    """``status``: as the shell has it, None where the time was over before. Outputs without the blanks around them."""

    status: int | None
    output: str
    errors: str

    @property
    def complaint(self) -> str:
        """The last line of the standard error, '' without one."""
        return last_line(self.errors)


async def run(command: str, *, timeout_s: float) -> Ended:
    """Runs it to its end, or kills it after ``timeout_s`` seconds. Raises ProbeError where there is no shell."""
    async with _pipe() as (output, into_output), _pipe() as (errors, into_errors):
        try:
            process = await asyncio.create_subprocess_exec(
                SHELL,
                "-c",
                command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=into_output.fileno(),
                stderr=into_errors.fileno(),
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            raise ProbeError(f"the command can't be started by {SHELL}: {error}") from error
        finally:
            into_output.close()
            into_errors.close()
        return await _conversation(process, output, errors, timeout_s=timeout_s)


async def _conversation(process: asyncio.subprocess.Process, *outputs: asyncio.StreamReader, timeout_s: float) -> Ended:
    kept = [bytearray() for _ in outputs]
    reading = [asyncio.create_task(_read(stream, into)) for stream, into in zip(outputs, kept, strict=True)]
    status: int | None = None
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                status = await process.wait()
        _kill(process.pid)
        await asyncio.wait(reading, timeout=_LAST_WORDS_S)
    finally:
        _kill(process.pid)
        for task in reading:
            task.cancel()
        await asyncio.shield(asyncio.gather(process.wait(), *reading, return_exceptions=True))
    output, errors = (bytes(one).decode(errors="replace").strip() for one in kept)
    return Ended(status=status, output=output, errors=errors)


@contextlib.asynccontextmanager
async def _pipe() -> AsyncIterator[tuple[asyncio.StreamReader, IO[bytes]]]:
    """Of our own: by asyncio's a process has not ended before everybody has let go of its outputs."""
    reading_end, writing_end = os.pipe()
    writing = os.fdopen(writing_end, "wb", buffering=0)
    reader = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(reading_end, "rb", buffering=0)
    )
    try:
        yield reader, writing
    finally:
        writing.close()
        transport.close()


def last_line(text: str) -> str:
    """Of what a program complained, the line that tells most; '' without one."""
    lines = text.strip().splitlines()
    return lines[-1].strip() if lines else ""


async def _read(stream: asyncio.StreamReader, into: bytearray) -> None:
    while piece := await stream.read(_PIECE):
        into += piece[: LARGEST - len(into)]


def _kill(group: int) -> None:
    """A group lives as long as any process of it, and its number is not given away before."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)
