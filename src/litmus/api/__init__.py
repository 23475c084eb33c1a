"""The four kinds as Python types, and everything about their form that needs no cluster. No I/O in this room."""

from .engine import ChaosEngine, EngineExperiment, EngineSpec, ExperimentStatus
from .experiment import ChaosExperiment
from .meta import API_VERSION, GROUP, VERSION, ObjectMeta, OwnerReference, Shape
from .probe import Probe
from .result import ChaosResult, Fault, FaultTarget, Target, Verdict, plain
from .schedule import ChaosSchedule

__all__ = [
    "API_VERSION",
    "GROUP",
    "VERSION",
    "ChaosEngine",
    "ChaosExperiment",
    "ChaosResult",
    "ChaosSchedule",
    "EngineExperiment",
    "EngineSpec",
    "ExperimentStatus",
    "Fault",
    "FaultTarget",
    "ObjectMeta",
    "OwnerReference",
    "Probe",
    "Shape",
    "Target",
    "Verdict",
    "plain",
]
