"""Runs as CloudEvents 1.0 for a webhook: JSON in structured mode, signed, each under an id that never changes.

``org.litmuschaos.run.begun`` is sent with the first injection, ``org.litmuschaos.run.ended`` with the verdict. Delivery
is at least once: whoever must not act twice compares source and id, as the specification says.
"""

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import msgspec

from litmus.kube import clock

from . import signature
from .delivery import Delivery
from .posting import Poster, server
from .windows import Change, Window

CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"
TYPES = {"begun": "org.litmuschaos.run.begun", "verdict": "org.litmuschaos.run.ended"}


class Webhook:
    """The outlet. ``key`` signs; without one, requests carry no signature."""

    name = "webhook"

    def __init__(
        self,
        url: str,
        *,
        key: bytes = b"",
        cluster: str = "",
        delivery: Delivery | None = None,
        poster: Poster | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._url = url
        self._key = key
        self._cluster = cluster
        self._poster = poster or Poster()
        self._now = now
        self.delivery = delivery or Delivery(f"the webhook at {server(url)}")

    def tell(self, change: Change) -> None:
        """Sends begun and the verdict; that the chaos alone is over is a time in the latter."""
        if change.kind not in TYPES:
            return
        body = msgspec.json.encode(event(change, cluster=self._cluster))
        self.delivery.put(lambda: self._post(body))

    async def aclose(self) -> None:
        await self._poster.aclose()

    async def _post(self, body: bytes) -> None:
        signed = signature.headers(self._key, body, at=int(self._now())) if self._key else {}
        await self._poster.send("POST", self._url, headers={"Content-Type": CONTENT_TYPE, **signed}, body=body)


def event(change: Change, *, cluster: str) -> dict[str, Any]:
    """The CloudEvent of a change."""
    window = change.window
    place = f"/namespaces/{quote(window.namespace, safe='')}/chaosengines/{quote(window.engine, safe='')}"
    return {
        "specversion": "1.0",
        "id": f"{window.uid}.{change.kind if change.kind == 'begun' else 'ended'}",
        "source": f"/litmus/{quote(cluster, safe='')}{place}" if cluster else f"/litmus{place}",
        "type": TYPES[change.kind],
        "subject": window.experiment or window.result,
        "time": clock.precise(change.at),
        "datacontenttype": "application/json",
        "data": data(window, ended=change.kind == "verdict"),
    }


def data(window: Window, *, ended: bool) -> dict[str, Any]:
    """What a receiver learns of a run. Times are RFC 3339; null is what is not known, or not yet."""
    shown: dict[str, Any] = {
        "namespace": window.namespace,
        "engine": window.engine,
        "engineUid": window.engine_uid,
        "experiment": window.experiment,
        "result": window.result,
        "run": window.run,
        "runUid": str(window.uid),
        "verdict": window.verdict,
        "begunAt": clock.precise(window.begun),
        "chaosStartedAt": _stamp(window.started),
        "targets": [
            {"kind": target.kind, "namespace": target.namespace, "name": target.name, "node": target.node}
            for target in window.targets
        ],
        "faults": [{"mechanism": fault.mechanism, "node": fault.node, "state": fault.state} for fault in window.faults],
    }
    if ended:
        shown |= {
            "chaosEndedAt": _stamp(window.ended),
            "finishedAt": _stamp(window.finished),
            "failStep": window.fail_step,
            "probes": [
                {"name": probe.name, "type": probe.type, "mode": probe.mode, "verdict": probe.status.verdict}
                for probe in window.probes
            ],
        }
    return shown


def _stamp(when: Any) -> str | None:
    return clock.precise(when) if when else None
