"""Limits and counters of control groups, read from files recorded on nodes with cgroup v1 and v2."""

from pathlib import Path

import pytest

from litmus.faults import accounting
from litmus.faults.cgroups import UNIFIED, Groups
from litmus.faults.contract import TargetGoneError

V1_FILES = {
    "cpu.cfs_quota_us": "20000\n",
    "cpu.cfs_period_us": "100000\n",
    "cpuacct.usage": "1500000000\n",
    "cpuset.effective_cpus": "0-1\n",
    "memory.limit_in_bytes": "134217728\n",
    "memory.stat": "cache 4096\nrss 1000000\ntotal_cache 4096\ntotal_rss 2000000\n",
    "memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n",
    "blkio.throttle.io_service_bytes_recursive": (
        "254:0 Read 4096\n254:0 Write 1000\n254:0 Sync 1000\n254:0 Total 5096\n254:16 Write 500\nTotal 5596\n"
    ),
}
V2_FILES = {
    "cpu.max": "20000 100000\n",
    "cpu.stat": "usage_usec 1500000\nuser_usec 1000000\nsystem_usec 500000\nnr_periods 5\nnr_throttled 2\n",
    "cpuset.cpus.effective": "0-1\n",
    "memory.max": "134217728\n",
    "memory.stat": "anon 2000000\nfile 4096\nkernel_stack 16384\n",
    "memory.events": "low 0\nhigh 0\nmax 12\noom 3\noom_kill 3\noom_group_kill 0\n",
    "io.stat": "254:0 rbytes=4096 wbytes=1000 rios=1 wios=1 dbytes=0\n254:16 rbytes=0 wbytes=500 rios=0 wios=1\n",
}
UNLIMITED_V1 = {"cpu.cfs_quota_us": "-1\n", "memory.limit_in_bytes": "9223372036854771712\n"}
UNLIMITED_V2 = {"cpu.max": "max 100000\n", "memory.max": "max\n"}


def made(top: Path, *, v2: bool, **around: str) -> Groups:
    """A container's group within a pod's. ``around``: files of the pod's group, by name with _ for the dot."""
    files, unlimited = (V2_FILES, UNLIMITED_V2) if v2 else (V1_FILES, UNLIMITED_V1)
    folder = top / "pod" / "container"
    folder.mkdir(parents=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    for name, text in (unlimited | {key.replace("__", "."): value for key, value in around.items()}).items():
        (folder.parent / name).write_text(text)
    names = [UNIFIED] if v2 else ["cpu", "cpuacct", "cpuset", "memory", "blkio", "pids"]
    return Groups(dict.fromkeys(names, folder), dict.fromkeys(names, top))


versions = pytest.mark.parametrize("v2", [False, True], ids=["v1", "v2"])


@pytest.fixture(autouse=True)
def eight_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounting.os, "cpu_count", lambda: 8)


@versions
def test_the_counters_are_the_groups_own(tmp_path, v2):
    found = accounting.read(made(tmp_path, v2=v2))
    assert (found.cpu_s, found.resident_bytes, found.written_bytes, found.oom_kills) == (1.5, 2000000, 1500, 3)


@versions
def test_the_limits_are_the_groups_own_where_those_around_are_wider(tmp_path, v2):
    groups = made(tmp_path, v2=v2)
    assert accounting.cpu_limit(groups) == 0.2
    assert accounting.memory_limit(groups) == 128 << 20


def test_a_narrower_limit_of_the_pod_holds_in_v1(tmp_path):
    around = {"cpu__cfs_quota_us": "10000", "cpu__cfs_period_us": "100000", "memory__limit_in_bytes": "1048576"}
    groups = made(tmp_path, v2=False, **around)
    assert accounting.cpu_limit(groups) == 0.1
    assert accounting.memory_limit(groups) == 1 << 20


def test_a_narrower_limit_of_the_pod_holds_in_v2(tmp_path):
    groups = made(tmp_path, v2=True, cpu__max="10000 100000", memory__max="1048576")
    assert accounting.cpu_limit(groups) == 0.1
    assert accounting.memory_limit(groups) == 1 << 20


@versions
@pytest.mark.parametrize(("cpus", "count"), [("0-1", 2), ("0-2,5", 4), ("3", 1), ("", 8)])
def test_without_a_quota_the_processors_of_the_cpuset_are_the_limit(tmp_path, v2, cpus, count):
    groups = made(tmp_path, v2=v2)
    for name, text in (UNLIMITED_V2 if v2 else UNLIMITED_V1).items():
        (groups.folder("cpu") / name).write_text(text)
    (groups.folder("cpu") / ("cpuset.cpus.effective" if v2 else "cpuset.effective_cpus")).write_text(f"{cpus}\n")
    assert accounting.cpu_limit(groups) == count
    assert accounting.memory_limit(groups) is None


@versions
def test_what_the_kernel_does_not_count_is_none_and_not_zero(tmp_path, v2):
    groups = made(tmp_path, v2=v2)
    (groups.folder("blkio") / ("io.stat" if v2 else "blkio.throttle.io_service_bytes_recursive")).unlink()
    assert accounting.read(groups).written_bytes is None


def test_a_v1_host_without_the_blkio_controller_counts_no_bytes(tmp_path):
    groups = made(tmp_path, v2=False)
    without = Groups({k: v for k, v in groups.folders.items() if k != "blkio"}, groups.tops)
    assert accounting.read(without).written_bytes is None


@versions
def test_a_group_that_is_gone_is_a_target_that_is_gone(tmp_path, v2):
    groups = made(tmp_path, v2=v2)
    for file in groups.folder("cpu").iterdir():
        file.unlink()
    with pytest.raises(TargetGoneError, match="is gone"):
        accounting.read(groups)


def test_the_nodes_memory_is_in_bytes(tmp_path):
    (tmp_path / "meminfo").write_text("MemTotal:       24683520 kB\nMemFree: 1 kB\nMemAvailable:   20000000 kB\n")
    assert accounting.node_memory(tmp_path / "meminfo") == (24683520 * 1024, 20000000 * 1024)
