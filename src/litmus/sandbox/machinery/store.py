"""Where the objects lie: in memory, under one counter of revisions, with the last changes remembered for watches.

What etcd is to Kubernetes. A write is one step of the one asyncio loop that owns the store, so readers always see whole
objects, and the listeners hear of every change in its order. Nobody changes an object that lies here: a write puts a
new one in its place.
"""

import itertools
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from . import status
from .objects import Key, Obj

ADDED, MODIFIED, DELETED = "ADDED", "MODIFIED", "DELETED"
# A watch that was cut off for some seconds finds what it missed, also while many pods come and go. More would cost
# memory: the endpoints of a service with 200 pods are 60 kB, and each of their states is remembered.
REMEMBERED = 5_000


@dataclass(slots=True, eq=False)
class Event:
    """One change. ``encoded`` is for whoever serialises events, so that a hundred watchers share the work."""

    type: str
    storage: str
    key: Key
    obj: Obj
    previous: Obj | None
    revision: int
    encoded: dict[str, bytes] = field(default_factory=dict)


Listener = Callable[[Event], None]
Objects = list[Obj]  # the method `list` hides the type inside the class
Events = list[Event]
_Keys = list[Key]
_Listeners = list[Listener]


class Store:
    """Objects by storage name (``pods``, ``deployments.apps``) and key."""

    def __init__(self, *, remembered: int = REMEMBERED) -> None:
        self.revision = 1
        self._objects: dict[str, dict[Key, Obj]] = {}
        self._sorted: dict[str, _Keys] = {}
        self._events: deque[Event] = deque(maxlen=remembered)
        self._forgotten = self.revision  # the revision of the last event that is no longer remembered
        self._listeners: dict[str, _Listeners] = {}

    def get(self, storage: str, key: Key) -> Obj | None:
        return self._objects.get(storage, {}).get(key)

    def list(self, storage: str, namespace: str = "") -> Objects:
        """All objects in the order of namespace and name; ``namespace`` '' means all of them."""
        objects = self._objects.get(storage, {})
        keys = self._sorted.get(storage)
        if keys is None:
            keys = self._sorted[storage] = sorted(objects)
        return [objects[key] for key in keys if not namespace or key.namespace == namespace]

    def storages(self) -> Iterator[str]:
        """The names under which there is anything."""
        return iter([name for name, objects in self._objects.items() if objects])

    def count(self, storage: str) -> int:
        return len(self._objects.get(storage, {}))

    def put(self, storage: str, key: Key, obj: Obj) -> Obj:
        """Stores an object that is the caller's to give away, under the next revision."""
        objects = self._objects.setdefault(storage, {})
        previous = objects.get(key)
        self.revision += 1
        obj["metadata"]["resourceVersion"] = str(self.revision)
        objects[key] = obj
        if previous is None:
            self._sorted.pop(storage, None)
        self._tell(Event(MODIFIED if previous else ADDED, storage, key, obj, previous, self.revision))
        return obj

    def remove(self, storage: str, key: Key) -> Obj:
        """Takes an object away; its last state carries the revision of the removal, as watches show it."""
        previous = self._objects[storage].pop(key)
        self._sorted.pop(storage, None)
        self.revision += 1
        last = {**previous, "metadata": {**previous["metadata"], "resourceVersion": str(self.revision)}}
        self._tell(Event(DELETED, storage, key, last, previous, self.revision))
        return last

    def subscribe(self, storage: str, listener: Listener) -> Callable[[], None]:
        """Calls ``listener`` at once, inside every write, for one storage ('' for all); returns how to stop that."""
        listeners = self._listeners.setdefault(storage, [])
        listeners.append(listener)

        def stop() -> None:
            if listener in listeners:
                listeners.remove(listener)

        return stop

    def since(self, storage: str, revision: int) -> Events:
        """What happened after ``revision``. Raises Refusal 410 when that is no longer remembered."""
        if revision < self._forgotten:
            raise status.expired(f"too old resource version: {revision} ({self._forgotten})")
        newer = itertools.takewhile(lambda event: event.revision > revision, reversed(self._events))
        return [event for event in newer if event.storage == storage][::-1]

    def remembers(self, revision: int) -> bool:
        return revision >= self._forgotten

    def load(self, objects: dict[str, dict[Key, Obj]], revision: int) -> None:
        """Takes over what an earlier life has written. Nobody may be listening yet; older watches answer 410."""
        self._objects, self._sorted = objects, {}
        self.revision = self._forgotten = revision
        self._events.clear()

    def _tell(self, event: Event) -> None:
        if len(self._events) == self._events.maxlen:
            self._forgotten = self._events[0].revision
        self._events.append(event)
        for listener in [*self._listeners.get(event.storage, ()), *self._listeners.get("", ())]:
            listener(event)
