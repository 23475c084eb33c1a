"""A claim that a pod uses, and a volume that a claim uses, are not removed under it.

Source: "Persistent Volumes", section "Storage Object in Use Protection", of the Kubernetes documentation.
"""

from collections.abc import Callable, Iterable, Mapping

from ..machinery import objects
from ..machinery.cluster import Cluster
from ..machinery.objects import Key, Obj
from ..scheduler import filters, snapshot

CLAIM_FINALIZER = "kubernetes.io/pvc-protection"
VOLUME_FINALIZER = "kubernetes.io/pv-protection"


class VolumeProtection:
    """Takes the finalizers away when the use is over; keys without a namespace are volumes."""

    name = "storage-protection"

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self.watches: Mapping[str, Callable[[Obj], Iterable[Key]]] = {
            "persistentvolumeclaims": lambda claim: [objects.key(claim)],
            "persistentvolumes": lambda volume: [objects.key(volume)],
            "pods": lambda pod: [Key(objects.namespace(pod), name) for name in filters.claim_names(pod)],
        }

    def reconcile(self, key: Key) -> None:
        """Let one claim or volume go that is being deleted and not used any more."""
        resource, finalizer = ("persistentvolumeclaims", CLAIM_FINALIZER)
        if not key.namespace:
            resource, finalizer = ("persistentvolumes", VOLUME_FINALIZER)
        obj = self._cluster.get(resource, key.name, key.namespace)
        if obj is None or not objects.leaving(obj) or finalizer not in objects.meta(obj).get("finalizers", []):
            return
        used = self._used(key) if key.namespace else (obj.get("status") or {}).get("phase") == "Bound"
        if not used:
            changed = objects.copy(obj)
            changed["metadata"]["finalizers"].remove(finalizer)
            self._cluster.update(resource, changed)

    def _used(self, claim: Key) -> bool:
        """By a pod on a node that is not over."""
        return any(
            claim.name in filters.claim_names(pod) and snapshot.node_of(pod) and not snapshot.over(pod)
            for pod in self._cluster.list("pods", claim.namespace)
        )
