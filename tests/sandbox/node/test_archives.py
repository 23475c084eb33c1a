"""What tar packs below a mount bears the names that the container knows."""

import subprocess
import tarfile
from io import BytesIO
from pathlib import Path

import pytest

from litmus.sandbox.node import archives
from litmus.sandbox.node.view import Mount, View


def packed(command: list[str], mounts: tuple[Mount, ...]) -> list[str]:
    words = archives.named_back(View(mounts=mounts).command(command), command, mounts)
    done = subprocess.run(words, capture_output=True, check=True, timeout=10)
    return tarfile.open(fileobj=BytesIO(done.stdout)).getnames()


def test_members_below_a_mount_have_its_path(tmp_path: Path) -> None:
    place = tmp_path / "a.b,c[d]"
    place.mkdir()
    (place / "inner").mkdir()
    (place / "inner" / "file").write_text("x")
    mounts = (Mount("/tmp", str(tmp_path)), Mount("/data/here", str(place)))
    assert packed(["tar", "cf", "-", "/data/here/inner"], mounts) == ["data/here/inner", "data/here/inner/file"]
    assert packed(["tar", "-c", "-f", "-", "/data/here/inner/file"], mounts) == ["data/here/inner/file"]


@pytest.mark.parametrize(
    "said", [["tar", "xf", "/data/a.tar"], ["cat", "/data/a"], ["tar", "cf", "-", "--", "/data/a"], ["tar"]]
)
def test_other_commands_are_left_alone(said: list[str]) -> None:
    mounts = (Mount("/data", "/real"),)
    words = View(mounts=mounts).command(said)
    assert archives.named_back(words, said, mounts) == words
