"""Docker image archives out of folders, byte for byte the same for the same input.

Why by hand: there is neither a Docker engine nor root where the image is built, and the format is only a tar of tars
with two JSON documents. Each layer is the tar of one folder. What would differ from one machine to the next (owners,
times, umask, order) is normalised, so that a layer that did not change keeps its digest and is not pushed or pulled
again.

It refuses to know what is in the folders.
"""

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

EPOCH_S = 315_532_800  # 1980-01-01, the earliest time that zip files can express as well
EPOCH = "1980-01-01T00:00:00Z"
STICKY = frozenset({"tmp", "var/tmp"})


@dataclass(frozen=True, slots=True)
class Layer:
    """The tar of a file system, and the words that `docker history` shows for it."""

    path: Path
    created_by: str
    digest: str  # sha256:… of the uncompressed tar, what the configuration calls its diff_id

    @classmethod
    def of(cls, path: Path, *, created_by: str) -> "Layer":
        """The layer in the tar `path`."""
        with path.open("rb") as stream:
            return cls(path, created_by, "sha256:" + hashlib.file_digest(stream, "sha256").hexdigest())


@dataclass(frozen=True, slots=True)
class Image:
    """Layers from the bottom up, and how a container starts: `settings` is the OCI format's Env, Entrypoint, …"""

    layers: Sequence[Layer]
    settings: Mapping[str, Any]
    architecture: str = "amd64"

    def config(self) -> bytes:
        """The image's configuration document; its digest is the identity of the image."""
        document = {
            "architecture": self.architecture,
            "os": "linux",
            "created": EPOCH,
            "config": dict(self.settings),
            "rootfs": {"type": "layers", "diff_ids": [layer.digest for layer in self.layers]},
            "history": [{"created": EPOCH, "created_by": layer.created_by} for layer in self.layers],
        }
        return json.dumps(document, sort_keys=True).encode()

    def digest(self) -> str:
        """Hexadecimal SHA-256 of the configuration, the image id that container runtimes show."""
        return hashlib.sha256(self.config()).hexdigest()


def write_layer(root: Path, out: Path) -> None:
    """Write everything below `root` to the tar `out`, which appears complete or not at all: later builds trust it."""
    unfinished = out.with_name(out.name + ".unfinished")
    with tarfile.open(unfinished, "w", format=tarfile.PAX_FORMAT) as tar:
        for path in sorted(root.rglob("*")):
            info = _normalised(tar.gettarinfo(path, arcname=str(path.relative_to(root))))
            if info.isreg():
                with path.open("rb") as stream:
                    tar.addfile(info, stream)
            else:
                tar.addfile(info)
    unfinished.replace(out)


def write_archive(image: Image, out: Path, *, tags: Sequence[str]) -> None:
    """Write `image` as the docker archive `out`, in the form of `docker save`, with `tags` such as `name:1.0`."""
    config = image.config()
    names = [layer.digest.removeprefix("sha256:") + ".tar" for layer in image.layers]
    manifest = [{"Config": f"{image.digest()}.json", "RepoTags": list(tags), "Layers": names}]
    unfinished = out.with_name(out.name + ".unfinished")
    with tarfile.open(unfinished, "w", format=tarfile.PAX_FORMAT) as tar:
        _add_bytes(tar, f"{image.digest()}.json", config)
        for name, layer in zip(names, image.layers, strict=True):
            with layer.path.open("rb") as stream:
                tar.addfile(_normalised(tar.gettarinfo(layer.path, arcname=name)), stream)
        _add_bytes(tar, "manifest.json", json.dumps(manifest).encode())
    unfinished.replace(out)


def _add_bytes(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    tar.addfile(_normalised(info), io.BytesIO(data))


def _normalised(info: tarfile.TarInfo) -> tarfile.TarInfo:
    info.uid = info.gid = 0
    info.uname = info.gname = ""
    info.mtime = EPOCH_S
    if info.isdir():
        info.mode = 0o1777 if info.name in STICKY else 0o755
    elif info.issym():
        info.mode = 0o777
    else:
        info.mode = 0o755 if info.mode & 0o111 else 0o644  # setuid goes too: nothing here is for another user than root
    return info
