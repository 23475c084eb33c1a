"""Volumes are folders with the layout of a real node, follow their objects, and refuse in a kubelet's words."""

import base64
from pathlib import Path
from typing import Any

import pytest

from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.node import payload, volumes
from litmus.sandbox.node.payload import File
from litmus.sandbox.node.volumes import NotMounted

CONFIG: Obj = {"kind": "ConfigMap", "data": {"f": "data", "g": "more"}, "binaryData": {"bin": "AAEC"}}
SECRET: Obj = {"kind": "Secret", "data": {"key": base64.b64encode(b"hidden").decode()}}
POD: Obj = {"metadata": {"name": "p", "namespace": "ns", "uid": "u", "labels": {"a": "b"}},
            "spec": {"containers": [{"name": "c", "resources": {"limits": {"cpu": "250m"}}}]}}  # fmt: skip


class Cluster:
    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], Obj] = {("configmaps", "have"): CONFIG, ("secrets", "hidden"): SECRET}
        self.claims = {"claim": {"kind": "PersistentVolumeClaim"}}
        self.tokens = 0

    async def token(self, projection: Obj) -> str:
        self.tokens += 1
        return f"token for {projection.get('audience', 'api')}"

    async def claim(self, name: str) -> Obj | None:
        return self.claims.get(name)


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


async def set_up(cluster: Cluster, tmp_path: Path, **volume: Any) -> Path:
    context = volumes.Context(
        pod=POD,
        folder=tmp_path / "pod",
        claims=tmp_path / "claims",
        ip="127.5.1.9",
        host_ip="127.5.1.1",
        allocatable={"cpu": "2"},
        lookup=lambda resource, name: cluster.objects.get((resource, name)),
        token=cluster.token,
        claim=cluster.claim,
    )
    return await volumes.set_up({"name": "v", **volume}, context)


