"""``litmus experiment NAME``: what the pod of an experiment runs."""

import asyncio
import os
import sys

from litmus.kube import Cluster, errors

from . import catalogue, lifecycle, verdicts

# A control plane that restarts must not decide a verdict.
PATIENCE_S = 30.0


def main(arguments: list[str]) -> int:
    """Exit status 0 for every verdict that was written (as the original), 1 after an abort, 2 if none could be."""
    if len(arguments) != 1:
        print("usage: litmus experiment NAME", file=sys.stderr)
        return 4
    try:
        verdict = asyncio.run(_run(arguments[0]))
    except (catalogue.UnknownExperiment, verdicts.RunEnded, errors.KubeError) as error:
        print(f"litmus experiment: {error}", file=sys.stderr)
        return 2
    return 1 if verdict == "Stopped" else 0


async def _run(name: str) -> str:
    experiment = catalogue.find(name)
    async with Cluster.connect(patience_s=PATIENCE_S) as cluster:
        return await lifecycle.execute(experiment, cluster, os.environ)
