"""Where the learner is. It lies in the sandbox's folder, so it goes when the sandbox goes."""

from pathlib import Path

import msgspec

_FILE = "course.json"


class Progress(msgspec.Struct, kw_only=True):
    """The step (its id) and the number of its task, and what was seen on the way there."""

    step: str = ""
    task: int = 0
    facts: dict[str, str] = {}


def load(folder: Path) -> Progress:
    """What is remembered; a fresh start when nothing is, or nothing readable."""
    try:
        return msgspec.json.decode((folder / _FILE).read_bytes(), type=Progress)
    except (OSError, msgspec.DecodeError):
        return Progress()


def save(folder: Path, progress: Progress) -> None:
    """Remembers it in one step, so that a reader never sees half of it. A folder that is gone stays gone."""
    partial = folder / f"{_FILE}.partial"
    try:
        partial.write_bytes(msgspec.json.encode(progress))
        partial.replace(folder / _FILE)
    except FileNotFoundError:
        return
