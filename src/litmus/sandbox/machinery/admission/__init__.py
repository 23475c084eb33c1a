"""Admission: the rules of a write that look at the rest of the cluster, one module for each plug-in of Kubernetes.

A plug-in is a function ``admit(request)`` that changes the object or raises Refusal. What concerns an object alone is
in ``strategies``. Source: documentation "Admission Control in Kubernetes".
"""

from collections.abc import Callable, Sequence

from litmus.sandbox.machinery import objects
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.options import Options
from litmus.sandbox.machinery.resources import Resource

from . import (
    cluster_ips,
    default_toleration_seconds,
    limit_ranger,
    namespace_lifecycle,
    priority,
    resource_quota,
    service_account,
    taint_nodes_by_condition,
)
from .request import Reader, Request, StoreReader

__all__ = ["Chain", "Reader", "Request", "StoreReader", "chain"]

Plugin = Callable[[Request], None]


class Chain:
    """Runs plug-ins one after the other, as the registry calls them; the first refusal ends it."""

    def __init__(self, reader: Reader, plugins: Sequence[Plugin]) -> None:
        self._reader = reader
        self._plugins = tuple(plugins)

    def __call__(
        self, operation: str, resource: Resource, obj: Obj, old: Obj | None, *, subresource: str, asked: Options
    ) -> None:
        request = Request(
            operation=operation,
            resource=resource,
            subresource=subresource,
            obj=obj,
            old=old,
            namespace=objects.namespace(obj),
            name=objects.name(obj),
            user=asked.user,
            options=asked,
            reader=self._reader,
        )
        for admit in self._plugins:
            admit(request)


def chain(reader: Reader, *, service_range: str) -> Chain:
    """The plug-ins of a cluster in Kubernetes' order. ``service_range``: where services get their addresses."""
    return Chain(
        reader,
        (
            namespace_lifecycle.admit,
            limit_ranger.admit,
            service_account.admit,
            taint_nodes_by_condition.admit,
            priority.admit,
            default_toleration_seconds.admit,
            cluster_ips.ClusterIPs(service_range).admit,
            resource_quota.admit,
        ),
    )
