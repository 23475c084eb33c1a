"""The journal of a session on the node: how to undo what is about to be done, written before the first change.

It lies in a folder of the host that a reboot empties, as a reboot undoes most of what it tells of; the recipes stand in
the ledger, too. Who undoes the session removes it.
"""

import contextlib
import json
import os
from pathlib import Path
from typing import Any

from .contract import FaultError, Undo

FOLDER = Path("/run/litmus")


def write(session: str, *, mechanism: str, recipes: list[tuple[str, Undo]]) -> None:
    """Returns when it is on the disk. Raises FaultError when it can't be written: then nothing may be touched."""
    content = {"mechanism": mechanism, "recipes": [{"name": name, "undo": dict(undo)} for name, undo in recipes]}
    final, draft = path(session), FOLDER / f".{session}"
    try:
        FOLDER.mkdir(mode=0o700, parents=True, exist_ok=True)
        with draft.open("w") as file:
            json.dump(content, file)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(final)
    except OSError as error:
        _unlink(draft)
        raise FaultError(
            f"the journal {final} can't be written: {error.strerror}; the helper needs {FOLDER}"
        ) from error


def read(session: str) -> list[tuple[str, Undo]] | None:
    """The recipes by target, None when there is no journal: nothing was changed, or everything was undone."""
    try:
        content: dict[str, Any] = json.loads(path(session).read_text())
        return [(str(entry["name"]), entry["undo"]) for entry in content["recipes"]]
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FaultError(f"the journal {path(session)} can't be read: {error}") from error


def remove(session: str) -> None:
    """Everything is undone. Raises nothing: what is told by a journal that stays can be undone once more."""
    _unlink(path(session))


def _unlink(file: Path) -> None:
    with contextlib.suppress(OSError):
        file.unlink()


def path(session: str) -> Path:
    """Where it lies. Raises FaultError when the name of the session is none."""
    if not session.replace("-", "").isalnum():
        raise FaultError(f"session {session!r} is no name of letters and digits")
    return FOLDER / f"{session}.json"
