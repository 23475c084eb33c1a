"""What the server serves at the moment: the hubs, and what is derived from each of them and kept until it changes.

A hub never changes: one that was synced is another object. So whatever is made of a hub is kept beside it, and goes
when another hub of that name takes its place. Our own files with a namespace in them are another hub too; the last
few namespaces that were asked for are kept.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence

import msgspec

from . import answers, chart_json, model

_NAMESPACES = 32

Hubs = Callable[[], Sequence[model.Hub]]


class Shelf:
    """The hubs by name. ``hubs`` tells which there are now, ours first; ``placed`` makes ours with a namespace."""

    def __init__(self, hubs: Hubs, *, placed: Callable[[str], model.Hub]) -> None:
        self.hubs = hubs
        self._placed = placed
        self._lock = threading.Lock()
        self._by_namespace: OrderedDict[str, model.Hub] = OrderedDict()
        self._json: dict[tuple[str, str], tuple[model.Hub, bytes]] = {}

    def hub(self, name: str) -> model.Hub:
        """The hub of that name, ours for ''. Raises Refused."""
        wanted = name or model.OURS
        hubs = self.hubs()
        for hub in hubs:
            if hub.name == wanted:
                return hub
        raise answers.missing("hub", name, [hub.name for hub in hubs])

    def in_namespace(self, namespace: str) -> model.Hub:
        """Our hub, with the namespace wherever a file may carry one."""
        with self._lock:
            if namespace not in self._by_namespace:
                self._by_namespace[namespace] = self._placed(namespace)
            self._by_namespace.move_to_end(namespace)
            while len(self._by_namespace) > _NAMESPACES:
                self._by_namespace.popitem(last=False)
            return self._by_namespace[namespace]

    def charts(self, hub: model.Hub, group: str = "") -> bytes:
        """``/api/charts``: all groups of a hub, or one. Raises Refused."""
        kept, body = self._json.get((hub.name, group), (None, b""))
        if kept is hub:
            return body
        if not group:
            body = msgspec.json.encode(chart_json.groups(hub))
        elif (found := hub.group(group)) is not None:
            body = msgspec.json.encode(chart_json.group(hub, found))
        else:
            raise answers.missing("group", group, [one.name for one in hub.groups])
        self._forget(hub)
        self._json[hub.name, group] = hub, body
        return body

    def _forget(self, hub: model.Hub) -> None:
        """What was made of an earlier state of a hub, or of one that is gone."""
        names = {one.name for one in self.hubs()}
        stale = [
            k for k, (kept, _) in self._json.items() if k[0] not in names or (k[0] == hub.name and kept is not hub)
        ]
        for key in stale:
            del self._json[key]
