"""``litmus fault REQUEST``: what a helper pod runs. One JSON request in, one JSON report out.

The report goes to the termination message (at most 4096 bytes), which the experiment reads from the pod's status with
no more than the right to get pods. A target that could not be hit is reported beside those that were.
"""

import contextlib
import json
import sys
from pathlib import Path
from typing import Any

from .contract import Fault, FaultError
from .kill import Kill

MECHANISMS: dict[str, type[Any]] = {"kill": Kill}
TERMINATION_LOG = Path("/dev/termination-log")
_MESSAGE_LIMIT = 4096


def main(arguments: list[str]) -> int:
    """Exit status 0 when every target was hit, 2 when one was not, 4 for a request that can't be read."""
    try:
        request = json.loads(arguments[0])
        make = MECHANISMS[request["mechanism"]]
        faults = [(str(target["name"]), make(**target["parameters"])) for target in request["targets"]]
    except (IndexError, KeyError, TypeError, ValueError) as error:
        return _report({"error": f"the request can't be read: {type(error).__name__}: {error}"}, code=4)
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


def _entry(name: str, fault: Fault, error: str) -> dict[str, Any]:
    if error:
        return {"name": name, "holds": False, "asked": "", "delivered": error}
    return {"name": name, **fault.prove().as_json()}


def _fitting(report: dict[str, Any]) -> str:
    """The report in JSON, with as many of the failures as the message has room for; the count of hits always fits."""
    if "error" in report:
        report = {"error": report["error"][: _MESSAGE_LIMIT // 4]}
    while len((text := json.dumps(report, separators=(",", ":"))).encode()) > _MESSAGE_LIMIT:
        report = report | {"failed": report["failed"][: len(report["failed"]) // 2]}
    return text


def _report(report: dict[str, Any], *, code: int) -> int:
    text = _fitting(report)
    print(text, file=sys.stdout)
    with contextlib.suppress(OSError):  # not in a pod: standard output has it
        TERMINATION_LOG.write_text(text)
    return code
