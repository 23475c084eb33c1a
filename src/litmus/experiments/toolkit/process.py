"""The Chaos Toolkit as a child process: given an experiment and an environment, it leaves a journal.

It is a process of its own because its libraries are large and its experiments may do anything; it gets a deadline, and
when the run is aborted a SIGTERM, at which it plays its rollbacks before it ends.
"""

import asyncio
import contextlib
import importlib.util
import json
import logging
import os
import signal
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .. import verdicts

log = logging.getLogger(__name__)

# How long it may take for its rollbacks after SIGTERM, in seconds; a pod has 30 s to end.
_ROLLBACK_S = 20.0
_TAIL = 600


async def run(
    document: Mapping[str, Any],
    *,
    env: Mapping[str, str],
    kubeconfig: Mapping[str, Any],
    deadline_s: float,
) -> dict[str, Any]:
    """The journal. Raises CannotRun when there is none, or the toolkit takes longer than ``deadline_s``."""
    if importlib.util.find_spec("chaostoolkit") is None or importlib.util.find_spec("chaosk8s") is None:
        raise verdicts.CannotRun(
            "the Chaos Toolkit is not installed; install litmus-py[chaostoolkit] or use the litmus image",
            code=verdicts.INJECT,
        )
    with tempfile.TemporaryDirectory(prefix="litmus-toolkit-") as folder:
        place = Path(folder)
        (place / "experiment.json").write_text(json.dumps(document), encoding="utf-8")
        _private(place / "kubeconfig", json.dumps(kubeconfig))
        said = await _to_its_end(place, _environment(env, place), deadline_s=deadline_s)
        try:
            journal: dict[str, Any] = json.loads((place / "journal.json").read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise verdicts.CannotRun(f"the Chaos Toolkit left no journal: {said}", code=verdicts.INJECT) from error
        return journal


def _environment(env: Mapping[str, str], place: Path) -> dict[str, str]:
    """Ours, what the experiment asks for, and how it logs in to the cluster: the same way as we do."""
    return {
        **os.environ,
        **env,
        "HOME": str(place),
        "KUBECONFIG": str(place / "kubeconfig"),
        # Its Kubernetes extension does not verify certificates unless told to.
        "KUBERNETES_VERIFY_SSL": "true",
    }


async def _to_its_end(place: Path, env: Mapping[str, str], *, deadline_s: float) -> str:
    """Runs it; the end of what it said, on one line."""
    command = [sys.executable, "-m", "chaostoolkit", "--no-version-check", "--no-log-file", "run"]
    command += ["--journal-path", "journal.json", "--rollback-strategy", "always", "experiment.json"]
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=place,
        env=dict(env),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), deadline_s)
    except TimeoutError as error:
        raise verdicts.CannotRun(
            f"the Chaos Toolkit did not end within {deadline_s:g} s; set TOOLKIT_TIMEOUT for a longer experiment",
            code=verdicts.TIMEOUT,
        ) from error
    finally:
        await asyncio.shield(_ended(process))
    text = output.decode(errors="replace")
    for line in text.splitlines():
        log.info("chaostoolkit", extra={"said": line})
    return " ".join(text.split())[-_TAIL:]


async def _ended(process: asyncio.subprocess.Process) -> None:
    """Ends what still runs: first it may roll back, then it and all that it started are killed."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), _ROLLBACK_S)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()


def _private(path: Path, text: str) -> None:
    """A file that nobody else may read, because it may hold a token."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
