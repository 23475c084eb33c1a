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

from litmus.sandbox.node import processes

log = logging.getLogger(__name__)

STOP_DEADLINE_S = 6.0
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)


def _die_with_parent() -> None:
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


@dataclass(slots=True)
class Children:
    """Starts the children and ends them. ``mark``: the sandbox's folder, in the environment of all of them."""

    mark: Path
    logs: Path
    _running: dict[str, asyncio.subprocess.Process] = field(default_factory=dict)

    async def start(self, name: str, module: str, *arguments: str) -> None:
        """Starts ``python -m module`` with its output in the log of that name."""
        self.logs.mkdir(parents=True, exist_ok=True)
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
                env=self._environment(),
                preexec_fn=_die_with_parent,
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

    def janitor(self) -> int:
        """Starts the janitor; returns the end of the pipe that keeps it waiting."""
        read_end, write_end = os.pipe()
        with (self.logs / "janitor.log").open("ab") as output:
            subprocess.Popen(
                [sys.executable, "-P", "-m", "litmus.sandbox.control.janitor", str(self.mark)],
                stdin=read_end,
                stdout=output,
                stderr=output,
                start_new_session=True,
                env=_python_environment(),
            )
        os.close(read_end)
        return write_end

    def _environment(self) -> Mapping[str, str]:
        return {**_python_environment(), processes.SANDBOX: str(self.mark)}


def _python_environment() -> dict[str, str]:
    """Our own environment without what belongs to the user's shell and would mislead the pods."""
    return {name: value for name, value in os.environ.items() if name not in ("KUBECONFIG", "PYTHONPATH")}
