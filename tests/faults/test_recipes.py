"""Recipes of all mechanisms: JSON that has lost its nulls on the way through the ledger is enough to revert."""

import json
from contextlib import nullcontext

import pytest

from litmus.faults import command, session
from litmus.faults.network import kernel, links, qdiscs

# Of what exists no more, and of a fault that nobody ever injected: every field of a recipe that may be read is read.
GONE = {"fault_id": "no-such-fault", "container_id": "ab" * 32, "netns": 1}
RECIPES = {
    "cpu-stress": {"kind": "cpu-stress"},
    "memory-stress": {"kind": "memory-stress"},
    "io-stress": {"kind": "io-stress"},
    "fill": {"kind": "fill", "path": "/", "name": ".litmus-fill-no-such-fault", "on_host": None},
    "restart": {"kind": "none"},
    "kill": {"kind": "none"},
}


def through_the_ledger(undo: dict) -> dict:
    return json.loads(json.dumps(session._as_kept(undo)))


def test_only_nulls_are_lost():
    undo = {"a": None, "b": [{"c": None, "d": 0}], "e": "", "f": {}, "g": False, "h": ("x",)}
    assert through_the_ledger(undo) == {"b": [{"d": 0}], "e": "", "f": {}, "g": False, "h": ["x"]}


@pytest.mark.parametrize("name", sorted(set(command.MECHANISMS) & set(RECIPES)))
def test_a_recipe_of_what_is_gone_is_reverted_quietly_and_twice(name):
    mechanism = command.mechanism_class(name)
    undo = through_the_ledger(GONE | RECIPES[name])
    if undo["kind"] == "none":
        return
    for _ in range(2):
        mechanism.revert(undo)
        assert mechanism.leftovers(undo) == ""


@pytest.mark.parametrize("before", [None, {"kind": "tbf", "words": "tbf rate 1mbit"}])
def test_a_qdisc_that_was_the_default_is_put_back_without_being_named(monkeypatch, before):
    """The kernel's engine remembers a default qdisc, and a queue that it did not change, as null."""
    restored = []
    monkeypatch.setattr(links, "exists", lambda _: not restored)
    monkeypatch.setattr(links, "inside", lambda _: nullcontext())
    monkeypatch.setattr(qdiscs, "root", lambda _: {"handle": "7f1:"})
    monkeypatch.setattr(qdiscs, "restore", lambda *args, **how: restored.append((*args, how)))
    place = {"device": "eth0", "handle": "7f1", "incoming": False, "before": before, "queue": None, "feeds_from": ""}
    kernel.KernelEngine.remove(through_the_ledger({"places": [place | {"netns": 0}]}))
    assert restored == [("eth0", before, {"own": "7f1", "queue": None})]
