"""The fields of the form beside an engine: what a person may fill in, with unit, default, limits and help. Pure.

Those of one of our experiments are made from its declaration; those of a chart from a custom hub from the variables of
the chart and what its own engine sets.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from litmus.api.engine import AppKind
from litmus.experiments.declaration import Experiment
from litmus.experiments.tunables import Tunable

from .. import charts, model
from . import engine_start

Section = Literal["engine", "tunables", "more"]

# Where the fields of the engine stand in it. The namespace is that of the application and of the run.
PLACES: dict[str, tuple[str, ...]] = {
    "name": ("metadata", "name"),
    "namespace": ("spec", "appinfo", "appns"),
    "applabel": ("spec", "appinfo", "applabel"),
    "appkind": ("spec", "appinfo", "appkind"),
    "annotationCheck": ("spec", "annotationCheck"),
    "jobCleanUpPolicy": ("spec", "jobCleanUpPolicy"),
}
_HELP = {
    "name": "Name of the engine; the name of its result begins with it.",
    "namespace": "Namespace of the application and of the run; empty leaves it to kubectl.",
    "applabel": "Label selector of the application, for instance app=nginx.",
    "appkind": "Kind of the workload; empty means pods of any owner or none.",
    "annotationCheck": 'With true, only what carries the annotation litmuschaos.io/chaos="true" is touched.',
    "jobCleanUpPolicy": "delete or retain the jobs and pods of the run.",
}
_LABELS = {
    "name": "Engine",
    "namespace": "Namespace",
    "applabel": "Application label",
    "appkind": "Kind of workload",
    "annotationCheck": "Annotation check",
    "jobCleanUpPolicy": "Job clean-up",
}
_CHOICES: dict[str, tuple[str, ...]] = {
    "appkind": get_args(AppKind),
    "annotationCheck": ("true", "false"),
    "jobCleanUpPolicy": ("delete", "retain"),
}
_DEFAULTS = {"annotationCheck": "true", "jobCleanUpPolicy": "delete"}  # of the CRD
# What no value of a tunable looks like: its reader then says what does.
_NO_VALUE = "\N{REPLACEMENT CHARACTER}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of the form. ``value`` is what it starts with; ``allowed`` is a sentence, '' where all text is."""

    name: str
    label: str
    section: Section
    value: str = ""
    default: str = ""
    unit: str = ""
    allowed: str = ""
    help: str = ""
    choices: tuple[str, ...] = ()


def fields(chart: model.Chart, *, namespace: str = "", engine: str = "") -> list[Field]:
    """All fields, in order. ``engine`` is the text of a custom chart's own engine, if it has one."""
    document = engine_start.document(chart, namespace=namespace, engine=engine)
    about = [
        Field(
            name=name,
            label=_LABELS[name],
            section="engine",
            value=engine_start.at(document, place) or _DEFAULTS.get(name, ""),
            help=_HELP[name],
            choices=_CHOICES.get(name, ()),
        )
        for name, place in PLACES.items()
    ]
    if chart.declared:
        return about + _of_tunables(chart.declared)
    set_there = engine_start.environment(document, chart.name)
    return about + [_of_variable(variable, set_there) for variable in _variables(chart, set_there)]


def _of_tunables(experiment: Experiment) -> list[Field]:
    """First what the engine of the chart lists, then what it leaves out."""
    first = {tunable.name: value for tunable, value in charts.worth_a_look(experiment)}
    every = [tunable for tunable in experiment.all_tunables() if not tunable.unneeded or tunable.name in first]
    every.sort(key=lambda tunable: tunable.name not in first)
    return [_of_tunable(t, first.get(t.name, t.default), "tunables" if t.name in first else "more") for t in every]


def _of_tunable(tunable: Tunable, value: str, section: Section) -> Field:
    words = tuple(tunable.allowed.split(", ")) if tunable.allowed else ()
    choices = words if words and all(_reads(tunable, word) for word in words) else ()
    return Field(
        name=tunable.name,
        label=tunable.name,
        section=section,
        value=value,
        default=tunable.default,
        unit=tunable.unit,
        allowed="" if choices else _allowed(tunable),
        help=tunable.help,
        choices=choices if not value or value in choices else (),
    )


def _reads(tunable: Tunable, text: str) -> bool:
    try:
        tunable.read(text)
    except ValueError:
        return False
    return True


def _allowed(tunable: Tunable) -> str:
    """What it says about a value that it refuses; the sentence that a person would get."""
    try:
        tunable.read(_NO_VALUE)
    except ValueError as error:
        return str(error) if str(error).startswith("must be") else tunable.allowed
    return tunable.allowed


def _of_variable(variable: model.Variable, set_there: Mapping[str, str]) -> Field:
    return Field(
        name=variable.name,
        label=variable.name,
        section="tunables" if variable.name in set_there else "more",
        value=set_there.get(variable.name, variable.value or variable.default),
        default=variable.default or variable.value or "",
        unit=variable.unit,
        allowed=variable.allowed,
        help=variable.help,
    )


def _variables(chart: model.Chart, set_there: Mapping[str, str]) -> list[model.Variable]:
    """Those of the chart, and what only its engine sets."""
    declared = {variable.name for variable in chart.variables}
    more = [model.Variable(name=name, value=value) for name, value in set_there.items() if name not in declared]
    return [variable for variable in chart.variables if variable.name not in PLACES] + more


def is_listed(field: Field, value: str) -> bool:
    """Whether the engine names the tunable: as the chart's does, and where the value is not the default."""
    return field.section == "tunables" or (field.section == "more" and value not in ("", field.default))
