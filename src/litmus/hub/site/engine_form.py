"""The form of the experiment page filled in: a ChaosEngine as YAML, and what is wrong with it, field by field. Pure.

What the form of one of our experiments writes is the ``engine.yaml`` of the chart with other values: same order, same
comments. There is one set of checks: the text is checked as if a person had typed it (``engine_check``), and each
problem is brought back to the field that it came from.
"""

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

from .. import charts, documents, model
from . import engine_check, engine_fields, engine_start
from .engine_check import Problem, check

__all__ = ["Problem", "check", "fill"]

_FIELDS = {".".join(where): name for name, where in engine_fields.PLACES.items()} | {"metadata.namespace": "namespace"}
_VARIABLE = re.compile(r"spec\.experiments\[(\d+)\]\.spec\.components\.env\[(\d+)\]")


def fill(
    chart: model.Chart, values: Mapping[str, str], *, namespace: str = "", engine: str = ""
) -> tuple[str, list[Problem]]:
    """The YAML of the engine with the values of the form, and what is wrong with them.

    A field that ``values`` does not have keeps the value that it starts with. ``engine`` is the text of a custom
    chart's own engine.
    """
    known = {field.name: field for field in engine_fields.fields(chart, namespace=namespace, engine=engine)}
    wanted = {name: values.get(name, field.value).strip() for name, field in known.items()}
    listed = {name: wanted[name] for name, field in known.items() if engine_fields.is_listed(field, wanted[name])}
    document = engine_start.document(chart, namespace=namespace, engine=engine, listed=listed)
    for name, where in engine_fields.PLACES.items():
        engine_start.place(document, where, wanted[name])
    engine_start.set_namespace(document, wanted["namespace"])
    text = documents.write([document])
    plain = documents.plain(document)
    found = [
        dataclasses.replace(problem, field=_field(problem.path, plain))
        for problem in engine_check.check(text, {chart.name: chart})
    ]
    unknown = sorted(set(values) - set(known))[:5]
    return text, found + [Problem(field=name, message=f"{name}: {chart.name} has no such tunable") for name in unknown]


def _field(path: str, document: charts.Document) -> str:
    """The field of the form that a path of the YAML comes from; '' for what the form does not have."""
    found = _VARIABLE.match(path)
    if not found:
        return _FIELDS.get(path, "")
    entry: Any = document["spec"]["experiments"][int(found[1])]
    return str(entry["spec"]["components"]["env"][int(found[2])].get("name", ""))
