"""What the report of a failed test says about a run: verdict, figures, targets, events, where to look. Pure."""

from collections.abc import Iterator

from litmus.api.impact import Signal

from .outcome import Outcome, said

_MOST = 12


def title(outcome: Outcome) -> str:
    """The heading of the section."""
    return f"litmus {outcome.experiment}: {outcome.verdict}"


def text(outcome: Outcome) -> str:
    """The section."""
    return "\n".join(_lines(outcome))


def _lines(outcome: Outcome) -> Iterator[str]:
    meta = outcome.engine.metadata
    yield f"engine   {meta.namespace}/{meta.name}"
    yield f"verdict  {outcome.verdict}{f' - {outcome.fail_step}' if outcome.fail_step else ''}"
    impact = outcome.impact
    for criterion in impact.criteria if impact else ():
        yield f"asked    {criterion.name} {criterion.asked}: {criterion.judgement}. {criterion.explanation}".rstrip()
    for signal in impact.signals if impact else ():
        yield from _signal(signal)
    for target in outcome.targets[:_MOST]:
        after = target.ready_after_seconds
        back = f", replaced by {target.replaced_by}" if target.replaced_by else ""
        back += f", ready after {after:.1f} s" if after is not None else ""
        done = f": {target.delivered or target.asked}" if target.delivered or target.asked else ""
        yield f"target   {target.name}{f' on {target.node}' if target.node else ''}{done}{back}"
    if len(outcome.targets) > _MOST:
        yield f"target   and {len(outcome.targets) - _MOST} more"
    yield from (f"event    {event}" for event in outcome.events[-_MOST:])
    yield from (f"look     {line}" for line in outcome.look)


def _signal(signal: Signal) -> Iterator[str]:
    for name, window in (("before", signal.baseline), ("fault", signal.fault), ("after", signal.recovery)):
        errors = ", ".join(f"{count} x {kind}" for kind, count in window.errors.items())
        yield (
            f"{signal.probe}: {name}: {window.samples} samples, available {said(window.availability)}, "
            f"P95 {said(window.latency_p95)}{f'; {errors}' if errors else ''}"
        )
    yield f"{signal.probe}: recovered after {said(signal.time_to_recover)}, outage {said(signal.longest_outage)}"
