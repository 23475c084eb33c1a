"""The CustomResourceDefinitions that ``litmus install`` applies, generated from the types."""

from typing import Any

import msgspec

from . import schema
from .engine import ChaosEngine
from .experiment import ChaosExperiment
from .meta import GROUP, VERSION
from .result import ChaosResult
from .schedule import ChaosSchedule

_AGE = {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}


def _column(name: str, path: str) -> dict[str, str]:
    return {"name": name, "type": "string", "jsonPath": path}


_KINDS: dict[type[msgspec.Struct], tuple[str, list[dict[str, str]]]] = {
    ChaosEngine: ("chaosengines", [_column("Status", ".status.engineStatus"), _AGE]),
    ChaosExperiment: ("chaosexperiments", [_AGE]),
    ChaosResult: (
        "chaosresults",
        [
            _column("Verdict", ".status.experimentstatus.verdict"),
            _column("Phase", ".status.experimentstatus.phase"),
            _column("Probes", ".status.experimentstatus.probeSuccessPercentage"),
            _AGE,
        ],
    ),
    ChaosSchedule: ("chaosschedules", [_column("State", ".spec.scheduleState"), _AGE]),
}


def all_crds() -> list[dict[str, Any]]:
    """The four definitions, in ``apiextensions.k8s.io/v1``.

    None has a status subresource: service accounts in the field may patch ``chaosengines`` and ``chaosresults`` but
    not ``…/status`` (design.md, section 2).
    """
    return [_crd(kind, plural, columns) for kind, (plural, columns) in _KINDS.items()]


def _crd(kind: type[msgspec.Struct], plural: str, columns: list[dict[str, str]]) -> dict[str, Any]:
    name = kind.__name__
    version = {
        "name": VERSION,
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": schema.of(kind)},
        "additionalPrinterColumns": columns,
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {"kind": name, "listKind": f"{name}List", "plural": plural, "singular": name.lower()},
            "versions": [version],
        },
    }
