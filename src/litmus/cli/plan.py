"""``litmus plan``: who would be hit and what stands in the way. Changes nothing."""

import dataclasses
import json as json_
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from litmus.experiments import planning, selection
from litmus.kube import Cluster

from . import engine_file, failures, options

_MARKS = {"blocks": "✗", "warns": "!", "informs": "i"}
_SHOWN = ("TOTAL_CHAOS_DURATION", "CHAOS_INTERVAL", "RAMP_TIME", "SEQUENCE", "FORCE", "SIGNAL")


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
        made = await planning.of_engine(cluster, wanted)
    print(json_.dumps(as_json(made), indent=2, ensure_ascii=False) if json else "\n".join(lines(made)))
    return failures.REFUSED if made.blocked else 0


def lines(made: planning.EnginePlan) -> Iterator[str]:
    """The plan for people."""
    yield f"Engine {made.engine} in namespace {made.namespace}"
    yield f"Application: {made.application}"
    yield from _findings(made.findings, indent="")
    for number, experiment in enumerate(made.experiments, start=1):
        yield ""
        yield f"{number}. {experiment.name}"
        if experiment.first_round:
            what = experiment.first_round[0].kind.lower()
            yield f"   first round hits {len(experiment.first_round)} of {len(experiment.candidates)} {what}s:"
            yield from (f"     → {_victim(victim)}" for victim in experiment.first_round)
            others = [victim for victim in experiment.candidates if victim not in experiment.first_round]
            if others:
                yield "   later rounds may also hit:"
                yield from (f"       {_victim(victim)}" for victim in others)
            named = ((name, experiment.tunables.get(name, "")) for name in _SHOWN)
            shown = ", ".join(f"{name}={value}" for name, value in named if value)
            yield f"   with {shown or 'default tunables'}"
        if experiment.privileges:
            yield f"   helper pods on the nodes need: {', '.join(experiment.privileges)}"
        yield from _findings(experiment.findings, indent="   ")
    yield ""
    yield "It would end with an Error: mend what is marked ✗." if made.blocked else "Nothing was changed."


def _victim(victim: selection.Victim) -> str:
    return f"{victim.name}  on {victim.node}" if victim.node and victim.kind != "Node" else victim.name


def _findings(findings: list[planning.Finding], *, indent: str) -> Iterator[str]:
    for finding in findings:
        yield f"{indent}{_MARKS[finding.level]} {finding.text}"


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
                "privileges": list(experiment.privileges),
                "findings": [{"level": f.level, "text": f.text} for f in experiment.findings],
            }
            for experiment in made.experiments
        ],
    }


def _target(victim: selection.Victim) -> dict[str, str]:
    return {field.name: getattr(victim, field.name) for field in dataclasses.fields(victim)}
