"""How a run ended, for people, for CI and for programs."""

from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

import msgspec

from litmus import api
from litmus.api import score as scores
from litmus.kube import clock

_STATUS = {"Pass": 0, "Fail": 1, "Error": 2, "Stopped": 3}
# An engine with several experiments exits with the first of these that occurs.
_WORST_FIRST = ("Stopped", "Error", "Fail", "Pass")


@dataclass(frozen=True, slots=True)
class Outcome:
    """A finished engine and the results of its experiments by name.

    ``interrupted``: whoever watched it stopped it. ``refused``: why it was not even created.
    """

    engine: api.ChaosEngine
    results: dict[str, api.ChaosResult]
    interrupted: bool = False
    refused: str = ""

    @property
    def verdicts(self) -> list[tuple[str, str]]:
        """Experiment and verdict, in the engine's order. One that never ran is an Error, unless it was stopped."""
        entries = self.engine.status.experiments
        default = "Stopped" if self.engine.status.engine_status == "stopped" else "Error"
        return [(e.name, e.verdict if e.verdict in _STATUS else default) for e in entries] or [
            (entry.name, default) for entry in self.engine.spec.experiments
        ]

    @property
    def score(self) -> scores.Score:
        """The resilience score of the engine."""
        return scores.of_engine(self.engine, {result.metadata.name: result for result in self.results.values()})

    def why(self, experiment: str) -> str:
        """The sentence of a verdict that is not Pass."""
        if self.refused:
            return self.refused
        result = self.results.get(experiment)
        step = result.status.experimentstatus.fail_step if result else "N/A"
        return "" if step == "N/A" else step


def exit_status(outcome: Outcome) -> int:
    """0 Pass, 1 Fail, 2 Error, 3 Stopped; of several the worst."""
    given = {verdict for _, verdict in outcome.verdicts}
    return next(_STATUS[verdict] for verdict in _WORST_FIRST if verdict in given)


def text(outcome: Outcome) -> str:
    """One line per experiment, and where to read more."""
    meta = outcome.engine.metadata
    if outcome.refused:
        return f"Error: engine {meta.name} was not created: {outcome.refused}"
    lines = []
    for name, verdict in outcome.verdicts:
        why = outcome.why(name)
        lines.append(f"{name}: {verdict}{f' - {why}' if why else ''}")
        if name in outcome.results:
            result = outcome.results[name].metadata.name
            lines.append(f"  kubectl describe chaosresult {result} -n {meta.namespace}")
    if len(outcome.verdicts) > 1 and outcome.score.value is not None:
        lines.append(f"resilience score: {outcome.score.value:g} %")
    return "\n".join(lines)


def as_json(outcome: Outcome) -> dict[str, Any]:
    """The engine's name, its score and, for each experiment, its verdict and the status of its result."""
    meta = outcome.engine.metadata
    return {
        "engine": meta.name,
        "namespace": meta.namespace,
        "exitStatus": exit_status(outcome),
        "resilienceScore": score_as_json(outcome.score),
        "experiments": [
            {
                "name": name,
                "verdict": verdict,
                "failStep": outcome.why(name) or "N/A",
                "result": msgspec.to_builtins(outcome.results[name].status) if name in outcome.results else None,
            }
            for name, verdict in outcome.verdicts
        ],
    }


def score_as_json(found: scores.Score) -> dict[str, Any]:
    """The score with what it was computed from. ``value`` is null where no weight is left to divide by."""
    return {
        "value": found.value,
        "parts": [msgspec.to_builtins(part) for part in found.parts],
        "notes": list(found.notes),
    }


def junit(outcome: Outcome) -> str:
    """A JUnit test suite: an experiment is a test case, Fail a failure, Error an error, Stopped a skipped one."""
    meta = outcome.engine.metadata
    verdicts = outcome.verdicts
    count = {word: sum(verdict == word for _, verdict in verdicts) for word in _STATUS}
    suite = ElementTree.Element(
        "testsuite",
        name=f"{meta.namespace}/{meta.name}",
        tests=str(len(verdicts)),
        failures=str(count["Fail"]),
        errors=str(count["Error"]),
        skipped=str(count["Stopped"]),
    )
    for name, verdict in verdicts:
        case = ElementTree.SubElement(suite, "testcase", classname=meta.name, name=name, time=_duration(outcome, name))
        if verdict != "Pass":
            tag = {"Fail": "failure", "Error": "error", "Stopped": "skipped"}[verdict]
            ElementTree.SubElement(case, tag, message=outcome.why(name) or verdict)
    ElementTree.indent(suite)
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def _duration(outcome: Outcome, name: str) -> str:
    run = outcome.results[name].status.run if name in outcome.results else None
    if run is None or run.started_at is None or run.finished_at is None:
        return "0"
    return f"{(clock.parse(run.finished_at) - clock.parse(run.started_at)).total_seconds():.0f}"
