"""Where a container's folders lie on the host, on recorded mountinfo files."""

import os
from pathlib import Path

import pytest

from litmus.faults import folders
from litmus.faults.contract import FaultError

# A pod of containerd 1.6 on the kit's node1: root, an emptyDir, a projected token, a file of the kubelet's.
POD = """\
700 650 0:62 / / rw,relatime - overlay overlay rw,lowerdir=/var/tmp/kube/node1/lib/s/19/fs,\
upperdir=/var/tmp/kube/node1/lib/s/24/fs,workdir=/var/tmp/kube/node1/lib/s/24/work
701 700 0:64 / /proc rw,nosuid,nodev,noexec,relatime - proc proc rw
702 700 254:0 /var/tmp/kube/node1/kubelet/pods/1b2c/volumes/kubernetes.io~empty-dir/my\\040data /data rw,relatime - \
ext4 /dev/vda rw,discard
703 700 0:70 / /memory rw,relatime - tmpfs tmpfs rw,size=65536k
704 700 254:0 /var/tmp/kube/node1/kubelet/pods/1b2c/etc-hosts /etc/hosts rw,relatime - ext4 /dev/vda rw,discard
705 700 254:0 /srv/www /data/www ro,relatime - ext4 /dev/vda rw,discard
"""
HOST = """\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,discard
23 22 0:21 / /proc rw - proc proc rw
30 22 0:70 / /var/tmp/kube/node1/kubelet/pods/1b2c/volumes/kubernetes.io~empty-dir/memory rw - tmpfs tmpfs rw
31 22 8:1 / /mnt/disks/ssd0 rw - xfs /dev/sda1 rw
"""
# A container of CRI-O whose storage is on a disk of its own, mounted at another place than its file system's root.
CRIO = "700 650 8:1 /containers/overlay/ab/diff / ro,relatime - xfs /dev/sda1 rw\n"


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    for pid, text in (("1", HOST), ("42", POD), ("43", CRIO)):
        (tmp_path / pid).mkdir()
        (tmp_path / pid / "mountinfo").write_text(text)
    (tmp_path / "1/root").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("/", "/var/tmp/kube/node1/lib/s/24/fs"),
        ("/home/app", "/var/tmp/kube/node1/lib/s/24/fs/home/app"),
        ("/database", "/var/tmp/kube/node1/lib/s/24/fs/database"),
        ("/data", "/var/tmp/kube/node1/kubelet/pods/1b2c/volumes/kubernetes.io~empty-dir/my data"),
        ("/data/x/y", "/var/tmp/kube/node1/kubelet/pods/1b2c/volumes/kubernetes.io~empty-dir/my data/x/y"),
        ("/data/www", "/srv/www"),
        ("/memory/x", "/var/tmp/kube/node1/kubelet/pods/1b2c/volumes/kubernetes.io~empty-dir/memory/x"),
        ("/proc", "/proc"),
    ],
)
def test_a_folder_of_a_container_is_found_on_the_host(proc, path, place):
    expected = "" if path == "/proc" else place  # of another process namespace: nowhere on the host
    assert folders.on_host(42, path, proc=proc) == expected


def test_a_file_system_that_the_host_mounts_elsewhere_is_found_by_its_device(proc):
    assert folders.on_host(43, "/tmp", proc=proc) == "/mnt/disks/ssd0/containers/overlay/ab/diff/tmp"


def test_the_written_layer_of_an_overlay_is_seen_through_the_hosts_root(proc):
    assert folders.upper_layer(42, proc=proc) == proc / "1/root/var/tmp/kube/node1/lib/s/24/fs"
    assert folders.upper_layer(43, proc=proc) is None
    assert folders.upper_layer(99, proc=proc) is None


def test_a_process_that_has_ended_has_no_folders(proc):
    assert folders.mounts(99, proc=proc) == []
    assert folders.on_host(99, "/", proc=proc) == ""


def test_of_two_mounts_on_one_point_the_later_one_is_seen(proc):
    seen = folders.mounts(43, proc=proc) + folders.mounts(42, proc=proc)
    assert folders.mount_of("/home", seen).kind == "overlay"


def test_where_the_first_process_is_closed_to_us_a_kubelet_shows_the_host(proc):
    (proc / "1/root").rmdir()
    with pytest.raises(FaultError, match="the host's files can't be reached; the helper pod needs hostPID and"):
        folders.host(proc=proc)
    (proc / "800/root").mkdir(parents=True)
    (proc / "800/cmdline").write_bytes(b"/usr/bin/kubelet\0")
    (proc / "800/comm").write_text("kubelet\n")
    (proc / "800/stat").write_text("800 (kubelet) S 1 " + "0 " * 40)
    assert folders.host(proc=proc) == 800


def test_no_symbolic_link_is_followed_because_it_would_lead_out_of_the_container(tmp_path):
    (tmp_path / "real/inner").mkdir(parents=True)
    (tmp_path / "link").symlink_to("/etc")
    os.close(folders.open_in(os.getpid(), str(tmp_path / "real/inner")))
    with pytest.raises(FaultError, match=r"link: .*; name a folder without symbolic links"):
        folders.open_in(os.getpid(), str(tmp_path / "link"))
    with pytest.raises(FileNotFoundError):
        folders.open_in(os.getpid(), str(tmp_path / "missing"))


def test_space_is_counted_in_blocks_and_each_hard_link_once(tmp_path):
    empty = folders.bytes_in(tmp_path, deadline_s=10)
    (tmp_path / "one").write_bytes(bytes(2**20))
    once = folders.bytes_in(tmp_path, deadline_s=10)
    assert 2**20 <= once - empty < 2**20 + 2**16
    os.link(tmp_path / "one", tmp_path / "again")
    (tmp_path / "away").symlink_to("/")
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(2**30)
    assert folders.bytes_in(tmp_path, deadline_s=10) - once < 2**16


def test_counting_that_takes_too_long_is_an_error_and_no_guess(tmp_path):
    (tmp_path / "one").touch()
    with pytest.raises(FaultError, match="took longer than -1 s"):
        folders.bytes_in(tmp_path, deadline_s=-1)
