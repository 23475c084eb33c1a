"""The container image's archive is what container runtimes read, and the same bytes for the same content."""

import hashlib
import importlib.util
import json
import os
import sys
import tarfile
from pathlib import Path
from types import ModuleType

import pytest

HERE = Path(__file__).resolve().parents[2] / "deploy/image"


@pytest.fixture(scope="module")
def build() -> ModuleType:
    """The builder, a script beside its own modules and no part of the package."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(HERE)
        spec = importlib.util.spec_from_file_location("build", HERE / "build.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        yield module
        for name in ("archive", "debian"):
            sys.modules.pop(name)


def rootfs(folder: Path, *, umask: int = 0o022) -> Path:
    """A file system with a folder, a command, a setuid file, a link and /tmp, made under `umask`."""
    before = os.umask(umask)
    try:
        for name in ("usr/bin", "tmp"):
            (folder / name).mkdir(parents=True)
        (folder / "usr/bin/litmus").write_text("#!/bin/sh\n")
        (folder / "usr/bin/litmus").chmod(0o777 & ~umask)
        (folder / "usr/bin/su").write_text("")
        (folder / "usr/bin/su").chmod(0o4755)
        (folder / "usr/notes").write_text("text")
        (folder / "bin").symlink_to("usr/bin")
    finally:
        os.umask(before)
    return folder


def layer_of(build: ModuleType, folder: Path, out: Path):
    build.archive.write_layer(folder, out)
    return build.archive.Layer.of(out, created_by=out.stem)


@pytest.fixture
def image(build: ModuleType, tmp_path: Path):
    lower = layer_of(build, rootfs(tmp_path / "lower"), tmp_path / "lower.tar")
    (tmp_path / "upper/opt").mkdir(parents=True)
    (tmp_path / "upper/opt/code.py").write_text("print()\n")
    upper = layer_of(build, tmp_path / "upper", tmp_path / "upper.tar")
    return build.archive.Image([lower, upper], build.SETTINGS)


def test_an_archive_names_its_configuration_its_tags_and_its_layers_from_the_bottom_up(build, image, tmp_path):
    build.archive.write_archive(image, tmp_path / "image.tar", tags=["a/b:1", "a/b:1-x"])
    with tarfile.open(tmp_path / "image.tar") as tar:
        files = {member.name: tar.extractfile(member).read() for member in tar}
    [manifest] = json.loads(files["manifest.json"])
    assert manifest["RepoTags"] == ["a/b:1", "a/b:1-x"]
    config = files[manifest["Config"]]
    assert manifest["Config"] == hashlib.sha256(config).hexdigest() + ".json" == f"{image.digest()}.json"
    diff_ids = ["sha256:" + hashlib.sha256(files[name]).hexdigest() for name in manifest["Layers"]]
    assert json.loads(config)["rootfs"]["diff_ids"] == diff_ids == [layer.digest for layer in image.layers]
    assert set(files) == {"manifest.json", manifest["Config"], *manifest["Layers"]}


def test_a_configuration_says_how_a_container_starts_and_where_each_layer_comes_from(image):
    config = json.loads(image.config())
    assert config["config"]["Entrypoint"] == ["litmus"]
    assert "User" not in config["config"]
    assert (config["os"], config["architecture"]) == ("linux", "amd64")
    assert [entry["created_by"] for entry in config["history"]] == ["lower", "upper"]


def test_a_layer_is_the_same_whatever_the_umask_the_times_and_the_folder_were(build, tmp_path):
    first = rootfs(tmp_path / "first")
    second = rootfs(tmp_path / "second", umask=0o077)
    os.utime(second / "usr/notes", (1, 1))
    one = layer_of(build, first, tmp_path / "one.tar")
    assert one.digest == layer_of(build, second, tmp_path / "two.tar").digest
    (second / "usr/notes").write_text("other")
    assert one.digest != layer_of(build, second, tmp_path / "two.tar").digest


def test_a_layer_belongs_to_root_with_plain_modes_and_folders_before_what_is_in_them(build, tmp_path):
    build.archive.write_layer(rootfs(tmp_path / "root", umask=0o077), tmp_path / "layer.tar")
    with tarfile.open(tmp_path / "layer.tar") as tar:
        members = tar.getmembers()
    assert {(member.uid, member.gid, member.mtime) for member in members} == {(0, 0, build.archive.EPOCH_S)}
    assert {member.name: oct(member.mode) for member in members} == {
        "bin": "0o777",
        "tmp": "0o1777",
        "usr": "0o755",
        "usr/bin": "0o755",
        "usr/bin/litmus": "0o755",
        "usr/bin/su": "0o755",
        "usr/notes": "0o644",
    }
    assert [member.name for member in members] == sorted(member.name for member in members)
    assert next(member for member in members if member.name == "bin").linkname == "usr/bin"


def test_a_layer_that_could_not_be_finished_leaves_the_last_one_as_it_was(build, tmp_path, monkeypatch):
    out = tmp_path / "layer.tar"
    build.archive.write_layer(rootfs(tmp_path / "root"), out)
    before = out.read_bytes()
    monkeypatch.setattr(build.archive, "_normalised", lambda info: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        build.archive.write_layer(tmp_path / "root", out)
    assert out.read_bytes() == before


def test_the_package_list_has_packages_exclusions_and_links(build):
    text = "# about\nbash\n\n-perl-base  # for installations\n-/usr/sbin/arpd\n/usr/bin/sh -> bash\npython3\n"
    packages = build.debian.Packages.parse(text)
    assert packages.wanted == ["bash", "python3"]
    assert packages.left_out == {"perl-base"}
    assert packages.unwanted == ["usr/sbin/arpd"]
    assert packages.links == {"/usr/bin/sh": "bash"}


def test_the_projects_own_package_list_and_version_can_be_read(build):
    packages = build.debian.Packages.parse((HERE / "packages.txt").read_text())
    assert {"bash", "coreutils", "python3", "iproute2", "iptables", "stress-ng"} <= set(packages.wanted)
    assert build.version().count(".") == 2


def test_a_base_layer_has_the_links_and_has_not_what_is_left_out_of_its_packages(build, tmp_path):
    for name in ("usr/sbin/tc", "usr/sbin/arpd", "usr/lib/x86/tc/normal.dist", "usr/lib/x86/tc/q_atm.so"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    for name in ("etc/ssl/certs", "usr/share/ca-certificates", "usr/share/stress-ng/jobs"):
        (tmp_path / name).mkdir(parents=True)
    text = "-/usr/sbin/arpd\n-/usr/lib/*/tc/q_atm.so\n-/usr/share/stress-ng\n/usr/sbin/iptables -> iptables-nft\n"
    build.debian.complete(tmp_path, build.debian.Packages.parse(text))
    assert {path.name for path in tmp_path.glob("usr/sbin/*")} == {"tc", "iptables"}
    assert (tmp_path / "usr/sbin/iptables").readlink() == Path("iptables-nft")
    assert [path.name for path in tmp_path.glob("usr/lib/*/tc/*")] == ["normal.dist"]
    assert not (tmp_path / "usr/share/stress-ng").exists()


def test_both_ways_to_the_image_install_the_same_programs_for_faults(build):
    packages = build.debian.Packages.parse((HERE / "packages.txt").read_text())
    line = next(line for line in (HERE / "Dockerfile").read_text().splitlines() if "apt-get install" in line)
    installed = [word for word in line.partition("--no-install-recommends")[2].split() if word != "\\"]
    assert set(installed) == set(packages.wanted) - {"bash", "ca-certificates", "coreutils", "libc-bin", "python3"}


def test_what_the_cache_holds_is_built_once_and_replaces_its_predecessor(build, tmp_path, monkeypatch):
    monkeypatch.setattr(build, "CACHE", tmp_path)
    built = []

    def make(out: Path) -> None:
        built.append(out)
        out.mkdir()

    first = build.cached("base", "1", make)
    assert build.cached("base", "1", make) == first
    assert len(built) == 1
    second = build.cached("base", "2", make)
    assert list(tmp_path.iterdir()) == [second]
