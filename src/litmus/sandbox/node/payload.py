"""Files of a volume that is replaced as a whole: a reader sees the old set or the new one, never a mixture.

The layout is that of real nodes: the files are in a folder with a name of its own, ``..data`` is a link to that folder
and each file a link through ``..data``; a new set is one rename of ``..data``. Programs that watch ``..data`` work.
Source: the atomic writer of Kubernetes, pkg/volume/util/atomic_writer.go.
"""

import os
import secrets
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

DATA = "..data"


class File(NamedTuple):
    """``mode`` as in a manifest: the permission bits."""

    content: bytes
    mode: int = 0o644


def write(folder: Path, files: Mapping[str, File]) -> bool:
    """Makes the folder hold exactly these files (relative path → file); whether that changed anything.

    Raises OSError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    data = folder / DATA
    before = data.resolve() if data.is_symlink() else None
    if before is not None and current(before) == dict(files):
        return False
    fresh = folder / f"..{datetime.now(UTC):%Y_%m_%d_%H_%M_%S}.{secrets.randbelow(10**10):010}"
    for path, file in files.items():
        place = fresh / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(file.content)
        place.chmod(file.mode)
    fresh.mkdir(exist_ok=True)
    beside = folder / "..data_tmp"
    beside.unlink(missing_ok=True)
    beside.symlink_to(fresh.name)
    beside.replace(data)
    _link(folder, {path.partition("/")[0] for path in files})
    if before is not None:
        shutil.rmtree(before, ignore_errors=True)
    return True


def current(folder: Path) -> dict[str, File]:
    """What a set holds; {} when it can't be read."""
    found = {}
    for parent, _, names in os.walk(folder):
        for name in names:
            place = Path(parent, name)
            path = str(place.relative_to(folder))
            found[path] = File(place.read_bytes(), place.stat().st_mode & 0o7777)
    return found


def _link(folder: Path, names: set[str]) -> None:
    for name in names:
        link = folder / name
        if not link.is_symlink():
            link.symlink_to(f"{DATA}/{name}")
    for known in folder.iterdir():
        if known.is_symlink() and known.name not in names and not known.name.startswith(".."):
            known.unlink()
