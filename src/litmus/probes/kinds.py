"""Which module knows which type of probe; each is imported when there is a probe of its type."""

import importlib
from types import ModuleType
from typing import Literal

from litmus import api

from .contract import ProbeError, Prober, Surroundings

Type = Literal["k8sProbe", "httpProbe", "cmdProbe", "promProbe", "trafficProbe"]

MODULES: dict[Type, str] = {
    "httpProbe": "http",
    "promProbe": "prom",
    "k8sProbe": "kubernetes",
    "cmdProbe": "command",
    "trafficProbe": "traffic",
}

# sloProbe is a type of the schema that nothing evaluates: the service that it asks is not ours to have.
UNSUPPORTED = {"sloProbe": "sloProbe is not supported; ask the same of Prometheus with a promProbe"}


def check(probe: api.Probe) -> list[str]:
    """One sentence for every mistake in the inputs of a probe, with its path inside the probe."""
    found: list[str] = _module(probe).check(probe)
    return found


def prober(probe: api.Probe, surroundings: Surroundings) -> Prober:
    """What asks the question of a probe. Raises ProbeError."""
    made: Prober = _module(probe).prober(probe, surroundings)
    return made


def _module(probe: api.Probe) -> ModuleType:
    module = next((name for known, name in MODULES.items() if known == probe.type), None)
    if module is None:
        raise ProbeError(UNSUPPORTED.get(probe.type, f"{probe.type!r} is no type of probe"))
    return importlib.import_module(f"{__package__}.{module}")
