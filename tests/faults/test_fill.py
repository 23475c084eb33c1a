"""Files of a few megabytes in folders and file systems of the test's own; this machine's disk is never filled."""

import errno
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from litmus.faults import fill, folders, processes
from litmus.faults.contract import FaultError, TargetGoneError

ID = "cd" * 32
MIB = 2**20
WAIT = "print('ready', flush=True); input()"
# A host with a disk of 64 MiB of its own, and on it the layers of a container and a volume.
DISK = """
mount -t tmpfs -o size=64m tmpfs {top} && cd {top} && mkdir lower upper work merged volume lower/data || exit 1
mount -t overlay overlay -o lowerdir={top}/lower,upperdir={top}/upper,workdir={top}/work merged || exit 1
mount --bind volume merged/data && echo ready && read end
"""


@pytest.fixture
def start() -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts processes that say when they are ready and wait for a line; none is left behind."""
    children: list[subprocess.Popen[bytes]] = []

    def child(*command: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        children.append(process)
        if process.stdout.readline() != b"ready\n":
            pytest.skip(f"can't be had here: {process.stderr.read().decode().strip()}")
        return process

    yield child
    for process in reversed(children):
        process.kill()
        process.communicate()


@pytest.fixture
def container(start, monkeypatch: pytest.MonkeyPatch) -> Callable[..., subprocess.Popen[bytes]]:
    """Makes a process the main process of the container ``ID`` until it ends."""

    def runs(*command: str) -> subprocess.Popen[bytes]:
        process = start(*(command or (sys.executable, "-S", "-c", WAIT)))

        def lookup(container_id: str, **_: object) -> processes.Process | None:
            assert processes.bare_id(container_id) == ID
            return processes._process(Path(f"/proc/{process.pid}")) if process.poll() is None else None

        monkeypatch.setattr(processes, "main_process", lookup)
        return process

    return runs


@pytest.fixture
def overlay(start, container, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The disk of a host, as this test sees it, on which a container has its layers and a volume at /data."""
    if os.getuid() != 0:
        pytest.skip("needs root to mount a file system of its own")
    host = start("unshare", "--mount", "sh", "-c", DISK.format(top=tmp_path))
    enter = f"import os; os.chroot('{tmp_path}/merged'); os.chdir('/'); {WAIT}"
    container("nsenter", "--target", str(host.pid), "--mount", sys.executable, "-S", "-c", enter)
    monkeypatch.setattr(folders, "HOST", host.pid)
    return Path(f"/proc/{host.pid}/root{tmp_path}")


