"""``litmus compare A B``: the table, the JSON, and the exit status."""

import json as json_
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any

from cyclopts import Parameter

from litmus.impact import comparison
from litmus.kube import Cluster

from .. import failures, options, terminal
from ..report import elements, wording
from . import sets

_MARKS = {"worse": "✗", "better": "✓", "no certain change": "=", "inconclusive": "?"}
_USABLE = ("Pass", "Fail")


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """The figures of one experiment, before and after."""

    experiment: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    figures: dict[str, comparison.Comparison]
    notes: tuple[str, ...] = ()

    def has(self, judgement: comparison.Judgement) -> bool:
        return any(figure.judgement == judgement for figure in self.figures.values())


async def compare(
    before: Annotated[
        str,
        Parameter(
            help="Name of a result, or several with commas; NAME@7 or NAME@1-5 for runs of its history; a file that "
            "kubectl get -o yaml or litmus report --json wrote; or labels such as release=1.4."
        ),
    ],
    after: Annotated[str, Parameter(help="What to compare with it, in the same ways.")],
    *,
    error: Annotated[
        float, Parameter(help="Chance of calling any figure worse or better when nothing changed.")
    ] = 0.05,
    strict: Annotated[bool, Parameter(help="Exit status 2 when a figure is inconclusive.", negative="")] = False,
    json: Annotated[bool, Parameter(help="Print JSON.", negative="")] = False,
    namespace: Annotated[
        str, Parameter(name=["--namespace", "-n"], help="Namespace of the results.", show_default=False)
    ] = "",
    kubeconfig: options.Kubeconfig = "",
    context: options.Context = "",
) -> int:
    """Compare two runs or two sets of runs: exit status 0 no worse, 1 worse with certainty, 2 error."""
    if not 0 < error < 0.5:
        raise failures.Misused(f"--error: {error:g} is no error rate; give one above 0 and below 0.5, such as 0.05")
    if sets.from_cluster(before) or sets.from_cluster(after):
        async with Cluster.connect(kubeconfig=kubeconfig, context=context) as cluster:
            place = namespace or cluster.namespace
            both = [await sets.read(text, cluster, namespace=place) for text in (before, after)]
    else:
        both = [await sets.read(text, None, namespace="") for text in (before, after)]
    compared = of(both[0], both[1], error=error)
    if json:
        print(json_.dumps(as_json(compared, error=error, strict=strict), indent=2, ensure_ascii=False))
    else:
        print("\n".join(lines(compared, error=error, width=terminal.width())))
    return exit_status(compared, strict=strict)


def of(before: Sequence[sets.Run], after: Sequence[sets.Run], *, error: float) -> list[Compared]:
    """Experiment by experiment. Raises Failed when there is none that ran to its end on both sides."""
    experiments = [list(dict.fromkeys(run.experiment for run in runs)) for runs in (before, after)]
    if len(experiments[0]) == len(experiments[1]) == 1:
        pairs = [(experiments[0][0], experiments[1][0])]
    else:
        pairs = [(name, name) for name in experiments[0] if name in experiments[1]]
    if not pairs:
        raise failures.Failed(
            f"the two sets have no experiment in common: {', '.join(experiments[0])} and {', '.join(experiments[1])}"
        )
    share = error / len(pairs)
    return [
        _compared(
            first if first == second else f"{first}, {second}",
            [run for run in before if run.experiment == first],
            [run for run in after if run.experiment == second],
            error=share,
        )
        for first, second in pairs
    ]


