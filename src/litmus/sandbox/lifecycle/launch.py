"""Starting a sandbox in the background, and ending it.

``up`` starts the control process in a session of its own and waits for what that writes into a pipe: a JSON line that
says that it is ready, or why it can't be. ``down`` asks it to end and waits until it is gone; a sandbox whose control
process died without its janitor is cleared here.
"""

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from litmus.sandbox.images.image import Image
from litmus.sandbox.images.table import Table

from .errors import SandboxError
from .folder import Folder, Settings

READY_DEADLINE_S = 60.0
DOWN_DEADLINE_S = 30.0
MODULE = "litmus.sandbox.control"
# Signal and look again: a process that is not our child can't be waited for otherwise where pidfd_open(2) is missing.
_LOOK_AGAIN_S = 0.05


class Report(msgspec.Struct, omit_defaults=True):
    """What the control process says to the one who started it."""

    ready: bool = False
    error: str = ""


@dataclass(frozen=True, slots=True)
class State:
    """A sandbox as it is found."""

    folder: Folder
    settings: Settings | None
    running: bool


def look(folder: Folder) -> State:
    """What there is in a folder."""
    settings = folder.load()
    return State(folder, settings, settings is not None and alive(settings.pid, folder.path))


def alive(pid: int, folder: Path) -> bool:
    """Whether the process of that pid is the control process of that folder (a pid is used again one day)."""
    if pid <= 0:
        return False
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        return (
            os.fsencode(folder) in words and Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
        )
    except OSError:
        return False


def prepare(folder: Folder, settings: Settings, *, images: Mapping[str, Image]) -> Settings:
    """Claims the folder for a new start; returns the settings to start with. Raises SandboxError when it is in use."""
    found = look(folder)
    if found.running:
        raise SandboxError(
            f"the sandbox {settings.name!r} is already up; use it with: export KUBECONFIG={folder.kubeconfig} "
            f"(or end it with: litmus sandbox down{_named(settings)})"
        )
    earlier = found.settings
    if earlier is not None and not (earlier.persist and not earlier.pid):
        raise SandboxError(
            f"{folder.path} is left over from a sandbox that did not end well; "
            f"clear it with: litmus sandbox down{_named(settings)}"
        )
    if earlier is not None and not settings.persist:
        raise SandboxError(
            f"{folder.path} keeps the objects of an earlier sandbox; go on from them with --persist, "
            f"or clear them with: litmus sandbox down{_named(settings)}"
        )
    if earlier is not None:
        settings.port = settings.port or earlier.port
        settings.network = earlier.network
    folder.save(settings)
    table = Table.load(folder.images)
    table.added |= images
    table.save()
    return settings


def up(folder: Folder, settings: Settings, *, images: Mapping[str, Image]) -> None:
    """Starts a sandbox in the background and returns when its nodes are Ready; ``images`` come on top of the built-in
    ones. Raises SandboxError.
    """
    prepare(folder, settings, images=images)
    folder.logs.mkdir(exist_ok=True)
    read_end, write_end = os.pipe()
    with (folder.logs / "control.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", MODULE, str(folder.path), str(write_end)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[write_end],
            start_new_session=True,
            cwd="/",
        )
    os.close(write_end)
    try:
        report = _report(read_end, deadline_s=READY_DEADLINE_S)
    except BaseException:
        process.terminate()
        raise
    finally:
        os.close(read_end)
    if report.ready:
        return
    process.terminate()
    process.wait()
    said = report.error or f"the control process ended early: {_last_line(folder)}"
    folder.clear(keep_objects=settings.persist)
    raise SandboxError(said)


def down(folder: Folder) -> bool:
    """Ends a sandbox and removes all of it; False when there was none. Raises SandboxError when it does not end."""
    from litmus.sandbox.control import janitor

    try:
        state = look(folder)
    except SandboxError:
        state = State(folder, Settings(), running=False)
    if state.settings is None and not folder.path.exists():
        return False
    if state.settings is not None and state.running:
        os.kill(state.settings.pid, signal.SIGTERM)
        _await_end(state.settings.pid, folder)
    elif folder.path.exists():
        if state.settings is not None:
            state.settings.persist = False
        janitor.clear(folder)
        folder.clear(keep_objects=False)
    return True


def start_nodes(settings: Settings) -> None:
    """Asks a running sandbox to start the nodes that are down."""
    os.kill(settings.pid, signal.SIGHUP)


def _await_end(pid: int, folder: Folder) -> None:
    """The janitor removes the folder after the control process is gone, so both have to be."""
    give_up = time.monotonic() + DOWN_DEADLINE_S
    while alive(pid, folder.path) or folder.logs.exists():
        if time.monotonic() > give_up:
            raise SandboxError(
                f"the sandbox (process {pid}) did not end within {DOWN_DEADLINE_S:g} s; "
                f"its log is {folder.logs / 'control.log'}"
            )
        time.sleep(_LOOK_AGAIN_S)


def _report(pipe: int, *, deadline_s: float) -> Report:
    """The one line that comes through the pipe; an empty Report when it closes without one."""
    give_up = time.monotonic() + deadline_s
    content = b""
    while not content.endswith(b"\n"):
        readable, _, _ = select.select([pipe], [], [], max(0.0, give_up - time.monotonic()))
        if not readable:
            return Report(error=f"the sandbox was not ready within {deadline_s:g} s; see: litmus sandbox logs")
        piece = os.read(pipe, 65536)
        if not piece:
            break
        content += piece
    return msgspec.json.decode(content, type=Report) if content else Report()


def _last_line(folder: Folder) -> str:
    try:
        lines = (folder.logs / "control.log").read_text(errors="replace").strip().splitlines()
    except OSError:
        lines = []
    return lines[-1] if lines else "it wrote nothing"


def _named(settings: Settings) -> str:
    return "" if settings.name == Settings().name else f" --name {settings.name}"
