"""Where objects are handed in: a registry with every rule of the kinds and of admission, without HTTP."""

from dataclasses import replace
from typing import Any

import pytest

from litmus.sandbox.machinery import admission, objects, resources, status
from litmus.sandbox.machinery.admission.cluster_ips import ClusterIPs
from litmus.sandbox.machinery.behaviour import Behaviour
from litmus.sandbox.machinery.objects import Key, Obj
from litmus.sandbox.machinery.options import DeleteOptions, Options
from litmus.sandbox.machinery.registry import Registry
from litmus.sandbox.machinery.store import Store
from litmus.sandbox.machinery.strategies import metadata

NAMESPACE = "shop"
SERVICE_RANGE = "127.5.128.0/17"
ASKED = Options(manager="test")
SERVERS_OWN = ("uid", "resourceVersion", "creationTimestamp", "managedFields")


class Desk:
    """``create``, ``update``, ``delete`` as a user with all rights; objects say their kind."""

    def __init__(self, *plugins: admission.Plugin) -> None:
        store, catalogue, behaviour = Store(), resources.built_in(), Behaviour()
        reader = admission.StoreReader(store, catalogue)
        chain = admission.chain(reader, service_range=SERVICE_RANGE)
        self.registry = Registry(
            store=store,
            catalogue=catalogue,
            behaviour=behaviour,
            meta_rules=metadata,
            admit=admission.Chain(reader, plugins) if plugins else chain,
        )
        behaviour.attach(self.registry)
        for name in ("default", NAMESPACE):
            self.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
            account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": name}}
            self.create(account)

    def create(self, obj: Obj, *, dry_run: bool = False) -> Obj:
        resource = self._resource(obj)
        namespace = (objects.namespace(obj) or NAMESPACE) if resource.namespaced else ""
        asked = replace(ASKED, dry_run=dry_run)
        return objects.copy(self.registry.create(resource, obj, namespace=namespace, asked=asked))

    def update(self, obj: Obj, *, subresource: str = "") -> Obj:
        resource = self._resource(obj)
        key = Key(objects.namespace(obj), objects.name(obj))
        return objects.copy(self.registry.update(resource, key, obj, subresource=subresource, asked=ASKED))

    def delete(self, obj: Obj) -> None:
        self.registry.delete(self._resource(obj), objects.key(obj), asked=DeleteOptions())

    def get(self, obj: Obj) -> Obj:
        return objects.copy(self.registry.get(self._resource(obj), objects.key(obj)))

    def refusal(self, obj: Obj) -> status.Refusal:
        """Why the object is not created."""
        with pytest.raises(status.Refusal) as refused:
            self.create(obj)
        return refused.value

    def causes(self, obj: Obj) -> list[tuple[str, str]]:
        """Field and message of every mistake in a new object."""
        return said(self.refusal(obj))

    def update_causes(self, obj: Obj) -> list[tuple[str, str]]:
        """The same for a changed one."""
        with pytest.raises(status.Refusal) as refused:
            self.update(obj)
        return said(refused.value)

    def _resource(self, obj: Obj) -> resources.Resource:
        found = self.registry.catalogue.of_kind(obj["apiVersion"], obj["kind"])
        assert found is not None
        return found


def said(refusal: status.Refusal) -> list[tuple[str, str]]:
    assert (refusal.code, refusal.reason) == (422, "Invalid"), refusal.message
    return [(cause["field"], cause["message"]) for cause in refusal.details["causes"]]


def shown(obj: Obj) -> Obj:
    """What a user compares: without what differs from write to write."""
    meta = {name: value for name, value in obj["metadata"].items() if name not in SERVERS_OWN}
    return {**obj, "metadata": meta}


def pod(name: str = "web", **spec: Any) -> Obj:
    containers = spec.pop("containers", [{"name": "main", "image": "nginx"}])
    spec = {"automountServiceAccountToken": False, "containers": containers, **spec}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


def container(**fields: Any) -> Obj:
    return {"name": "main", "image": "nginx", **fields}


def workload(kind: str, **spec: Any) -> Obj:
    labels = {"app": "web"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container()]}}
    whole = {"selector": {"matchLabels": labels}, "template": template, **spec}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": "web"}, "spec": whole}


def service(**spec: Any) -> Obj:
    spec = {"ports": [{"port": 80}], **spec}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": spec}


def fixed_addresses(*numbers: int) -> ClusterIPs:
    """Gives these instead of random numbers, one after the other."""
    left = iter(numbers)
    return ClusterIPs(SERVICE_RANGE, choose=lambda _: next(left))
