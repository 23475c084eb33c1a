#!/usr/bin/env python3
"""Build the container image of litmus as the docker archive build/litmus-image.tar, with neither Docker nor root.

Four layers, from what seldom changes to what often does: the Debian packages of packages.txt, the locked Python
packages under /opt/litmus/lib, those of the extras, and litmus itself. The lower three are kept in build/cache by the
hash of what they are made of, so after a change of our code a build takes a second, and a push or
pull moves only the small layer on top.

The only line on standard output is a reference whose tag changes with the content, `litmus-py/litmus:VERSION-ID`:
nodes keep what they once pulled under a tag, so who tries out a build needs a tag of its own. The archive carries that
tag and the plain one.
"""

import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import archive
import debian

NAME = "litmus-py/litmus"
HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BUILD = ROOT / "build"
CACHE = BUILD / "cache"
LOCK = ROOT / "requirements/image.txt"
EXTRAS = ROOT / "requirements/image-extras.txt"
PACKAGE = ROOT / "src/litmus"

LIB = "opt/litmus/lib"
SITE = f"usr/local/lib/{debian.PYTHON}/dist-packages"
PLATFORMS = {"amd64": "x86_64-manylinux_2_36", "arm64": "aarch64-manylinux_2_36"}  # 2.36 is the C library of Debian 12
# Sources of extension modules, and lists of files that are no longer true.
UNUSED = frozenset({".c", ".h", ".pxd", ".pyi", ".pyx", "RECORD"})

# Of `botocore/data` (22 MB) nothing is asked for in the image but the services of disks and of logging in.
AWS_SERVICES = frozenset({"ec2", "sts", "sso", "sso-oidc", "signin"})
EC2_VERSION = "2016-11-15"  # the latest one; a client takes no other

# Entry point and not only command: `args: [operator]` is enough in a pod, and a pod that gives a `command` of its own,
# as the experiments of the original do with `/bin/bash -c "litmus experiment pod-delete"`, replaces it.
SETTINGS = {
    "Entrypoint": ["litmus"],
    "Env": [
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "LANG=C.UTF-8",
        "PYTHONUNBUFFERED=1",  # a log line is there when the pod is killed right after it
    ],
    "WorkingDir": "/",
}


def main() -> None:
    """Build what is not in the cache, write the archive, and print the reference with the content's tag."""
    architecture = _output("dpkg", "--print-architecture")
    base = cached("base", _key(HERE / "packages.txt", HERE / "debian.py", text=architecture), build_base)
    rootfs = base / "rootfs"
    libraries = cached(
        "libraries",
        _key(LOCK, HERE / "build.py", text=base.name),
        lambda out: build_libraries(out, rootfs, platform=PLATFORMS[architecture]),
    )
    extras = cached(
        "extras",
        _key(EXTRAS, HERE / "build.py", text=base.name),
        lambda out: build_extras(out, rootfs, platform=PLATFORMS[architecture]),
    )
    code = BUILD / "code.tar"
    build_code(code, rootfs)
    layers = [
        archive.Layer.of(base / "layer.tar", created_by="Debian packages of deploy/image/packages.txt"),
        archive.Layer.of(libraries / "layer.tar", created_by="Python packages of requirements/image.txt"),
        archive.Layer.of(extras / "layer.tar", created_by="Python packages of requirements/image-extras.txt"),
        archive.Layer.of(code, created_by="litmus"),
    ]
    image = archive.Image(layers, SETTINGS, architecture)
    out = BUILD / "litmus-image.tar"
    tag = f"{NAME}:{version()}"
    reference = f"{tag}-{image.digest()[:12]}"
    archive.write_archive(image, out, tags=[tag, reference])
    for layer in layers:
        print(f"{layer.path.stat().st_size / 1e6:7.1f} MB  {layer.created_by}", file=sys.stderr)
    print(f"{out.stat().st_size / 1e6:7.1f} MB  {out.relative_to(ROOT)} ({tag})", file=sys.stderr)
    print(reference)


def version() -> str:
    """The version of litmus, read and not imported: nothing of the project has to be installed for a build."""
    found = re.search(r'^__version__ = "(.+)"$', (PACKAGE / "__init__.py").read_text(), re.MULTILINE)
    if not found:
        raise SystemExit(f"{PACKAGE}/__init__.py has no __version__")
    return found[1]


