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
    partial = path.with_name(f"{path.name}.partial")
    partial.touch(mode=0o600)
    partial.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    partial.replace(path)


def token(path: Path) -> str | None:
    """The token in a file that an earlier life has written, None when there is no such file (or it was changed)."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))["users"][0]["user"]["token"]
    except (OSError, ValueError, KeyError, IndexError, TypeError):
        return None
    return found if isinstance(found, str) and found else None
