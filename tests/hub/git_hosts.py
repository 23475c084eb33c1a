"""Repositories and their hosts for the tests: real git, behind TLS with a token, or behind ssh with a key."""

import base64
import contextlib
import datetime
import os
import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.hub import others

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")

_ENV = {
    "PATH": os.environ.get("PATH", ""),
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    **{f"GIT_{who}_{what}": "a@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    **{f"GIT_{who}_DATE": "2026-01-02T03:04:05Z" for who in ("AUTHOR", "COMMITTER")},
}


def git(folder: Path, *arguments: str, stdin: bytes = b"") -> str:
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments], env=_ENV, input=stdin, capture_output=True, check=True
    )
    return done.stdout.decode().strip()


def repository(folder: Path, files: dict[str, str | bytes]) -> Path:
    """A repository with one commit on main."""
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "--quiet", "--initial-branch=main")
    commit(folder, files)
    return folder


def commit(folder: Path, files: dict[str, str | bytes]) -> str:
    others.write(folder, files)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", "charts")
    return git(folder, "rev-parse", "HEAD")


class Host:
    """A server whose answers are those of ``git http-backend``, for who has the token. It notes what it was sent."""

    def __init__(self, root: Path, *, token: str = "", moved_to: str = "") -> None:
        self.root, self.token, self.moved_to = root, token, moved_to
        self.logins: list[str] = []
        self.paths: list[str] = []
        self.url = ""
        self.authority = ""


@contextlib.contextmanager
def https(host: Host, folder: Path) -> Iterator[Host]:
    """Serves the host on loopback, over TLS with a certificate of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    certificate, key = _certificate(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with _serving(host, context) as port:
        host.url, host.authority = f"https://127.0.0.1:{port}", str(certificate)
        yield host


@contextlib.contextmanager
def _serving(host: Host, context: ssl.SSLContext) -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            _answer(self, host)

        do_POST = do_GET  # noqa: N815 - the name of the library

        def log_message(self, *_: object) -> None:
            """Nothing."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """A client that does not trust the certificate hangs up."""

    server = Server(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _answer(request: BaseHTTPRequestHandler, host: Host) -> None:
    path, _, query = request.path.partition("?")
    host.paths.append(path)
    login = request.headers.get("Authorization", "")
    host.logins.append(login)
    body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
    if host.moved_to:
        _send(request, 301, {"Location": host.moved_to + request.path}, b"")
    elif host.token and not _has_token(login, host.token):
        _send(request, 401, {"WWW-Authenticate": 'Basic realm="git"'}, b"")
    elif path.endswith(".zip"):
        _send(request, 200, {}, (host.root / path.lstrip("/")).read_bytes())
    else:
        _backend(request, host, path, query, body)


def _send(request: BaseHTTPRequestHandler, status: int, headers: dict[str, str], content: bytes) -> None:
    request.send_response(status)
    for name, value in (headers | {"Content-Length": str(len(content))}).items():
        request.send_header(name, value)
    request.end_headers()
    request.wfile.write(content)


def _has_token(login: str, token: str) -> bool:
    kind, _, value = login.partition(" ")
    if kind == "Basic":
        value = base64.b64decode(value).decode().partition(":")[2]
    return value == token


def _backend(request: BaseHTTPRequestHandler, host: Host, path: str, query: str, body: bytes) -> None:
    env = _ENV | {
        "GIT_PROJECT_ROOT": str(host.root),
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "REQUEST_METHOD": request.command,
        "CONTENT_TYPE": request.headers.get("Content-Type", ""),
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_CONTENT_ENCODING": request.headers.get("Content-Encoding", ""),
        "GIT_PROTOCOL": request.headers.get("Git-Protocol", ""),
        "REMOTE_ADDR": "127.0.0.1",
    }
    done = subprocess.run(["git", "http-backend"], env=env, input=body, capture_output=True, check=False)
    head, _, content = done.stdout.partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().splitlines())
    _send(request, int(headers.pop("Status", "200").split()[0]), headers, content)


def _certificate(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, folder.name)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = folder / "certificate.pem", folder / "key.pem"
    files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return files
