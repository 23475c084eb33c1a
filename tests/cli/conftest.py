"""A kubeconfig for the small API server, as a user would have one."""

import json
from pathlib import Path

import pytest

from tests import apiserver


@pytest.fixture
def kubeconfig(server: apiserver.Server, tmp_path: Path) -> str:
    file = tmp_path / "kubeconfig"
    file.write_text(
        json.dumps(
            {
                "clusters": [{"name": "c", "cluster": {"server": server.url}}],
                "users": [{"name": "u", "user": {"token": "t"}}],
                "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u", "namespace": "shop"}}],
                "current-context": "x",
            }
        )
    )
    return str(file)
