"""``litmus hub``: the catalogue of experiments."""

import json as json_
import os
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Annotated, Any, Literal

from cyclopts import Parameter, validators

from litmus.experiments import catalogue
from litmus.experiments.declaration import Experiment
from litmus.hub import MissingExtra, story, translations
from litmus.tutorial import texts

from . import failures, options, terminal

Json = Annotated[bool, Parameter(help="Print JSON.", negative="")]

HOST = "127.0.0.1"
PORT = 8080


async def serve(
    *,
    host: Annotated[str, Parameter(help="Address to listen on; 0.0.0.0 for all.")] = HOST,
    port: Annotated[
        int, Parameter(help="Port to listen on; 0 takes a free one.", validator=validators.Number(gte=0, lte=65535))
    ] = PORT,
    image: options.Image = "",
) -> int:
    """Serve the charts, for kubectl apply -f URL."""
    try:
        from litmus.hub import server
    except MissingExtra as error:
        raise failures.Failed(str(error)) from error
    try:
        bound = server.listen(host, port)
    except server.CannotListen as error:
        raise failures.Failed(str(error)) from error
    application = server.app(image=options.image(image))
    where = f"http://{host}:{bound.getsockname()[1]}"
    print(f"The hub serves on {where} until Ctrl-C. For instance:", flush=True)
    print(f"  kubectl apply -f '{where}/api/chaos/{server.NEWEST}?file=charts/generic/experiments.yaml'", flush=True)
    await server.serve(application, bound)
    return 0


def list_(*, json: Json = False) -> int:
    """List the experiments."""
    experiments = sorted(catalogue.everything(), key=lambda experiment: (experiment.chart, experiment.name))
    print(_json([_summary(e) for e in experiments]) if json else "\n".join(listing(experiments)))
    return 0


def show(
    experiment: Annotated[str, Parameter(help="Its name, for instance pod-delete.")],
    *,
    lang: Annotated[
        Literal["en", "ja"] | None, Parameter(help="Language; else that of LC_ALL or LANG.", show_default=False)
    ] = None,
    json: Json = False,
) -> int:
    """Show what an experiment does, what it needs, and its tunables."""
    say = partial(translations.translate, lang or texts.wanted(os.environ))
    try:
        found = catalogue.find(experiment)
    except catalogue.UnknownExperiment as unknown:
        raise failures.Misused(str(unknown)) from unknown
    print(_json(_everything(found)) if json else "\n".join(lines(found, width=terminal.width(), say=say)))
    return 0


def listing(experiments: Sequence[Experiment]) -> Iterator[str]:
    """The experiments with one sentence each."""
    column = max(len(experiment.name) for experiment in experiments) + 2
    for experiment in experiments:
        mark = experiment.name.ljust(column)
        yield from terminal.wrapped(mark, experiment.help, rest=" " * column, width=terminal.width())


def lines(experiment: Experiment, *, width: int, say: story.Say = str) -> Iterator[str]:
    """All about an experiment."""
    yield from terminal.wrapped(f"{experiment.name}: ", say(experiment.help), rest="", width=width)
    yield ""
    for name, fact in story.facts(experiment, say=say).items():
        yield from terminal.wrapped(f"{name}: ", fact, rest="  ", width=width)
    yield ""
    yield say("Tunables, as variables of the engine:")
    for tunable in experiment.all_tunables():
        if not tunable.unneeded:
            value = tunable.default if tunable.chart is None else tunable.chart
            yield f"  {tunable.name}={value}{f'  ({say(tunable.unit)})' if tunable.unit else ''}"
            yield from terminal.wrapped("      ", story.explained(tunable, say=say), rest="      ", width=width)


def _summary(experiment: Experiment) -> dict[str, Any]:
    return {
        "name": experiment.name,
        "chart": experiment.chart,
        "scope": experiment.scope,
        "help": experiment.help,
        "privileges": list(experiment.privileges),
        "sandbox": experiment.sandbox,
    }


def _everything(experiment: Experiment) -> dict[str, Any]:
    tunables = [
        {"name": t.name, "unit": t.unit, "default": t.default, "chart": t.chart, "allowed": t.allowed, "help": t.help}
        for t in experiment.all_tunables()
        if not t.unneeded
    ]
    return _summary(experiment) | {"proof": experiment.proof, "undo": experiment.undo, "tunables": tunables}


def _json(content: Any) -> str:
    return json_.dumps(content, indent=2, ensure_ascii=False)
