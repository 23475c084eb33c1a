"""Which command an image stands for: the built-in names, and those of ``images.json`` in the sandbox's state folder.

A name of the file wins over a built-in one. A full match (registry, repository and tag) wins over the repository alone.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from . import built_in, reference
from .image import Image

FORMAT = 1


class Malformed(ValueError):
    """The file is no table of images; the message names the file and the mistake."""


@dataclass(slots=True)
class Table:
    """Names and their images. ``path`` is where it is kept, None for one in memory only."""

    path: Path | None = None
    added: dict[str, Image] = field(default_factory=dict)
    _read_at: tuple[int, int] = (0, 0)

    @classmethod
    def load(cls, path: Path) -> Self:
        """The table of a file, which need not exist yet. Raises OSError and Malformed."""
        table = cls(path)
        table.refresh()
        return table

    def refresh(self) -> None:
        """Reads the file again if somebody changed it. Raises OSError and Malformed."""
        if self.path is None or not self.path.exists():
            return
        status = self.path.stat()
        version = (status.st_mtime_ns, status.st_ino)
        if version != self._read_at:
            self.added = _decoded(self.path)
            self._read_at = version

    def save(self) -> None:
        """Writes the file in one step, so that a node never reads half of it. Raises OSError."""
        if self.path is None:
            return
        known = {name: asdict(image) for name, image in sorted(self.added.items())}
        beside = self.path.with_suffix(f".{os.getpid()}.tmp")
        beside.write_text(json.dumps({"format": FORMAT, "images": known}, indent=1) + "\n")
        beside.replace(self.path)
        status = self.path.stat()
        self._read_at = (status.st_mtime_ns, status.st_ino)

    def add(
        self,
        name: str,
        command: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        programs: Mapping[str, Sequence[str]] | None = None,
        folders: Iterable[str] = (),
        working_dir: str = "",
        stop_signal: str = "",
    ) -> Image:
        """Maps a name to a command; ``{ip}`` and ``{port:80}`` in it become the pod's address and the port's number.

        ``folders`` come first on the PATH; ``programs`` are commands that containers find by name there.
        Raises reference.Invalid for a name that no manifest could use. The file is written by ``save``.
        """
        reference.parse(name)
        image = Image(
            cmd=tuple(command),
            env=dict(env or {}),
            programs={word: tuple(words) for word, words in (programs or {}).items()},
            folders=tuple(folders),
            working_dir=working_dir,
            stop_signal=stop_signal,
        )
        self.added[name] = image
        return image

    def find(self, text: str) -> Image | None:
        """The image that a manifest's name means, None when nobody said. Raises reference.Invalid."""
        wanted = reference.parse(text)
        for names in (self.added, built_in.images()):
            found = _match(names, text, wanted)
            if found is not None:
                return names[found]
        return None

    def __iter__(self) -> Iterator[tuple[str, Image, bool]]:
        """Name, image, and whether it was added; in the order of the names."""
        merged = {name: (image, False) for name, image in built_in.images().items()}
        merged |= {name: (image, True) for name, image in self.added.items()}
        for name, (image, own) in sorted(merged.items()):
            yield name, image, own


def digest(image: Image) -> str:
    """``sha256:…``: two equal images have the same one."""
    return "sha256:" + hashlib.sha256(json.dumps(asdict(image), sort_keys=True).encode()).hexdigest()


def _match(names: Mapping[str, Image], text: str, wanted: reference.Reference) -> str | None:
    if text in names:
        return text
    parsed = {name: reference.parse(name) for name in names}
    tests = (
        lambda known: str(known) == str(wanted),
        lambda known: known.name == wanted.name,
        lambda known: known.short == wanted.short,
    )
    for test in tests:
        for name, known in parsed.items():
            if test(known):
                return name
    return None


def _decoded(path: Path) -> dict[str, Image]:
    try:
        written = json.loads(path.read_text())
        if written["format"] != FORMAT:
            raise Malformed(f"{path}: format {written['format']} is not known here, this version reads {FORMAT}")
        return {name: _image(fields) for name, fields in written["images"].items()}
    except (KeyError, TypeError, AttributeError, json.JSONDecodeError) as error:
        raise Malformed(f"{path} is no table of images: {error!r}") from error


def _image(fields: dict[str, Any]) -> Image:
    known = replace(Image(), **fields)
    return replace(
        known,
        entrypoint=tuple(known.entrypoint),
        cmd=tuple(known.cmd),
        folders=tuple(known.folders),
        programs={word: tuple(words) for word, words in known.programs.items()},
    )
