"""What is special about a kind: its defaults, what a write may not change, and what is refused.

The registry asks the strategy of a resource at fixed points of a write. Most kinds need one or two of them; the rest is
the behaviour of ``Strategy`` itself. Source of the shape: k8s.io/apiserver/pkg/registry/rest, RESTCreateStrategy and
RESTUpdateStrategy.
"""

import importlib
from functools import cache
from typing import ClassVar

from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.resources import Resource
from litmus.sandbox.machinery.status import Cause


class Strategy:
    """A kind without peculiarities. ``obj`` and ``new`` are private copies that may be changed in place.

    They have been decoded: their values are of the right types, quantities are canonical, nulls and the zero values
    that Go leaves out are gone.
    """

    generation_of: ClassVar[tuple[str, ...]] = ()
    """The parts (``spec``; ``metadata.annotations`` of a Deployment) whose change raises metadata.generation, which
    begins at 1; () when the kind has no generation."""

    unconditional_update: ClassVar[bool] = True
    """Whether an update may come without a resourceVersion (AllowUnconditionalUpdate)."""

    create_on_update: ClassVar[bool] = False
    """Whether an update of an object that is not there makes it (AllowCreateOnUpdate)."""

    graceful: ClassVar[bool] = False
    """Whether objects are given time to leave, and are seen leaving even where they get none."""

    def default(self, obj: Obj) -> None:
        """Fills in what the author left out. Runs on every write, before validation."""

    def prepare_create(self, obj: Obj) -> None:
        """Sets what only the server may say; the status has been dropped already where there is a subresource."""
        if self.generation_of:
            obj["metadata"]["generation"] = 1

    def prepare_update(self, new: Obj, old: Obj) -> None:
        """The same for an update; status and metadata have been kept apart already."""
        if self.generation_of and self.raises_generation(new, old):
            new["metadata"]["generation"] = old["metadata"].get("generation", 0) + 1

    def prepare_delete(self, new: Obj, old: Obj) -> None:
        """Changes what a deletion has begun with ``new``, whose parts are shared with ``old`` except its metadata."""

    def validate(self, obj: Obj) -> list[Cause]:
        """What is wrong with an object, whoever sends it and whenever."""
        return []

    def validate_update(self, new: Obj, old: Obj) -> list[Cause]:
        """What may not change."""
        return []

    def validate_status_update(self, new: Obj, old: Obj) -> list[Cause]:
        return []

    def name_causes(self, name: str) -> list[Cause] | None:
        """What is wrong with a name, or None for the rule that most kinds have (a DNS-1123 subdomain)."""
        return None

    def grace_s(self, obj: Obj, asked: int | None) -> int:
        """How many seconds a deletion gives the object; 0 removes it at once."""
        return 0

    def raises_generation(self, new: Obj, old: Obj) -> bool:
        """Whether an update asks for another state of the world than before."""
        return any(_part(new, path) != _part(old, path) for path in self.generation_of)


def _part(obj: Obj, path: str) -> object:
    found: object = obj
    for field in path.split("."):
        found = found.get(field) if isinstance(found, dict) else None
    return found or None


# Resource → module of this package and class in it; a family is imported when the first of its objects is written.
_FAMILIES = {
    "clusterrolebindings.rbac.authorization.k8s.io": "rbac:ClusterBindings",
    "clusterroles.rbac.authorization.k8s.io": "rbac:ClusterRoles",
    "configmaps": "config:ConfigMaps",
    "controllerrevisions.apps": "workloads:ControllerRevisions",
    "cronjobs.batch": "jobs:CronJobs",
    "csidrivers.storage.k8s.io": "storage:Drivers",
    "csinodes.storage.k8s.io": "storage:DriverNodes",
    "daemonsets.apps": "workloads:DaemonSets",
    "deployments.apps": "deployments:Deployments",
    "endpoints": "endpoints:Endpoints",
    "endpointslices.discovery.k8s.io": "endpoints:EndpointSlices",
    "events": "events:Events",
    "events.events.k8s.io": "events:NewEvents",
    "horizontalpodautoscalers.autoscaling": "autoscaling:Autoscalers",
    "ingressclasses.networking.k8s.io": "networking:IngressClasses",
    "ingresses.networking.k8s.io": "networking:Ingresses",
    "jobs.batch": "jobs:Jobs",
    "leases.coordination.k8s.io": "leases:Leases",
    "limitranges": "policy:LimitRanges",
    "mutatingwebhookconfigurations.admissionregistration.k8s.io": "webhooks:MutatingWebhooks",
    "namespaces": "namespaces:Namespaces",
    "networkpolicies.networking.k8s.io": "networking:NetworkPolicies",
    "nodes": "nodes:Nodes",
    "persistentvolumeclaims": "storage:Claims",
    "persistentvolumes": "storage:Volumes",
    "poddisruptionbudgets.policy": "policy:DisruptionBudgets",
    "pods": "pods:Pods",
    "podtemplates": "workloads:PodTemplates",
    "priorityclasses.scheduling.k8s.io": "scheduling:PriorityClasses",
    "replicasets.apps": "workloads:ReplicaSets",
    "replicationcontrollers": "workloads:ReplicationControllers",
    "resourcequotas": "policy:Quotas",
    "rolebindings.rbac.authorization.k8s.io": "rbac:Bindings",
    "roles.rbac.authorization.k8s.io": "rbac:Roles",
    "secrets": "config:Secrets",
    "serviceaccounts": "accounts:ServiceAccounts",
    "services": "services:Services",
    "statefulsets.apps": "workloads:StatefulSets",
    "storageclasses.storage.k8s.io": "storage:StorageClasses",
    "validatingwebhookconfigurations.admissionregistration.k8s.io": "webhooks:Webhooks",
    "volumeattachments.storage.k8s.io": "storage:Attachments",
}


@cache
def _named(where: str) -> Strategy:
    module, _, name = where.partition(":")
    found: Strategy = getattr(importlib.import_module(f"{__name__}.{module}"), name)()
    return found


_PLAIN = Strategy()


def of(resource: Resource) -> Strategy:
    """The strategy of a built-in resource; one without peculiarities for any other."""
    where = None if resource.custom else _FAMILIES.get(resource.qualified)
    return _named(where) if where else _PLAIN
