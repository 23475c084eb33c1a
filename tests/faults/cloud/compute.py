"""Plays the contract of compute_v1.json on loopback: strict about paths, bodies and the bearer token."""

import copy
import json
import re
import threading
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

CONTRACT = json.loads(Path(__file__).with_name("compute_v1.json").read_text())
DISK, BOOT, INSTANCE = "demo-disk-123", "demo-node-123", "demo-node-123"
_JSON_WEB_TOKEN = "urn:ietf:params:oauth:grant-type:jwt-bearer"


@dataclass
class Compute:
    """The recorded machine with its two disks; ``polls``: how often an operation is asked for before it is done."""

    url: str = ""
    asked: list[str] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)
    polls: int = 2
    forbidden: bool = False
    failing: bool = False
    disks: dict[str, Any] = field(
        default_factory=lambda: {n: copy.deepcopy(CONTRACT[k]) for n, k in ((DISK, "disk"), (BOOT, "boot"))}
    )
    instance: dict[str, Any] | None = field(default_factory=lambda: copy.deepcopy(CONTRACT["instance"]))
    _left: int = 0

    def answer(self, method: str, path: str, body: bytes, token: str) -> tuple[int, Any]:
        url = urllib.parse.urlsplit(path)
        if url.path == "/token":
            form = urllib.parse.parse_qs(body.decode())
            assert form["grant_type"] == [_JSON_WEB_TOKEN]
            assert form["assertion"]
            return CONTRACT["token"]["status"], CONTRACT["token"]["body"]
        assert token == f"Bearer {CONTRACT['token']['body']['access_token']}"
        prefix = f"/compute/v1/projects/{CONTRACT['project']}/zones/{CONTRACT['zone']}/"
        assert url.path.startswith(prefix), path
        rest = url.path.removeprefix(prefix)
        self.asked.append(f"{method} {rest}")
        if method == "POST":
            self.bodies.append(json.loads(body) if body else None)
        return self._act(method, rest, urllib.parse.parse_qs(url.query))

    def _act(self, method: str, rest: str, query: dict[str, list[str]]) -> tuple[int, Any]:
        lost = CONTRACT["not found"]["status"], CONTRACT["not found"]["body"]
        if found := re.fullmatch(r"disks/([^/]+)", rest):
            return (200, self.disks[found[1]]) if found[1] in self.disks else lost
        if rest.startswith("operations/"):
            self._left -= 1
            done = {"status": "DONE", **({"error": CONTRACT["operation error"]} if self.failing else {})}
            return 200, CONTRACT["operation"] | (done if self._left <= 0 else {})
        if self.instance is None or rest.split("/")[1] != INSTANCE:
            return lost
        if rest == f"instances/{INSTANCE}" and method == "GET":
            return 200, self.instance
        if self.forbidden:
            return CONTRACT["forbidden"]["status"], CONTRACT["forbidden"]["body"]
        self._left = self.polls
        if not self.failing:
            self._move(rest.rpartition("/")[2], query)
        return 200, CONTRACT["operation"]

    def _move(self, action: str, query: dict[str, list[str]]) -> None:
        assert self.instance is not None
        if action == "detachDisk":
            [device] = query["deviceName"]
            gone = next(d for d in self.instance["disks"] if d["deviceName"] == device)
            self.instance["disks"].remove(gone)
            self.disks[gone["source"].rpartition("/")[2]]["users"] = []
        else:
            assert action == "attachDisk"
            new = self.bodies[-1]
            self.instance["disks"].append({"boot": False, **new})
            self.disks[new["source"].rpartition("/")[2]]["users"] = [
                f"https://www.googleapis.com/compute/v1/instances/{INSTANCE}"
            ]

    def attached(self) -> list[dict[str, Any]]:
        """What the machine has beside its boot disk."""
        return [d for d in (self.instance or {}).get("disks", []) if not d["boot"]]


@contextmanager
def running() -> Iterator[Compute]:
    compute = Compute()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._reply()

        def do_POST(self) -> None:
            self._reply()

        def _reply(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, said = compute.answer(self.command, self.path, body, self.headers.get("Authorization", ""))
            text = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json; charset=UTF-8")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    compute.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield compute
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def key(url: str) -> str:
    """A service account's key whose tokens come from the player."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    account = f"chaos@{CONTRACT['project']}.iam.gserviceaccount.com"
    return json.dumps(
        {
            "type": "service_account",
            "project_id": CONTRACT["project"],
            "private_key_id": "1",
            "private_key": pem.decode(),
            "client_email": account,
            "token_uri": f"{url}/token",
        }
    )
