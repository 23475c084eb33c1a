"""The whole course on a sandbox of its own, as nobody but --auto takes it: every command and every check."""

import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from litmus.tutorial import course
from tests.sandbox.whole.conftest import BIN, Sandbox

# About two minutes of chaos and of waiting for what is slow on purpose; the rest is for a busy machine.
_DEADLINE_S = 600


@pytest.fixture
def learner() -> Iterator[Sandbox]:
    """A home where no sandbox is."""
    with tempfile.TemporaryDirectory(prefix="lsb-") as home:
        made = Sandbox(Path(home), "tutorial")
        yield made
        made.litmus("tutorial", "--end")


def sit(learner: Sandbox, *arguments: str, says: str = "") -> str:
    """What a sitting prints to somebody who types ``says`` and then leaves."""
    done = subprocess.run(
        [str(BIN / "litmus"), "tutorial", *arguments],
        env=learner.env,
        input=says,
        capture_output=True,
        text=True,
        timeout=_DEADLINE_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.timeout(_DEADLINE_S)
def test_every_step_of_the_course_holds_and_nothing_is_left(learner: Sandbox):
    shown = sit(learner, "--auto", "--language", "ja")
    assert len(re.findall(r"^── \d+/14  ", shown, re.MULTILINE)) == len(course.STEPS)
    assert shown.count("✓ ") >= sum(len(step.tasks) for step in course.STEPS)
    assert "✗" not in shown
    # What the explanations quote was seen, in all of them.
    assert not re.search(r"[{}]|–", re.sub(r"(?m)^(?!  ).*$", "", shown))
    assert not learner.folder.exists()


@pytest.mark.timeout(_DEADLINE_S)
def test_a_learner_may_begin_in_the_middle_leave_and_go_on(learner: Sandbox):
    """What earlier steps would have left is there."""
    first = sit(learner, "--language", "en", "--from", "plan", says="\nquit\n")
    assert "For the later steps: $ kubectl apply -f nginx.yaml" in first
    assert re.search(r"✓ The first round will hit nginx-\S+, one of three", first)
    assert "── 9/14  The experiment" in first
    assert learner.litmus("sandbox", "status", "--name", "tutorial").returncode == 0
    second = sit(learner, "--language", "en")
    assert "You left at step 9" in second
    assert "── 9/14  The experiment" in second
    assert "── 8/14" not in second
