"""The report on a terminal: the verdict and its reason, the criteria, the figures."""

from collections.abc import Iterator

from litmus.api.impact import Figure

from .. import terminal
from . import elements, wording
from .record import Record, Report
from .wording import Say

_JUDGED = {"met": "✓", "missed": "✗", "inconclusive": "?"}


def of(report: Report, *, say: Say, width: int) -> Iterator[str]:
    """Lines of at most ``width`` where words allow it."""
    for number, record in enumerate(report.records):
        if number:
            yield ""
        yield from (elements.clean(line) for line in _record(record, say, width))
    if report.score is None:
        return
    yield ""
    value = wording.NONE if report.score.value is None else f"{report.score.value:g} %"
    yield f"{say('Resilience score')}: {value}"
    for note in report.score.notes:
        yield from terminal.wrapped("  ! ", note, rest="    ", width=width)


def _record(record: Record, say: Say, width: int) -> Iterator[str]:
    yield from terminal.wrapped(f"{record.verdict}: ", wording.why(record, say), rest="  ", width=width)
    run = record.result.status.run
    took = wording.lasted(run.started_at, run.finished_at)
    when = f", {wording.utc(wording.when(run.started_at))}, {took}" if run.started_at else ""
    yield f"  {record.experiment}, {record.result.metadata.namespace}/{record.name}{when}"
    impact = record.result.status.impact
    for criterion in impact.criteria if impact else ():
        told = f"{wording.criterion(criterion, say)} {criterion.asked}: {wording.figure(criterion.observed, say)}"
        yield from terminal.wrapped(f"  {_JUDGED[criterion.judgement]} ", told, rest="    ", width=width)
    for signal in impact.signals if impact else ():
        yield f"  {say('Signal: {probe}').format(probe=signal.probe)}"
        figures: tuple[tuple[str, Figure], ...] = (
            ("Availability before", signal.baseline.availability),
            ("Availability during the chaos", signal.fault.availability),
            ("Availability after", signal.recovery.availability),
            ("Time to first impact", signal.time_to_impact),
            ("Time to recover", signal.time_to_recover),
            ("Longest outage", signal.longest_outage),
        )
        for name, figure in figures:
            yield from terminal.wrapped(
                "    ", f"{say(name)}: {wording.figure(figure, say)}", rest="      ", width=width
            )
    for probe in record.result.status.probe_statuses:
        told = f"{probe.name}: {probe.status.verdict}"
        told += f", {probe.status.description}" if probe.status.description else ""
        yield from terminal.wrapped("  · ", told, rest="    ", width=width)
