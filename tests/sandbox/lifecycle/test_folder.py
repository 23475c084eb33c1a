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
    place.make()
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


def test_the_folders_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    home = folder.home({"LITMUS_SANDBOX_HOME": str(tmp_path / "new")})
    assert not home.exists()  # looking makes nothing
    folder.Folder(home / "one").make()
    assert [path.stat().st_mode & 0o777 for path in (home, home / "one")] == [0o700, 0o700]


@pytest.mark.parametrize("kind", ["link", "file", "below"])
def test_a_place_that_is_no_folder_is_refused(tmp_path: Path, kind: str) -> None:
    (tmp_path / "target").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "target")
    (tmp_path / "file").touch()
    place = tmp_path / "file" / "below" if kind == "below" else tmp_path / kind
    with pytest.raises(SandboxError, match=r"name another folder in LITMUS_SANDBOX_HOME$"):
        folder.home({"LITMUS_SANDBOX_HOME": str(place)})


def test_a_place_of_somebody_else_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: tmp_path.stat().st_uid + 1)
    with pytest.raises(SandboxError, match="belongs to somebody else; name another folder in LITMUS_SANDBOX_HOME"):
        folder.home({"LITMUS_SANDBOX_HOME": str(tmp_path)})


def test_without_a_place_named_it_is_the_users_own(tmp_path: Path) -> None:
    assert folder.default_home({"XDG_RUNTIME_DIR": str(tmp_path)}) == tmp_path / "litmus-sandbox"
    elsewhere = folder.default_home({"XDG_RUNTIME_DIR": str(tmp_path / "none")})
    assert elsewhere.name == f"litmus-sandbox-{os.getuid()}"


def test_the_last_sandbox_takes_the_users_place_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    one, two = (folder.Folder(folder.default_home({"XDG_RUNTIME_DIR": str(tmp_path)}) / name) for name in ("a", "b"))
    one.make()
    two.make()
    one.clear(keep_objects=False)
    assert not one.path.exists()
    assert two.path.exists()
    two.clear(keep_objects=False)
    assert list(tmp_path.iterdir()) == []


def test_what_persists_is_spared_with_the_files_that_sqlite_has_beside_it(tmp_path: Path) -> None:
    place = folder.Folder(tmp_path / "kept")
    place.make()
    kept = ["objects.sqlite", "objects.sqlite-wal", "objects.sqlite-shm", "settings.json", "images.json", "kubeconfig"]
    for name in [*kept, "engine.yaml"]:
        (place.path / name).touch()
    for name in ("pki", "logs", "nodes"):
        (place.path / name).mkdir()
    place.clear(keep_objects=True)
    assert {path.name for path in place.path.iterdir()} == {*kept, "pki"}


def test_folders_that_a_container_closed_are_removed_too(tmp_path: Path) -> None:
    place = folder.Folder(tmp_path / "mine")
    deep = place.path / "nodes" / "closed" / "deep"
    deep.mkdir(parents=True)
    (deep / "file").touch()
    deep.chmod(0)
    deep.parent.chmod(0)
    place.clear(keep_objects=False)
    assert not place.path.exists()


@pytest.mark.usefixtures("home", "short")
def test_a_broken_settings_file_says_how_to_get_rid_of_it() -> None:
    place = folder.named("mine")
    place.path.mkdir()
    place.settings_file.write_text("{")
    with pytest.raises(SandboxError, match="litmus sandbox down"):
        place.load()


@pytest.mark.usefixtures("home", "short")
def test_down_without_a_sandbox_says_so() -> None:
    assert not launch.down(folder.named("none"))


def test_certificates_are_made_once(tmp_path: Path) -> None:
    certificates.make(tmp_path / "pki", addresses=["127.0.0.1"], names=["localhost"])
    before = {file.name: file.read_bytes() for file in (tmp_path / "pki").iterdir()}
    certificates.make(tmp_path / "pki", addresses=["127.0.0.1"], names=["localhost"])
    assert {file.name: file.read_bytes() for file in (tmp_path / "pki").iterdir()} == before
    assert all(file.stat().st_mode & 0o077 == 0 for file in (tmp_path / "pki").iterdir())
