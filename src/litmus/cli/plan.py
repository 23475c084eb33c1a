"""``litmus plan``: who would be hit and what stands in the way. Changes nothing."""

import dataclasses
import json as json_
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from litmus import api
from litmus.experiments import planning, selection
from litmus.kube import Cluster

from . import cluster_rules, engine_file, failures, options, terminal

_MARKS = {"blocks": "✗", "warns": "!", "informs": "i"}


async def plan(
    engine: Annotated[
        Path, Parameter(help="File with a ChaosEngine; - for standard input.", allow_leading_hyphen=True)
    ],
    *,
    json: Annotated[bool, Parameter(help="Print JSON.", negative="")] = False,
    kubeconfig: options.Kubeconfig = "",
    context: options.Context = "",
) -> int:
    """Show who would be hit, and what would keep the run from starting. Exit status 2 if something would."""
    async with Cluster.connect(kubeconfig=kubeconfig, context=context) as cluster:
        wanted, _ = engine_file.read(engine, namespace=cluster.namespace)
        made = await _plan(cluster, wanted)
    shown = lines(made, width=terminal.width())
    print(json_.dumps(as_json(made), indent=2, ensure_ascii=False) if json else "\n".join(shown))
    return failures.REFUSED if made.blocked else 0


async def _plan(cluster: Cluster, wanted: api.ChaosEngine) -> planning.EnginePlan:
    rules = await cluster_rules.of_engines_in(cluster, wanted.metadata.namespace)
    made = await planning.of_engine(cluster, wanted, caps=rules.caps)
    if rules.halting:
        made.findings.append(planning.Finding("blocks", rules.halting))
    if rules.unknown:
        made.findings.append(planning.Finding("informs", rules.unknown))
    return made


def lines(made: planning.EnginePlan, *, width: int = 80) -> Iterator[str]:
    """The plan for people, on lines of at most ``width`` where words allow it."""
    yield f"Engine {made.engine} in namespace {made.namespace}"
    yield f"Application: {made.application}"
    yield from _findings(made.findings, indent="", width=width)
    for number, experiment in enumerate(made.experiments, start=1):
        yield ""
        yield f"{number}. {experiment.name}"
        yield from _targets(experiment, home=made.namespace, width=width)
        if experiment.meant:
            meant = terminal.listed(f"{name}={value}" for name, value in experiment.meant.items())
            yield from terminal.wrapped("   with ", meant, rest="     ", width=width)
        if experiment.first_round and experiment.undo:
            yield from terminal.wrapped("   undone: ", experiment.undo, rest="     ", width=width)
        if experiment.privileges:
            privileges = terminal.listed(experiment.privileges)
            yield from terminal.wrapped("   helper pods on the nodes need: ", privileges, rest="     ", width=width)
        yield from _findings(experiment.findings, indent="   ", width=width)
    yield ""
    yield "It would end with an Error: mend what is marked ✗." if made.blocked else "Nothing was changed."


def _targets(experiment: planning.ExperimentPlan, *, home: str, width: int) -> Iterator[str]:
    """Who is hit, who is hit along with them, and who may be hit later."""
    if not experiment.first_round:
        return
    kind = experiment.first_round[0].kind
    along = [victim for victim in experiment.first_round if victim.kind == "Pod" != kind]  # what runs on a node
    chosen = [victim for victim in experiment.first_round if victim not in along]
    first = "first round hits" if experiment.again else "hits"
    yield f"   {first} {len(chosen)} of {_counted(experiment.candidates or chosen)}:"
    yield from _arrows(chosen, home=home, width=width)
    if along:
        yield f"   and with {'it' if len(chosen) == 1 else 'them'} {_counted(along)}:"
        yield from _arrows(along, home=home, width=width)
    others = [victim for victim in experiment.candidates if victim not in chosen]
    if others and experiment.again:
        yield "   later rounds may also hit:"
        yield from (f"       {_victim(victim, home)}" for victim in others)


def _arrows(victims: Iterable[selection.Victim], *, home: str, width: int) -> Iterator[str]:
    for victim in victims:
        done = f": {victim.asked}" if victim.asked else ""
        yield from terminal.wrapped("     → ", f"{_victim(victim, home)}{done}", rest="       ", width=width)


def _counted(victims: Sequence[selection.Victim]) -> str:
    kinds = {victim.kind.lower() for victim in victims}
    one = kinds.pop() if len(kinds) == 1 else "target"
    return f"{len(victims)} {one}{'' if len(victims) == 1 else 's'}"


def _victim(victim: selection.Victim, home: str) -> str:
    """Its name, with its namespace where that is not the engine's, and its node."""
    name = victim.name if victim.namespace in ("", home) else f"{victim.namespace}/{victim.name}"
    return f"{name}  on {victim.node}" if victim.node and victim.kind != "Node" else name


def _findings(findings: list[planning.Finding], *, indent: str, width: int) -> Iterator[str]:
    for finding in findings:
        yield from terminal.wrapped(f"{indent}{_MARKS[finding.level]} ", finding.text, rest=f"{indent}  ", width=width)


def as_json(made: planning.EnginePlan) -> dict[str, Any]:
    """The plan for programs."""
    return {
        "engine": made.engine,
        "namespace": made.namespace,
        "application": made.application,
        "blocked": made.blocked,
        "findings": [{"level": f.level, "text": f.text} for f in made.findings],
        "experiments": [
            {
                "name": experiment.name,
                "candidates": [_target(pod) for pod in experiment.candidates],
                "firstRound": [_target(pod) for pod in experiment.first_round],
                "tunables": dict(experiment.tunables),
                "undo": experiment.undo,
                "privileges": list(experiment.privileges),
                "findings": [{"level": f.level, "text": f.text} for f in experiment.findings],
            }
            for experiment in made.experiments
        ],
    }


def _target(victim: selection.Victim) -> dict[str, str]:
    return {field.name: getattr(victim, field.name) for field in dataclasses.fields(victim)}
