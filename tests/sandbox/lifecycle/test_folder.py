"""Where a sandbox keeps its files, and what is refused about it."""

import os
from pathlib import Path

import pytest

from litmus.sandbox.lifecycle import SandboxError, certificates, folder, launch


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LITMUS_SANDBOX_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """pytest's folders may be too long for sockets, which is not what a test here is about."""
    monkeypatch.setattr(folder, "_LONGEST_SOCKET", 1000)


@pytest.mark.usefixtures("short")
def test_settings_come_back_as_they_were_saved(home: Path) -> None:
    place = folder.named("mine")
    assert place.load() is None
    place.save(folder.Settings(name="mine", nodes=2, port=7000))
    assert place.load() == folder.Settings(name="mine", nodes=2, port=7000)
    assert folder.existing() == [place]
    assert place.path == home / "mine"


@pytest.mark.parametrize("name", ["", "Mine", "a/b", "..", "a" * 40, "-a"])
@pytest.mark.usefixtures("home")
def test_a_name_that_is_no_folder_name_is_refused_with_its_rule(name: str) -> None:
    with pytest.raises(SandboxError, match="use up to 32 lower-case letters"):
        folder.named(name)


def test_a_path_too_long_for_sockets_names_the_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LITMUS_SANDBOX_HOME", str(tmp_path / ("x" * 90)))
    with pytest.raises(SandboxError, match="characters too long for sockets; name a shorter folder in LITMUS_SANDBOX"):
        folder.named("mine")


def test_the_folder_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    made = folder.home({"LITMUS_SANDBOX_HOME": str(tmp_path / "new")})
    assert made.stat().st_mode & 0o777 == 0o700


def test_a_folder_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "target")
    with pytest.raises(SandboxError, match="belongs to somebody else"):
        folder.home({"LITMUS_SANDBOX_HOME": str(tmp_path / "link")})


@pytest.mark.usefixtures("home", "short")
def test_a_broken_settings_file_says_how_to_get_rid_of_it() -> None:
    place = folder.named("mine")
    place.path.mkdir()
    place.settings_file.write_text("{")
    with pytest.raises(SandboxError, match="litmus sandbox down"):
        place.load()


@pytest.mark.usefixtures("home", "short")
def test_a_second_up_is_told_how_to_use_the_first() -> None:
    place = folder.named("sandbox")
    place.save(folder.Settings(pid=os.getpid()))
    launch_alive = f"{place.path}".encode()
    words = Path(f"/proc/{os.getpid()}/cmdline").read_bytes()
    assert launch_alive not in words  # this process is not a control process, so the folder is stale
    with pytest.raises(SandboxError, match="did not end well; clear it with: litmus sandbox down$"):
        launch.prepare(place, folder.Settings(), images={})


@pytest.mark.usefixtures("home", "short")
def test_kept_objects_are_not_thrown_away_by_an_up_without_persist() -> None:
    place = folder.named("kept")
    place.save(folder.Settings(name="kept", persist=True, port=7001, network=40))
    with pytest.raises(SandboxError, match="go on from them with --persist.*litmus sandbox down --name kept"):
        launch.prepare(place, folder.Settings(name="kept"), images={})
    prepared = launch.prepare(place, folder.Settings(name="kept", persist=True), images={})
    assert (prepared.port, prepared.network) == (7001, 40)


@pytest.mark.usefixtures("home", "short")
def test_down_without_a_sandbox_says_so() -> None:
    assert not launch.down(folder.named("none"))


def test_certificates_are_made_once(tmp_path: Path) -> None:
    certificates.make(tmp_path / "pki", addresses=["127.0.0.1"], names=["localhost"])
    before = {file.name: file.read_bytes() for file in (tmp_path / "pki").iterdir()}
    certificates.make(tmp_path / "pki", addresses=["127.0.0.1"], names=["localhost"])
    assert {file.name: file.read_bytes() for file in (tmp_path / "pki").iterdir()} == before
    assert all(file.stat().st_mode & 0o077 == 0 for file in (tmp_path / "pki").iterdir())
