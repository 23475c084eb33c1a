"""ResourceQuotas say in their status what of each limit is used.

Source: "Resource Quotas" of the Kubernetes documentation; k8s.io/kubernetes/pkg/controller/resourcequota. Admission
does not go by this status but counts for itself.
"""

from collections.abc import Callable, Iterable, Mapping

from ..machinery import objects
from ..machinery.admission import StoreReader, quota_usage
from ..machinery.cluster import Cluster
from ..machinery.objects import Key, Obj

# Objects that only a limit count/… is about are not watched: there may be any kind among them.
LOOK_AGAIN_S = 5.0


class ResourceQuotas:
    """Keys are those of quotas."""

    name = "resource-quota-controller"

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        counted: Mapping[str, Callable[[Obj], Iterable[Key]]] = dict.fromkeys(quota_usage.COUNTED, self._of_namespace)
        self.watches: Mapping[str, Callable[[Obj], Iterable[Key]]] = {
            **counted,
            "resourcequotas": lambda quota: [objects.key(quota)],
        }

    def _of_namespace(self, obj: Obj) -> Iterable[Key]:
        return [objects.key(quota) for quota in self._cluster.list("resourcequotas", objects.namespace(obj))]

    def reconcile(self, key: Key) -> float | None:
        """Write what is used, if that is news."""
        quota = self._cluster.get("resourcequotas", key.name, key.namespace)
        if quota is None or objects.leaving(quota):
            return None
        registry = self._cluster.registry
        used = quota_usage.used(StoreReader(registry.store, registry.catalogue), quota)
        hard = quota["spec"].get("hard") or {}
        status = {"hard": hard, "used": {name: str(amount) for name, amount in used.items()}}
        if quota.get("status") != status:
            self._cluster.update_status("resourcequotas", {**quota, "status": status})
        uncounted = any(name.startswith("count/") for name in hard)
        return LOOK_AGAIN_S if uncounted else None
