"""A namespace that is deleted: everything in it goes first, then the namespace itself.

It is Terminating meanwhile, and its conditions say what is left and what holds it. Source: "Namespaces" of the
Kubernetes documentation; k8s.io/kubernetes/pkg/controller/namespace/deletion.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from ..machinery import conditions, objects, status
from ..machinery.cluster import Cluster
from ..machinery.objects import Key, Obj
from ..machinery.resources import Resource

FINALIZER = "kubernetes"


class Namespaces:
    """Empties the namespaces that are Terminating and lets them go."""

    name = "namespace-controller"

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self.watches: Mapping[str, Callable[[Obj], Iterable[Key]]] = {
            "namespaces": lambda namespace: [objects.key(namespace)],
            "": self._content,
        }

    def _content(self, obj: Obj) -> list[Key]:
        """What happens to an object matters once its namespace is being deleted."""
        name = objects.namespace(obj)
        namespace = self._cluster.get("namespaces", name) if name else None
        return [Key("", name)] if namespace is not None and objects.leaving(namespace) else []

    def reconcile(self, key: Key) -> None:
        """Delete what is there; when nothing is left, take the finalizer away."""
        namespace = self._cluster.get("namespaces", key.name)
        if namespace is None or not objects.leaving(namespace):
            return
        if FINALIZER not in (namespace.get("spec") or {}).get("finalizers", []):
            return
        problems = self._delete_all(key.name)
        left = self._left(key.name)
        changed = objects.copy(namespace)
        changed.setdefault("status", {})["phase"] = "Terminating"
        self._say(changed, problems, left)
        changed = objects.copy(self._cluster.update_status("namespaces", changed))
        if not left:
            changed["spec"]["finalizers"] = [name for name in changed["spec"]["finalizers"] if name != FINALIZER]
            self._cluster.update("namespaces", changed, subresource="finalize")

    def _resources(self) -> list[Resource]:
        """Every kind that can be in a namespace, custom ones too, once."""
        known = [
            resource
            for resource in self._cluster.registry.catalogue
            if resource.namespaced and not resource.stored_as and {"list", "delete"} <= set(resource.verbs)
        ]
        return sorted({resource.qualified: resource for resource in known}.values(), key=lambda one: one.qualified)

    def _delete_all(self, name: str) -> list[str]:
        problems = []
        for resource in self._resources():
            for obj in self._cluster.list(resource.qualified, name):
                if objects.leaving(obj):
                    continue
                try:
                    self._cluster.delete(resource.qualified, objects.name(obj), name, uid=objects.uid(obj))
                except status.Refusal as refusal:
                    problems.append(refusal.message)
        return problems

    def _left(self, name: str) -> dict[str, list[Obj]]:
        found = {resource.qualified: self._cluster.list(resource.qualified, name) for resource in self._resources()}
        return {resource: left for resource, left in found.items() if left}

    def _say(self, namespace: Obj, problems: list[str], left: dict[str, list[Obj]]) -> None:
        now = self._cluster.now()
        _put(namespace, "NamespaceDeletionDiscoveryFailure", "", now)
        _put(namespace, "NamespaceDeletionGroupVersionParsingFailure", "", now)
        failed = f"Failed to delete all resource types, {len(problems)} remaining: {', '.join(problems)}"
        _put(namespace, "NamespaceDeletionContentFailure", failed if problems else "", now)
        remaining = ", ".join(f"{name} has {len(found)} resource instances" for name, found in _dotted(left).items())
        _put(namespace, "NamespaceContentRemaining", remaining and f"Some resources are remaining: {remaining}", now)
        finalizers = Counter(
            finalizer
            for found in left.values()
            for obj in found
            for finalizer in objects.meta(obj).get("finalizers", [])
        )
        held = ", ".join(f"{name} in {count} resource instances" for name, count in sorted(finalizers.items()))
        said = held and f"Some content in the namespace has finalizers remaining: {held}"
        _put(namespace, "NamespaceFinalizersRemaining", said, now)


def _dotted(left: dict[str, list[Obj]]) -> dict[str, list[Obj]]:
    """A resource of the core group is named with a dot behind it here."""
    return {name if "." in name else f"{name}.": found for name, found in left.items()}


# Condition → the reason and message while all is well, and the reason while it is not.
_WORDS = {
    "NamespaceDeletionDiscoveryFailure": (
        "ResourcesDiscovered",
        "All resources successfully discovered",
        "DiscoveryFailed",
    ),
    "NamespaceDeletionGroupVersionParsingFailure": (
        "ParsedGroupVersions",
        "All legacy kube types successfully parsed",
        "GroupVersionParsingFailed",
    ),
    "NamespaceDeletionContentFailure": (
        "ContentDeleted",
        "All content successfully deleted, may be waiting on finalization",
        "ContentDeletionFailed",
    ),
    "NamespaceContentRemaining": ("ContentRemoved", "All content successfully removed", "SomeResourcesRemain"),
    "NamespaceFinalizersRemaining": (
        "ContentHasNoFinalizers",
        "All content-preserving finalizers finished",
        "SomeFinalizersRemain",
    ),
}


def _put(namespace: Obj, kind: str, trouble: str, now: datetime) -> None:
    well, message, ill = _WORDS[kind]
    value = "True" if trouble else "False"
    conditions.put(namespace, kind, value, now=now, reason=ill if trouble else well, message=trouble or message)
