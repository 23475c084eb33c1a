"""The base layer: a Debian file system of a few named packages and what they depend on.

apt itself works out the closure, against an empty package database and with state of its own, so that it needs no root
and does not see what this machine happens to have installed. The packages are then unpacked, not installed: nothing of
them is run, and the little of their maintainer scripts that an image needs is done here, in `complete`.

The machine's own package sources are used. They have to be those of Debian 12, because the locked Python packages are
for its Python 3.11; on any other system build with the Dockerfile beside this file.
"""

import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

PYTHON = "python3.11"
MERGED = ("bin", "sbin", "lib", "lib64")  # packages still ship /bin, /lib, …; on Debian 12 these are links into /usr

# What no container of ours reads; sitecustomize.py looks for Ubuntu's crash reporter at every start of Python.
UNWANTED = (
    *("usr/share/" + name for name in ("info", "lintian", "locale", "man", "pixmaps", "applications", "bug", "i18n")),
    "usr/lib/*/gconv",
    f"usr/lib/{PYTHON}/lib2to3",
    f"usr/lib/{PYTHON}/pydoc_data",
    f"usr/lib/{PYTHON}/sitecustomize.py",
    f"usr/lib/{PYTHON}/test",
    f"etc/{PYTHON}",
)

FILES = {
    "etc/passwd": (
        "root:x:0:0:root:/root:/bin/bash\n"
        "litmus:x:65532:65532:litmus:/nonexistent:/usr/sbin/nologin\n"  # ssh has to find its user's name
        "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
    ),
    "etc/group": "root:x:0:\nlitmus:x:65532:\nnogroup:x:65534:\n",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
}
FOLDERS = ("dev", "etc", "proc", "root", "run", "sys", "tmp", "usr/local/bin", "var/tmp", "var/log")

APT_CONF = """\
Dir::State "{work}/state";
Dir::State::status "{work}/status";
Dir::Cache "{work}/cache";
Dir::Log "{work}";
APT::Sandbox::User "root";
APT::Install-Recommends "false";
Acquire::Languages "none";
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
"""


@dataclass(frozen=True, slots=True)
class Packages:
    """What `packages.txt` says; the form of its lines stands at its top."""

    wanted: Sequence[str]
    left_out: frozenset[str]
    unwanted: Sequence[str]  # patterns of paths, without the slash at their start
    links: Mapping[str, str]

    @classmethod
    def parse(cls, text: str) -> Self:
        """The list in `text`; an empty line or a comment says nothing."""
        lines = [line.partition("#")[0].strip() for line in text.splitlines()]
        links = dict(line.split(" -> ") for line in lines if line.startswith("/"))
        without = [line[1:] for line in lines if line.startswith("-")]
        left_out = frozenset(name for name in without if not name.startswith("/"))
        unwanted = [pattern[1:] for pattern in without if pattern.startswith("/")]
        return cls([line for line in lines if line and line[0] not in "/-"], left_out, unwanted, links)


def download(packages: Packages, work: Path) -> list[Path]:
    """Fetch the closure of the packages into `work`, and return the files of those that are not left out."""
    for folder in ("state/lists/partial", "cache/archives/partial"):
        (work / folder).mkdir(parents=True)
    (work / "status").touch()
    (work / "apt.conf").write_text(APT_CONF.format(work=work))
    apt_get = ["apt-get", "-qq", "-c", str(work / "apt.conf")]
    _run([*apt_get, "update"])
    _run([*apt_get, "install", "--yes", "--download-only", *packages.wanted])
    archives = sorted((work / "cache/archives").glob("*.deb"))
    return [path for path in archives if path.name.partition("_")[0] not in packages.left_out]


def unpack(archives: Iterable[Path], rootfs: Path) -> None:
    """Unpack Debian packages into the new folder `rootfs`, whose /bin, /sbin and /lib are links into /usr."""
    for name in MERGED:
        (rootfs / "usr" / name).mkdir(parents=True)
        (rootfs / name).symlink_to(f"usr/{name}")
    into = ["tar", "-x", "-C", str(rootfs), "--keep-directory-symlink", "--no-same-owner", "--no-same-permissions"]
    for archive in archives:
        with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(archive)], stdout=subprocess.PIPE) as stream:
            subprocess.run(into, stdin=stream.stdout, check=True)
        if stream.returncode:
            raise SystemExit(f"{archive.name} cannot be unpacked")
    if not (rootfs / "usr/bin" / PYTHON).exists():
        raise SystemExit(f"this machine's package sources have no {PYTHON}: build with deploy/image/Dockerfile instead")


def complete(rootfs: Path, packages: Packages) -> None:
    """Do what the packages' installation would have done, and take away what no container of ours reads."""
    for pattern in (*UNWANTED, *packages.unwanted):
        for path in rootfs.glob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    for path in rootfs.glob("usr/share/doc/*/*"):
        if path.name != "copyright":  # the licences stay, as in Debian's own slim images
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    for folder in FOLDERS:
        (rootfs / folder).mkdir(parents=True, exist_ok=True)
    for name, text in FILES.items():
        (rootfs / name).write_text(text)
    certificates = rootfs / "usr/share/ca-certificates"
    bundle = rootfs / "etc/ssl/certs/ca-certificates.crt"
    bundle.write_text("".join(path.read_text() for path in sorted(certificates.rglob("*.crt"))))
    shutil.rmtree(certificates)
    for name, target in packages.links.items():
        link = rootfs / name.lstrip("/")
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(target)


def compile_python(rootfs: Path, folder: Path, *, seen_as: str) -> None:
    """Write the bytecode of `folder`, which containers see as the path `seen_as`, with the Python of `rootfs` itself.

    Debian would compile on installation, and a container cannot keep what it compiles itself. "Unchecked": an image
    never changes, so its Python need not compare source and bytecode; who tries out a changed module in a container
    removes the .pyc too. One process and a fixed hash seed give the same bytes again. The interpreter is started by its
    own dynamic linker, so that the machine's C library does not matter.
    """
    libraries = next(rootfs.glob("usr/lib/*-linux-gnu*"))
    linker = next(libraries.glob("ld-linux-*.so.*"))
    interpreter = [str(linker), "--library-path", str(libraries), str(rootfs / "usr/bin" / PYTHON), "-S"]
    options = ["-q", "-f", "--invalidation-mode", "unchecked-hash", "-s", str(folder), "-p", seen_as]
    environment = {"PATH": os.environ["PATH"], "PYTHONHOME": str(rootfs / "usr"), "PYTHONHASHSEED": "0"}
    _run([*interpreter, "-m", "compileall", *options, str(folder)], env=environment)


def _run(command: Sequence[str], *, env: Mapping[str, str] | None = None) -> None:
    done = subprocess.run(command, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
