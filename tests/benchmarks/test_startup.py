"""The parts of the start-up figure that take no image: the server that never answers, and reading a docker archive."""

import asyncio
import importlib
import io
import json
import ssl
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

HERE = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def startup() -> Iterator[ModuleType]:
    """A module beside a script, which finds its neighbours as the script does."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(HERE)
        yield importlib.import_module("startup")
        for name in ("startup", "table"):
            sys.modules.pop(name)


def tar(**files: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name.replace("__", "/"))
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    manifest = [{"Config": "config", "RepoTags": ["a/b:1", "a/b:1-x"], "Layers": ["lower", "upper"]}]
    config = {"config": {"Env": ["PATH=/usr/bin", "OPTIONS=a=b"]}}
    layers = {"lower": tar(etc__name=b"old", etc__kept=b"kept"), "upper": tar(etc__name=b"new")}
    content = {"manifest.json": json.dumps(manifest).encode(), "config": json.dumps(config).encode(), **layers}
    (tmp_path / "image.tar").write_bytes(tar(**content))
    return tmp_path / "image.tar"


def test_an_image_is_unpacked_layer_over_layer_and_tells_its_environment(startup, archive, tmp_path):
    assert startup.unpack(archive, tmp_path / "root", image="a/b:1-x") == {"PATH": "/usr/bin", "OPTIONS": "a=b"}
    assert (tmp_path / "root/etc/name").read_text() == "new"
    assert (tmp_path / "root/etc/kept").read_text() == "kept"


def test_another_image_than_the_one_that_is_measured_is_not_unpacked(startup, archive, tmp_path):
    assert startup.unpack(archive, tmp_path / "root", image="a/b:2") is None
    assert not (tmp_path / "root").exists()


def test_the_scheduler_tells_the_time_on_a_core_and_the_time_spent_waiting_for_one(startup):
    assert startup.scheduled("240000000 10000000 37\n") == (0.24, 0.01)


async def test_the_server_notes_when_a_request_begins_and_never_answers(startup, tmp_path):
    key, certificate = startup.make_certificate(tmp_path)
    listener = startup.Listener()
    async with listener.listening(key, certificate) as port:
        trusted = ssl.create_default_context(cafile=certificate)
        for path in ("/apis/first", "/apis/second"):
            noted = listener.expect()
            reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusted)
            connected_at = asyncio.get_running_loop().time()
            assert not noted.done()
            writer.write(f"GET {path} HTTP/1.1\r\n".encode())
            at, line = await noted
            assert at >= connected_at
            assert line == f"GET {path} HTTP/1.1"
            writer.close()
            assert await reader.read() == b""
