"""Real servers on this machine for the probes of a cluster: Prometheus, and etcd, which serves the health of gRPC.

They listen on an address of this machine at which pods reach it: loopback with the sandbox, whose pods are processes
here, and one of its networks where the nodes have networks of their own. Where there is none the test is skipped.
"""

import contextlib
import json
import secrets
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import yaml

from litmus.hub import charts
from tests.cluster import stage as stages
from tests.cluster.stage import Stage, until

_TOOL = stages.ROOT / "tools" / "server"
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
# In a pod: the first address that answers with the word.
_SCOUT = """
import socket, sys
port, word, *addresses = sys.argv[1:]
for address in addresses:
    try:
        with socket.create_connection((address, int(port)), timeout=3) as connection:
            if connection.recv(100).decode() == word:
                print(address)
                break
    except OSError:
        pass
"""


def program(name: str) -> str:
    """Its path; skips the test, with the reason, where there is none."""
    done = subprocess.run([sys.executable, str(_TOOL), name], capture_output=True, text=True, timeout=600, check=False)
    if done.returncode:
        pytest.skip(done.stderr.strip())
    return done.stdout.strip()


def image() -> str:
    """One with a Python in it."""
    return stages.IMAGE or charts.DEFAULT_IMAGE


def address(stage: Stage) -> str:
    """Of this machine, as a pod of the stage reaches it; skips the test where none does."""
    word = secrets.token_hex(8)
    own = subprocess.run(["hostname", "-I"], capture_output=True, text=True, check=False).stdout.split()
    candidates = ["127.0.0.1", *(one for one in own if ":" not in one)]
    # For the moment of the question on every address, as it is not known yet which one pods reach.
    with socket.create_server(("", 0)) as server:
        thread = threading.Thread(target=_greet, args=(server, word), daemon=True)
        thread.start()
        command = ["python3", "-c", _SCOUT, str(server.getsockname()[1]), word, *candidates]
        container = {"name": "scout", "image": image(), "command": command}
        spec = {"restartPolicy": "Never", "terminationGracePeriodSeconds": 0, "containers": [container]}
        stage.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "scout"}, "spec": spec})
        until(lambda: stage.get("pod", "scout")["status"].get("phase") == "Succeeded", "the scout to end")
        found = stage.kubectl("logs", "scout").strip()
        server.shutdown(socket.SHUT_RDWR)
        thread.join()
    if not found:
        pytest.skip(f"pods of this cluster reach none of the addresses of this machine: {', '.join(candidates)}")
    return found


def _greet(server: socket.socket, word: str) -> None:
    with contextlib.suppress(OSError):
        while True:
            connection, _ = server.accept()
            with connection:
                connection.sendall(word.encode())


@contextlib.contextmanager
def prometheus(
    host: str, folder: Path, *, others: Mapping[str, str] | None = None, rules: Path | None = None
) -> Iterator[str]:
    """The URL of a Prometheus that scrapes itself and others (job: host and port) every second, once it has done so."""
    here = f"{host}:{free_port(host)}"
    targets = {"prometheus": here, **(others or {})}
    config = folder / "prometheus.yml"
    jobs = [{"job_name": job, "static_configs": [{"targets": [target]}]} for job, target in targets.items()]
    written = {"global": {"scrape_interval": "1s"}, "scrape_configs": jobs, "rule_files": [str(rules)] if rules else []}
    config.write_text(yaml.safe_dump(written))
    command = [
        program("prometheus"),
        f"--config.file={config}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={here}",
    ]
    with running(command, folder / "prometheus.log"):
        url = f"http://{here}"

        def scraped() -> bool:
            answer = read(f"{url}/api/v1/query?query=up")
            known = json.loads(answer)["data"]["result"] if answer else []
            return {one["metric"]["job"] for one in known if one["value"][1] == "1"} == set(targets)

        until(scraped, f"Prometheus to have scraped {', '.join(targets)}")
        yield url


@contextlib.contextmanager
def etcd(host: str, folder: Path) -> Iterator[str]:
    """Host and port of an etcd that is ready."""
    here = f"{host}:{free_port(host)}"
    command = [
        program("etcd"),
        f"--data-dir={folder / 'etcd'}",
        f"--listen-client-urls=http://{here}",
        f"--advertise-client-urls=http://{here}",
        "--listen-peer-urls=http://127.0.0.1:0",
        "--initial-advertise-peer-urls=http://127.0.0.1:1",  # nobody: it is alone
        "--initial-cluster=default=http://127.0.0.1:1",
    ]
    with running(command, folder / "etcd.log"):
        until(lambda: "true" in read(f"http://{here}/health"), "etcd to be healthy")
        yield here


def counted(url: str, name: str, *labels: str) -> float:
    """The sum of a server's own counters of that name that have all these labels, written ``key="value"``."""
    lines = read(f"{url}/metrics").splitlines()
    return sum(
        float(line.rpartition(" ")[2])
        for line in lines
        if line.startswith((f"{name}{{", f"{name} ")) and all(label in line for label in labels)
    )


def read(url: str) -> str:
    """The body of an answer; '' where there is none."""
    try:
        with _DIRECT.open(url, timeout=5) as answer:
            return str(answer.read().decode())
    except OSError:
        return ""


def free_port(host: str) -> int:
    """One at which nobody listens at the moment."""
    with socket.create_server((host, 0)) as server:
        return int(server.getsockname()[1])


@contextlib.contextmanager
def running(command: list[str], log: Path) -> Iterator[None]:
    """A process for as long as the context lasts; what it said is noted on a failure of the test."""
    unsaid = {key: value for key, value in stages.environment().items() if not key.startswith("ETCD_")}
    with log.open("wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, cwd=log.parent, env=unsaid)
        try:
            yield
        except AssertionError as error:
            error.add_note(log.read_text(errors="replace")[-2000:])
            raise
        finally:
            process.terminate()
            process.wait(timeout=30)
