"""A door to a Service of the cluster: ``kubectl port-forward`` on a free port of this machine."""

import contextlib
import re
import subprocess
from collections.abc import Iterator

from tests.cluster import stage as stages

_OPEN = re.compile(r"Forwarding from (127\.0\.0\.1:\d+) ")


@contextlib.contextmanager
def forwarded(service: str, *, namespace: str, port: str = "http") -> Iterator[str]:
    """The address of the Service on this machine, as long as the context lasts."""
    command = ["kubectl", "-n", namespace, "port-forward", "--address", "127.0.0.1", f"service/{service}", f":{port}"]
    with subprocess.Popen(
        command, env=stages.environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            assert process.stdout is not None
            said = process.stdout.readline()
            found = _OPEN.search(said)
            assert found, f"kubectl port-forward: {said}{process.stdout.read()}"
            yield f"http://{found[1]}"
        finally:
            process.terminate()
