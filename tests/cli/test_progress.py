"""The lines of `litmus run` about who is hit and what was measured."""

import io
from typing import Any

import msgspec

from litmus import api
from litmus.cli import progress


def lines(*states: dict[str, Any]) -> list[str]:
    """What is printed, without the times, as the one target of a result goes through these states."""
    stream = io.StringIO()
    display = progress.Display(stream)
    for number, state in enumerate(states):
        status = {"targets": [state], "run": {"number": 1, "step": f"step {number}"}}
        result = {"metadata": {"name": "r"}, "spec": {"engine": "e", "experiment": "x"}, "status": status}
        display.result(msgspec.convert(result, api.ChaosResult))
    said = [line.split("  ", 1)[1] for line in stream.getvalue().splitlines()]
    return [line for line in said if "step" not in line]


def test_a_fault_that_lasts_is_shown_with_what_was_delivered_once_it_is_proven():
    hit = {"name": "web-1", "node": "node1", "asked": "2000 ms on eth0"}
    proven = hit | {"delivered": "2003 ms more round-trip time"}
    assert lines(hit, proven, proven) == [
        "  → web-1 on node1: 2000 ms on eth0",
        "  = web-1: 2003 ms more round-trip time",
    ]


def test_a_node_is_not_on_itself_and_a_workload_is_on_none():
    assert lines({"kind": "Node", "name": "node1", "node": "node1", "asked": "cordoned"}) == ["  → node1: cordoned"]
    assert lines({"kind": "Deployment", "name": "web", "asked": "2 → 4 replicas"}) == ["  → web: 2 → 4 replicas"]


def test_what_is_gone_is_told_by_what_takes_its_place():
    hit = {"name": "web-1", "node": "node1", "asked": "delete"}
    gone = hit | {"delivered": "pod gone", "goneAfterSeconds": 1.0}
    back = gone | {"replacedBy": "web-2", "readyAfterSeconds": 1.5}
    assert lines(hit, gone, back) == ["  → web-1 on node1: delete", "  ✓ web-1 replaced by web-2, ready after 1.5 s"]
