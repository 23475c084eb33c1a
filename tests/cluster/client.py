"""The tests' own client of an application, and their own eyes for its pods: what a result says is held against both.

It shares nothing with what it checks: a process of its own with bare sockets and its own clock, and pods watched by
kubectl. It asks from outside where this machine reaches the Service - by its address, or by its port on a node - and
from a pod of its own where it does not.
"""

import contextlib
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from tests.cluster import servers
from tests.cluster import stage as stages
from tests.cluster.stage import Stage, until

# So often, and so long for one answer, in seconds.
EVERY_S = 0.1
TIMEOUT_S = 2.0
# On a busy machine kubectl tells of the end of a pod up to so much later, in seconds.
_TOLD_LATE_S = 1.0
# Both as arguments behind host and port. A line for every request, in the order of their ends: when it began, and
# whether it was answered. None waits for another.
_ASK = """
import asyncio, sys, time
host, port, every, timeout = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])

async def ask(began):
    good, writer = False, None
    try:
        async with asyncio.timeout(timeout):
            reader, writer = await asyncio.open_connection(host, port)
            writer.write(f"GET / HTTP/1.0\\r\\nHost: {host}\\r\\n\\r\\n".encode())
            good = b" 200 " in await reader.readline()
    except OSError:
        pass
    finally:
        if writer:
            writer.close()
    print(began, int(good), flush=True)

async def main():
    under_way = set()
    while True:
        task = asyncio.create_task(ask(time.time()))
        under_way.add(task)
        task.add_done_callback(under_way.discard)
        await asyncio.sleep(every)

asyncio.run(main())
"""


@dataclass(frozen=True, slots=True)
class Seen:
    """What one client saw. ``answers``: when each request began and whether it was good; ``gone``: pods, and when."""

    place: str
    answers: list[tuple[float, bool]] = field(default_factory=list)
    gone: dict[str, float] = field(default_factory=dict)

    def availability(self, start: float, end: float) -> float:
        """In percent, of the requests that began in a span of time."""
        inside = [good for at, good in self.answers if start <= at <= end]
        assert inside, f"the client {self.place} asked nothing in the span"
        return 100 * sum(inside) / len(inside)

    def recovery(self, pods: Collection[str]) -> float:
        """The longest time from the end of one of these pods to the first good answer behind the last failure.

        Failures after the end of the next one, or just before it is told, are that one's.
        """
        ends = sorted(self.gone[name] for name in pods)
        assert ends, "no pod was seen to go"
        return max(self._recovered(end, following) for end, following in pairwise([*ends, float("inf")]))

    def _recovered(self, end: float, following: float) -> float:
        after = sorted((at, good) for at, good in self.answers if end <= at < following - _TOLD_LATE_S)
        failed = [at for at, good in after if not good]
        well = next((at for at, good in after if good and at > failed[-1]), None) if failed else end
        return (well - end) if well is not None else float("inf")


@contextlib.contextmanager
def watching(stage: Stage, service: str = "web") -> Iterator[Seen]:
    """What is seen of a Service of type NodePort and of its pods, as long as the context lasts."""
    reached = _reached(stage.get("service", service))
    seen = Seen(f"on this machine, of {reached[0]}:{reached[1]}" if reached else "in a pod of the cluster")
    asking = [sys.executable, *_asking(*reached)] if reached else _from_a_pod(stage, service)
    pods = ["kubectl", "-n", stage.name, *_WATCH, f"-lapp={service}"]
    with (
        lines(asking, lambda line: seen.answers.append(_answer(line))),
        lines(pods, lambda line: _note(seen, line)),
    ):
        until(lambda: any(good for _, good in seen.answers), f"{service} to answer the client {seen.place}")
        yield seen


_WATCH = ("get", "pods", "--watch", "--output-watch-events", "--no-headers")


def _asking(host: str, port: int) -> list[str]:
    return ["-c", _ASK, host, str(port), str(EVERY_S), str(TIMEOUT_S)]


def _reached(service: dict[str, Any]) -> tuple[str, int] | None:
    """The first address of a Service that answers this machine."""
    (port,) = service["spec"]["ports"]
    nodes = json.loads(stages.kubectl("get", "nodes", "-o", "json"))["items"]
    own = [
        one["address"] for node in nodes for one in node["status"].get("addresses", []) if one["type"] == "InternalIP"
    ]
    ways = [(service["spec"]["clusterIP"], port["port"]), *((one, port.get("nodePort", 0)) for one in own)]
    for host, number in ways:
        with contextlib.suppress(OSError), socket.create_connection((host, number), timeout=TIMEOUT_S):
            return host, number
    return None


def _from_a_pod(stage: Stage, service: str) -> list[str]:
    """A pod that asks, and what reads its log."""
    command = ["python3", *_asking(stage.get("service", service)["spec"]["clusterIP"], 80)]
    container = {"name": "client", "image": servers.image(), "command": command}
    spec = {"terminationGracePeriodSeconds": 0, "containers": [container]}
    stage.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "client"}, "spec": spec})
    stage.kubectl("wait", "pod/client", "--for=condition=Ready", "--timeout=60s")
    return ["kubectl", "-n", stage.name, "logs", "--follow", "client"]


def _note(seen: Seen, line: str) -> None:
    event, name, *_ = line.split()
    if event == "DELETED":
        seen.gone[name] = time.time()


def _answer(line: str) -> tuple[float, bool]:
    at, good = line.split()
    return float(at), good == "1"


@contextlib.contextmanager
def lines(command: list[str], take: Callable[[str], None]) -> Iterator[None]:
    """Every line that a process prints, as it comes, for as long as the context lasts."""
    with subprocess.Popen(command, env=stages.environment(), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        output = process.stdout

        def read() -> None:
            for line in output:
                take(line)

        thread = threading.Thread(target=read, daemon=True)
        thread.start()
        try:
            yield
        finally:
            process.terminate()
            thread.join()
