"""A monitored cluster: the exporter as a process of this machine, where the operator tells of itself, and what a real
Prometheus answers to our dashboards and rules.
"""

import contextlib
import json
import math
import socket
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from litmus.exporter.dashboards import asked
from tests.cluster import servers
from tests.cluster import stage as stages
from tests.cluster.stage import until

HOST = "127.0.0.1"
STEP_S = 1
_LITMUS = Path(sys.executable).with_name("litmus")
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@contextlib.contextmanager
def exporter(folder: Path) -> Iterator[str]:
    """Host and port of an exporter of the whole cluster, once it has looked at it."""
    port = servers.free_port(HOST)
    command = [str(_LITMUS), "exporter", "--host", HOST, "--port", str(port), "--namespace", ""]
    with servers.running(command, folder / "exporter.log"):
        until(lambda: servers.read(f"http://{HOST}:{port}/readyz"), "the exporter to have looked at the cluster")
        yield f"{HOST}:{port}"


def operator() -> str:
    """Host and port at which the operator's pod tells of itself; skips the test where this machine can't reach it."""
    found = json.loads(stages.kubectl("get", "pods", "-A", "-l", "name=chaos-operator", "-o", "json"))["items"]
    (pod,) = [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]
    ports = pod["spec"]["containers"][0]["ports"]
    address = pod["status"]["podIP"], next(one["containerPort"] for one in ports if one["name"] == "metrics")
    try:
        socket.create_connection(address, timeout=5).close()
    except OSError as error:
        pytest.skip(f"this machine does not reach the pods of this cluster: {address[0]}:{address[1]}: {error}")
    return f"{address[0]}:{address[1]}"


@dataclass(frozen=True, slots=True)
class Series:
    """Its labels, and (time, value) of the steps at which it has a number."""

    labels: Mapping[str, str]
    points: list[tuple[float, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What one looks at: a span of time in whole seconds of UNIX time, and what is chosen at the top of a dashboard."""

    url: str
    start: int
    end: int
    choices: Mapping[str, str]

    def answer(self, question: asked.Asked) -> list[Series]:
        """As Grafana asks: one second a step, or the last moment alone."""
        expr = asked.filled(question.expr, range_s=self.end - self.start, step_s=STEP_S, choices=self.choices)
        return self.at_end(expr) if question.instant else self.over_time(expr)

    def over_time(self, expr: str) -> list[Series]:
        found = self._asked("query_range", query=expr, start=self.start, end=self.end, step=STEP_S)
        return _read((one["metric"], one["values"]) for one in found["result"])

    def at_end(self, expr: str) -> list[Series]:
        found = self._asked("query", query=expr, time=self.end)
        return _read((one["metric"], [one["value"]]) for one in found["result"])

    def rules(self) -> list[dict[str, Any]]:
        """The rules as Prometheus knows them, with how well they do."""
        return [rule for group in self._asked("rules")["groups"] for rule in group["rules"]]

    def _asked(self, what: str, **form: str | int) -> dict[str, Any]:
        try:
            with _DIRECT.open(f"{self.url}/api/v1/{what}?{urllib.parse.urlencode(form)}", timeout=60) as said:
                data: dict[str, Any] = json.load(said)["data"]
                return data
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{form}: {error.read().decode()}") from error


def _read(found: Iterator[tuple[dict[str, str], list[tuple[float, str]]]] | Any) -> list[Series]:
    """Without what is no number: a rate of nothing is not data."""
    series = [
        Series(labels, [(float(at), float(value)) for at, value in points if math.isfinite(float(value))])
        for labels, points in found
    ]
    return [one for one in series if one.points]


def evaluated_at(rule: Mapping[str, Any]) -> float:
    """When Prometheus last evaluated a rule."""
    return datetime.fromisoformat(rule["lastEvaluation"]).timestamp()


def regions(series: list[Series]) -> list[tuple[float, float]]:
    """The bands that Grafana draws: steps above zero that follow each other are one."""
    drawn: list[tuple[float, float]] = []
    for one in series:
        for at in (at for at, value in one.points if value > 0):
            if drawn and 0 <= at - drawn[-1][1] <= STEP_S:
                drawn[-1] = drawn[-1][0], at
            else:
                drawn.append((at, at))
    return sorted(drawn)
