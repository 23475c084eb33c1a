"""What an engine needs next, as the table that it is."""

import pytest

from litmus.api import names
from litmus.operator import decide
from litmus.operator.decide import Action
from tests import samples

ACTIVE, STOP, EMPTY = "active", "stop", ""
NO_ENTRIES: tuple[str, ...] = ()
WAITING, RUNNING, DONE = ("N/A",), ("Awaited", "N/A"), ("Pass", "Error")


def engine(state: str, word: str, *, deleted: bool = False, finalizer: bool = True, verdicts: tuple[str, ...] = ()):
    entries = [{"name": f"x{n}", "verdict": verdict} for n, verdict in enumerate(verdicts)]
    meta = {"finalizers": ["somebody.io/else", *([names.ENGINE_FINALIZER] if finalizer else [])]}
    if deleted:
        meta["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    return samples.an_engine(engineState=state, meta=meta, status={"engineStatus": word, "experiments": entries})


def runner(phase: str = "Running", *, state: dict | None = None, restarts: int = 0, **metadata):
    container = samples.container("chaos-runner", state=state, restarts=restarts)
    return samples.a_pod("shop-chaos-runner", phase=phase, containers=[container], **metadata)


NONE = None
UP = runner()
STARTING = runner("Pending", state=samples.waiting("ContainerCreating"))
SUCCEEDED = runner("Succeeded", state=samples.terminated(0))
FAILED = runner("Failed", state=samples.terminated(1))
LEAVING = runner(deletionTimestamp="2026-01-01T00:00:00Z")
NO_IMAGE = runner("Pending", state=samples.waiting("ErrImageNeverPull", "absent"))
CRASHING = runner(state=samples.waiting("CrashLoopBackOff"), restarts=decide.MAX_RUNNER_RESTARTS + 1)
RESTARTED = runner(restarts=decide.MAX_RUNNER_RESTARTS)


@pytest.mark.parametrize(
    ("state", "word", "verdicts", "pod", "expected"),
    [
        # a new engine
        (ACTIVE, "", NO_ENTRIES, NONE, Action.INITIALIZE),
        (EMPTY, "", NO_ENTRIES, NONE, Action.INITIALIZE),
        (STOP, "", NO_ENTRIES, NONE, Action.RELEASE),
        # initialized: the runner's turn
        (ACTIVE, "initialized", NO_ENTRIES, NONE, Action.CREATE_RUNNER),
        (ACTIVE, "initialized", NO_ENTRIES, STARTING, Action.WAIT),
        (ACTIVE, "initialized", NO_ENTRIES, UP, Action.WAIT),
        (ACTIVE, "initialized", WAITING, UP, Action.WAIT),
        (ACTIVE, "initialized", RUNNING, UP, Action.WAIT),
        (ACTIVE, "initialized", RUNNING, RESTARTED, Action.WAIT),
        (ACTIVE, "initialized", RUNNING, CRASHING, Action.WAIT),
        (ACTIVE, "initialized", NO_ENTRIES, RESTARTED, Action.WAIT),
        # the runner can't finish
        (ACTIVE, "initialized", WAITING, NONE, Action.FAIL),
        (ACTIVE, "initialized", RUNNING, NONE, Action.FAIL),
        (ACTIVE, "initialized", RUNNING, FAILED, Action.FAIL),
        (ACTIVE, "initialized", RUNNING, SUCCEEDED, Action.FAIL),
        (ACTIVE, "initialized", NO_ENTRIES, SUCCEEDED, Action.FAIL),
        (ACTIVE, "initialized", NO_ENTRIES, FAILED, Action.FAIL),
        (ACTIVE, "initialized", RUNNING, LEAVING, Action.FAIL),
        (ACTIVE, "initialized", NO_ENTRIES, NO_IMAGE, Action.FAIL),
        (ACTIVE, "initialized", NO_ENTRIES, CRASHING, Action.FAIL),
        # every experiment has its verdict, whatever became of the runner
        (ACTIVE, "initialized", DONE, UP, Action.COMPLETE),
        (ACTIVE, "initialized", DONE, SUCCEEDED, Action.COMPLETE),
        (ACTIVE, "initialized", DONE, FAILED, Action.COMPLETE),
        (ACTIVE, "initialized", DONE, NONE, Action.COMPLETE),
        # stopped by somebody
        (STOP, "initialized", NO_ENTRIES, NONE, Action.ABORT),
        (STOP, "initialized", RUNNING, UP, Action.ABORT),
        (STOP, "initialized", DONE, UP, Action.ABORT),
        # set to active again
        (ACTIVE, "completed", DONE, NONE, Action.RESTART),
        (EMPTY, "completed", DONE, NONE, Action.RESTART),
        (ACTIVE, "stopped", DONE, UP, Action.RESTART),
        # at rest, but for the finalizer
        (STOP, "completed", DONE, NONE, Action.RELEASE),
        (STOP, "stopped", DONE, NONE, Action.RELEASE),
    ],
)
def test_an_engine_that_is_not_being_deleted(state, word, verdicts, pod, expected):
    assert decide.action(engine(state, word, verdicts=verdicts), pod) is expected


@pytest.mark.parametrize("word", ["completed", "stopped"])
def test_an_engine_at_rest_without_our_finalizer_needs_nothing(word):
    assert decide.action(engine(STOP, word, finalizer=False, verdicts=DONE), None) is Action.IDLE


@pytest.mark.parametrize("state", [ACTIVE, EMPTY, STOP])
@pytest.mark.parametrize("pod", [NONE, UP, FAILED])
@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("", Action.RELEASE),
        ("initialized", Action.ABORT),
        ("completed", Action.RELEASE),
        ("stopped", Action.RELEASE),
    ],
)
def test_an_engine_that_is_being_deleted_is_aborted_while_it_runs_and_then_let_go(state, word, pod, expected):
    assert decide.action(engine(state, word, deleted=True, verdicts=RUNNING), pod) is expected


