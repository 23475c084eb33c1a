"""The probes of one experiment as its author wrote them, checked before anything is touched.

Whatever can be wrong without asking anybody is told here, each mistake in one sentence that begins with its path in the
manifest: by the operator, which refuses the engine, by ``litmus run`` and ``litmus plan``, and by the experiment
itself, since an engine may be applied where no operator of ours looks at it. What is inside the inputs of a type is its
module's to judge; what belongs to every type is judged here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec

from litmus import api

from . import chaining, kinds, properties
from .contract import ProbeError

_INPUTS = {"k8sProbe": "k8s", "httpProbe": "http", "cmdProbe": "cmd", "promProbe": "prom", "trafficProbe": "traffic"}
LONGEST_NAME = 253


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A probe that can be run. ``path`` is its place in the manifest."""

    probe: api.Probe
    plan: properties.Plan
    path: str

    @property
    def name(self) -> str:
        return self.probe.name


def read(probes: Sequence[api.Probe], *, path: str) -> tuple[Checked, ...]:
    """The probes of an experiment; ``path`` is that of their list. Raises ProbeError with the first mistake."""
    for mistake in mistakes(probes, path=path):
        raise ProbeError(mistake)
    return tuple(
        Checked(
            probe=probe,
            plan=properties.read(probe.run_properties, path=f"{path}[{place}].runProperties"),
            path=f"{path}[{place}]",
        )
        for place, probe in enumerate(probes)
    )


def mistakes(probes: Sequence[api.Probe], *, path: str) -> Iterator[str]:
    """One sentence for every mistake."""
    first: dict[str, int] = {}
    for place, probe in enumerate(probes):
        here = f"{path}[{place}]"
        if not probe.name.strip() or len(probe.name) > LONGEST_NAME:
            yield f"{here}.name: {probe.name[:20]!r} must have 1 to {LONGEST_NAME} characters"
        elif probe.name in first:
            yield f"{here}.name: {probe.name!r} is the name of probe[{first[probe.name]}] too; names must be unique"
        first.setdefault(probe.name, place)
        yield from _of_one(probe, here)
    yield from chaining.mistakes(probes, path=path)


def _of_one(probe: api.Probe, path: str) -> Iterator[str]:
    if probe.type in kinds.UNSUPPORTED:
        yield f"{path}.type: {kinds.UNSUPPORTED[probe.type]}"
        return
    yield from _foreign(probe, path)
    wanted = _INPUTS[probe.type]
    if getattr(probe, wanted) is None:
        yield f"{path}.{_key(probe, wanted)}: missing; a {probe.type} needs its inputs"
    else:
        yield from (f"{path}.{mistake}" for mistake in kinds.check(probe))
    try:
        properties.read(probe.run_properties, path=f"{path}.runProperties")
    except ProbeError as error:
        yield str(error)


def _foreign(probe: api.Probe, path: str) -> Iterator[str]:
    """Inputs of another type: one of the two is not what the author meant."""
    for name in (*_INPUTS.values(), "slo"):
        if getattr(probe, name) is not None and _INPUTS[probe.type] != name:
            yield f"{path}.{_key(probe, name)}: not for a {probe.type}; remove it, or change the type"
    if probe.type != "k8sProbe":
        for name in ("operation", "data"):
            if getattr(probe, name) is not None:
                yield f"{path}.{name}: not for a {probe.type}; remove it"


def _key(probe: api.Probe, name: str) -> str:
    return next(field.encode_name for field in msgspec.structs.fields(probe) if field.name == name)
