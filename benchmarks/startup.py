"""From the start of an experiment's process to its first request, against a server on loopback that never answers.

The process is the one that a pod starts: the command of the chart, in the unpacked image with the image's own Python,
libraries and environment. That takes root, for ``chroot``, and the archive of the image; without them it is this
checkout's environment. TLS is spoken as with a real API server, with a certificate made for the purpose.
"""

import asyncio
import base64
import json
import os
import shutil
import ssl
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from table import NotMeasured

from litmus.experiments import catalogue
from litmus.hub import charts, documents

ARCHIVE = Path(__file__).resolve().parents[1] / "build/litmus-image.tar"
_EXPERIMENT = "pod-delete"
_KUBECONFIG = "tmp/kubeconfig"
_DEADLINE_S = 30.0
_PLACE = {"CHAOSENGINE": "overhead", "CHAOS_NAMESPACE": "overhead"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How the process is started. Its environment names the kubeconfig as it sees it, ``kubeconfig`` as we do."""

    command: list[str]
    env: dict[str, str]
    kubeconfig: Path
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Seconds until the first byte of the request, and what the scheduler says of the main thread until then."""

    taken_s: float
    cpu_s: float
    queued_s: float


async def measure(starts: int, *, image: str) -> tuple[list[Start], str]:
    """Each start, and what was started. One more start before them fills the caches."""
    with tempfile.TemporaryDirectory(prefix="litmus-bench-") as folder, _layout(Path(folder), image) as layout:
        key, certificate = make_certificate(Path(folder))
        listener = Listener()
        async with listener.listening(key, certificate) as port:
            layout.kubeconfig.write_text(json.dumps(_kubeconfig(port, certificate)))
            times = [await _start(layout, listener) for _ in range(starts + 1)]
    return times[1:], layout.title


async def _start(layout: Layout, listener: "Listener") -> Start:
    clock = asyncio.get_running_loop().time
    first = listener.expect()
    began = clock()
    process = await asyncio.create_subprocess_exec(
        *layout.command,
        env=layout.env,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    ended = asyncio.create_task(process.wait())
    try:
        waited: set[asyncio.Future[Any]] = {first, ended}
        await asyncio.wait(waited, timeout=_DEADLINE_S, return_when=asyncio.FIRST_COMPLETED)
        if not first.done():
            raise NotMeasured(await _silence(process, ended))
        at, request = first.result()
        if not request.startswith("GET /apis/"):
            raise NotMeasured(f"the first request of the process is {request!r}")
        cpu_s, queued_s = scheduled(Path(f"/proc/{process.pid}/schedstat").read_text())
        return Start(taken_s=at - began, cpu_s=cpu_s, queued_s=queued_s)
    finally:
        if not ended.done():
            process.kill()
        await ended


def scheduled(schedstat: str) -> tuple[float, float]:
    """Seconds on a core, and waiting for one: the first two fields, in ns (Documentation/scheduler/sched-stats)."""
    on_core, waiting, _ = schedstat.split()
    return int(on_core) / 1e9, int(waiting) / 1e9


async def _silence(process: asyncio.subprocess.Process, ended: asyncio.Task[int]) -> str:
    if not ended.done():
        return f"the process sent no request within {_DEADLINE_S:g} s"
    assert process.stderr is not None
    lines = (await process.stderr.read()).decode(errors="replace").strip().splitlines()
    return f"the process ended with status {ended.result()}: {lines[-1] if lines else 'it said nothing'}"


class Listener:
    """Notes when the first byte of a request arrives, and never answers."""

    def __init__(self) -> None:
        self._first: asyncio.Future[tuple[float, str]] | None = None

    def expect(self) -> "asyncio.Future[tuple[float, str]]":
        """The time at which the next request begins, and its first line."""
        self._first = asyncio.get_running_loop().create_future()
        return self._first

    @asynccontextmanager
    async def listening(self, key: Path, certificate: Path) -> AsyncIterator[int]:
        """The port on which it speaks TLS."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate, key)
        server = await asyncio.start_server(self._take, "127.0.0.1", 0, ssl=context)
        async with server:
            yield server.sockets[0].getsockname()[1]

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            byte = await reader.read(1)
            at = asyncio.get_running_loop().time()
            line = byte + await reader.readline()
            if self._first and not self._first.done():
                self._first.set_result((at, line.decode(errors="replace").strip()))
            await reader.read()
        except OSError:
            pass  # the process is killed as soon as its request is here
        finally:
            writer.close()


@contextmanager
def _layout(folder: Path, image: str) -> Iterator[Layout]:
    chroot = shutil.which("chroot", path="/usr/sbin:/usr/bin:/sbin:/bin")
    if os.geteuid() == 0 and chroot and ARCHIVE.exists():
        root = folder / "image"
        env = unpack(ARCHIVE, root, image=image)
        if env is not None:
            chart: Any = documents.plain(charts.custom_resource(catalogue.find(_EXPERIMENT), image=image))
            definition = chart["spec"]["definition"]
            command = [chroot, str(root), *definition["command"], *definition["args"]]
            env |= _PLACE | {"KUBECONFIG": f"/{_KUBECONFIG}"}
            yield Layout(command=command, env=env, kubeconfig=root / _KUBECONFIG, title="the image's own files")
            return
    # An environment of its own, so that neither a proxy nor PYTHONDONTWRITEBYTECODE takes part.
    command = [sys.executable, "-m", "litmus", "experiment", _EXPERIMENT]
    kubeconfig = folder / "kubeconfig"
    env = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", **_PLACE, "KUBECONFIG": str(kubeconfig)}
    yield Layout(command=command, env=env, kubeconfig=kubeconfig, title=f"the environment {sys.prefix}")


def unpack(archive: Path, root: Path, *, image: str) -> dict[str, str] | None:
    """Unpacks the layers of a docker archive, and returns the image's environment; None if it is another image."""
    with tarfile.open(archive) as outer:
        [manifest] = json.load(_member(outer, "manifest.json"))
        if image not in manifest["RepoTags"]:
            return None
        config = json.load(_member(outer, manifest["Config"]))
        for layer in manifest["Layers"]:
            with tarfile.open(fileobj=_member(outer, layer)) as inner:
                inner.extractall(root)
    return dict(variable.split("=", 1) for variable in config["config"]["Env"])


def _member(archive: tarfile.TarFile, name: str) -> Any:
    found = archive.extractfile(name)
    if found is None:
        raise NotMeasured(f"{ARCHIVE}: {name} is no file")
    return found


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """A key and a certificate for loopback that is its own authority."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    made = ["-keyout", str(key), "-out", str(certificate), "-days", "1"]
    about = ["-subj", "/CN=benchmark", "-addext", "subjectAltName=IP:127.0.0.1"]
    try:
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", *made, *about], check=True, capture_output=True
        )
    except (FileNotFoundError, subprocess.CalledProcessError) as error:
        raise NotMeasured(f"openssl can't make a certificate: {error}") from error
    return key, certificate


def _kubeconfig(port: int, certificate: Path) -> dict[str, Any]:
    """JSON is YAML."""
    authority = base64.b64encode(certificate.read_bytes()).decode()
    cluster = {"server": f"https://127.0.0.1:{port}", "certificate-authority-data": authority}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "benchmark",
        "clusters": [{"name": "benchmark", "cluster": cluster}],
        "users": [{"name": "benchmark", "user": {"token": "of-nobody"}}],
        "contexts": [{"name": "benchmark", "context": {"cluster": "benchmark", "user": "benchmark"}}],
    }
