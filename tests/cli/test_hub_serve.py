"""``litmus hub serve`` as a process: it serves, and it ends when it is told to."""

import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator

import pytest

from litmus import hub
from litmus.cli import app
from litmus.hub import server


@pytest.fixture
def hub_process() -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-m", "litmus", "hub", "serve", "--port", "0", "--image", "litmus:mine"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as started:
        yield started
        started.kill()


def address_of(started: subprocess.Popen[str]) -> str:
    """The address in the example that the command prints."""
    assert started.stdout
    started.stdout.readline()
    return started.stdout.readline().split("'")[1]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_printed_example_works_and_a_signal_ends_the_hub_quietly(
    hub_process: subprocess.Popen[str], number: signal.Signals
):
    with urllib.request.urlopen(address_of(hub_process), timeout=30) as answer:
        assert "image: litmus:mine" in answer.read().decode()

    hub_process.send_signal(number)

    assert hub_process.wait(timeout=30) == 0
    assert hub_process.stderr
    assert hub_process.stderr.read() == ""


def test_a_port_in_use_is_one_line_with_status_2(capsys: pytest.CaptureFixture[str]):
    with server.listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]

        assert app.main(["hub", "serve", "--port", str(port)]) == 2

    out, err = capsys.readouterr()
    assert out == ""
    assert err == (f"litmus: port {port} on 127.0.0.1 is in use; stop what listens there or give another --port\n")


def test_without_the_extra_the_hub_names_it(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setitem(sys.modules, "uvicorn", None)  # as if it were not installed
    monkeypatch.delitem(sys.modules, "litmus.hub.server")
    monkeypatch.delattr(hub, "server")

    assert app.main(["hub", "serve"]) == 2
    assert "pip install 'litmus-py[hub]'" in capsys.readouterr().err
