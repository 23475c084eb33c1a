"""Chaos windows as Kubernetes events on the ChaosResult: reasons ChaosWindowBegin and ChaosWindowEnd.

An event's name follows from its window, so that the same one is posted once, whoever posts it and how often: a
restarted exporter, or two of them, find it there. (``kube.events`` counts repetitions instead, which a window has not.)
"""

from typing import Any, Literal

from litmus import api
from litmus.api import names
from litmus.kube import Cluster, clock, errors, kinds

from .delivery import Delivery, NotTaken, Refused
from .windows import Change, Window

COMPONENT = "litmus-exporter"
BEGIN = "ChaosWindowBegin"
END = "ChaosWindowEnd"
_REASONS = {"begun": BEGIN, "ended": END}
_SHOWN = 5
_LONGEST_NAME = 253


class Events:
    """The outlet."""

    name = "events"

    def __init__(self, cluster: Cluster, delivery: Delivery | None = None) -> None:
        self._cluster = cluster
        self.delivery = delivery or Delivery("Kubernetes")

    def tell(self, change: Change) -> None:
        """Posts begin and end; the verdict has an event of the experiment's own."""
        if change.kind == "verdict":
            return
        self.delivery.put(lambda: self._post(manifest(change)))

    async def aclose(self) -> None:
        """The connection is the exporter's."""

    async def _post(self, event: dict[str, Any]) -> None:
        namespace = event["metadata"]["namespace"]
        try:
            await self._cluster.create(kinds.EVENT, event, namespace=namespace)
        except errors.Conflict:
            return  # told before
        except errors.NotFound:
            return  # the namespace has gone, and the result with it
        except (errors.Unreachable, errors.TimedOut) as error:
            raise NotTaken(str(error)) from error
        except errors.Forbidden as error:
            if "being terminated" in str(error):
                return  # so does the namespace say that it is on its way out
            raise Refused(f"{error}; let its role create events, or give --no-events") from error
        except errors.KubeError as error:
            raise Refused(str(error)) from error


def manifest(change: Change) -> dict[str, Any]:
    """The event of a change, complete."""
    window, reason = change.window, _REASONS[change.kind]
    at = clock.stamp(change.at)
    suffix = f".{window.uid.hex[:16]}.{_ending(change.kind)}"
    return {
        "metadata": {
            "name": window.result[: _LONGEST_NAME - len(suffix)].rstrip("-.") + suffix,
            "namespace": window.namespace,
            "labels": {names.CHAOS_UID: window.engine_uid} if window.engine_uid else {},
        },
        "involvedObject": {
            "apiVersion": api.API_VERSION,
            "kind": "ChaosResult",
            "name": window.result,
            "namespace": window.namespace,
            "uid": window.result_uid,
        },
        "reason": reason,
        "message": message(change),
        "type": "Normal",
        "source": {"component": COMPONENT},
        "reportingComponent": COMPONENT,
        "firstTimestamp": at,
        "lastTimestamp": at,
        "count": 1,
    }


def message(change: Change) -> str:
    """One sentence: what, on whom, since when."""
    window = change.window
    of = f"the chaos of {window.experiment} (engine {window.engine}, run {window.run})"
    if change.kind == "begun":
        return f"{of} begins at {clock.precise(change.at)} on {hit(window)}"
    started = window.started or change.at
    seconds = (change.at - started).total_seconds()
    return f"{of} ends at {clock.precise(change.at)}, {seconds:g} s after its begin, on {hit(window)}"


def hit(window: Window) -> str:
    """Who was hit; of many, the first few."""
    found = list(dict.fromkeys(f"{target.kind} {target.name}" for target in window.targets))
    if not found:
        found = list(dict.fromkeys(target.name for fault in window.faults for target in fault.targets))
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return ", ".join(found[:_SHOWN]) + more if found else "targets that the result does not name"


def _ending(kind: str) -> Literal["begin", "end"]:
    return "begin" if kind == "begun" else "end"
