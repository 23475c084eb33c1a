"""Control groups are found, joined and left, whatever the runtime, the driver and the cgroup version."""

import os
from pathlib import Path

import pytest

from litmus.faults import cgroups
from litmus.faults.contract import FaultError


def tree(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cgroup.procs").write_text("")
    return folder


@pytest.fixture
def v1(tmp_path: Path) -> Path:
    for name in ("blkio", "cpu,cpuacct", "memory", "systemd"):
        tree(tmp_path / name)
    (tmp_path / "cpu").symlink_to("cpu,cpuacct")
    (tmp_path / "cpuacct").symlink_to("cpu,cpuacct")
    return tmp_path


def test_leaving_writes_the_pid_into_the_top_group_of_every_v1_tree_once(v1):
    tree(v1 / "unified")
    cgroups.move_to_root(42, root=v1)
    assert [folder.name for folder in cgroups.trees(v1)] == ["blkio", "cpu,cpuacct", "memory", "systemd", "unified"]
    assert {(folder / "cgroup.procs").read_text() for folder in cgroups.trees(v1)} == {"42"}


def test_leaving_writes_the_pid_into_the_top_group_of_v2_and_not_into_its_children(tmp_path):
    child = tree(tree(tmp_path) / "kubepods")
    cgroups.move_to_root(42, root=tmp_path)
    assert (tmp_path / "cgroup.procs").read_text() == "42"
    assert (child / "cgroup.procs").read_text() == ""


def test_leaving_tries_every_tree_before_it_complains(v1):
    (v1 / "blkio" / "cgroup.procs").unlink()
    (v1 / "blkio" / "cgroup.procs").symlink_to("/proc/version")  # can't be written, not even by root
    with pytest.raises(FaultError, match="process 42 can't be moved into .*/blkio"):
        cgroups.move_to_root(42, root=v1)
    assert (v1 / "systemd" / "cgroup.procs").read_text() == "42"


def test_leaving_says_when_the_hosts_control_groups_are_not_mounted(tmp_path):
    with pytest.raises(FaultError, match="mount the host's /sys/fs/cgroup"):
        cgroups.move_to_root(os.getpid(), root=tmp_path)
