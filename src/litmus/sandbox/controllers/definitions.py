"""A CustomResourceDefinition that is deleted takes its objects along and goes when the last of them is gone.

Source: "Delete a CustomResourceDefinition" of the Kubernetes documentation; apiextensions-apiserver/pkg/controller/
finalizer. The definition gets the finalizer as soon as its deletion is asked for.
"""

from collections.abc import Callable, Iterable, Mapping

from ..machinery import crds, objects, status
from ..machinery.cluster import Cluster
from ..machinery.objects import Key, Obj

RESOURCE = "customresourcedefinitions.apiextensions.k8s.io"
LOOK_AGAIN_S = 0.5  # objects may have finalizers of their own; their resource can't be watched before it exists


class Definitions:
    """Keys are those of definitions."""

    name = "crd-finalizer"

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self.watches: Mapping[str, Callable[[Obj], Iterable[Key]]] = {RESOURCE: lambda crd: [objects.key(crd)]}

    def reconcile(self, key: Key) -> float | None:
        """Empty the resource of a definition that is leaving."""
        crd = self._cluster.get(RESOURCE, key.name)
        if crd is None or not objects.leaving(crd):
            return None
        finalizers = objects.meta(crd).get("finalizers") or []
        if crds.FINALIZER not in finalizers:
            return None
        if self._empty(f"{crd['spec']['names']['plural']}.{crd['spec']['group']}"):
            self._write(crd, finalizers=[name for name in finalizers if name != crds.FINALIZER])
            return None
        return LOOK_AGAIN_S

    def _empty(self, resource: str) -> bool:
        """Deletes the objects of a resource; whether there are none left."""
        try:
            found = self._cluster.list(resource)
        except status.Refusal:
            return True  # no version of it is served
        for obj in found:
            if not objects.leaving(obj):
                self._cluster.delete(resource, objects.name(obj), objects.namespace(obj))
        return not self._cluster.list(resource)

    def _write(self, crd: Obj, *, finalizers: list[str]) -> None:
        self._cluster.update(RESOURCE, {**crd, "metadata": {**crd["metadata"], "finalizers": finalizers}})
