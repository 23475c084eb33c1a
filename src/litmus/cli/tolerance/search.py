"""Runs engines one after another, as ``litmus run`` does, each with another value, until the bisection knows enough.

Every run is an engine with a name of its own, which is deleted afterwards with its results. An Error is no answer: the
very first one ends the search, because it would only come again; a later one counts as unclear.
"""

import asyncio
import copy
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, TextIO

import msgspec

from litmus import api
from litmus.api import names
from litmus.api.impact import Figure
from litmus.cli import outcomes, run
from litmus.impact import bisection
from litmus.kube import Cluster, kinds

from .asking import Question, text

Ended = Literal["", "deadline", "stopped", "errors"]

# Names of pods are made from that of the engine, and may have 63 characters.
_LONGEST_NAME = 40
# How the sentence of an Error begins when a criterion could not be judged: the run itself took place.
_OPEN_FIGURE = "impact."
_ANSWERS: dict[str, bisection.Answer] = {"met": "held", "missed": "broken", "Pass": "held", "Fail": "broken"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One run: what was asked, what came of it, and why that is so."""

    value: float
    engine: str
    verdict: str
    answer: bisection.Answer
    sure: bool
    failed: bool  # an Error of the run itself, and not of a figure that stayed open
    observed: Figure
    why: str
    took_s: float

    @property
    def attempt(self) -> bisection.Attempt:
        """What the bisection has to know of it."""
        return bisection.Attempt(self.value, self.answer, self.sure)


class Search:
    """The search, and what it has found so far: ``runs``, and why it ended before it was done."""

    def __init__(self, cluster: Cluster, question: Question, *, shown_on: TextIO, keep: bool = False) -> None:
        self.question = question
        self.runs: list[Measured] = []
        self.ended: Ended = ""
        self._cluster = cluster
        self._shown_on = shown_on
        self._keep = keep
        self._interrupted = False

    @property
    def bracket(self) -> bisection.Bracket:
        """What is known."""
        return bisection.bracket(self.question.search, [each.attempt for each in self.runs])

    async def carry_out(self, *, deadline_s: float | None) -> None:
        """Runs until enough is known; after ``deadline_s`` no further run begins. Raises what ``litmus run`` raises."""
        began = time.monotonic()
        while not self.ended:
            value = bisection.following(self.question.search, [each.attempt for each in self.runs])
            if value is None:
                return
            if deadline_s is not None and self.runs and time.monotonic() - began >= deadline_s:
                self.ended = "deadline"
                return
            await self._try(value)

    async def _try(self, value: float) -> None:
        engine, manifest = _variant(self.question, value, number=len(self.runs) + 1)
        entry = self.question.entry.name
        self._say(f"run {len(self.runs) + 1}: {self.question.tunable}={text(value)}")
        began = time.monotonic()
        try:
            outcome = await run.carry_out(self._cluster, engine, manifest, shown_on=self._shown_on)
        finally:
            with self._interrupts():
                await self._clean_up(engine)
        took_s = time.monotonic() - began
        verdict = dict(outcome.verdicts)[entry]
        if verdict == "Stopped" or outcome.interrupted:
            self.ended = "stopped"
            return
        measured = _measured(self.question, outcome, value, verdict=verdict, took_s=took_s)
        self.runs.append(measured)
        self._say(f"run {len(self.runs)}: {measured.answer}. {measured.why}".rstrip())
        self.ended = "stopped" if self._interrupted else "errors" if self._hopeless() else ""

    def _hopeless(self) -> bool:
        """Whether the first run was an Error, or all the runs that one value gets."""
        last = self.runs[-self.question.search.repeat :]
        alike = len(last) == self.question.search.repeat and len({each.value for each in last}) == 1
        return self.runs[-1].failed and (len(self.runs) == 1 or (alike and all(each.failed for each in last)))

    async def _clean_up(self, engine: api.ChaosEngine) -> None:
        if self._keep:
            return
        meta, entry = engine.metadata, self.question.entry
        await self._cluster.delete(kinds.ENGINE, meta.name, namespace=meta.namespace)
        result = names.result(meta.name, entry.name, entry.instance)
        await self._cluster.delete(kinds.RESULT, result, namespace=meta.namespace)

    @contextmanager
    def _interrupts(self) -> Iterator[None]:
        """What comes while a run is cleared away ends the search after that."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._interrupt)
        try:
            yield
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)

    def _interrupt(self) -> None:
        self._interrupted = True

    def _say(self, line: str) -> None:
        print(line, file=self._shown_on, flush=True)


def _variant(question: Question, value: float, *, number: int) -> tuple[api.ChaosEngine, dict[str, object]]:
    """The engine with this value, under a name of its own."""
    manifest = copy.deepcopy(question.manifest)
    base = manifest["metadata"]["name"][:_LONGEST_NAME].rstrip("-.")
    manifest["metadata"]["name"] = f"{base}-t{number}-{names.random_suffix(4)}"
    spec = manifest["spec"]["experiments"][0]
    spec["spec"] = spec.get("spec") or {}
    spec["spec"]["components"] = spec["spec"].get("components") or {}
    env = [entry for entry in spec["spec"]["components"].get("env") or [] if entry["name"] != question.tunable]
    spec["spec"]["components"]["env"] = [*env, {"name": question.tunable, "value": text(value)}]
    return msgspec.convert(api.meta.present(manifest), api.ChaosEngine), manifest


def _measured(question: Question, outcome: outcomes.Outcome, value: float, *, verdict: str, took_s: float) -> Measured:
    """What a finished run says about the question."""
    why = outcome.why(question.entry.name)
    failed = verdict == "Error" and not why.startswith(_OPEN_FIGURE)
    answer: bisection.Answer = "unclear"
    sure, observed = False, Figure()
    if failed:
        why = f"Error: {why or 'the run did not end well'}"
    else:
        answer, sure, observed, why = _answer(question, outcome, verdict)
    return Measured(
        value=value,
        engine=outcome.engine.metadata.name,
        verdict=verdict,
        answer=answer,
        sure=sure,
        failed=failed,
        observed=observed,
        why=why,
        took_s=took_s,
    )


def _answer(question: Question, outcome: outcomes.Outcome, verdict: str) -> tuple[bisection.Answer, bool, Figure, str]:
    why = outcome.why(question.entry.name)
    wanted = question.criterion
    if wanted is None:
        return _ANSWERS.get(verdict, "unclear"), verdict == "Fail", Figure(), why
    result = outcome.results.get(question.entry.name)
    judged = result.status.impact.criteria if result and result.status.impact else []
    found = next((criterion for criterion in judged if criterion.name == wanted.name), None)
    if found is None:
        return "unclear", False, Figure(), f"{wanted.name} was not measured. {why}".strip()
    answer = _ANSWERS.get(found.judgement, "unclear")
    bound = found.observed.low if wanted.at_least else found.observed.high
    sure = answer == "broken" or (not wanted.relative and bound is not None and wanted.allows(bound))
    return answer, sure, found.observed, found.explanation
