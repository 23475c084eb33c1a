"""The view for a pipe: one line for each change, complete and without escape codes. What is counted down is told once,
as the time at which it is over.
"""

from collections.abc import Iterator

from .rows import PAST_RUNS, Overdue, PastRun, Planned, Running, View, some
from .wording import moment

_Key = tuple[str, ...]


class Lines:
    """Remembers what was told; the first view is told as a whole."""

    def __init__(self) -> None:
        self._told: dict[_Key, str] = {}
        self._last: View | None = None

    def news(self, view: View) -> list[str]:
        """The lines about what is different from the view before."""
        facts = dict(_facts(view))
        changed = [text for key, text in facts.items() if self._told.get(key) != text and not self._is_old(key, view)]
        gone = [said for key in self._told if key not in facts and (said := _gone(key, self._told[key], view))]
        self._told, self._last = facts, view
        return [f"{view.now:%H:%M:%S}  {text}" for text in (*dict.fromkeys(gone), *changed)]

    def _is_old(self, key: _Key, view: View) -> bool:
        """A run that is seen only now because a later one was deleted is no news."""
        if key[0] != "run" or self._last is None or len(self._last.past) < PAST_RUNS:
            return False
        finished = next(row.finished for row in view.past if _run_key(row) == key)
        oldest = self._last.past[-1].finished
        return finished is None or (oldest is not None and finished < oldest)


def _facts(view: View) -> Iterator[tuple[_Key, str]]:
    for trouble in view.troubles:
        yield ("trouble", trouble), f"! {trouble}"
    for late in view.overdue:
        yield ("fault", late.result, late.id), _overdue(late, view)
    for past in reversed(view.past):
        yield _run_key(past), _past(past, view)
    for row in view.running:
        yield ("running", row.engine, row.experiment), _running(row, view)
    if not view.running:
        yield ("running",), "no engine is running"
    for planned in view.planned:
        yield ("schedule", planned.name), _planned(planned, view)


def _run_key(row: PastRun) -> _Key:
    return ("run", row.engine, row.experiment, str(row.number), row.verdict)


def _running(row: Running, view: View) -> str:
    until = f", chaos until {moment(row.ends, view.now)}" if row.began and row.ends else ""
    targets = f", targets: {some(row.targets, most=10)}" if row.targets else ""
    return f"{row.engine} {row.place} {row.experiment}: {row.step}{until}{targets}"


def _overdue(row: Overdue, view: View) -> str:
    deadline = moment(row.deadline, view.now) if row.deadline else "that nobody can read"
    return f"! {row.mechanism} on {row.where} is open past its deadline {deadline} (result {row.result})"


def _past(row: PastRun, view: View) -> str:
    finished = f", finished {moment(row.finished, view.now)}" if row.finished else ""
    why = f" - {row.why}" if row.why else ""
    return f"{row.engine} {row.experiment}: {row.verdict}{finished}{why}"


def _planned(row: Planned, view: View) -> str:
    upcoming = f", next run {moment(row.next, view.now)}" if row.next else ""
    running = f", {row.running} running" if row.running else ""
    message = f" - {row.message}" if row.message else ""
    return f"schedule {row.name}: {row.state}{upcoming}{running}{message}"


def _gone(key: _Key, text: str, view: View) -> str:
    """What is to be said when a fact is none any more; nothing where another line says it."""
    match key:
        case ("trouble", trouble):
            return "" if view.troubles else f"over: {trouble.partition(';')[0]}"
        case ("fault", *_):
            return f"closed: {text.removeprefix('! ').partition(' is open')[0]}"
        case ("running", engine, _):
            return "" if any(row.engine == engine for row in view.running) else f"{engine}: no longer running"
        case ("schedule", name):
            return f"schedule {name}: gone"
        case _:
            return ""
