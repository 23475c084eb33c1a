"""What is wrong with the probes and the criteria of an engine, found without asking anybody.

The operator refuses an engine for it, ``litmus run`` and ``litmus plan`` say it before anything is applied, and the
experiment looks again before it touches anything. An engine without probes imports nothing for it.
"""

from collections.abc import Iterator, Sequence

from litmus import api
from litmus.api.engine import ExperimentAttributes

# Probes whose failures are judged by the criteria of the engine, where it has any, and not one by one.
TRAFFIC = "trafficProbe"


def mistakes(spec: api.EngineSpec) -> Iterator[str]:
    """One sentence for every mistake, its path in front."""
    for number, entry in enumerate(spec.experiments):
        yield from of_experiment(entry.spec, path=f"spec.experiments[{number}].spec")


def of_experiment(entry: ExperimentAttributes, *, path: str) -> Iterator[str]:
    """As ``mistakes``, of one experiment whose attributes are at ``path``."""
    if entry.probe:
        from litmus.probes import reading

        yield from reading.mistakes(entry.probe, path=f"{path}.probe")
    if entry.impact:
        yield from _criteria(entry, path)


def measuring(probes: Sequence[api.Probe]) -> list[str]:
    """Names of the probes that the criteria are judged by: trafficProbes, or else whatever is asked continuously.

    A probe of the cluster's state that is asked now and then has too few samples to tell anything beside real traffic.
    """
    lasting = [probe for probe in probes if probe.mode == "Continuous"]
    for kinds in ((TRAFFIC,), ("httpProbe", "promProbe", "cmdProbe")):
        if chosen := [probe.name for probe in lasting if probe.type in kinds]:
            return chosen
    return [probe.name for probe in lasting]


def _criteria(entry: ExperimentAttributes, path: str) -> Iterator[str]:
    from litmus.impact.criteria import read_criteria

    for name, asked in entry.impact.items():
        try:
            read_criteria({name: asked})
        except ValueError as error:
            yield f"{path}.{error}"
    if not measuring(entry.probe):
        yield (
            f"{path}.impact: {', '.join(entry.impact)} can't be measured without a continuous signal; add a "
            "trafficProbe, or another probe, in mode Continuous"
        )
