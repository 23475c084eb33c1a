"""Stress with the real stress-ng: on a process in real control groups of the test's own, and on "the node"."""

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from litmus.faults import accounting, cgroups, folders, marked, processes
from litmus.faults.contract import FaultError, TargetGoneError
from litmus.faults.stress import fault as stress
from litmus.faults.stress.cpu import CpuStress
from litmus.faults.stress.disk import IoStress
from litmus.faults.stress.memory import MemoryStress

ID = "ab" * 32
MIB = 1 << 20
FAULT = f"stress-{os.getpid()}"
LIMITS = {
    "cpu.cfs_quota_us": "20000",
    "cpu.max": "20000 100000",
    "memory.limit_in_bytes": str(64 * MIB),
    "memory.max": str(64 * MIB),
}
needs_stress_ng = pytest.mark.skipif(not shutil.which(stress.PROGRAM), reason="needs stress-ng")


@dataclass
class Container:
    """A process in control groups with a limit of 0.2 processors and 64 MiB, which passes for a container."""

    main: "subprocess.Popen[bytes]"
    folders: list[Path]

    def procs(self) -> set[int]:
        return {int(pid) for folder in self.folders for pid in (folder / "cgroup.procs").read_text().split()}


@pytest.fixture
def container(monkeypatch: pytest.MonkeyPatch) -> Iterator[Container]:
    tops = list(cgroups.trees())
    if len(tops) > 1:  # v1
        tops = [top for top in tops if {"cpu", "cpuacct", "memory"} & set(top.name.split(","))]
    folders = [top / f"litmus-test-{os.getpid()}" for top in tops]
    main = subprocess.Popen(["sleep", "120"])
    try:
        try:
            for folder in folders:
                folder.mkdir()
                for name, limit in LIMITS.items():
                    with contextlib.suppress(FileNotFoundError, PermissionError):
                        if (folder / name).exists():
                            (folder / name).write_text(limit)
                (folder / "cgroup.procs").write_text(str(main.pid))
        except OSError as error:
            pytest.skip(f"needs root and a writable /sys/fs/cgroup: {error.strerror}")
        groups = cgroups.of_process(main.pid)
        if accounting.cpu_limit(groups) != 0.2 or accounting.memory_limit(groups) != 64 * MIB:
            pytest.skip("the cpu and memory controllers are not to be had here")
        answer = processes._process(Path(f"/proc/{main.pid}"))
        monkeypatch.setattr(processes, "main_process", lambda _id: answer if main.poll() is None else None)
        yield Container(main, folders)
    finally:
        marked.end(FAULT)
        main.kill()
        main.wait()
        for folder in folders:
            if folder.exists():
                folder.rmdir()


@pytest.fixture(autouse=True)
def nothing_left(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(folders, "HOST", os.getpid())  # the first process may be closed to us, or see other files
    yield
    marked.end(FAULT)


def made(kind: type[Any], **parameters: Any) -> Any:
    return kind(fault_id=FAULT, duration_s=30, container_id=ID, **parameters)


KINDS: dict[str, Callable[[Path], Any]] = {
    "cpu": lambda folder: made(CpuStress, workers=1),
    "memory": lambda folder: made(MemoryStress, bytes=20 * MIB),
    "io": lambda folder: made(IoStress, bytes=8 * MIB, workers=2, path=str(folder)),
}
every = pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)


@needs_stress_ng
@every
def test_it_holds_inside_of_the_targets_groups_and_is_undone_by_the_recipe_alone(make, container, tmp_path):
    fault = make(tmp_path)
    plan = fault.plan()
    assert container.procs() == {container.main.pid}
    assert list(tmp_path.iterdir()) == []
    fault.inject()
    try:
        proof = fault.prove()
        assert proof.holds, proof
        assert proof.delivered_value > 0
        fault.tend()
        running = marked.find(FAULT)
        assert len(running) >= 2
        assert set(running) <= container.procs()
        assert "still run" in type(fault).leftovers(plan.undo)
    finally:
        for _ in range(2):
            type(fault).revert(plan.undo)
    assert type(fault).leftovers(plan.undo) == ""
    assert marked.find(FAULT) == []
    assert list(tmp_path.iterdir()) == []
    assert container.procs() == {container.main.pid}


@needs_stress_ng
@every
def test_a_target_that_ends_is_gone_and_its_stress_with_it(make, container, tmp_path):
    fault = make(tmp_path)
    undo = fault.plan().undo
    fault.inject()
    container.main.kill()
    container.main.wait()
    with pytest.raises(TargetGoneError, match="the main process of container abababababab ended"):
        fault.tend()
    assert container.procs() == set()
    assert list(tmp_path.iterdir()) == []
    type(fault).revert(undo)
    assert type(fault).leftovers(undo) == ""


