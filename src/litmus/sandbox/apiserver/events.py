"""Changes as lines of a watch, in the form that the watcher asked for; a form is made once for all watchers.

Source: k8s.io/apimachinery/pkg/watch and metav1.WatchEvent. An object that enters a selector is ADDED to its watchers,
one that leaves it is DELETED with the state that was selected.
"""

from collections.abc import Iterable, Sequence

import msgspec

from litmus.sandbox.apiserver import answers
from litmus.sandbox.apiserver.call import Call
from litmus.sandbox.apiserver.negotiation import Accepted
from litmus.sandbox.machinery import conversion, objects, store, tables
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.selectors import Selector
from litmus.sandbox.machinery.status import Refusal
from litmus.sandbox.machinery.store import Event

INITIAL_EVENTS_END = "k8s.io/initial-events-end"


def _line(kind: str, encoded: bytes) -> bytes:
    return b'{"type":"' + kind.encode() + b'","object":' + encoded + b"}\n"


def error(refusal: Refusal) -> bytes:
    """The last line of a watch that cannot go on."""
    return _line("ERROR", msgspec.json.encode(refusal.status))


class Lines:
    """Makes the lines of one watch."""

    def __init__(self, call: Call, accept: Accepted, selectors: Sequence[Selector]) -> None:
        self._call = call
        self._resource = call.known
        self._namespace = call.key.namespace
        self._transform = accept.transform
        self._selectors = selectors
        self._columns = True  # a table says its columns once
        self._face = f"{self._transform} {self._resource.group_version}"

    def existing(self, found: Iterable[Obj]) -> list[bytes]:
        """What is there, as if it were new."""
        return [_line(store.ADDED, self._encoded(obj)) for obj in found if self._selected(obj)]

    def change(self, event: Event) -> bytes | None:
        """None for a change that this watch does not see."""
        if self._namespace and event.key.namespace != self._namespace:
            return None
        before = event.previous is not None and self._selected(event.previous)
        after = event.type != store.DELETED and self._selected(event.obj)
        if after:
            return _line(store.MODIFIED if before else store.ADDED, self._cached(event, event.obj, self._face))
        if not before or event.previous is None:
            return None
        meta = {**objects.meta(event.previous), "resourceVersion": str(event.revision)}
        return _line(store.DELETED, self._cached(event, {**event.previous, "metadata": meta}, f"{self._face} before"))

    def bookmark(self, revision: int, *, initial_events_end: bool = False) -> bytes:
        """How far the watch has come."""
        meta: Obj = {"resourceVersion": str(revision)}
        if initial_events_end:
            meta["annotations"] = {INITIAL_EVENTS_END: "true"}
        shown: Obj = {"kind": self._resource.kind, "apiVersion": self._resource.group_version, "metadata": meta}
        if self._transform.startswith("Partial"):
            shown = tables.partial(shown)
        elif self._transform == "Table":
            shown = {"kind": "Table", "apiVersion": tables.META, "metadata": meta, "columnDefinitions": [], "rows": []}
        return _line("BOOKMARK", msgspec.json.encode(shown))

    def _selected(self, obj: Obj) -> bool:
        return all(selector.matches(obj) for selector in self._selectors)

    def _cached(self, event: Event, obj: Obj, face: str) -> bytes:
        if self._transform == "Table":  # the first one has columns, and ages differ
            return self._encoded(obj)
        found = event.encoded.get(face)
        if found is None:
            found = event.encoded[face] = self._encoded(obj)
        return found

    def _encoded(self, obj: Obj) -> bytes:
        shown = conversion.from_storage(self._resource, obj)
        if self._transform == "Table":
            meta = {"resourceVersion": objects.meta(shown).get("resourceVersion", "")}
            shown = answers.table(self._call, self._resource, [shown], meta, columns=self._columns)
            self._columns = False
        elif self._transform:
            shown = tables.partial(shown)
        else:
            shown = answers.ordered(shown)
        return msgspec.json.encode(shown)
