"""The benchmark as ``make bench`` starts it. What it measures takes a cluster; that it says why it can't does not."""

import os
import socket
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "benchmarks/overhead.py"
KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: c
clusters: [{name: c, cluster: {server: "http://127.0.0.1:%d"}}]
users: [{name: u, user: {token: t}}]
contexts: [{name: c, context: {cluster: c, user: u}}]
"""


def refusal(**env: str) -> str:
    """The one sentence of a benchmark that can't measure."""
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", **env}
    done = subprocess.run([sys.executable, SCRIPT], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    [sentence] = done.stderr.splitlines()
    return sentence


def test_without_an_image_it_says_how_to_get_one():
    sentence = refusal()
    assert "LITMUS_IMAGE" in sentence
    assert "make bench" in sentence


def test_without_a_kubeconfig_it_says_so(tmp_path: Path):
    missing = str(tmp_path / "admin.conf")
    assert missing in refusal(LITMUS_IMAGE="litmus:1", KUBECONFIG=missing)


def test_a_cluster_that_does_not_answer_is_not_waited_for(tmp_path: Path):
    with socket.socket() as closed:  # bound and not listening: nobody else gets the port meanwhile
        closed.bind(("127.0.0.1", 0))
        (tmp_path / "admin.conf").write_text(KUBECONFIG % closed.getsockname()[1])
        sentence = refusal(LITMUS_IMAGE="litmus:1", KUBECONFIG=str(tmp_path / "admin.conf"))
    assert "does not answer" in sentence