@pytest.fixture
def room(tmp_path: Path, container, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of a container that has the root of this machine; only sizes in bytes can be asked for there."""
    container()
    monkeypatch.setattr(folders, "HOST", os.getpid())
    return tmp_path


def make(**parameters: Any) -> fill.Fill:
    return fill.Fill(fault_id="f-1", container_id=f"containerd://{ID}", **parameters)


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def blocks(path: Path) -> int:
    return path.stat().st_blocks * 512


def test_as_many_bytes_as_asked_are_taken_in_real_blocks_and_given_back(room):
    fault = make(size=8 * MIB, path=str(room))
    plan = fault.plan()
    assert plan.changes == f"8.0 MiB in {room} of container cdcdcdcdcdcd: as many as asked"
    assert list(room.iterdir()) == []
    assert fill.Fill.leftovers(plan.undo) == ""
    fault.inject()
    file = room / ".litmus-fill-f-1"
    assert blocks(file) >= 8 * MIB
    assert file.stat().st_mode & 0o777 == 0o600
    proof = fault.prove()
    assert proof.holds
    assert (proof.asked_value, proof.unit) == (8 * MIB, "bytes")
    assert proof.delivered_value == blocks(file)
    fault.tend()
    assert fill.Fill.leftovers(plan.undo).startswith(".litmus-fill-f-1 still takes 8.")
    fill.Fill.revert(plan.undo)
    fill.Fill.revert(plan.undo)
    assert list(room.iterdir()) == []
    assert fill.Fill.leftovers(plan.undo) == ""


def test_where_blocks_can_not_be_allocated_they_are_written(room, monkeypatch):
    def refuse(*_: object) -> None:
        raise OSError(errno.EOPNOTSUPP, "no fallocate here")

    monkeypatch.setattr(os, "posix_fallocate", refuse)
    fault = make(size=3 * MIB + 17, path=str(room))
    fault.plan()
    fault.inject()
    assert (room / ".litmus-fill-f-1").stat().st_size == 3 * MIB + 17
    assert fault.prove().holds


def test_a_percentage_is_of_the_limit_and_counts_what_is_already_written(overlay):
    (overlay / "upper/log").write_bytes(b"x" * 4 * MIB)
    fault = make(percentage=80, limit=20 * MIB)
    plan = fault.plan()
    assert "80 % of its ephemeral-storage limit, 20.0 MiB, of which 4.0 MiB are taken" in plan.changes
    fault.inject()
    # What the kubelet and du see: the layer as a whole.
    used = folders.bytes_in(overlay / "upper", deadline_s=10)
    assert used == pytest.approx(16 * MIB, rel=0.02)
    assert fault.prove().holds
    fill.Fill.revert(plan.undo)
    assert names(overlay / "upper") == ["log"]


def test_a_percentage_without_a_limit_is_the_use_of_the_file_system(overlay):
    (overlay / "other").write_bytes(bytes(10 * MIB))
    fault = make(percentage=75, path="/data")
    undo = fault.plan().undo
    fault.inject()
    disk = os.statvfs(overlay)
    assert 1 - disk.f_bavail / disk.f_blocks == pytest.approx(0.75, abs=0.01)
    proof = fault.prove()
    assert "(75.0 %)" in proof.delivered
    fill.Fill.revert(undo)
    assert not names(overlay / "volume")


def test_a_file_system_is_filled_to_the_brim_when_a_percentage_of_it_says_so(overlay):
    fault = make(percentage=100, path="/data")
    undo = fault.plan().undo
    fault.inject()
    assert fault.prove().holds
    with pytest.raises(OSError, match="No space left"):
        (overlay / "one-more").write_bytes(bytes(2 * MIB))
    (overlay / "one-more").unlink()
    fill.Fill.revert(undo)
    (overlay / "one-more").write_bytes(bytes(2 * MIB))


@pytest.mark.parametrize("parameters", [{"size": 62 * MIB}, {"percentage": 90, "limit": 100 * MIB}])
def test_else_five_percent_of_the_file_system_stay_free_for_the_rest_of_the_node(overlay, parameters):
    fault = make(**parameters)
    with pytest.raises(FaultError, match=r"do not fit: .* of which 3.2 MiB must stay free for the rest of the node"):
        fault.plan()
    assert not names(overlay / "upper")


def test_a_disk_that_fills_up_meanwhile_is_an_error_and_what_was_written_is_removed(overlay):
    fault = make(size=40 * MIB)
    undo = fault.plan().undo
    (overlay / "other").write_bytes(bytes(40 * MIB))
    with pytest.raises(FaultError, match="filling / of the container: No space left on device"):
        fault.inject()
    fill.Fill.revert(undo)
    assert not names(overlay / "upper")


@pytest.mark.parametrize("path", ["/", "/data"])
def test_the_file_of_a_container_that_has_ended_is_removed_by_another_process(overlay, container, path):
    """The layer stays on the disk until the kubelet removes the container, and the volume as long as the pod."""
    fault = make(size=5 * MIB, path=path)
    undo = fault.plan().undo
    fault.inject()
    place = overlay / ("upper" if path == "/" else "volume")
    assert names(place) == [".litmus-fill-f-1"]
    end_of = processes.main_process(ID)
    os.kill(end_of.pid, 9)
    while processes.main_process(ID) is not None:
        os.sched_yield()
    with pytest.raises(TargetGoneError, match="the kubelet may have evicted its pod"):
        fault.tend()
    assert not fault.prove().holds
    assert "still takes 5." in fill.Fill.leftovers(undo)
    script = f"from litmus.faults import fill, folders; folders.HOST = {folders.HOST}; fill.Fill.revert({undo!r})"
    subprocess.run([sys.executable, "-c", script], check=True)
    assert not names(place)


def test_a_way_to_the_file_that_is_blocked_does_not_keep_it_from_the_other(overlay):
    fault = make(size=5 * MIB)
    undo = fault.plan().undo
    fault.inject()
    read_only(f"{_top(overlay)}/merged")
    with pytest.raises(FaultError, match="can't be removed: Read-only file system"):
        fill.Fill.revert(undo)
    assert not names(overlay / "upper")


def test_when_container_and_layer_are_gone_there_is_nothing_to_undo(overlay):
    fault = make(size=5 * MIB)
    undo = fault.plan().undo | {"on_host": "/nowhere/at/all"}
    os.kill(processes.main_process(ID).pid, 9)
    while processes.main_process(ID) is not None:
        os.sched_yield()
    fill.Fill.revert(undo)
    assert fill.Fill.leftovers(undo) == ""
    with pytest.raises(TargetGoneError):
        fault.inject()


def test_a_read_only_folder_is_refused_with_what_to_do(overlay):
    read_only(f"{_top(overlay)}/merged")
    with pytest.raises(FaultError, match="/ in the container is read-only; name a folder that it can write to"):
        make(size=MIB).plan()


def test_more_that_is_there_than_asked_is_no_fault(overlay):
    (overlay / "upper/log").write_bytes(bytes(18 * MIB))
    with pytest.raises(FaultError, match=r"nothing to fill for 80 % of its .* limit, 20.0 MiB, of which 18.0 MiB are"):
        make(percentage=80, limit=20 * MIB).plan()


def test_what_a_container_without_an_overlay_has_written_is_not_guessed(room):
    with pytest.raises(FaultError, match="is no overlay; ask for bytes instead of a percentage of the limit"):
        make(percentage=80, limit=20 * MIB, path=str(room)).plan()


def test_a_file_that_somebody_removes_has_lost_its_effect(room):
    fault = make(size=MIB, path=str(room))
    fault.plan()
    fault.inject()
    (room / ".litmus-fill-f-1").unlink()
    with pytest.raises(FaultError, match="was removed or made smaller by somebody else"):
        fault.tend()
    assert not fault.prove().holds


def test_a_file_of_that_name_that_is_there_is_not_touched(room):
    fault = make(size=MIB, path=str(room))
    fault.plan()
    (room / ".litmus-fill-f-1").write_text("mine")
    with pytest.raises(FaultError, match=r"no file can be made in .*: File exists"):
        fault.inject()
    assert (room / ".litmus-fill-f-1").read_text() == "mine"


@pytest.mark.parametrize("parameters", [{}, {"percentage": 50, "size": 5}, {"percentage": 101}, {"size": -1}])
def test_either_bytes_or_a_percentage_up_to_100_is_asked_for(room, parameters):
    with pytest.raises(FaultError, match=r"percentage .* and size .*: give one, from 1 to 100 or above 0"):
        make(path=str(room), **parameters).plan()


def test_a_folder_that_is_not_there_is_refused(room):
    with pytest.raises(FaultError, match=rf"there is no folder {room}/missing in container cdcdcdcdcdcd"):
        make(size=MIB, path=f"{room}/missing").plan()


def test_a_container_that_does_not_run_is_refused(room):
    os.kill(processes.main_process(ID).pid, 9)
    while processes.main_process(ID) is not None:
        os.sched_yield()
    with pytest.raises(FaultError, match="container cdcdcdcdcdcd runs no process on this node"):
        make(size=MIB).plan()


def read_only(point: str) -> None:
    """A mount point of the test's host, which nobody can write through any more."""
    enter = ["nsenter", f"--mount=/proc/{folders.HOST}/ns/mnt"]
    subprocess.run([*enter, "mount", "-o", "remount,ro,bind", point], check=True)


def _top(overlay: Path) -> str:
    """The folder as the host itself names it."""
    return "/" + "/".join(overlay.parts[4:])
