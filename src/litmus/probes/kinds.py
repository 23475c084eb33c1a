"""Which module knows which type of probe; each is imported when a probe of its type is about to run."""

import importlib
from collections.abc import Callable
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


def prober(probe: api.Probe, surroundings: Surroundings) -> Prober:
    """What asks the question of a probe. Raises ProbeError."""
    module = next((name for known, name in MODULES.items() if known == probe.type), None)
    if module is None:
        raise ProbeError(UNSUPPORTED.get(probe.type, f"the probe's type {probe.type!r} is unknown"))
    make: Callable[[api.Probe, Surroundings], Prober] = importlib.import_module(f"{__package__}.{module}").prober
    return make(probe, surroundings)
