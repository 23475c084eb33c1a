"""Control groups are found, joined and left, whatever the runtime, the driver and the cgroup version."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from litmus.faults import accounting, cgroups
from litmus.faults.contract import FaultError, TargetGoneError

ID = "4c5d6e7f8a9b0c1d2e3f4a5b6c7d8e9f0a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5d"
POD = "12345678-90ab-cdef-1234-567890abcdef"
SLICE = POD.replace("-", "_")
KUBEPODS = f"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{SLICE}.slice"

# Where runtimes put a container: in /proc/<pid>/cgroup, the same for v1 and v2.
PLACES = {
    "Docker or containerd, cgroupfs": f"/kubepods/burstable/pod{POD}/{ID}",
    "Docker, systemd": f"{KUBEPODS}/docker-{ID}.scope",
    "containerd, systemd": f"{KUBEPODS}/cri-containerd-{ID}.scope",
    "CRI-O, cgroupfs": f"/kubepods/burstable/pod{POD}/crio-{ID}",
    "CRI-O, systemd": f"{KUBEPODS}/crio-{ID}.scope",
    "CRI-O, systemd, a process below": f"{KUBEPODS}/crio-{ID}.scope/container",
    "Docker without Kubernetes": f"/docker/{ID}",
}
place = pytest.mark.parametrize("path", PLACES.values(), ids=PLACES)
V1 = ("blkio", "cpu,cpuacct", "cpuset", "freezer", "memory", "pids", "systemd")


def tree(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cgroup.procs").write_text("")
    return folder


def process(proc: Path, text: str, pid: int = 100) -> None:
    (proc / str(pid)).mkdir(parents=True)
    (proc / str(pid) / "cgroup").write_text(text)


def v1_lines(path: str) -> str:
    names = ["name=systemd" if name == "systemd" else name for name in V1]
    return "".join(f"{number}:{name}:{path}\n" for number, name in enumerate(names, 1))


@pytest.fixture
def v1(tmp_path: Path) -> Path:
    root = tmp_path / "sys"
    for name in V1:
        tree(root / name)
    (root / "cpu").symlink_to("cpu,cpuacct")
    (root / "cpuacct").symlink_to("cpu,cpuacct")
    return root


@pytest.fixture
def v2(tmp_path: Path) -> Path:
    root = tree(tmp_path / "sys")
    (root / "cgroup.controllers").write_text("cpu io memory pids\n")
    return root


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    return tmp_path / "proc"


@place
def test_a_process_is_joined_in_every_v1_tree_but_the_one_that_may_freeze_it(v1, proc, path):
    for name in V1:
        tree(v1 / name / path.lstrip("/"))
    process(proc, v1_lines(path))
    cgroups.of_process(100, root=v1, proc=proc).add(42)
    joined = {name for name in V1 if (v1 / name / path.lstrip("/") / "cgroup.procs").read_text() == "42"}
    assert joined == set(V1) - {"freezer"}


@place
def test_a_process_is_joined_in_the_v2_tree(v2, proc, path):
    folder = tree(v2 / path.lstrip("/"))
    process(proc, f"0::{path}\n")
    found = cgroups.of_process(100, root=v2, proc=proc)
    found.add(42)
    assert (folder / "cgroup.procs").read_text() == "42"
    assert found.v2("cpu")
    assert found.v2("memory")


@place
def test_a_hybrid_host_has_its_controllers_in_v1_and_is_joined_in_both(v1, proc, path):
    tree(v1 / "unified")
    for name in (*V1, "unified"):
        tree(v1 / name / path.lstrip("/"))
    process(proc, f"{v1_lines(path)}0::{path}\n")
    found = cgroups.of_process(100, root=v1, proc=proc)
    found.add(42)
    assert not found.v2("memory")
    assert (v1 / "unified" / path.lstrip("/") / "cgroup.procs").read_text() == "42"


@pytest.mark.parametrize("shown", [f"/../{ID}", f"/../../pod{POD}/{ID}", f"/../../../burstable/pod{POD}/{ID}"])
def test_a_path_that_is_shown_from_inside_of_another_cgroup_namespace_is_found_by_its_end(v2, proc, shown):
    folder = tree(v2 / f"kubepods/burstable/pod{POD}/{ID}")
    process(proc, f"0::{shown}\n")
    assert cgroups.of_process(100, root=v2, proc=proc).folder("cpu") == folder


def test_in_a_node_that_is_itself_a_container_the_tree_begins_further_down_than_the_path(v1, proc):
    below = f"kubelet/kubepods/pod{POD}/{ID}"
    for name in V1:
        tree(v1 / name / below)
    process(proc, v1_lines(f"/docker/{'0f' * 32}/{below}"))
    assert cgroups.of_process(100, root=v1, proc=proc).folder("memory") == v1 / "memory" / below


def test_a_process_that_ended_is_a_target_that_is_gone(v2, proc):
    with pytest.raises(TargetGoneError, match="process 100 has ended"):
        cgroups.of_process(100, root=v2, proc=proc)


def test_without_the_hosts_control_groups_it_says_what_to_mount(tmp_path, proc):
    (tmp_path / "sys").mkdir()
    process(proc, f"0::/kubepods/{ID}\n")
    with pytest.raises(FaultError, match="mount the host's there"):
        cgroups.of_process(100, root=tmp_path / "sys", proc=proc)


def test_a_group_that_was_removed_is_a_target_that_is_gone(v2, proc):
    folder = tree(v2 / "kubepods")
    process(proc, "0::/kubepods\n")
    found = cgroups.of_process(100, root=v2, proc=proc)
    (folder / "cgroup.procs").unlink()
    folder.rmdir()
    with pytest.raises(TargetGoneError, match="is gone"):
        found.add(42)


def test_leaving_writes_the_pid_into_the_top_group_of_every_v1_tree_once(v1):
    tree(v1 / "unified")
    cgroups.move_to_root(42, root=v1)
    assert [folder.name for folder in cgroups.trees(v1)] == sorted([*V1, "unified"])
    assert {(folder / "cgroup.procs").read_text() for folder in cgroups.trees(v1)} == {"42"}


def test_leaving_writes_the_pid_into_the_top_group_of_v2_and_not_into_its_children(v2):
    child = tree(v2 / "kubepods")
    cgroups.move_to_root(42, root=v2)
    assert (v2 / "cgroup.procs").read_text() == "42"
    assert (child / "cgroup.procs").read_text() == ""


def test_leaving_tries_every_tree_before_it_complains(v1):
    (v1 / "blkio" / "cgroup.procs").unlink()
    (v1 / "blkio" / "cgroup.procs").symlink_to("/proc/version")  # can't be written, not even by root
    with pytest.raises(FaultError, match=r"process 42 can't be moved into .*/blkio"):
        cgroups.move_to_root(42, root=v1)
    assert (v1 / "systemd" / "cgroup.procs").read_text() == "42"


def test_leaving_says_when_the_hosts_control_groups_are_not_mounted(tmp_path):
    with pytest.raises(FaultError, match="mount the host's /sys/fs/cgroup"):
        cgroups.move_to_root(os.getpid(), root=tmp_path)


@pytest.fixture
def group() -> Iterator[Path]:
    """A real control group of the test's own, with a limit of half a processor: in v1, or in v2 with the controller."""
    top = next((tree for tree in cgroups.trees() if "cpu" in tree.name.split(",")), cgroups.ROOT)
    folder = top / f"litmus-test-{os.getpid()}"
    try:
        folder.mkdir()
    except OSError as error:
        pytest.skip(f"needs root and a writable /sys/fs/cgroup: {error.strerror}")
    try:
        if (folder / "cpu.max").exists():
            (folder / "cpu.max").write_text("50000 100000")
        elif (folder / "cpu.cfs_quota_us").exists():
            (folder / "cpu.cfs_quota_us").write_text("50000")
        else:
            pytest.skip("the cpu controller is not to be had here")
        yield folder
    finally:
        folder.rmdir()


def test_a_real_process_joins_the_real_group_of_another_and_finds_its_limit(group):
    first, second = (subprocess.Popen(["sleep", "60"]) for _ in range(2))
    try:
        (group / "cgroup.procs").write_text(str(first.pid))
        found = cgroups.of_process(first.pid)
        assert found.folder("cpu") == group
        assert accounting.cpu_limit(found) == 0.5
        found.add(second.pid)
        assert (group / "cgroup.procs").read_text().split() == [str(pid) for pid in sorted((first.pid, second.pid))]
    finally:
        for child in (first, second):
            child.kill()
            child.wait()


def test_a_real_process_leaves_its_group(group):
    child = subprocess.Popen(["sleep", "60"])
    try:
        (group / "cgroup.procs").write_text(str(child.pid))
        cgroups.move_to_root(child.pid)
        assert (group / "cgroup.procs").read_text() == ""
    finally:
        child.kill()
        child.wait()
