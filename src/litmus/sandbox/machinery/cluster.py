"""The cluster as its own controllers see it: always current, by the resources' names, as the system itself.

Everything here happens within one step of the loop, so what a controller reads is what there is, and what it writes
meets no conflict.
"""

import itertools
import platform
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime

from . import objects, selectors, status
from .objects import Key, Obj
from .options import DeleteOptions, Options, User
from .registry import Registry
from .selectors import fields as field_selectors
from .selectors import labels as label_selectors
from .store import Event

# How many different events are remembered so that a repetition raises a count instead of making another object.
_REMEMBERED_EVENTS = 4096
Objects = list[Obj]


class Cluster:
    """Reads return shared objects: ``objects.copy`` before changing one."""

    def __init__(self, registry: Registry, *, user: User) -> None:
        self._registry = registry
        self._options = Options(user=user, manager=user.name.rpartition(":")[2])
        self._user = user
        self._events: OrderedDict[tuple[str, ...], str] = OrderedDict()
        self._numbers = itertools.count()

    @property
    def now(self) -> Callable[[], datetime]:
        """The clock, in UTC."""
        return self._registry.now

    @property
    def registry(self) -> Registry:
        return self._registry

    def get(self, resource: str, name: str, namespace: str = "") -> Obj | None:
        """The object, or None."""
        try:
            return self._registry.get(self._registry.catalogue.named(resource), Key(namespace, name))
        except status.Refusal as refusal:
            if refusal.code == 404:
                return None
            raise

    def list(self, resource: str, namespace: str = "", *, labels: str | Obj | None = "", fields: str = "") -> Objects:
        """Objects in the order of their names; ``labels`` is a selector's text or a LabelSelector object.

        ``resource`` '' means those of all resources, as they are stored.
        """
        if not resource:
            store = self._registry.store
            return [obj for storage in store.storages() for obj in store.list(storage, namespace)]
        known = self._registry.catalogue.named(resource)
        by_label = None
        if labels != "":
            by_label = (
                label_selectors.parse(labels) if isinstance(labels, str) else selectors.from_label_selector(labels)
            )
        by_field = field_selectors.parse(fields, known) if fields else None
        return self._registry.list(known, namespace=namespace, labels=by_label, fields=by_field).items

    def create(self, resource: str, obj: Obj) -> Obj:
        """Raises Refusal."""
        known = self._registry.catalogue.named(resource)
        whole = {"apiVersion": known.group_version, "kind": known.kind, **obj}
        return self._registry.create(known, whole, namespace=objects.namespace(obj), asked=self._options)

    def update(self, resource: str, obj: Obj, *, subresource: str = "") -> Obj:
        """Replaces the object; raises Refusal 409 when ``obj`` carries an older resourceVersion."""
        known = self._registry.catalogue.named(resource)
        return self._registry.update(known, objects.key(obj), obj, subresource=subresource, asked=self._options)

    def update_status(self, resource: str, obj: Obj) -> Obj:
        """Replaces the status alone, or the whole object where a kind has no status subresource."""
        known = self._registry.catalogue.named(resource)
        return self.update(resource, obj, subresource="status" if known.has_status else "")

    def delete(
        self,
        resource: str,
        name: str,
        namespace: str = "",
        *,
        uid: str = "",
        propagation: str = "Background",
        grace_s: int | None = None,
    ) -> None:
        """Deletes the object; one that is gone already, or lives on under another uid, is left alone."""
        asked = DeleteOptions(user=self._user, uid=uid, propagation=propagation, grace_s=grace_s)
        try:
            self._registry.delete(self._registry.catalogue.named(resource), Key(namespace, name), asked=asked)
        except status.Refusal as refusal:
            if refusal.code != 404 and not (uid and refusal.code == 409):
                raise

    def bind(self, pod: Obj, node: str) -> None:
        """Gives a pod its node."""
        self._registry.bind(objects.key(pod), node, asked=self._options)

    def subscribe(self, resource: str, listener: Callable[[Event], None]) -> Callable[[], None]:
        """Calls ``listener`` inside every write to that resource, '' for all; returns how to stop that."""
        storage = self._registry.catalogue.named(resource).storage if resource else ""
        return self._registry.store.subscribe(storage, listener)

    def event(
        self, about: Obj, *, reason: str, message: str, component: str, kind: str = "Normal", action: str = ""
    ) -> None:
        """Tells users what happened to an object. The same again raises the count of the first one.

        ``action``: what was being done, for a component that uses the newer API of events, as the scheduler does.
        """
        identity = (objects.uid(about), objects.key(about).name, reason, message, component)
        namespace = objects.namespace(about) or "default"
        known = self.get("events", self._events.get(identity, ""), namespace) if identity in self._events else None
        if known is not None:
            self._events.move_to_end(identity)
            self.update("events", self._repeated(known))
            return
        told: Obj = {"reason": reason, "message": message, "type": kind, "reportingComponent": component}
        if action:
            host = f"{component}-{platform.node()}"
            told |= {"action": action, "eventTime": objects.micro_timestamp(self.now()), "reportingInstance": host}
        else:
            now = objects.timestamp(self.now())
            told |= {"source": {"component": component}, "firstTimestamp": now, "lastTimestamp": now, "count": 1}
        made = self.create("events", {**self._about(about, namespace), **told})
        self._events[identity] = objects.name(made)
        if len(self._events) > _REMEMBERED_EVENTS:
            self._events.popitem(last=False)

    def _repeated(self, event: Obj) -> Obj:
        if event.get("eventTime"):  # counted as a series, which begins with the second one
            count = (event.get("series") or {}).get("count", 1) + 1
            return {**event, "series": {"count": count, "lastObservedTime": objects.micro_timestamp(self.now())}}
        return {**event, "count": event.get("count", 1) + 1, "lastTimestamp": objects.timestamp(self.now())}

    def _about(self, about: Obj, namespace: str) -> Obj:
        meta = objects.meta(about)
        stamp = int(self.now().timestamp() * 1e9) + next(self._numbers) % 1000
        involved = {
            "kind": about.get("kind"),
            "namespace": meta.get("namespace"),
            "name": meta.get("name"),
            "uid": meta.get("uid"),
            "apiVersion": about.get("apiVersion"),
            "resourceVersion": meta.get("resourceVersion"),
        }
        return {
            "metadata": {"name": f"{meta.get('name')}.{stamp:x}", "namespace": namespace},
            "involvedObject": {field: value for field, value in involved.items() if value},
        }
