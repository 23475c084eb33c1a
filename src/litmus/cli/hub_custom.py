"""``litmus hub add``, ``sync``, ``remove``, ``sources`` and ``lint``: hubs and charts of one's own."""

import json as json_
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from litmus.hub import checking, custom, model

from . import failures

Json = Annotated[bool, Parameter(help="Print JSON.", negative="")]
Name = Annotated[str, Parameter(help="What to call the hub: small letters, digits and -.")]

_NO = 1
_MOST_LINES = 20


async def add(
    name: Name,
    url: Annotated[str, Parameter(help="Address of a Git repository or of a zip, or a path of either or of a folder.")],
    *,
    branch: Annotated[str, Parameter(help="Branch or tag; else the repository's own choice.", show_default=False)] = "",
    token_env: Annotated[
        str, Parameter(help="Name of the variable that holds the token for https.", show_default=False)
    ] = "",
    token_file: Annotated[str, Parameter(help="File that holds the token for https.", show_default=False)] = "",
    ssh_key: Annotated[str, Parameter(help="File with the private key for ssh.", show_default=False)] = "",
    known_hosts: Annotated[
        str, Parameter(help="File with the keys of ssh servers; else ~/.ssh/known_hosts.", show_default=False)
    ] = "",
) -> int:
    """Add a hub of your own from Git, a zip or a folder."""
    source = custom.Source(
        url=url,
        branch=branch,
        token_env=token_env,
        token_file=token_file,
        ssh_key=ssh_key,
        known_hosts=known_hosts,
    )
    try:
        hub = await custom.add(name, source)
    except custom.Misused as error:
        raise failures.Misused(str(error)) from error
    except custom.CannotFetch as error:
        raise failures.Failed(f"{name} was not added: {error}") from error
    print(f"Added {name}: {_summary(hub)}.")
    _print_problems(_problems(hub))
    return 0


async def sync(
    name: Annotated[str, Parameter(help="Which hub; else all that were added.", show_default=False)] = "",
) -> int:
    """Fetch the newest state of the hubs that were added."""
    try:
        outcomes = await custom.sync(name)
    except custom.Misused as error:
        raise failures.Misused(str(error)) from error
    if not outcomes:
        print("No hub was added as yet; litmus hub add NAME URL adds one.")
    for outcome in outcomes:
        if outcome.error:
            print(f"{outcome.name}: failed, the state of before stays: {outcome.error}")
            continue
        hub = custom.hub(outcome.name)
        print(f"{outcome.name}: {'new' if outcome.changed else 'unchanged'}, {_summary(hub)}")
        _print_problems(_problems(hub))
    return failures.REFUSED if any(outcome.error for outcome in outcomes) else 0


def remove(name: Name) -> int:
    """Remove a hub that was added."""
    try:
        custom.remove(name)
    except custom.Misused as error:
        raise failures.Misused(str(error)) from error
    print(f"Removed {name}. What was installed from it stays in the cluster.")
    return 0


def sources(*, json: Json = False) -> int:
    """Show the hubs that were added, and their state."""
    try:
        hubs = custom.hubs()
    except custom.Misused as error:
        raise failures.Misused(str(error)) from error
    states = [_state(hub) for hub in hubs]
    if json:
        print(json_.dumps(states, indent=2, ensure_ascii=False))
    elif not states:
        print("No hub was added as yet; litmus hub add NAME URL adds one.")
    else:
        print("\n".join(_table(states)))
    return 0


def lint(
    path: Annotated[Path, Parameter(help="Folder of a hub, of a group or of one chart.")], *, json: Json = False
) -> int:
    """Check charts of your own: every mistake with its file and line."""
    try:
        problems = checking.folder(path)
    except checking.NoCharts as error:
        raise failures.Misused(str(error)) from error
    errors = [problem for problem in problems if not problem.warning]
    if json:
        print(json_.dumps([_json(problem) for problem in problems], indent=2, ensure_ascii=False))
    else:
        for problem in problems:
            print(_placed(problem, path))
        if not problems:
            print(f"{path}: nothing to complain about")
    return _NO if errors else 0


def _placed(problem: model.Problem, path: Path) -> str:
    """With the path as an editor finds it from here."""
    return str(model.Problem(str(path / problem.file), problem.line, problem.message, problem.warning))


def _json(problem: model.Problem) -> dict[str, Any]:
    severity = "warning" if problem.warning else "error"
    return {"file": problem.file, "line": problem.line, "severity": severity, "message": problem.message}


def _summary(hub: model.Hub) -> str:
    charts = list(hub.charts())
    broken = sum(1 for chart in charts if chart.problems)
    count = f"{len(charts)} experiment{'' if len(charts) == 1 else 's'}"
    return f"{count} at {hub.revision[:12]}" + (f", {broken} of which can't be used" if broken else "")


def _problems(hub: model.Hub) -> list[model.Problem]:
    of_groups = [problem for group in hub.groups for problem in group.problems]
    return [*hub.problems, *of_groups, *(problem for chart in hub.charts() for problem in chart.problems)]


def _print_problems(problems: Sequence[model.Problem]) -> None:
    for problem in problems[:_MOST_LINES]:
        print(f"  {problem}")
    if len(problems) > _MOST_LINES:
        print(f"  and {len(problems) - _MOST_LINES} more; litmus hub sources --json has them all")


def _state(hub: model.Hub) -> dict[str, Any]:
    """As the original's list of hubs: available or not, how many charts, when it was fetched, and what is wrong."""
    return {
        "name": hub.name,
        "source": hub.source,
        "available": bool(hub.synced),
        "experiments": sum(1 for _ in hub.charts()),
        "revision": hub.revision,
        "synced": hub.synced,
        "problems": [_json(problem) for problem in _problems(hub)],
    }


def _table(states: Iterable[dict[str, Any]]) -> list[str]:
    rows = [("NAME", "AVAILABLE", "EXPERIMENTS", "LAST SYNC", "SOURCE")]
    errors = []
    for state in states:
        available = "yes" if state["available"] else "no"
        rows.append((state["name"], available, str(state["experiments"]), state["synced"] or "never", state["source"]))
        errors += [f"{p['file']}: {p['message']}" for p in state["problems"] if p["file"] == state["name"]]
        broken = len({problem["file"] for problem in state["problems"] if problem["file"] != state["name"]})
        if broken:
            errors.append(f"{state['name']}: {broken} files with problems; litmus hub sync {state['name']} lists them")
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[4]]) for row in rows
    ]
    return [*lines, *(["", *errors] if errors else [])]
