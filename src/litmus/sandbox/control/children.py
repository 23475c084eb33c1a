"""The processes beside the control process: one for each node, the service proxy, and the janitor.

A child gets SIGTERM when the control process ends (PR_SET_PDEATHSIG, prctl(2)), so that it can end its containers, and
carries the sandbox's mark, by which the janitor finds those that could not.
"""

import asyncio
import ctypes
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from litmus.sandbox.lifecycle import launch
from litmus.sandbox.node import processes

log = logging.getLogger(__name__)

STOP_DEADLINE_S = 6.0
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)
# What belongs to the user's shell, to the control process alone, or to another sandbox that we run in.
_NOT_FOR_CHILDREN = ("KUBECONFIG", "PYTHONPATH", launch.CONTROL, processes.NODE, processes.CONTAINER)

# aiohttp reads the machine's authorities when it is imported, a sixth of the start of a node; it speaks TLS to our own
# API server only, by the kubeconfig's authority. Containers get an environment of their own.
_TRUST_NOBODY = {"SSL_CERT_FILE": os.devnull}


@dataclass(slots=True)
class Children:
    """Starts the children and ends them. ``mark``: the sandbox's folder, in the environment of all of them."""

    mark: Path
    logs: Path
    _running: dict[str, asyncio.subprocess.Process] = field(default_factory=dict)

    async def start(self, name: str, module: str, *arguments: str) -> None:
        """Starts ``python -m module`` with its output in the log of that name."""
        parent = os.getpid()

        def die_with_parent() -> None:
            _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
            if os.getppid() != parent:
                os._exit(255)  # it ended before it could tell

        with (self.logs / f"{name}.log").open("ab") as output:
            self._running[name] = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",
                "-m",
                module,
                *arguments,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd="/",
                env={**environment(), processes.SANDBOX: str(self.mark), **_TRUST_NOBODY},
                preexec_fn=die_with_parent,
                start_new_session=True,
            )

    def running(self, name: str) -> bool:
        process = self._running.get(name)
        return process is not None and process.returncode is None

    async def ended(self, name: str) -> int:
        """Waits for the end of a child; its exit status."""
        return await self._running[name].wait()

    async def stop(self) -> None:
        """SIGTERM to all, SIGKILL to those that take longer than STOP_DEADLINE_S."""
        alive = [process for process in self._running.values() if process.returncode is None]
        for process in alive:
            process.terminate()
        try:
            async with asyncio.timeout(STOP_DEADLINE_S):
                for process in alive:
                    await process.wait()
        except TimeoutError:
            for process in alive:
                if process.returncode is None:
                    log.warning("process %d did not end within %g s and is killed", process.pid, STOP_DEADLINE_S)
                    process.kill()
                    await process.wait()


def environment() -> Mapping[str, str]:
    """Our own environment without what would mislead the children and their pods."""
    return {name: value for name, value in os.environ.items() if name not in _NOT_FOR_CHILDREN}
