"""Carrying out recipes: one that fails keeps no other from being undone, and nothing that happens there escapes."""

import pytest

from litmus.faults import undoing
from litmus.faults.contract import FaultError, TargetGoneError

REVERTED: list[str] = []


class Scripted:
    """``does``: what revert does, the next word each time; ``left``: what leftovers say."""

    @staticmethod
    def revert(undo):
        REVERTED.append(undo["name"])
        does = undo["does"].pop(0) if undo.get("does") else None
        if does is not None:
            raise does

    @staticmethod
    def leftovers(undo):
        return undo.get("left", "")


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    REVERTED.clear()
    monkeypatch.setattr(undoing, "_AGAIN_S", 0.001)


def recipe(name: str, **how) -> tuple[str, dict]:
    return name, {"kind": "scripted", "name": name, **how}


def undo(*recipes: tuple[str, dict], patience_s: float = 5.0) -> dict[str, str]:
    return undoing.undo(Scripted, recipes, patience_s=patience_s)


def test_everything_is_undone_once_and_nothing_is_left():
    assert undo(recipe("a"), recipe("b")) == {}
    assert REVERTED == ["a", "b"]


def test_what_has_nothing_to_undo_is_left_alone():
    assert undo(("a", {"kind": "none"})) == {}
    assert REVERTED == []


def test_a_target_that_is_gone_needs_nothing():
    assert undo(recipe("a", does=[TargetGoneError("netns")])) == {}


def test_it_is_tried_again_until_it_works():
    assert undo(recipe("a", does=[FaultError("busy"), FaultError("busy")]), recipe("b")) == {}
    assert REVERTED == ["a", "b"] * 3


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"does": [FaultError("busy")] * 99}, "busy"),
        ({"does": [FaultError()] * 99}, "it could not be undone"),
        ({"does": [KeyError("netns")] * 99}, "defect: KeyError: 'netns'"),
        ({"left": "a qdisc"}, "a qdisc"),
    ],
)
def test_what_is_left_is_said_by_target_and_the_others_are_undone(how, said):
    assert undo(recipe("a", **how), recipe("b"), patience_s=0.0) == {"a": said}
    assert REVERTED == ["a", "b"]


def test_who_watches_hears_ahead_of_each_target_that_it_goes_on():
    heard: list[int] = []
    recipes = [recipe("a", does=[FaultError("busy")]), recipe("b"), ("c", {"kind": "none"})]
    assert undoing.undo(Scripted, recipes, patience_s=5.0, going_on=lambda: heard.append(len(REVERTED))) == {}
    assert heard == [0, 1, 2, 3]
