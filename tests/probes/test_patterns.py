"""A regular expression has an end, whatever its author wrote and the application answered."""

import re
import signal

import pytest

from litmus.probes import patterns
from litmus.probes.contract import ProbeError
from litmus.probes.exchange import LARGEST

ENDLESS = r"(a+)+$"
PATTERNS = (
    "",
    "^a",
    "b$",
    r"\bab",
    "(?<=a)b",
    "(?m)^b$",
    "(?s)a.b",
    "a*?b",
    "(a|ab)(c|bcd)$",
    r"\Aab?\Z",
    "(?i)AB",
    r"(a)\1",
)


@pytest.fixture(autouse=True)
def _nothing_is_left(monkeypatch):
    """Neither a timer nor who hears it."""
    monkeypatch.setattr(patterns, "BUDGET_S", 0.05)
    before = signal.getsignal(signal.SIGVTALRM)
    yield
    assert signal.getitimer(signal.ITIMER_VIRTUAL) == (0, 0)
    assert signal.getsignal(signal.SIGVTALRM) == before


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("text", ["", "a", "b\nab", "xab", "aab\nb", "abcd\n", "caAB", "a\nb", "abc"])
def test_it_is_found_where_python_finds_it(pattern, text):
    known = re.compile(pattern)
    assert patterns.found(known, text) == (known.search(text) is not None)


@pytest.mark.parametrize("size", [40, LARGEST - 1])
def test_an_expression_that_comes_to_no_end_is_given_up_with_a_sentence(size):
    with pytest.raises(ProbeError, match=r"'\(a\+\)\+\$' comes to no end: \d+ characters took .*; write it without"):
        patterns.found(re.compile(ENDLESS), "a" * size + "!")


@pytest.mark.parametrize("expression", ["a*b", "a*a*a*b"])
def test_attempts_that_are_short_each_are_given_up_all_the_same(expression):
    """The matcher looks for signals every few thousand steps of one attempt, and counts none from one to the next."""
    with pytest.raises(ProbeError, match="comes to no end"):
        patterns.found(re.compile(expression), "a" * LARGEST)
