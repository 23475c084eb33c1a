"""The one way to call another program: an argument list, a deadline, captured output, never a shell."""

import subprocess
from collections.abc import Callable, Mapping, Sequence

from .contract import FaultError

DEADLINE_S = 10.0


def run(
    command: Sequence[str],
    *,
    deadline_s: float = DEADLINE_S,
    stdin: str = "",
    env: Mapping[str, str] | None = None,
    before: Callable[[], None] | None = None,
) -> str:
    """Standard output. Raises FaultError with the program's own words when it fails, hangs or is not there."""
    done = attempt(command, deadline_s=deadline_s, stdin=stdin, env=env, before=before)
    if done.returncode:
        said = " ".join((done.stderr or done.stdout).split())
        raise FaultError(f"{' '.join(command)}: exit status {done.returncode}: {said}")
    return done.stdout


def attempt(
    command: Sequence[str],
    *,
    deadline_s: float = DEADLINE_S,
    stdin: str = "",
    env: Mapping[str, str] | None = None,
    before: Callable[[], None] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Like ``run``, but the caller looks at the exit status. Raises FaultError when there is none.

    ``before`` runs in the new process ahead of the program, for instance to enter a namespace that the program is then
    found in.
    """
    try:
        return subprocess.run(
            list(command),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=deadline_s,
            check=False,
            env=env,
            preexec_fn=before,
        )
    except FileNotFoundError as error:
        raise FaultError(f"there is no {command[0]} here; use the litmus image, which has it") from error
    except subprocess.TimeoutExpired as error:
        raise FaultError(f"{' '.join(command)} did not end within {deadline_s:g} s") from error
    except OSError as error:
        raise FaultError(f"{command[0]} can't be started: {error.strerror}") from error
    except subprocess.SubprocessError as error:
        raise FaultError(f"{command[0]} can't be started: {error}") from error
