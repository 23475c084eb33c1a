"""``litmus fault REQUEST``: what a helper pod runs. One JSON request in, JSON lines and a last word out.

    {"mechanism", "targets"}                    hits all targets at once and reports: for faults that are over at once
    {"mechanism", "targets", "session", …}      holds a fault on them: see ``session``
    {"mechanism", "standby": SESSION, "start_by"} waits for the end of helper and guardian: see ``standby``
    {"mechanism", "revert": SESSION, "recipes"} undoes a session whose helper died

The last word goes to the termination message (at most 4096 bytes), which the experiment reads from the pod's status
with no more than the right to get pods. A target that could not be hit is reported beside those that were.
"""

import contextlib
import importlib
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .contract import Fault, FaultError

if TYPE_CHECKING:
    from . import session

# Imported one at a time: a helper starts on a node that may be slow.
MECHANISMS: dict[str, tuple[str, str]] = {
    "kill": ("kill", "Kill"),
    "netem": ("network.fault", "NetworkFault"),
    "cpu-stress": ("stress.cpu", "CpuStress"),
    "memory-stress": ("stress.memory", "MemoryStress"),
    "io-stress": ("stress.disk", "IoStress"),
    "fill": ("fill", "Fill"),
    "service": ("service", "Service"),
    "restart": ("restart", "Restart"),
}
TERMINATION_LOG = Path("/dev/termination-log")
_MESSAGE_LIMIT = 4096
# Words that tell what happened are not worth shortening, in letters.
_SHORT = 16
_LATEST = ("injected", "proven", "gone", "failed", "refused", "stuck", "reverted")


def mechanism_class(name: str) -> type[Any]:
    """Raises KeyError when there is no such mechanism."""
    module, cls = MECHANISMS[name]
    found: type[Any] = getattr(importlib.import_module(f"{__package__}.{module}"), cls)
    return found


def main(arguments: list[str]) -> int:
    """Exit status 0 when everything was done, 2 when it was not, 3 when something is left, 4 for a bad request."""
    try:
        request = json.loads(arguments[0])
        name = request["mechanism"]
        mechanism = mechanism_class(name)
        if "revert" in request:
            return _revert(mechanism, request)
        if "standby" in request:
            return _stand_by(mechanism, str(request["standby"]), start_by=float(request["start_by"]))
        faults = [(str(target["name"]), mechanism(**target["parameters"])) for target in request["targets"]]
        work = _session(mechanism, faults, request) if "session" in request else None
    except (IndexError, KeyError, TypeError, ValueError) as error:
        return _report({"error": f"the request can't be read: {type(error).__name__}: {error}"}, code=4)
    if work:
        return _hold(work)
    entries = hit(faults)
    failed = [entry for entry in entries if not entry["holds"]]
    return _report({"held": len(entries) - len(failed), "failed": failed}, code=2 if failed else 0)


def hit(faults: list[tuple[str, Fault]]) -> list[dict[str, Any]]:
    """Injects all first and proves afterwards, so that targets are hit together and not one after the other."""
    injected: list[tuple[str, Fault, str]] = []
    for name, fault in faults:
        try:
            fault.plan()
            fault.inject()
            injected.append((name, fault, ""))
        except (FaultError, ValueError) as error:
            injected.append((name, fault, str(error)))
    return [_entry(name, fault, error) for name, fault, error in injected]


def _session(mechanism: type[Fault], faults: list[tuple[str, Fault]], request: Mapping[str, Any]) -> "session.Request":
    from . import session  # a helper that only hits does not need it

    return session.Request(
        session=str(request["session"]),
        mechanism=mechanism,
        mechanism_name=str(request["mechanism"]),
        faults=faults,
        hold_s=float(request["hold_s"]),
        start_by=float(request["start_by"]),
        linger=str(request.get("linger", "")),
        standby=bool(request.get("second", False)),
        secret=str(request.get("secret", "")),
    )


def _hold(wanted: "session.Request") -> int:
    from . import session

    said: list[dict[str, Any]] = []

    def say(event: str, **what: Any) -> None:
        entry = {"seq": len(said) + 1, "event": event, **what}
        said.append(entry)
        with contextlib.suppress(OSError):  # the runtime that reads it may be what the fault has ended
            print(json.dumps(entry, separators=(",", ":")), flush=True)

    code = session.Session(wanted, say).run()
    _last_words({"events": [entry for entry in said if entry["event"] in _LATEST]})
    return code


def _revert(mechanism: type[Fault], request: Mapping[str, Any]) -> int:
    from . import session

    return _undone(lambda: session.revert(mechanism, str(request["revert"]), list(request["recipes"])))


def _stand_by(mechanism: type[Fault], session: str, *, start_by: float) -> int:
    from . import standby

    return _undone(lambda: standby.live(mechanism, session, start_by=start_by))


def _undone(work: Callable[[], tuple[str, dict[str, Any]]]) -> int:
    try:
        said, left = work()
    except FaultError as error:
        return _report({"error": str(error)}, code=2)
    shown = "; ".join(f"{name}: {rest}" for name, rest in left.items())
    return _report({"said": said, "left": shown}, code=3 if left else 0)


def _entry(name: str, fault: Fault, error: str) -> dict[str, Any]:
    if error:
        return {"name": name, "holds": False, "asked": "", "delivered": error}
    return {"name": name, **fault.prove().as_json()}


def _fitting(report: dict[str, Any]) -> str:
    """The report in JSON, with as much of its longest list as the message has room for; the counts always fit."""
    if "error" in report:
        report = {"error": report["error"][: _MESSAGE_LIMIT // 4]}
    while len((text := json.dumps(report, separators=(",", ":"))).encode()) > _MESSAGE_LIMIT:
        report = _halved(report)
    return text


def _halved(report: dict[str, Any]) -> dict[str, Any]:
    if "events" in report:
        events = report["events"]
        longest = max(events, key=lambda event: len(json.dumps(event)))
        short = {key: _half(value) for key, value in longest.items()}
        if short == longest:  # they are short and many: of the targets that are gone, each has one
            many = next(index for index, event in enumerate(events) if event["event"] == "gone")
            return {"events": events[:many] + events[many + 1 :]}
        return {"events": [short if event is longest else event for event in events]}
    if "failed" in report:
        return report | {"failed": _half(report["failed"])}
    return {key: _half(value) for key, value in report.items()}


def _half(value: Any) -> Any:
    halves = isinstance(value, list) or (isinstance(value, str) and len(value) > _SHORT)
    return value[: len(value) // 2] if halves else value


def _report(report: dict[str, Any], *, code: int) -> int:
    print(_fitting(report), file=sys.stdout)
    _last_words(report)
    return code


def _last_words(report: dict[str, Any]) -> None:
    with contextlib.suppress(OSError):  # not in a pod: standard output has it
        TERMINATION_LOG.write_text(_fitting(report))