@needs_stress_ng
@every
def test_stress_that_somebody_ended_has_lost_its_effect(make, container, tmp_path):
    fault = make(tmp_path)
    fault.plan()
    fault.inject()
    marked.end(FAULT)
    with pytest.raises(FaultError, match="stress-ng ended early"):
        fault.tend()


@needs_stress_ng
def test_no_more_than_the_limit_is_expected_of_a_throttled_container(container):
    fault = made(CpuStress, workers=2)
    fault.plan()
    fault.inject()
    proof = fault.prove()
    assert proof.holds
    assert proof.asked_value == 0.2
    assert "of 0.2 that container abababababab may use" in proof.asked


@needs_stress_ng
def test_memory_beyond_the_limit_reaches_it_and_never_takes_the_application(container):
    fault = made(MemoryStress, bytes=200 * MIB)
    fault.plan()
    fault.inject()
    proof = fault.prove()
    assert proof.holds, proof
    assert "of 64 MiB allowed" in proof.delivered
    fault.tend()
    assert container.main.poll() is None


@needs_stress_ng
def test_a_container_that_is_killed_as_a_whole_at_its_limit_was_hit(container):
    """As the kubelet has it with cgroup v2 since Kubernetes 1.28 (memory.oom.group)."""
    fault = made(MemoryStress, bytes=20 * MIB)
    fault.plan()
    fault.inject()
    for pid in (container.main.pid, *marked.find(FAULT)):
        os.kill(pid, signal.SIGKILL)
    container.main.wait()
    proof = fault.prove()
    assert proof.holds
    assert proof.delivered == "the kernel killed all of container abababababab at its limit of 64 MiB"
    with pytest.raises(TargetGoneError):
        fault.tend()


@needs_stress_ng
def test_a_target_that_ends_alone_while_it_is_measured_is_no_proof(container):
    fault = made(MemoryStress, bytes=20 * MIB)
    fault.plan()
    fault.inject()
    container.main.kill()
    container.main.wait()
    with pytest.raises(TargetGoneError, match="ended while its memory was measured"):
        fault.prove()


@needs_stress_ng
def test_a_percentage_of_memory_is_of_the_limit(container):
    assert (
        made(MemoryStress, percent=50).plan().changes == "32 MiB of memory held by 1 workers in container abababababab"
    )


@needs_stress_ng
def test_a_ramp_begins_with_a_share_and_ends_with_the_whole(container):
    fault = made(MemoryStress, bytes=40 * MIB, ramp_s=2.0)
    fault.plan()
    fault.inject()
    assert fault.prove().asked_value == 20
    fault._begun_at -= 2.0
    fault.tend()
    proof = fault.prove()
    assert proof.holds, proof
    assert proof.asked_value == 40


@needs_stress_ng
def test_a_container_without_processes_is_refused_before_anything_is_touched(monkeypatch, tmp_path):
    monkeypatch.setattr(processes, "main_process", lambda _id: None)
    with pytest.raises(FaultError, match="runs no process on this node"):
        made(CpuStress).plan()


@needs_stress_ng
@pytest.mark.parametrize(
    ("kind", "parameters", "said"),
    [
        (CpuStress, {"load_percent": 0}, "0 to 100 %"),
        (CpuStress, {"workers": -1}, "0 to 100 %"),
        (MemoryStress, {}, "either a number of bytes or a percentage"),
        (MemoryStress, {"bytes": 1, "percent": 1}, "either a number of bytes or a percentage"),
        (MemoryStress, {"percent": 101}, "percentage up to 100"),
        (IoStress, {"bytes": 1, "workers": 0}, "at least 1 worker"),
        (IoStress, {"bytes": 1 << 50}, "MiB are free"),
        (IoStress, {"bytes": MIB, "path": "/nowhere"}, "/nowhere is not there"),
    ],
)
def test_what_makes_no_sense_is_refused_when_it_is_planned(kind, parameters, said):
    with pytest.raises(FaultError, match=said):
        kind(fault_id=FAULT, duration_s=5, **parameters).plan()
    assert marked.find(FAULT) == []


@needs_stress_ng
def test_on_the_node_it_runs_in_our_own_groups_without_any_privilege():
    fault = CpuStress(fault_id=FAULT, duration_s=5, workers=1, load_percent=20)
    plan = fault.plan()
    fault.inject()
    ours = Path("/proc/self/cgroup").read_text()
    assert {Path(f"/proc/{pid}/cgroup").read_text() for pid in marked.find(FAULT)} == {ours}
    assert fault.prove().holds
    CpuStress.revert(plan.undo)
    assert CpuStress.leftovers(plan.undo) == ""


def test_without_stress_ng_it_says_where_it_is_to_be_had(monkeypatch):
    monkeypatch.setattr(stress.shutil, "which", lambda _name: None)
    with pytest.raises(FaultError, match="use the litmus image"):
        CpuStress(fault_id=FAULT, duration_s=5).plan()
