"""``litmus hub serve`` as a process: it serves, and it ends when it is told to."""

import json
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from litmus import hub
from litmus.cli import app
from litmus.hub import server
from tests.hub import others


@pytest.fixture(autouse=True)
def _own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("LITMUS_HUBS", raising=False)


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


@contextmanager
def serving(*options: str) -> Iterator[str]:
    """The address in the example of a hub that has ended well when this is left."""
    command = [sys.executable, "-m", "litmus", "hub", "serve", "--port", "0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as started:
        try:
            yield address_of(started)
        finally:
            started.terminate()
        assert started.wait(timeout=30) == 0


def test_the_hubs_of_a_list_are_fetched_and_served_beside_ours(tmp_path: Path):
    theirs = others.write(tmp_path / "theirs", others.of_1_10("a"))
    listed = tmp_path / "hubs.yaml"
    listed.write_text(f"hubs:\n- name: mine\n  url: {theirs}\n")

    with serving("--hubs", str(listed)) as address:
        state = f"{address.partition('/api/')[0]}/api/hubs"
        until = time.monotonic() + 60
        while not (found := available(state)).get("mine"):  # fetched in the background, so that it serves at once
            assert time.monotonic() < until, found
            time.sleep(0.05)
        assert found == {"litmus": True, "mine": True}
        file = "charts/queues/a/experiment.yaml&hub=mine"
        with urllib.request.urlopen(f"{address.partition('?')[0]}?file={file}", timeout=30) as answer:
            assert answer.read() == (theirs / "charts/queues/a/experiment.yaml").read_bytes()


def available(address: str) -> dict[str, bool]:
    with urllib.request.urlopen(address, timeout=30) as answer:
        return {hub["name"]: hub["available"] for hub in json.load(answer)}


def test_the_example_has_the_address_that_users_know():
    with serving("--public-url", "https://hub.example.org/") as address:
        assert address.startswith("https://hub.example.org/api/chaos/master?file=")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(None, "there is no such file"), ("hubs: [", "can't be read"), ("[]", "must be"), ("hubs: [{name: A}]", "url")],
)
def test_a_list_of_hubs_that_can_not_be_used_is_one_line_with_status_4(
    content: str | None, sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    listed = tmp_path / "hubs.yaml"
    if content is not None:
        listed.write_text(content)

    assert app.main(["hub", "serve", "--port", "0", "--hubs", str(listed)]) == 4

    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert sentence in err


@pytest.mark.parametrize("url", ["hub.example.org", "ftp://hub.example.org", "javascript:1"])
def test_a_public_address_that_is_none_is_refused(url: str, capsys: pytest.CaptureFixture[str]):
    assert app.main(["hub", "serve", "--public-url", url]) == 4
    assert "begins with http:// or https://" in capsys.readouterr().err


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