@pytest.mark.parametrize("word", ["", "initialized", "completed", "stopped"])
def test_an_engine_that_is_being_deleted_without_our_finalizer_is_none_of_our_business(word):
    assert decide.action(engine(ACTIVE, word, deleted=True, finalizer=False), UP) is Action.IDLE


@pytest.mark.parametrize(
    ("pod", "wrote", "words"),
    [
        (NONE, True, "its runner pod was deleted"),
        (FAILED, True, "its runner pod shop-chaos-runner failed:"),
        (SUCCEEDED, True, "its runner pod shop-chaos-runner ended before every experiment had a verdict"),
        (LEAVING, True, "its runner pod shop-chaos-runner is being deleted"),
        (NO_IMAGE, False, "its runner pod shop-chaos-runner can't start: ErrImageNeverPull: absent"),
        (CRASHING, False, "its runner pod shop-chaos-runner keeps crashing; see its log"),
    ],
)
def test_why_a_runner_will_not_finish_is_told_in_a_sentence(pod, wrote, words):
    assert decide.trouble(pod, wrote=wrote).startswith(words)


@pytest.mark.parametrize(("pod", "wrote"), [(NONE, False), (UP, True), (STARTING, False), (CRASHING, True)])
def test_a_runner_that_may_still_finish_is_no_trouble(pod, wrote):
    assert decide.trouble(pod, wrote=wrote) == ""


@pytest.mark.parametrize(
    ("seen", "needed"),
    [
        (engine(ACTIVE, ""), True),
        (engine(ACTIVE, "initialized", verdicts=RUNNING), True),
        (engine(ACTIVE, "completed", verdicts=DONE), True),
        (engine(STOP, "completed", verdicts=DONE), True),
        (engine(STOP, "completed", finalizer=False, verdicts=DONE), False),
        (engine(STOP, "stopped", finalizer=False), False),
        (engine(ACTIVE, "", deleted=True, finalizer=False), False),
    ],
)
def test_an_engine_at_rest_costs_no_attention(seen, needed):
    assert decide.needs_attention(seen) is needed
