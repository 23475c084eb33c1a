"""ClusterRoles that are the sum of others, chosen by label.

Source: "Using RBAC Authorization", section "Aggregated ClusterRoles", of the Kubernetes documentation;
k8s.io/kubernetes/pkg/controller/clusterroleaggregation.
"""

from collections.abc import Callable, Iterable, Mapping

from ..machinery import objects, selectors
from ..machinery.cluster import Cluster
from ..machinery.objects import Key, Obj

RESOURCE = "clusterroles.rbac.authorization.k8s.io"


class AggregatedRoles:
    """Writes the rules of every ClusterRole that has an ``aggregationRule``."""

    name = "clusterrole-aggregation-controller"

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self.watches: Mapping[str, Callable[[Obj], Iterable[Key]]] = {RESOURCE: self._sums}

    def _sums(self, role: Obj) -> list[Key]:
        """Those that the role may be a part of: all of them, there are few."""
        return [objects.key(one) for one in self._cluster.list(RESOURCE) if one.get("aggregationRule")]

    def reconcile(self, key: Key) -> None:
        """Add up the rules of the parts in the order of their names, each rule once."""
        role = self._cluster.get(RESOURCE, key.name)
        if role is None or not role.get("aggregationRule"):
            return
        rules: list[Obj] = []
        for selector in role["aggregationRule"].get("clusterRoleSelectors") or []:
            chosen = selectors.from_label_selector(selector)
            for part in self._cluster.list(RESOURCE):
                if objects.name(part) != key.name and chosen.matches(part):
                    rules += [rule for rule in part.get("rules") or [] if rule not in rules]
        if rules != (role.get("rules") or []):
            self._cluster.update(RESOURCE, {**objects.copy(role), "rules": rules})
