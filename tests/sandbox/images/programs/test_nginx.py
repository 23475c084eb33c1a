"""The stand-in for nginx answers, logs and ends as nginx does, in a real process on loopback."""

import http.client
import os
import re
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from litmus.sandbox.images import built_in
from litmus.sandbox.images.programs import nginx, site

Start = Callable[..., tuple[subprocess.Popen[str], int]]


@pytest.fixture
def start() -> Iterator[Start]:
    processes: list[subprocess.Popen[str]] = []

    def started(mounts: str = "") -> tuple[subprocess.Popen[str], int]:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        process = subprocess.Popen(
            [*built_in.images()["nginx"].programs["nginx"], "-g", "daemon off;"],
            env={"LITMUS_SANDBOX_IP": "127.0.0.1", "NGINX_PORT": str(port), "LITMUS_SANDBOX_MOUNTS": mounts},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        assert process.stderr is not None
        assert "[notice]" in process.stderr.readline(), "it says that it listens"
        return process, port

    yield started
    for process in processes:
        process.kill()
        process.communicate()


def ask(port: int, path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path, headers={name.replace("_", "-"): text for name, text in headers.items()})
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


def test_it_welcomes_as_nginx_and_takes_its_name(start: Start) -> None:
    process, port = start()
    status, headers, body = ask(port, "/")
    assert (status, headers["Server"], headers["Content-Type"]) == (200, f"nginx/{site.VERSION}", "text/html")
    assert b"<h1>Welcome to nginx!</h1>" in body
    assert Path(f"/proc/{process.pid}/comm").read_text() == "nginx\n"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nope", 404),
        ("POST", "/", 405),
        ("HEAD", "/", 200),
        ("GET", "/a/../index.html?q=1", 200),
        ("GET", "/../../etc/passwd", 400),
        ("GET", "/%zz", 400),
    ],
)
def test_what_it_can_not_serve_gets_nginxs_status(start: Start, method: str, path: str, status: int) -> None:
    _, port = start()
    found, _, body = ask(port, path, method)
    assert found == status
    if status >= 400:
        assert f"<center>nginx/{site.VERSION}</center>".encode() in body
    if method == "HEAD":
        assert body == b""


def test_a_mounted_folder_is_served(start: Start, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "index.html").write_text("own")
    (tmp_path / "big.bin").write_bytes(os.urandom(3_000_000))
    _, port = start(f"/etc/x=/nowhere:{nginx.ROOT}={tmp_path}")
    status, headers, body = ask(port, "/")
    assert (status, body) == (200, b"own")
    assert ask(port, "/", If_None_Match=headers["ETag"])[0] == 304
    assert ask(port, "/big.bin")[2] == (tmp_path / "big.bin").read_bytes()
    assert ask(port, "/sub")[0] == 301
    assert ask(port, "/sub/")[0] == 403


def test_requests_on_one_connection_are_answered_in_order(start: Start) -> None:
    _, port = start()
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(
            b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"
            b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        )
        text = b"".join(iter(lambda: client.recv(65536), b""))
    assert re.findall(rb"HTTP/1.1 (\d+)", text) == [b"405", b"200", b"404"]


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"nonsense\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\n\r\n", b"400"),
        (b"GET / HTTP/3.0\r\nHost: x\r\n\r\n", b"505"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n", b"413"),
        (b"GET /" + b"a" * 40000, b"414"),
    ],
)
def test_a_broken_request_is_refused_and_the_connection_closed(start: Start, request_: bytes, status: bytes) -> None:
    _, port = start()
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(request_)
        assert client.recv(65536).split()[1] == status


def test_a_line_of_the_access_log_says_who_asked_what(start: Start) -> None:
    process, port = start()
    ask(port, "/x", User_Agent="probe/1")
    assert process.stdout is not None
    line = process.stdout.readline()
    assert re.fullmatch(r'127\.0\.0\.1 - - \[[^]]+] "GET /x HTTP/1\.1" 404 \d+ "-" "probe/1" "-"\n', line)


@pytest.mark.parametrize("number", [signal.SIGQUIT, signal.SIGTERM])
def test_a_request_in_progress_is_answered_before_it_quits(
    start: Start, tmp_path: Path, number: signal.Signals
) -> None:
    (tmp_path / "big").write_bytes(bytes(8_000_000))
    process, port = start(f"{nginx.ROOT}={tmp_path}")
    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as idle,
        socket.create_connection(("127.0.0.1", port), timeout=10) as busy,
    ):
        busy.sendall(b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n")
        received = len(busy.recv(1000))
        process.send_signal(number)
        assert idle.recv(10) == b"", "an idle connection is closed at once"
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=10)
        assert process.poll() is None
        while chunk := busy.recv(1 << 20):
            received += len(chunk)
    assert received > 8_000_000
    assert process.wait(10) == 0


def test_a_port_in_use_ends_it_with_nginxs_words(start: Start) -> None:
    _, port = start()
    second = subprocess.run(
        built_in.images()["nginx"].programs["nginx"],
        env={"LITMUS_SANDBOX_IP": "127.0.0.1", "NGINX_PORT": str(port)},
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )
    assert second.returncode == 1
    assert f"nginx: [emerg] bind() to 127.0.0.1:{port} failed (98: Address already in use)" in second.stderr


def test_a_low_port_is_found_higher_where_it_may_not_be_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LITMUS_SANDBOX_LOW", "1024")
    monkeypatch.setenv("LITMUS_SANDBOX_IP", "127.5.1.2")
    assert nginx.address() == ("127.5.1.2", 20080)


@pytest.mark.parametrize(
    ("mounts", "root"),
    [
        ("", None),
        ("/usr/share/nginx=/v", "/v/html"),
        ("/usr/share/nginx/html=/v", "/v"),
        ("/usr/share/nginx/ht=/v", None),
    ],
)
def test_the_document_root_is_found_among_the_mounts(mounts: str, root: str | None) -> None:
    assert nginx.document_root(mounts) == root


def test_the_variable_of_a_service_named_nginx_is_no_port(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NGINX_PORT", "tcp://127.32.178.116:80")
    monkeypatch.delenv("LITMUS_SANDBOX_LOW", raising=False)
    assert nginx.address()[1] == 80
