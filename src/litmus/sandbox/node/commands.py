"""Commands that are run in a container to their end: probes and hooks of the kind exec."""

import asyncio
import os
import signal
import subprocess
from dataclasses import dataclass, replace

from . import container, spawning

OUTPUT_MAX = 10 * 1024


@dataclass(frozen=True, slots=True)
class Outcome:
    """``code`` is 128 + signal after a signal; ``output`` has both streams, cut at OUTPUT_MAX bytes."""

    code: int
    output: str


async def run(command: spawning.Command, *, timeout_s: float) -> Outcome:
    """Runs it. Raises TimeoutError after killing it, and spawning.NotStarted."""
    ours, theirs = os.pipe()
    collected = bytearray()
    try:
        process = await spawning.spawn(replace(command, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs))
    except BaseException:
        os.close(ours)
        raise
    finally:
        os.close(theirs)
    drained = container.pump(ours, lambda chunk: collected.extend(chunk[: OUTPUT_MAX - len(collected)]))
    try:
        async with asyncio.timeout(timeout_s):
            status = await process.wait()
            await drained
    except BaseException:
        process.send_group(signal.SIGKILL)
        await process.wait()
        raise
    finally:
        drained.cancel()
    return Outcome(128 - status if status < 0 else status, collected.decode(errors="replace"))
