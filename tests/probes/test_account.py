"""What came of a probe, in the words of 1.10 and of 3.x."""

import msgspec
import pytest

from litmus.probes.account import Account, percentage
from tests.probes import scripted

GOOD = scripted.observation(True, 0)
BAD = scripted.observation(False, 60)


def account(mode: str, name: str = "page") -> Account:
    return Account(scripted.checked(scripted.probe(name, mode))[0])


@pytest.mark.parametrize(
    ("mode", "phases"),
    [
        ("SOT", ["PreChaos"]),
        ("EOT", ["PostChaos"]),
        ("Edge", ["PreChaos", "PostChaos"]),
        ("Continuous", ["Continuous"]),
        ("OnChaos", ["OnChaos"]),
    ],
)
def test_a_probe_has_the_phases_of_1_10_and_awaits_them(mode, phases):
    fresh = account(mode)
    assert fresh.status().status == dict.fromkeys(phases, "Awaited")
    assert fresh.outcome().status.verdict == "Awaited"


def test_a_probe_that_passed_says_so_as_1_10_does_and_tells_what_it_saw():
    edge = account("Edge")
    edge.settle("PreChaos", GOOD)
    assert edge.word == "Awaited"
    edge.settle("PostChaos", GOOD)
    assert msgspec.to_builtins(edge.status()) == {
        "name": "page",
        "type": "httpProbe",
        "status": {"PreChaos": "Passed 👍", "PostChaos": "Passed 👍"},
    }
    assert msgspec.to_builtins(edge.outcome()) == {
        "name": "page",
        "type": "httpProbe",
        "mode": "Edge",
        "status": {"verdict": "Passed", "description": "observed 200, expected 200, at 2023-11-14T22:13:20Z"},
    }


def test_a_probe_that_failed_tells_the_observed_value_the_expected_one_and_the_time():
    edge = account("Edge")
    edge.settle("PreChaos", GOOD)
    edge.settle("PostChaos", BAD)
    sentence = (
        "probe page (httpProbe, Edge) failed after the chaos: observed 503, expected 200, at 2023-11-14T22:14:20Z"
    )
    assert edge.status().status == {"PreChaos": "Passed 👍", "PostChaos": f"Better Luck Next Time 👎 {sentence}"}
    assert edge.outcome().status.verdict == "Failed"
    assert edge.outcome().status.description == sentence


def test_an_error_is_neither_passed_nor_failed_in_the_words_of_3_x():
    broken = account("SOT")
    broken.wrong("PreChaos", "kubectl is not there")
    assert broken.outcome().status.verdict == "N/A"
    assert broken.outcome().status.description == "probe page (httpProbe, SOT): kubectl is not there"
    assert broken.status().status["PreChaos"].startswith("Error: ")


def test_what_the_run_did_not_get_to_is_said_to_be_so():
    edge = account("Edge")
    edge.settle("PreChaos", GOOD)
    edge.abandon()
    assert edge.status().status == {"PreChaos": "Passed 👍", "PostChaos": "N/A: not evaluated: the run ended before"}
    assert edge.word == "N/A"


@pytest.mark.parametrize(
    ("passed", "total", "text"), [(0, 0, "100"), (0, 2, "0"), (1, 3, "33"), (2, 3, "66"), (3, 3, "100")]
)
def test_the_percentage_is_passed_of_total_in_whole_percent(passed, total, text):
    accounts = [account("SOT", f"p{number}") for number in range(total)]
    for number, one in enumerate(accounts):
        one.settle("PreChaos", GOOD if number < passed else BAD)
    assert percentage(accounts) == text
