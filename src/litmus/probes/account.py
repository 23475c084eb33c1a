"""The account of a probe: what came of it in each phase of the run, in the words of 1.10 and of 3.x."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from litmus.api.result import ProbeOutcome, ProbeStatus, ProbeVerdict
from litmus.kube import clock

from .contract import Observation
from .reading import Checked
from .series import Series

Phase = Literal["PreChaos", "PostChaos", "Continuous", "OnChaos"]
Word = Literal["Awaited", "Passed", "Failed", "Error", "N/A"]

PHASES: dict[str, tuple[Phase, ...]] = {
    "SOT": ("PreChaos",),
    "EOT": ("PostChaos",),
    "Edge": ("PreChaos", "PostChaos"),
    "Continuous": ("Continuous",),
    "OnChaos": ("OnChaos",),
}
_WHEN: dict[Phase, str] = {
    "PreChaos": "before the chaos",
    "PostChaos": "after the chaos",
    "Continuous": "while it was asked continuously",
    "OnChaos": "during the chaos",
}
# As 1.10 writes them: people look for these words with grep.
_PASSED, _FAILED = "Passed 👍", "Better Luck Next Time 👎"
_NOT_ASKED = "not evaluated: the run ended before"


@dataclass(slots=True)
class Outcome:
    """What came of one phase; ``sentence`` for people."""

    word: Word = "Awaited"
    sentence: str = ""


@dataclass(slots=True)
class Account:
    """``lenient``: single failures are not this probe's to judge but those of the criteria of the engine."""

    checked: Checked
    lenient: bool = False
    series: Series = field(default_factory=Series)
    outcomes: dict[Phase, Outcome] = field(init=False)

    def __post_init__(self) -> None:
        self.outcomes = {phase: Outcome() for phase in PHASES[self.checked.probe.mode]}

    @property
    def word(self) -> Word:
        """Of all phases together: the worst one."""
        words = [outcome.word for outcome in self.outcomes.values()]
        order: tuple[Word, ...] = ("Failed", "Error", "N/A", "Awaited")
        return next((word for word in order if word in words), "Passed")

    @property
    def sentence(self) -> str:
        """Why the probe is not passed, else what it saw last."""
        by_word = {outcome.word: outcome.sentence for outcome in reversed(self.outcomes.values())}
        return by_word[self.word]

    def settle(self, phase: Phase, seen: Observation) -> None:
        """A phase ends with this observation."""
        if seen.passed:
            self.outcomes[phase] = Outcome("Passed", self._told(seen))
        else:
            self.outcomes[phase] = Outcome("Failed", f"{self._named(phase)} failed {_WHEN[phase]}: {self._told(seen)}")

    def last(self, phase: Phase, *, completed: int) -> None:
        """A phase that lasts ends. ``completed``: how many evaluations of it came to their end."""
        if self.outcomes[phase].word != "Awaited":
            return
        seen = self.series.last
        if seen is None:
            self.wrong(phase, f"never answered {_WHEN[phase]}; shorten its initialDelay, or let the chaos last longer")
        elif completed or seen.passed:
            failed = f"{self.series.failures} of {len(self.series)} observations failed"
            self.outcomes[phase] = Outcome("Passed", f"{failed}; the last: {self._told(seen)}")
        else:
            self.settle(phase, seen)

    def wrong(self, phase: Phase, why: str) -> None:
        """The probe could not be evaluated."""
        self.outcomes[phase] = Outcome("Error", f"{self._named(phase)}: {why}")

    def judge(self, word: Word, sentence: str) -> None:
        """The criteria's word on a probe that is lenient."""
        for phase, outcome in self.outcomes.items():
            if outcome.word == "Passed":
                self.outcomes[phase] = Outcome(word, sentence)

    def abandon(self) -> None:
        """The run ends: what has not been evaluated will not be."""
        for outcome in self.outcomes.values():
            if outcome.word == "Awaited":
                outcome.word, outcome.sentence = "N/A", _NOT_ASKED

    def status(self) -> ProbeStatus:
        """In the spelling of 1.10."""
        probe = self.checked.probe
        words: dict[str, str] = {phase: _shown(outcome) for phase, outcome in self.outcomes.items()}
        return ProbeStatus(name=probe.name, type=probe.type, status=words)

    def outcome(self) -> ProbeOutcome:
        """In the spelling of 3.x, which has no word for an Error."""
        probe = self.checked.probe
        word = "N/A" if self.word == "Error" else self.word
        return ProbeOutcome(
            name=probe.name,
            type=probe.type,
            mode=probe.mode,
            status=ProbeVerdict(verdict=word, description=self.sentence),
        )

    def _named(self, phase: Phase) -> str:
        probe = self.checked.probe
        return f"probe {probe.name} ({probe.type}, {probe.mode})"

    def _told(self, seen: Observation) -> str:
        at = clock.stamp(datetime.fromtimestamp(seen.at, UTC))
        return f"observed {seen.observed}, expected {seen.expected}, at {at}"


def _shown(outcome: Outcome) -> str:
    match outcome.word:
        case "Awaited":
            return "Awaited"
        case "Passed":
            return _PASSED
        case "Failed":
            return f"{_FAILED} {outcome.sentence}"
        case _:
            return f"{outcome.word}: {outcome.sentence}"


def percentage(accounts: list[Account]) -> str:
    """Passed x 100 / total, in whole percent as the original has it; 100 without probes."""
    passed = sum(account.word == "Passed" for account in accounts)
    return str(passed * 100 // len(accounts)) if accounts else "100"
