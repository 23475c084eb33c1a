"""``litmus hub get``: the files of experiments on standard output, for ``kubectl apply -f -``."""

from typing import Annotated

from cyclopts import Parameter

from litmus.hub import model, placed

from . import failures, hubs, options

Flag = Annotated[bool, Parameter(negative="")]


def get(
    *names: hubs.Names,
    experiment: Annotated[Flag, Parameter(help="The ChaosExperiment.")] = False,
    rbac: Annotated[Flag, Parameter(help="The service account and its role.")] = False,
    engine: Annotated[Flag, Parameter(help="A ChaosEngine to start from.")] = False,
    namespace: options.FilledIn = "",
    image: options.Image = "",
    hub: hubs.Hub = "",
) -> int:
    """Print the files of experiments for kubectl apply -f -; all three, unless some are named."""
    found = hubs.named(hub, image=image, namespace=namespace)
    wanted = [kind for kind, asked in (("experiment", experiment), ("rbac", rbac), ("engine", engine)) if asked] or [
        "experiment",
        "rbac",
        "engine",
    ]
    named = experiment or rbac or engine
    texts = [
        text(found, chart, kind, namespace=namespace, image=image)
        for chart in hubs.chosen(found, names)
        for kind in wanted
        if named or path(chart, kind)  # without flags, what there is
    ]
    print(together(texts), end="")
    return 0


def path(chart: model.Chart, kind: str) -> str:
    """Where a file of an experiment is in its hub, '' if it has none."""
    return {"experiment": chart.experiment_file, "rbac": chart.rbac_file, "engine": chart.engine_file}[kind]


def text(hub: model.Hub, chart: model.Chart, kind: str, *, namespace: str, image: str) -> str:
    """A file of an experiment with namespace and image filled in. Raises Failed when there is no such file."""
    if not path(chart, kind):
        raise failures.Failed(f"{hubs.called(hub)} has no {kind}.yaml for {chart.name}; write one, or use another hub")
    raw = hubs.content(hub, path(chart, kind))
    # Ours come with the image, also when it was not given here.
    return placed.text(raw, namespace=namespace, image="" if hub.name == model.OURS else image)


def together(texts: list[str]) -> str:
    """Several files as one, a separator between each two documents."""
    bodies = [text if text.endswith("\n") else f"{text}\n" for text in texts]
    if len(bodies) == 1:
        return bodies[0]
    return "".join(body if _begins_a_document(body) else f"---\n{body}" for body in bodies)


def _begins_a_document(text: str) -> bool:
    lines = (line for line in text.splitlines() if line.strip() and not line.startswith("#"))
    return next(lines, "").startswith("---")