def shown(folder: Path) -> dict[str, bytes]:
    """What a container sees: no name that begins with two dots."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.relative_to(folder).parts[0].startswith("..")
    }


async def test_a_config_map_has_a_file_a_key(cluster: Cluster, tmp_path: Path) -> None:
    place = await set_up(cluster, tmp_path, configMap={"name": "have"})
    assert shown(place) == {"f": b"data", "g": b"more", "bin": b"\0\1\2"}
    assert (place / "f").readlink() == Path("..data/f")
    assert (place / "f").stat().st_mode & 0o777 == 0o644


async def test_items_choose_keys_paths_and_modes(cluster: Cluster, tmp_path: Path) -> None:
    items = [{"key": "f", "path": "a/b", "mode": 0o400}, {"key": "g", "path": "c"}]
    place = await set_up(cluster, tmp_path, configMap={"name": "have", "items": items, "defaultMode": 0o600})
    assert {str(path.relative_to(place / "..data")) for path in (place / "..data").rglob("*") if path.is_file()} == {
        "a/b",
        "c",
    }
    assert (place / "a/b").stat().st_mode & 0o777 == 0o400
    assert (place / "c").stat().st_mode & 0o777 == 0o600


async def test_a_secret_is_decoded(cluster: Cluster, tmp_path: Path) -> None:
    assert shown(await set_up(cluster, tmp_path, secret={"secretName": "hidden"})) == {"key": b"hidden"}


@pytest.mark.parametrize(
    ("volume", "message"),
    [
        ({"configMap": {"name": "none"}}, 'configmap "none" not found'),
        ({"secret": {"secretName": "none"}}, 'secret "none" not found'),
        (
            {"configMap": {"name": "have", "items": [{"key": "zz", "path": "p"}]}},
            "configmap references non-existent config key: zz",
        ),
        (
            {"secret": {"secretName": "hidden", "items": [{"key": "zz", "path": "p"}]}},
            "secret references non-existent secret key: zz",
        ),
        ({"persistentVolumeClaim": {"claimName": "none"}}, 'persistentvolumeclaim "none" not found'),
        ({"hostPath": {"path": "/etc/passwd", "type": "Directory"}},
         "hostPath type check failed: /etc/passwd is not a directory"),
        ({"nfs": {"server": "s", "path": "/"}},
         "volumes of type nfs need a storage driver, which a sandbox node does not have"),
    ],
)  # fmt: skip
async def test_what_can_not_be_mounted_is_said(cluster: Cluster, tmp_path: Path, volume: Obj, message: str) -> None:
    with pytest.raises(NotMounted) as raised:
        await set_up(cluster, tmp_path, **volume)
    assert str(raised.value) == message


async def test_what_is_optional_may_be_missing(cluster: Cluster, tmp_path: Path) -> None:
    assert shown(await set_up(cluster, tmp_path, configMap={"name": "none", "optional": True})) == {}


async def test_a_projection_joins_its_sources(cluster: Cluster, tmp_path: Path) -> None:
    sources = [
        {"serviceAccountToken": {"path": "token", "audience": "me"}},
        {"configMap": {"name": "have", "items": [{"key": "f", "path": "ca.crt"}]}},
        {"secret": {"name": "hidden"}},
        {"downwardAPI": {"items": [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]}},
    ]
    place = await set_up(cluster, tmp_path, projected={"sources": sources})
    assert shown(place) == {"token": b"token for me", "ca.crt": b"data", "key": b"hidden", "labels": b'a="b"'}


async def test_the_downward_api_is_written_to_files(cluster: Cluster, tmp_path: Path) -> None:
    items = [
        {"path": "ip", "fieldRef": {"fieldPath": "status.podIP"}},
        {"path": "x/cpu", "mode": 0o400, "resourceFieldRef": {"containerName": "c", "resource": "limits.cpu"}},
    ]
    place = await set_up(cluster, tmp_path, downwardAPI={"items": items})
    assert (place / "ip").read_text() == "127.5.1.9"
    assert (place / "x/cpu").read_text() == "1"


async def test_a_change_of_the_object_replaces_all_files_in_one_step(cluster: Cluster, tmp_path: Path) -> None:
    place = await set_up(cluster, tmp_path, configMap={"name": "have"})
    before = (place / "..data").resolve()
    cluster.objects["configmaps", "have"] = {"kind": "ConfigMap", "data": {"f": "new", "h": "added"}}
    await set_up(cluster, tmp_path, configMap={"name": "have"})
    assert shown(place) == {"f": b"new", "h": b"added"}
    assert not before.exists()
    assert not (place / "g").is_symlink()


def test_nothing_is_written_when_nothing_changed(tmp_path: Path) -> None:
    files = {"a": File(b"1"), "d/b": File(b"2", 0o600)}
    assert payload.write(tmp_path, files)
    before = (tmp_path / "..data").readlink()
    assert not payload.write(tmp_path, files)
    assert (tmp_path / "..data").readlink() == before
    assert payload.write(tmp_path, {"a": File(b"1", 0o600)}), "a mode is a change"


async def test_an_empty_dir_is_writable_by_all_and_survives_a_restart(cluster: Cluster, tmp_path: Path) -> None:
    place = await set_up(cluster, tmp_path, emptyDir={})
    (place / "x").write_text("kept")
    assert place.stat().st_mode & 0o777 == 0o777
    assert await set_up(cluster, tmp_path, emptyDir={}) == place
    assert (place / "x").read_text() == "kept"


async def test_a_host_path_is_itself_and_made_when_asked(cluster: Cluster, tmp_path: Path) -> None:
    folder, file = tmp_path / "made", tmp_path / "file"
    assert await set_up(cluster, tmp_path, hostPath={"path": str(folder), "type": "DirectoryOrCreate"}) == folder
    assert await set_up(cluster, tmp_path, hostPath={"path": str(file), "type": "FileOrCreate"}) == file
    assert folder.is_dir()
    assert file.is_file()


async def test_a_claim_is_a_folder_of_the_whole_sandbox(cluster: Cluster, tmp_path: Path) -> None:
    place = await set_up(cluster, tmp_path, persistentVolumeClaim={"claimName": "claim"})
    assert place == tmp_path / "claims" / "ns" / "claim"
    assert place.is_dir()


def test_references_name_what_is_to_be_watched() -> None:
    volume = {"projected": {"sources": [{"configMap": {"name": "a"}}, {"secret": {"name": "b"}}]}}
    assert volumes.references(volume) == [("configmaps", "a"), ("secrets", "b")]
    assert volumes.references({"secret": {"secretName": "c"}}) == [("secrets", "c")]


def test_mounts_say_where_paths_really_are(tmp_path: Path) -> None:
    place, root = tmp_path / "v", tmp_path / "attempt" / "root"
    place.mkdir()
    root.mkdir(parents=True)
    container = {
        "volumeMounts": [
            {"name": "v", "mountPath": "/data/"},
            {"name": "v", "mountPath": "/logs", "subPathExpr": "$(POD)/x"},
        ]
    }
    found = volumes.mounts(container, {"v": place}, root=root, known={"POD": "p-1"})
    assert [(mount.path, mount.place) for mount in found] == [("/data", str(place)), ("/logs", f"{place}/p-1/x")]
    volumes.link(root, found)
    assert (root / "data").resolve() == place
    assert (place / "p-1/x").is_dir()


def test_a_file_mounted_by_sub_path_does_not_follow_its_config_map(tmp_path: Path) -> None:
    place, root = tmp_path / "v", tmp_path / "attempt" / "root"
    root.mkdir(parents=True)
    payload.write(place, {"f": File(b"old")})
    container = {"volumeMounts": [{"name": "v", "mountPath": "/etc/f", "subPath": "f"}]}
    (mount,) = volumes.mounts(container, {"v": place}, root=root, known={})
    payload.write(place, {"f": File(b"new")})
    assert Path(mount.place).read_text() == "old"


@pytest.mark.parametrize("sub", ["../x", "/etc", "a/../../b"])
def test_a_sub_path_stays_within_the_volume(tmp_path: Path, sub: str) -> None:
    container = {"volumeMounts": [{"name": "v", "mountPath": "/x", "subPath": sub}]}
    with pytest.raises(NotMounted, match="relative path"):
        volumes.mounts(container, {"v": tmp_path}, root=tmp_path, known={})
