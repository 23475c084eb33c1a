"""What is said to a container has its mount paths replaced, and nothing else."""

from pathlib import Path

import pytest

from litmus.sandbox.machinery import ports
from litmus.sandbox.node.view import Mount, View, untouched

VIEW = View(
    mounts=(Mount("/etc/config", "/real/config"), Mount("/etc/config/sub", "/real/sub"), Mount("/tmp", "/real/tmp")),
    ip="127.5.1.9",
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/etc/config", "/real/config"),
        ("/etc/config/a.txt", "/real/config/a.txt"),
        ("/etc/config/sub/b", "/real/sub/b"),
        ("cat /etc/config/a >/tmp/x; ls '/tmp'", "cat /real/config/a >/real/tmp/x; ls '/real/tmp'"),
        ("--file=/etc/config/a,/tmp/b:/tmp", "--file=/real/config/a,/real/tmp/b:/real/tmp"),
        ("/etc/configuration", "/etc/configuration"),
        ("/etc/config.d/x", "/etc/config.d/x"),
        ("/var/tmp/x", "/var/tmp/x"),
        ("./tmp/x ../tmp ~/tmp", "./tmp/x ../tmp ~/tmp"),
        ("http://host/tmp/x", "http://host/tmp/x"),
        ("/tmp", "/real/tmp"),
        ("", ""),
    ],
)
def test_a_mount_path_is_replaced_where_a_path_begins(text: str, expected: str) -> None:
    assert VIEW.said(text) == expected


def test_without_mounts_nothing_is_replaced() -> None:
    assert View().said("/etc/config") == "/etc/config"
    assert View(mounts=(Mount("/", "/real"),)).said("a / b /c") == "a / b /c"


@pytest.mark.parametrize(
    ("path", "place"), [("/etc/config/sub", "/real/sub"), ("/etc/config/subs", "/real/config/subs"), ("/etc", "/etc")]
)
def test_the_longest_mount_wins(path: str, place: str) -> None:
    assert VIEW.real(path) == place


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("http://localhost:8080/x", "http://127.5.1.9:8080/x"),
        ("https://127.0.0.1/", "https://127.5.1.9/"),
        ("http://localhost", "http://127.5.1.9"),
        ("http://localhost.example", "http://localhost.example"),
        ("localhost:8080", "localhost:8080"),
        ("http://127.0.0.11/", "http://127.0.0.11/"),
    ],
)
def test_localhost_in_a_url_is_the_pod(monkeypatch: pytest.MonkeyPatch, word: str, expected: str) -> None:
    monkeypatch.setattr(ports, "reachable", lambda port: port)
    assert VIEW.command([word]) == [expected]
    assert View().command([word]) == [word], "a pod in the host's network shares its localhost"


def test_a_low_port_of_localhost_is_the_one_that_it_is_mapped_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "reachable", lambda port: port + 20000 if port < 1024 else port)
    assert VIEW.command(["http://localhost/", "http://localhost:80/", "http://localhost:8080/"]) == [
        "http://127.5.1.9:20080/",
        "http://127.5.1.9:20080/",
        "http://127.5.1.9:8080/",
    ]


def test_places_below_a_mount_path_stay_what_they_are() -> None:
    mounts = (Mount("/data", "/tmp/sandbox/volumes/v"), Mount("/tmp", "/tmp/sandbox/root/tmp"))
    view = View(mounts=(*mounts, *untouched(mounts, ["/tmp/venv/bin/python", "-c", "/usr/bin/sh"])))
    once = view.said("/data/x /tmp/y /tmp/venv/bin/python")
    assert once == "/tmp/sandbox/volumes/v/x /tmp/sandbox/root/tmp/y /tmp/venv/bin/python"
    assert view.said(once) == once, "what was replaced is not replaced again"


def test_the_variables_say_what_the_shim_needs() -> None:
    view = View(mounts=(Mount("/a", "/b"),), ip="127.5.1.9", hostname="pod-1", proc="/mirror")
    found = view.variables("/own")
    assert found["LITMUS_SANDBOX_MOUNTS"].split(":") == ["/a=/b"]
    assert (found["LITMUS_SANDBOX_IP"], found["LITMUS_SANDBOX_PROC"]) == ("127.5.1.9", "/mirror")
    shim, own = found["PYTHONPATH"].split(":")
    assert (Path(shim) / "sitecustomize.py").exists()
    assert own == "/own"
    assert "LITMUS_SANDBOX_IP" not in View().variables()
