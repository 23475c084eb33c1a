"""The verbs: what happens to an object between a request and the store, the same for every kind.

A write passes the steps in the order of Kubernetes: decode → default → admission → prepare → validate → store; what is
special about a kind is in its strategy, what looks at the rest of the cluster is in admission. No-op writes leave the
resourceVersion alone. Source: k8s.io/apiserver/pkg/registry/generic/registry/store.go and registry/rest.
"""

import json
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

from . import conditions, conversion, deletion, metadata, names, objects, ownership, paging, status
from .crds import CustomStrategy
from .objects import Key, Obj
from .options import DeleteOptions, Listing, Options
from .resources import Catalogue, Resource
from .schemas import Schema
from .store import Store
from .strategies import Strategy

CREATE, UPDATE, DELETE = "CREATE", "UPDATE", "DELETE"


class Selector(Protocol):
    """Which objects of a list or watch are meant."""

    def matches(self, obj: Obj, /) -> bool: ...


class Admit(Protocol):
    """Admission: may change ``obj``, may raise Refusal."""

    def __call__(
        self, operation: str, resource: Resource, obj: Obj, old: Obj | None, *, subresource: str, asked: Options
    ) -> None: ...


class MetaRules(Protocol):
    """What metadata may look like, for all kinds."""

    def create_causes(self, resource: Resource, obj: Obj) -> list[status.Cause]: ...

    def update_causes(self, resource: Resource, new: Obj, old: Obj) -> list[status.Cause]: ...


class Patch(Protocol):
    """A patch that knows how to apply itself."""

    @property
    def creates(self) -> bool:
        """Whether it makes an object that is not there. Such a patch says in managedFields itself who owns what."""

    def undecodable(self, changed: Obj, why: status.Refusal) -> status.Refusal:
        """What is said when the patched object cannot be read as its kind."""

    def applied(
        self, resource: Resource, current: Obj | None, *, subresource: str, asked: Options, now: datetime
    ) -> Obj: ...


class Behaviour(Protocol):
    """How a resource behaves: what is special about its kind, how it is read, and what its fields are."""

    def strategy(self, resource: Resource) -> Strategy: ...

    def decode(self, resource: Resource, obj: Obj, *, asked: Options) -> Obj:
        """A private copy without unknown fields. Raises Refusal."""

    def schema(self, resource: Resource) -> Schema | None: ...

    def custom(self, resource: Resource) -> CustomStrategy | None: ...