def _compared(experiment: str, before: list[sets.Run], after: list[sets.Run], *, error: float) -> Compared:
    used = [[run for run in runs if run.verdict in _USABLE] for runs in (before, after)]
    for runs, usable, side in ((before, used[0], "before"), (after, used[1], "after")):
        if not usable:
            left = ", ".join(f"{run.name} {run.verdict}" for run in runs)
            raise failures.Failed(f"{experiment}: no run {side} has ended with Pass or Fail ({left}); run it again")
    names = list(dict.fromkeys(name for run in (*used[0], *used[1]) for name in run.figures))
    single = len(used[0]) == len(used[1]) == 1
    # Of one run each, what has no interval can't be judged; the verdicts are shown with their names.
    judged = [name for name in names if not (single and name in (sets.PROBES, sets.PASSED))]
    pairs = {name: _pair(name, used[0], used[1]) for name in judged}
    skipped = [run for runs in (before, after) for run in runs if run.verdict not in _USABLE]
    notes = [f"{run.name} is left out: {run.verdict}" for run in skipped]
    if single:
        notes.append(
            "One run each: this says whether these two runs differ, not whether the next ones will; "
            f"{comparison.enough(error / max(1, len(pairs)))} runs on each side would."
        )
    return Compared(
        experiment=experiment,
        before=tuple(f"{run.name} {run.verdict}" for run in used[0]),
        after=tuple(f"{run.name} {run.verdict}" for run in used[1]),
        figures=comparison.judge(pairs, error=error),
        notes=tuple(notes),
    )


def _pair(name: str, before: list[sets.Run], after: list[sets.Run]) -> comparison.Pair:
    values = [[run.figures[name] for run in runs if name in run.figures] for runs in (before, after)]
    better = sets.kind(name) in (sets.AVAILABILITY, sets.PROBES, sets.PASSED)
    return comparison.Pair(before=values[0], after=values[1], more_is_better=better)


def exit_status(compared: Sequence[Compared], *, strict: bool) -> int:
    """1 where anything is worse; 2, if strict, where anything is inconclusive or nothing was measured; else 0."""
    if any(one.has("worse") for one in compared):
        return 1
    unsure = any(one.has("inconclusive") or not one.figures for one in compared)
    return failures.REFUSED if strict and unsure else 0


def lines(compared: Sequence[Compared], *, error: float, width: int = 80) -> Iterator[str]:
    """The table for people."""
    for number, one in enumerate(compared):
        yield from [""] if number else []
        yield elements.clean(one.experiment)
        yield from terminal.wrapped("  before: ", terminal.listed(one.before), rest="    ", width=width)
        yield from terminal.wrapped("  after:  ", terminal.listed(one.after), rest="    ", width=width)
        rows = [_row(name, figure) for name, figure in one.figures.items()]
        widths = [max((len(row[column]) for row in rows), default=0) for column in range(4)]
        for row in rows:
            yield "  " + "  ".join(cell.ljust(size) for cell, size in zip(row, widths, strict=False)) + f"  {row[4]}"
        for note in one.notes:
            yield from terminal.wrapped("  ! ", note, rest="    ", width=width)
        if not one.figures:
            yield "  ! nothing was measured; add a trafficProbe to the engine"
    yield ""
    yield f"Judged at an error rate of {error:g} for all figures together."


def _row(name: str, shown: comparison.Comparison) -> tuple[str, str, str, str, str]:
    unit = sets.UNITS[sets.kind(name)]
    change = f"{_number(shown.before, unit)} → {_number(shown.after, unit)} {unit}"
    difference = "" if shown.difference is None else f"{_signed(shown.difference, unit)}"
    if shown.low is not None and shown.high is not None:
        difference += f" ({_signed(shown.low, unit)} to {_signed(shown.high, unit)})"
    certainty = shown.judgement + ("" if shown.chance is None else f", p = {shown.chance:.2g}")
    told = f"{certainty}; {shown.note}" if shown.note else certainty
    return _MARKS[shown.judgement], elements.clean(name), change, difference, told


def _number(value: float | None, unit: str) -> str:
    return wording.NONE if value is None else wording.number(value, unit)


def _signed(value: float, unit: str) -> str:
    text = wording.number(abs(value), unit)
    return f"−{text}" if value < 0 else f"+{text}"


def as_json(compared: Sequence[Compared], *, error: float, strict: bool) -> dict[str, Any]:
    """The same for programs (docs/report.md)."""
    return {
        "exitStatus": exit_status(compared, strict=strict),
        "error": error,
        "experiments": [
            {
                "experiment": one.experiment,
                "before": list(one.before),
                "after": list(one.after),
                "figures": [
                    {"name": name, "unit": sets.UNITS[sets.kind(name)], **asdict(figure)}
                    for name, figure in one.figures.items()
                ],
                "notes": list(one.notes),
            }
            for one in compared
        ],
    }
