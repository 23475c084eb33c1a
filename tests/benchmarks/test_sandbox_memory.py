import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

HERE = Path(__file__).parents[2] / "benchmarks"
SANDBOX = Path("/tmp/litmus-sandbox-0/bench")


@pytest.fixture
def memory() -> Iterator[ModuleType]:
    """A module beside a script, which finds its neighbours as the script does."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(HERE)
        yield importlib.import_module("sandbox_memory")
        for name in ("sandbox_memory", "table"):
            sys.modules.pop(name)


class Proc:
    """A /proc of our own making."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.next = 100

    def add(self, *command: str, pss_kb: int, container: str = "", marked: bool = True) -> int:
        self.next += 1
        folder = self.path / str(self.next)
        folder.mkdir()
        environ = {"LITMUS_SANDBOX": str(SANDBOX)} if marked else {}
        if container:
            environ["LITMUS_SANDBOX_CONTAINER"] = container
        (folder / "environ").write_text("".join(f"{name}={value}\0" for name, value in environ.items()))
        (folder / "cmdline").write_text("".join(f"{word}\0" for word in command))
        (folder / "smaps_rollup").write_text(f"00400000-7fff rw-p\nRss:  99999 kB\nPss:  {pss_kb} kB\nPss_Anon: 1 kB\n")
        return self.next


@pytest.fixture
def proc(tmp_path: Path) -> Proc:
    made = Proc(tmp_path)
    made.add("python", "-m", "litmus.sandbox.control", str(SANDBOX), "7", pss_kb=50 * 1024, marked=False)
    made.add("python", "-m", "litmus.sandbox.control", f"{SANDBOX}2", "7", pss_kb=1024, marked=False)
    made.add("python", "-m", "litmus.sandbox.network", pss_kb=20 * 1024)
    for number in range(3):
        made.add("python", "-m", "litmus.sandbox.node", f"--name=node{number}", pss_kb=(28 + number) * 1024)
    return made


def test_each_role_is_found_and_everything_is_added_up(memory, proc):
    found = memory.read(SANDBOX, proc=proc.path)
    assert found == memory.Memory(control=50, node=29, proxy=20, container=0, everything=50 + 20 + 28 + 29 + 30)


def test_the_processes_of_a_container_count_together_and_the_median_container_is_told(memory, proc):
    for container, sizes in {"a": [1, 2], "b": [4], "c": [9]}.items():
        for size in sizes:
            proc.add("nginx", pss_kb=size * 1024, container=container * 64)
    found = memory.read(SANDBOX, proc=proc.path)
    assert found.container == 4
    assert found.everything == 157 + 1 + 2 + 4 + 9


def test_a_process_that_has_ended_has_no_memory(memory, tmp_path):
    assert memory.pss(4711, proc=tmp_path) == 0.0


def test_a_sandbox_that_does_not_run_is_not_measured(memory, tmp_path):
    with pytest.raises(memory.NotMeasured, match="not found"):
        memory.read(SANDBOX, proc=tmp_path)


def test_without_its_control_process_it_is_not_measured_either(memory, tmp_path):
    proc = Proc(tmp_path)
    proc.add("python", "-m", "litmus.sandbox.network", pss_kb=1)
    proc.add("python", "-m", "litmus.sandbox.node", pss_kb=1)
    with pytest.raises(memory.NotMeasured, match="no control process"):
        memory.read(SANDBOX, proc=proc.path)
