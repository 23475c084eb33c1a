"""What is said to a container about process 1 means its main process."""

import pytest

from litmus.sandbox.node import process_one


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("kill 1", "kill 77"),
        ("kill -9 1", "kill -9 77"),
        ("kill -1 1", "kill -1 77"),
        ("kill -s TERM 1", "kill -s TERM 77"),
        ("/bin/kill -TERM -- 1", "/bin/kill -TERM -- 77"),
        ("kill -9 -1", "kill -9 -77"),
        ("kill 12", "kill 12"),
        ("kill -1 12", "kill -1 12"),
        ("pkill 1", "pkill 1"),
        ("cat /proc/1/cmdline", "cat /proc/77/cmdline"),
        ("cat /proc/12/cmdline", "cat /proc/12/cmdline"),
        ("ls /data/proc/1/x", "ls /data/proc/1/x"),
    ],
)
def test_a_command_and_a_script_mean_the_main_process(said: str, meant: str) -> None:
    assert process_one.meant(said.split(), "77") == meant.split()
    assert process_one.meant(["sh", "-c", f"true; {said} || true"], "77") == ["sh", "-c", f"true; {meant} || true"]


def test_a_script_that_is_the_main_process_means_itself() -> None:
    script = "echo up > /proc/1/fd/1; sleep 5; kill 1"
    assert process_one.meant(["/bin/sh", "-c", script], process_one.ITSELF) == [
        "/bin/sh",
        "-c",
        "echo up > /proc/$$/fd/1; sleep 5; kill $$",
    ]
    assert process_one.meant(["tail", "/proc/1/fd/1"], process_one.ITSELF) == ["tail", "/proc/1/fd/1"]


def test_nothing_said_means_nothing() -> None:
    assert process_one.meant([], "77") == []
