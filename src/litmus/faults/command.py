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
    report = hit(faults)
    return _report({"targets": report}, code=0 if all(entry["holds"] for entry in report) else 2)


def hit(faults: list[tuple[str, Fault]]) -> list[dict[str, Any]]:
    """Injects all first and proves afterwards, so that targets are hit together and not one after the other."""
    injected: list[tuple[str, Fault, str]] = []
    for name, fault in faults:
        try:
            fault.plan()
            fault.inject()
            injected.append((name, fault, ""))
        except FaultError as error:
            injected.append((name, fault, str(error)))
    return [_entry(name, fault, error) for name, fault, error in injected]


def _entry(name: str, fault: Fault, error: str) -> dict[str, Any]:
    if error:
        return {"name": name, "holds": False, "asked": "", "delivered": error}
    return {"name": name, **fault.prove().as_json()}


def _report(report: dict[str, Any], *, code: int) -> int:
    text = json.dumps(report, separators=(",", ":"))
    if len(text) > _MESSAGE_LIMIT:
        brief = [{"name": t["name"], "holds": t["holds"]} for t in report.get("targets", ())]
        text = json.dumps({"targets": brief}, separators=(",", ":"))[:_MESSAGE_LIMIT]
    print(text, file=sys.stdout)
    with contextlib.suppress(OSError):  # not in a pod: standard output has it
        TERMINATION_LOG.write_text(text)
    return code
