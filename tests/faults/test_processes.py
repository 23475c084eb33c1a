"""A container's processes are found by its id in /proc/*/cgroup, whatever runtime and whatever cgroup version."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litmus.faults import processes

ID = "4c5d6e7f8a9b0c1d2e3f4a5b6c7d8e9f0a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5d"
OTHER = "0f" * 32
POD = "12345678-90ab-cdef-1234-567890abcdef"
SLICE = POD.replace("-", "_")

V1_CONTROLLERS = ("name=systemd", "pids", "memory", "cpu,cpuacct", "freezer", "devices")


def v1(path: str) -> str:
    return "".join(f"{n}:{name}:{path}\n" for n, name in reversed(list(enumerate(V1_CONTROLLERS, 1))))


def v2(path: str) -> str:
    return f"0::{path}\n"


# What /proc/<pid>/cgroup says of a container, recorded on nodes of these kinds.
RECORDED = {
    "Docker, v1, cgroupfs": v1(f"/kubepods/besteffort/pod{POD}/{{id}}"),
    "Docker, v1, systemd": v1(
        f"/kubepods.slice/kubepods-besteffort.slice/kubepods-pod{SLICE}.slice/docker-{{id}}.scope"
    ),
    "Docker, v2, systemd": v2(
        f"/kubepods.slice/kubepods-besteffort.slice/kubepods-pod{SLICE}.slice/docker-{{id}}.scope"
    ),
    "Docker without Kubernetes, v1": v1("/docker/{id}"),
    "containerd, v1, cgroupfs": v1(f"/kubepods/burstable/pod{POD}/{{id}}"),
    "containerd, v1, systemd": v1(
        f"/system.slice/containerd.service/kubepods-burstable-pod{SLICE}.slice:cri-containerd:{{id}}"
    ),
    "containerd, v2, cgroupfs": v2(f"/kubepods/pod{POD}/{{id}}"),
    "containerd, v2, systemd": v2(f"/kubepods.slice/kubepods-pod{SLICE}.slice/cri-containerd-{{id}}.scope"),
    "containerd, hybrid": v1(f"/kubepods/pod{POD}/{{id}}") + v2("/system.slice/containerd.service"),
    "CRI-O, v1, cgroupfs": v1(f"/kubepods/besteffort/pod{POD}/crio-{{id}}"),
    "CRI-O, v1, systemd": v1(f"/kubepods.slice/kubepods-pod{SLICE}.slice/crio-{{id}}.scope"),
    "CRI-O, v2, systemd": v2(f"/kubepods.slice/kubepods-pod{SLICE}.slice/crio-{{id}}.scope"),
    "CRI-O, v2, a process below": v2(f"/kubepods.slice/kubepods-pod{SLICE}.slice/crio-{{id}}.scope/container"),
    "a cgroup namespace, v2, systemd": v2(f"/../../kubepods-pod{SLICE}.slice/cri-containerd-{{id}}.scope"),
    "a cgroup namespace, v2, cgroupfs": v2(f"/../../pod{POD}/{{id}}"),
    "a cgroup namespace, v1": v1("/../{id}"),
    "kind, v2": v2(
        f"/docker/{OTHER}/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod{SLICE}.slice/cri-containerd-{{id}}.scope"
    ),
}
HOST = {
    "init": v2("/init.scope"),
    "the kubelet": v2("/system.slice/kubelet.service"),
    "v1": v1("/user.slice"),
    "the pause container of no pod": v2("/kubepods.slice/cri-containerd-.scope"),
}


def process(proc: Path, pid: int, *, cgroup: str, parent: int = 1, name: str = "app", started: int = 0) -> None:
    folder = proc / str(pid)
    folder.mkdir()
    (folder / "cgroup").write_text(cgroup)
    (folder / "stat").write_text(f"{pid} ({name}) S {parent} {'0 ' * 17}{started} 0 0\n")
    (folder / "status").write_text(f"Name:\t{name}\nUmask:\t0022\nState:\tS (sleeping)\nPid:\t{pid}\nPPid:\t{parent}\n")


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    """A process tree with the files beside the processes that a real one has, and processes of the host."""
    for name in ("meminfo", "uptime"):
        (tmp_path / name).write_text("1")
    (tmp_path / "sys").mkdir()
    (tmp_path / "self").symlink_to("1")
    for pid, cgroup in enumerate(HOST.values(), 1):
        process(tmp_path, pid, cgroup=cgroup, parent=0, name="host")
    return tmp_path


@pytest.mark.parametrize("cgroup", RECORDED.values(), ids=RECORDED)
def test_the_containers_id_is_found_in_every_recorded_cgroup_file(proc, cgroup):
    process(proc, 100, cgroup=cgroup.format(id=ID), name="nginx")
    process(proc, 101, cgroup=cgroup.format(id="ab" * 32))
    assert processes.of_container(ID, proc=proc) == [processes.Process(pid=100, parent=1, name="nginx")]
    assert processes.main_process(ID, proc=proc) == processes.Process(pid=100, parent=1, name="nginx")


@pytest.mark.parametrize("cgroup", HOST.values(), ids=HOST)
def test_a_process_of_the_host_belongs_to_no_container(cgroup):
    assert processes.ids_in(cgroup) == set()


@pytest.mark.parametrize("text", [ID[:-1], f"{ID}0", f"{ID}{OTHER}", ID.upper()])
def test_what_is_shorter_longer_or_spelt_otherwise_is_no_container_id(text):
    assert processes.ids_in(f"0::/{text}\n") == set()


@given(st.lists(st.from_regex(r"[0-9a-f]{64}", fullmatch=True), max_size=4), st.sampled_from(["/", "-", ":", "_"]))
def test_every_id_in_a_path_is_found_between_any_separators(ids, separator):
    path = separator.join(["", *ids, ""])
    assert processes.ids_in(f"0::{path}.scope\n") == set(ids)


@pytest.mark.parametrize("runtime", ["docker", "containerd", "cri-o"])
def test_an_id_may_come_with_its_runtime_in_front(proc, runtime):
    process(proc, 100, cgroup=v2(f"/kubepods/pod{POD}/{ID}"))
    assert processes.bare_id(f"{runtime}://{ID}") == processes.bare_id(ID) == ID
    assert processes.main_process(f"{runtime}://{ID}", proc=proc).pid == 100


def test_a_container_that_runs_nothing_here_has_no_process(proc):
    assert processes.of_container(ID, proc=proc) == []
    assert processes.main_process(ID, proc=proc) is None


CGROUP = v2(f"/kubepods/pod{POD}/{ID}")


def test_the_processes_of_a_container_are_told_in_order_of_their_pids(proc):
    for pid in (1000, 200, 30):
        process(proc, pid, cgroup=CGROUP)
    assert [found.pid for found in processes.of_container(ID, proc=proc)] == [30, 200, 1000]


def test_the_main_process_is_the_one_whose_parent_is_outside_the_container(proc):
    process(proc, 500, cgroup=CGROUP, parent=50, name="sh")
    process(proc, 510, cgroup=CGROUP, parent=500, name="app")
    process(proc, 511, cgroup=CGROUP, parent=510, name="worker")
    assert processes.main_process(ID, proc=proc).pid == 500


def test_after_a_wrap_around_of_pids_the_earliest_process_is_the_main_one(proc):
    process(proc, 40000, cgroup=v2(f"/kubepods/pod1/{ID}"), started=100)
    process(proc, 300, cgroup=v2(f"/kubepods/pod1/{ID}"), parent=7, name="sh) S 1", started=900)
    assert processes.main_process(ID, proc=proc).pid == 40000


def test_a_child_with_a_lower_pid_is_not_taken_for_the_main_process(proc):
    process(proc, 500, cgroup=CGROUP, parent=50, name="sh")
    process(proc, 40, cgroup=CGROUP, parent=500, name="worker")
    assert processes.main_process(ID, proc=proc).pid == 500


def test_a_process_that_was_executed_into_the_container_later_is_not_its_main_process(proc):
    process(proc, 500, cgroup=CGROUP, parent=50, name="app")
    process(proc, 700, cgroup=CGROUP, parent=50, name="kubectl-exec")
    assert processes.main_process(ID, proc=proc).pid == 500


def test_containers_of_a_pod_that_shares_one_process_namespace_are_told_apart(proc):
    process(proc, 500, cgroup=v2(f"/kubepods/pod{POD}/{OTHER}"), parent=50, name="pause")
    process(proc, 501, cgroup=CGROUP, parent=50, name="app")
    assert processes.main_process(ID, proc=proc).name == "app"


def test_processes_that_end_while_we_look_are_passed_over(proc):
    process(proc, 500, cgroup=CGROUP)
    (proc / "501").mkdir()
    process(proc, 502, cgroup=CGROUP)
    (proc / "502/status").unlink()
    assert [found.pid for found in processes.of_container(ID, proc=proc)] == [500]


def test_a_process_may_have_a_colon_in_its_name(proc):
    process(proc, 500, cgroup=CGROUP, name="tor: relay")
    assert processes.main_process(ID, proc=proc).name == "tor: relay"


def test_this_machines_own_processes_can_be_read():
    assert processes.of_container(ID) == []
    own = processes._process(Path(f"/proc/{os.getpid()}"))
    assert (own.pid, own.parent) == (os.getpid(), os.getppid())


def test_no_process_belongs_to_a_container_without_an_id():
    assert processes.of_container("") == []