def cached(kind: str, key: str, build: Callable[[Path], None]) -> Path:
    """The folder of the cache for `kind` and `key`, made by `build` when it is not there; older ones of the kind go."""
    folder = CACHE / f"{kind}-{key}"
    if not folder.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="unfinished-", dir=CACHE) as unfinished:
            build(Path(unfinished, "out"))
            Path(unfinished, "out").rename(folder)
        for other in CACHE.glob(f"{kind}-*"):
            if other != folder:
                shutil.rmtree(other)
    return folder


def build_base(out: Path) -> None:
    """The Debian layer; its unpacked form stays beside it, because its Python compiles the layers above."""
    rootfs = out / "rootfs"
    packages = debian.Packages.parse((HERE / "packages.txt").read_text())
    with tempfile.TemporaryDirectory() as work:
        debian.unpack(debian.download(packages, Path(work)), rootfs)
    debian.complete(rootfs, packages)
    debian.compile_python(rootfs, rootfs / "usr/lib" / debian.PYTHON, seen_as=f"/usr/lib/{debian.PYTHON}")
    archive.write_layer(rootfs, out / "layer.tar")


def build_libraries(out: Path, rootfs: Path, *, platform: str) -> None:
    """The layer of locked Python packages, and the line that puts them on the path of the image's Python.

    A .pth file and not PYTHONPATH: it also holds for a process that was started with an environment of its own, and
    does not leak into the programs that probes start.
    """
    tree = out / "tree"
    target = tree / LIB
    install(target, LOCK, platform=platform)
    (tree / SITE).mkdir(parents=True)
    (tree / SITE / "litmus.pth").write_text(f"/{LIB}\n")
    debian.compile_python(rootfs, target, seen_as=f"/{LIB}")
    archive.write_layer(tree, out / "layer.tar")
    shutil.rmtree(tree)


def build_extras(out: Path, rootfs: Path, *, platform: str) -> None:
    """The layer of what only a few experiments need: the clouds' libraries and the Chaos Toolkit.

    The Kubernetes client of the latter is left uncompiled: it would be 24 MB more for every node to pull, and a run of
    the toolkit touches a small part of it.
    """
    tree = out / "tree"
    target = tree / LIB
    install(target, EXTRAS, platform=platform)
    for service in (target / "botocore/data").iterdir():
        if service.is_dir() and service.name not in AWS_SERVICES:
            shutil.rmtree(service)
    for version in (target / "botocore/data/ec2").iterdir():
        if version.name != EC2_VERSION:
            shutil.rmtree(version)
    debian.compile_python(rootfs, target, seen_as=f"/{LIB}")
    for folder in (target / "kubernetes").rglob("__pycache__"):
        shutil.rmtree(folder)
    archive.write_layer(tree, out / "layer.tar")
    shutil.rmtree(tree)


def install(target: Path, lock: Path, *, platform: str) -> None:
    """The locked packages, for the image's Python and without what is not needed at run time."""
    uv = [str(ROOT / ".venv/bin/uv"), "pip", "install", "-q", "--target", str(target)]
    wheels = ["--python-version", debian.PYTHON.removeprefix("python"), "--python-platform", platform]
    # No cache: hashes are checked when a wheel arrives, but what lies unpacked in a cache may have been changed since.
    # Seen on a machine behind a proxy: its own certificate authority had been put into certifi.
    locked = ["--no-cache", "--only-binary", ":all:", "--require-hashes", "--no-deps", "-r", str(lock)]
    subprocess.run([*uv, *wheels, *locked], check=True)
    shutil.rmtree(target / "bin", ignore_errors=True)  # the packages' own commands; ours is the launcher
    for path in target.rglob("*"):
        if path.suffix in UNUSED or path.name in UNUSED:
            path.unlink()


def build_code(out: Path, rootfs: Path) -> None:
    """The layer of litmus itself and its command."""
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        tree = Path(folder)
        package = tree / LIB / "litmus"
        shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
        debian.compile_python(rootfs, package, seen_as=f"/{LIB}/litmus")
        command = tree / "usr/local/bin/litmus"
        command.parent.mkdir(parents=True)
        shutil.copy(HERE / "launcher", command)
        command.chmod(0o755)
        archive.write_layer(tree, out)


def _key(*inputs: Path, text: str) -> str:
    """A short hash of the inputs' contents, of `text` and of how layers are written."""
    contents = [path.read_bytes() for path in (HERE / "archive.py", *inputs)]
    return hashlib.sha256(b"\0".join([*contents, text.encode()])).hexdigest()[:16]


def _output(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


if __name__ == "__main__":
    main()
