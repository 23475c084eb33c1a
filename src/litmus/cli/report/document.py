"""The report for programs. Its form is a contract (docs/report.md): fields are added, never renamed."""

from typing import Any

import msgspec

from litmus import __version__

from .. import outcomes
from . import moments, wording
from .record import Record, Report

KIND = "ChaosReport"
FORM = 1


def of(report: Report) -> dict[str, Any]:
    """What ``litmus report --json`` prints, and ``--from`` reads."""
    return {
        "kind": KIND,
        "form": FORM,
        "created": report.created,
        "litmus": __version__,
        "resilienceScore": outcomes.score_as_json(report.score) if report.score else None,
        "results": [_entry(record) for record in report.records],
    }


def _entry(record: Record) -> dict[str, Any]:
    result = record.result
    return {
        "name": record.name,
        "namespace": result.metadata.namespace,
        "engineName": result.spec.engine,
        "experiment": record.experiment,
        "verdict": record.verdict,
        "why": wording.why(record, str),
        "versions": dict(record.versions),
        "timeline": [
            {
                "at": wording.utc(moment.at).replace(" UTC", "Z").replace(" ", "T"),
                "sort": moment.sort,
                "text": moment.text,
            }
            for moment in moments.of(record, str)
        ],
        "result": msgspec.to_builtins(result),
        "engine": msgspec.to_builtins(record.engine) if record.engine else None,
        "events": [msgspec.to_builtins(event) for event in record.events],
    }
