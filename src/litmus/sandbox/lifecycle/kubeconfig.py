"""kubeconfig files of a sandbox: for its user, its nodes and its service proxy."""

import base64
import json
from pathlib import Path


def write(path: Path, *, name: str, server: str, authority: Path, user: str, token: str) -> None:
    """Writes a file that needs no other: the certificate and the token are in it. JSON is YAML, too."""
    certificate = base64.b64encode(authority.read_bytes()).decode()
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name,
        "clusters": [{"name": name, "cluster": {"server": server, "certificate-authority-data": certificate}}],
        "users": [{"name": user, "user": {"token": token}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": user}}],
    }
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