class Registry:
    """All verbs on all resources; each raises Refusal."""

    def __init__(
        self,
        *,
        store: Store,
        catalogue: Catalogue,
        behaviour: Behaviour,
        meta_rules: MetaRules,
        admit: Admit,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.store = store
        self.catalogue = catalogue
        self.now = now
        self.behaviour = behaviour
        self._meta_rules = meta_rules
        self._admit = admit

    def get(self, resource: Resource, key: Key) -> Obj:
        return conversion.from_storage(resource, self._stored(resource, key))

    def list(
        self,
        resource: Resource,
        *,
        namespace: str = "",
        labels: Selector | None = None,
        fields: Selector | None = None,
        limit: int = 0,
        continue_: str = "",
    ) -> Listing:
        """The objects that both selectors match, at most ``limit`` of them when it is not 0."""
        found = self.store.list(resource.storage, namespace)
        revision = self.store.revision
        if continue_:
            revision, last = paging.start(continue_)
            if not self.store.remembers(revision):
                raise paging.too_old()
            found = [obj for obj in found if objects.key(obj) > last]
        chosen = [
            conversion.from_storage(resource, obj)
            for obj in found
            if (labels is None or labels.matches(obj)) and (fields is None or fields.matches(obj))
        ]
        if not limit or len(chosen) <= limit:
            return Listing(items=chosen, revision=revision)
        selective = labels is not None or fields is not None
        return Listing(
            items=chosen[:limit],
            revision=revision,
            continue_=paging.token(revision, chosen[limit - 1]),
            remaining=None if selective else len(chosen) - limit,
        )

    def create(
        self, resource: Resource, obj: Obj, *, namespace: str = "", asked: Options, recorded: bool = False
    ) -> Obj:
        """Stores a new object; returns it as stored, or as it would be with ``dry_run``.

        ``recorded``: its managedFields say already who owns what.
        """
        new = self.behaviour.decode(resource, obj, asked=asked)
        strategy = self.behaviour.strategy(resource)
        metadata.place(resource, new, namespace)
        metadata.drop_repeated_owners(new, asked.warnings)
        metadata.begin(new, uid=str(uuid.uuid4()), now=self.now())
        if resource.has_status:
            new.pop("status", None)
        new = self._versioned(resource, new)
        strategy.default(new)
        if not recorded:
            self._record(resource, new, None, asked=asked)
        self._admit(CREATE, resource, new, None, subresource="", asked=asked)
        strategy.prepare_create(new)
        metadata.count_generation(resource, new, None)
        key = objects.key(new)
        causes = [*self._meta_rules.create_causes(resource, new), *strategy.validate(new)]
        if causes:
            raise _invalid(resource, key, causes)
        there = self.store.get(resource.storage, key)
        if there is not None:
            raise status.already_exists(resource.plural, resource.group, key.name, leaving=objects.leaving(there))
        if not asked.dry_run:
            new = self.store.put(resource.storage, key, new)
        return conversion.from_storage(resource, new)

    def update(self, resource: Resource, key: Key, obj: Obj, *, subresource: str = "", asked: Options) -> Obj:
        """Replaces an object, or only its status with ``subresource="status"``; some kinds make a missing one."""
        new = self.behaviour.decode(resource, obj, asked=asked)
        metadata.check_target(resource, new, key)
        if self.updating_creates(resource, key, subresource):
            metadata.check_uid(resource, new, metadata.nobody(key))
            new["metadata"].pop("resourceVersion", None)
            return self.create(resource, new, namespace=key.namespace, asked=asked)
        old = self._stored(resource, key)
        metadata.check_uid(resource, new, old)
        return self._replace(resource, key, old, new, subresource=subresource, asked=asked)

    def updating_creates(self, resource: Resource, key: Key, subresource: str = "") -> bool:
        """Whether an update makes the object, because its kind allows that and it is not there."""
        if subresource or not self.behaviour.strategy(resource).create_on_update:
            return False
        return names.path_segment(key.name) == [] and self.store.get(resource.storage, key) is None

    def patch(
        self, resource: Resource, key: Key, patch: Patch, *, subresource: str = "", asked: Options
    ) -> tuple[Obj, bool]:
        """Applies a patch; also says whether that created the object (server-side apply may)."""
        found = self.store.get(resource.storage, key)
        if found is None:
            if not patch.creates or subresource:
                raise status.not_found(resource.plural, resource.group, key.name)
            made = patch.applied(resource, None, subresource=subresource, asked=asked, now=self.now())
            metadata.check_target(resource, made, key)
            return self.create(resource, made, namespace=key.namespace, asked=asked, recorded=patch.creates), True
        shown = conversion.from_storage(resource, found)
        changed = patch.applied(resource, shown, subresource=subresource, asked=asked, now=self.now())
        try:
            new = self.behaviour.decode(resource, changed, asked=asked)
        except status.Refusal as why:
            raise patch.undecodable(changed, why) from why
        metadata.check_target(resource, new, key)
        recorded = patch.creates
        return self._replace(resource, key, found, new, subresource=subresource, asked=asked, recorded=recorded), False

    def delete(self, resource: Resource, key: Key, *, asked: DeleteOptions) -> tuple[Obj, bool]:
        """Begins or completes a deletion; returns the last state and whether the object is gone."""
        old = self._stored(resource, key)
        deletion.check_preconditions(resource, old, asked)
        self._admit(DELETE, resource, old, old, subresource="", asked=asked)
        strategy = self.behaviour.strategy(resource)
        grace_s = strategy.grace_s(old, asked.grace_s)
        new = deletion.begun(old, grace_s=grace_s, propagation=asked.propagation, now=self.now())
        strategy.prepare_delete(new, old)
        gone = deletion.may_go(new)
        if asked.dry_run:
            return conversion.from_storage(resource, new), gone
        if gone:
            if strategy.graceful:
                self.store.put(resource.storage, key, new)  # who watches sees that it leaves before it is gone
            return conversion.from_storage(resource, self.store.remove(resource.storage, key)), True
        if new != old:
            new = self.store.put(resource.storage, key, new)
        return conversion.from_storage(resource, new), False

    def bind(self, key: Key, node: str, *, asked: Options) -> Obj:
        """Gives a pod its node, once. Source: pkg/registry/core/pod/storage, assignPod."""
        pods = self.catalogue.named("pods")
        old = self._stored(pods, key)
        taken = old["spec"].get("nodeName")
        why = f"pod {key.name} is already assigned to node {json.dumps(taken)}" if taken else ""
        if objects.leaving(old):
            why = f"pod {key.name} is being deleted, cannot be assigned to a host"
        if why:
            raise status.conflict("pods/binding", "", key.name, why)
        new = objects.copy(old)
        new["spec"]["nodeName"] = node
        conditions.put(new, "PodScheduled", "True", now=self.now(), lastProbeTime=None)
        return old if asked.dry_run else self.store.put(pods.storage, key, new)

    def delete_collection(
        self,
        resource: Resource,
        *,
        namespace: str = "",
        labels: Selector | None = None,
        fields: Selector | None = None,
        asked: DeleteOptions,
    ) -> Listing:
        """Deletes what a list with these selectors shows; returns that list."""
        found = self.list(resource, namespace=namespace, labels=labels, fields=fields)
        for obj in found.items:
            if self.store.get(resource.storage, objects.key(obj)) is not None:  # else another of them took it along
                self.delete(resource, objects.key(obj), asked=asked)
        return found

    def _stored(self, resource: Resource, key: Key) -> Obj:
        found = self.store.get(resource.storage, key)
        if found is None:
            if wrong := names.path_segment(key.name):
                raise status.bad_request(f"Name parameter invalid: {status.shown(key.name)}: {';'.join(wrong)}")
            raise status.not_found(resource.plural, resource.group, key.name)
        return found

    def _record(self, resource: Resource, new: Obj, old: Obj | None, *, subresource: str = "", asked: Options) -> None:
        schema = self.behaviour.schema(resource)
        ownership.record(resource, new, old, schema=schema, subresource=subresource, asked=asked, now=self.now())

    def _versioned(self, resource: Resource, obj: Obj) -> Obj:
        return conversion.to_storage(resource, obj, version=resource.storage_api_version)

    def _replace(
        self,
        resource: Resource,
        key: Key,
        old: Obj,
        new: Obj,
        *,
        subresource: str,
        asked: Options,
        recorded: bool = False,
    ) -> Obj:
        strategy = self.behaviour.strategy(resource)
        metadata.check_version(resource, new, old, blind=strategy.unconditional_update)
        new = metadata.keep(resource, self._versioned(resource, new), old, subresource=subresource)
        metadata.drop_repeated_owners(new, asked.warnings)
        strategy.default(new)
        if not recorded:
            self._record(resource, new, old, subresource=subresource, asked=asked)
        self._admit(UPDATE, resource, new, old, subresource=subresource, asked=asked)
        if subresource == "status":
            causes = strategy.validate_status_update(new, old)
        elif subresource == "finalize":
            causes = strategy.validate(new)
        else:
            strategy.prepare_update(new, old)
            causes = [
                *self._meta_rules.update_causes(resource, new, old),
                *strategy.validate(new),
                *strategy.validate_update(new, old),
            ]
        if causes:
            raise _invalid(resource, key, causes)
        metadata.count_generation(resource, new, old)
        if ownership.same(new, old):
            return conversion.from_storage(resource, old)
        if asked.dry_run:
            return conversion.from_storage(resource, new)
        if deletion.may_go(new):
            self.store.put(resource.storage, key, new)
            return conversion.from_storage(resource, self.store.remove(resource.storage, key))
        return conversion.from_storage(resource, self.store.put(resource.storage, key, new))


def _invalid(resource: Resource, key: Key, causes: list[status.Cause]) -> status.Refusal:
    """422; an object that is stored as one of another group is named after that: an Event is always of core."""
    return status.invalid(resource.kind, "" if resource.stored_as else resource.group, key.name, causes)
