"""Chaos windows as annotations in Grafana: one a window, drawn from its begin to its end on every dashboard.

A window's annotation carries its uid as a tag. Before one is made, Grafana is asked for it, so that an exporter that
was restarted goes on with what is there; the end and the verdict are written into the same annotation.
"""

import html
from collections import OrderedDict
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import msgspec

from .delivery import Delivery, Refused
from .events import hit
from .posting import Answer, Poster, server
from .windows import Change, Window

_LONGEST_TAG = 100  # what Grafana's table of tags takes
_REMEMBERED = 1000


class Annotations:
    """The outlet. ``token`` is that of a service account that may write annotations."""

    name = "grafana"

    def __init__(self, url: str, *, token: str, delivery: Delivery | None = None, poster: Poster | None = None) -> None:
        self._url = url.rstrip("/") + "/api/annotations"
        self._token = token
        self._poster = poster or Poster()
        self._ids: OrderedDict[str, int] = OrderedDict()
        self.delivery = delivery or Delivery(f"Grafana at {server(url)}")

    def tell(self, change: Change) -> None:
        """Makes the annotation, or brings it up to date. A run that hit nothing has none."""
        if change.window.started is not None:
            self.delivery.put(lambda: self._write(change.window))

    async def aclose(self) -> None:
        await self._poster.aclose()

    async def _write(self, window: Window) -> None:
        known = self._ids.get(str(window.uid)) or await self._find(window)
        if known is not None:
            changed = await self._ask("PATCH", f"{self._url}/{known}", annotation(window), missing=True)
            if changed.status != 404:
                return self._remember(window, known)
        made = (await self._ask("POST", self._url, annotation(window))).json()
        if isinstance(made, dict) and isinstance(made.get("id"), int):
            self._remember(window, made["id"])
        return None

    async def _find(self, window: Window) -> int | None:
        query = urlencode([("type", "annotation"), ("tags", "litmus"), ("tags", _tag("run", window.uid)), ("limit", 1)])
        found = (await self._ask("GET", f"{self._url}?{query}")).json()
        if not isinstance(found, list):
            raise Refused("it does not list annotations; is it Grafana?")
        first = found[0] if found else None
        return first["id"] if isinstance(first, dict) and isinstance(first.get("id"), int) else None

    async def _ask(self, method: str, url: str, body: Any = None, *, missing: bool = False) -> Answer:
        headers = {"Authorization": f"Bearer {self._token}", "Accept": "application/json"}
        if body is None:
            return await self._poster.send(method, url, headers=headers)
        headers["Content-Type"] = "application/json"
        return await self._poster.send(method, url, headers=headers, body=msgspec.json.encode(body), missing=missing)

    def _remember(self, window: Window, id_: int) -> None:
        self._ids[str(window.uid)] = id_
        self._ids.move_to_end(str(window.uid))
        while len(self._ids) > _REMEMBERED:
            self._ids.popitem(last=False)


def annotation(window: Window) -> dict[str, Any]:
    """The annotation of a window as far as it is known. Its text is HTML to Grafana, so names are escaped."""
    assert window.started is not None
    said = f"{window.experiment} of {window.engine} in {window.namespace}, run {window.run}: {window.verdict}"
    why = f"<br>{html.escape(window.fail_step)}" if window.verdict in ("Fail", "Error", "Stopped") else ""
    shown: dict[str, Any] = {
        "time": _milliseconds(window.started),
        "tags": [
            "litmus",
            _tag("namespace", window.namespace),
            _tag("engine", window.engine),
            _tag("experiment", window.experiment),
            _tag("verdict", window.verdict),
            _tag("run", window.uid),
        ],
        "text": f"{html.escape(said)}<br>{html.escape(hit(window))}{why}",
    }
    return shown | ({"timeEnd": _milliseconds(window.ended)} if window.ended else {})


def _tag(name: str, value: object) -> str:
    return f"{name}:{value}"[:_LONGEST_TAG]


def _milliseconds(when: datetime) -> int:
    return round(when.timestamp() * 1000)
