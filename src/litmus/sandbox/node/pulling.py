"""Images on a node: "pulled" means that the sandbox knows what the name stands for and its programs are in place.

Pull policies are those of Kubernetes; whatever the table knows counts as loaded, so ``Never`` finds it.
"""

import os
import shlex
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from litmus.sandbox.images import reference, table
from litmus.sandbox.images.image import Image


class Refused(Exception):
    """The image can't be had. ``reason`` is the state's word, the message says why and what to do."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulled:
    """``name`` and ``id`` as a status names them; ``folders`` go in front of PATH; ``size`` is in bytes."""

    image: Image
    name: str
    id: str
    folders: tuple[str, ...]
    size: int
    fresh: bool
    """Whether this was the first use on the node."""


@dataclass(slots=True)
class Images:
    """``folder`` gets a folder of programs for each image."""

    table: table.Table
    folder: Path
    known: dict[str, Pulled] = field(default_factory=dict)

    def pull(self, text: str, policy: str) -> Pulled:
        """Raises Refused; OSError when programs can't be written."""
        try:
            parsed = reference.parse(text)
        except reference.Invalid as error:
            quoted = f'"{text}"'
            raise Refused(
                "InvalidImageName",
                f"Failed to apply default image tag {quoted}: couldn't parse image reference {quoted}: {error}",
            ) from error
        self.table.refresh()
        image = self.table.find(text)
        if image is None:
            if policy == "Never":
                raise Refused("ErrImageNeverPull", f'Container image "{text}" is not present with pull policy of Never')
            raise Refused(
                "ErrImagePull",
                f'failed to pull and unpack image "{parsed}": the sandbox does not know what to run for it; '
                f"say so with: litmus sandbox image add {text} -- COMMAND",
            )
        digest = table.digest(image)
        before = self.known.get(str(parsed))
        fresh = before is None or not before.id.endswith(digest)
        pulled = Pulled(
            image=image,
            name=str(parsed),
            id=f"{parsed.name}@{digest}",
            folders=(str(self._programs(image, digest)), *image.folders) if image.programs else image.folders,
            size=_size(image),
            fresh=fresh or policy == "Always",
        )
        self.known[str(parsed)] = pulled
        return pulled

    def _programs(self, image: Image, digest: str) -> Path:
        """A folder with a script for each program, so that shells find them as well."""
        folder = self.folder / digest.partition(":")[2][:16]
        if not folder.exists():
            beside = folder.with_suffix(f".{os.getpid()}.tmp")
            beside.mkdir(parents=True, exist_ok=True)
            for word, command in image.programs.items():
                script = beside / word
                script.write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n')
                script.chmod(0o755)
            beside.replace(folder)
        return folder


def _size(image: Image) -> int:
    """The bytes of what it runs: something honest to show where a registry would say its layers' size."""
    total = 0
    for command in (image.entrypoint or image.cmd, *image.programs.values()):
        path = shutil.which(command[0]) if command else None
        if path:
            total = max(total, Path(path).stat().st_size)
    return total
