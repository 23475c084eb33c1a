"""The resources that the API serves, described as data; each verb is written once, in the registry.

The table holds the built-in ones; CustomResourceDefinitions add to a catalogue while it is in use.
Source: the discovery documents of Kubernetes (``kubectl api-resources -o wide``).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from . import status

ALL_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
CREATE_ONLY = ("create",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One plural in one group and version.

    ``subresources``: those that the generic verbs serve (``status``, ``scale``); others (``log``, ``exec``, …) are
    named in ``connects`` and served by the API server. ``stored_as``: the resource ("events") that holds the objects
    when another group-version shows the same ones.
    ``storage_version``: the version in which objects are stored, when it is another than this one.
    """

    group: str
    version: str
    plural: str
    singular: str
    kind: str
    namespaced: bool = True
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    subresources: tuple[str, ...] = ()
    connects: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ALL_VERBS
    stored_as: str = ""
    storage_version: str = ""
    custom: bool = False
    preferred: bool = True

    @property
    def group_version(self) -> str:
        """``v1``, ``apps/v1``: the apiVersion of its objects."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def qualified(self) -> str:
        """``pods``, ``deployments.apps``: the resource whatever its version."""
        return status.qualified(self.plural, self.group)

    @property
    def storage(self) -> str:
        """The name under which the store keeps its objects."""
        return self.stored_as or self.qualified

    @property
    def storage_api_version(self) -> str:
        """The apiVersion that stored objects say."""
        version = self.storage_version or self.version
        return f"{self.group}/{version}" if self.group else version

    @property
    def has_status(self) -> bool:
        return "status" in self.subresources


def _core(plural: str, kind: str, *, short: str = "", **more: object) -> Resource:
    return _of("", "v1", plural, kind, short=short, **more)


def _of(group: str, version: str, plural: str, kind: str, *, short: str = "", **more: object) -> Resource:
    details: dict[str, object] = {"singular": kind.lower(), "short_names": tuple(short.split()), **more}
    return Resource(group=group, version=version, plural=plural, kind=kind, **details)  # type: ignore[arg-type]


_STATUS = ("status",)
_SCALED = ("status", "scale")
_ALL = ("all",)
_RBAC = "rbac.authorization.k8s.io"

BUILT_IN: tuple[Resource, ...] = (
    _core("bindings", "Binding", verbs=CREATE_ONLY),
    _core("componentstatuses", "ComponentStatus", short="cs", namespaced=False, verbs=("get", "list")),
    _core("configmaps", "ConfigMap", short="cm"),
    _core("endpoints", "Endpoints", short="ep"),
    _core("events", "Event", short="ev"),
    _core("limitranges", "LimitRange", short="limits"),
    _core(
        "namespaces",
        "Namespace",
        short="ns",
        namespaced=False,
        subresources=_STATUS,
        connects=("finalize",),
        verbs=tuple(verb for verb in ALL_VERBS if verb != "deletecollection"),
    ),
    _core("nodes", "Node", short="no", namespaced=False, subresources=_STATUS, connects=("proxy",)),
    _core("persistentvolumeclaims", "PersistentVolumeClaim", short="pvc", subresources=_STATUS),
    _core("persistentvolumes", "PersistentVolume", short="pv", namespaced=False, subresources=_STATUS),
    _core(
        "pods",
        "Pod",
        short="po",
        categories=_ALL,
        subresources=_STATUS,
        connects=("attach", "binding", "ephemeralcontainers", "eviction", "exec", "log", "portforward", "proxy"),
    ),
    _core("podtemplates", "PodTemplate"),
    _core("replicationcontrollers", "ReplicationController", short="rc", categories=_ALL, subresources=_SCALED),
    _core("resourcequotas", "ResourceQuota", short="quota", subresources=_STATUS),
    _core("secrets", "Secret"),
    _core("serviceaccounts", "ServiceAccount", short="sa", connects=("token",)),
    _core("services", "Service", short="svc", categories=_ALL, subresources=_STATUS, connects=("proxy",)),
    _of("apps", "v1", "controllerrevisions", "ControllerRevision"),
    _of("apps", "v1", "daemonsets", "DaemonSet", short="ds", categories=_ALL, subresources=_STATUS),
    _of("apps", "v1", "deployments", "Deployment", short="deploy", categories=_ALL, subresources=_SCALED),
    _of("apps", "v1", "replicasets", "ReplicaSet", short="rs", categories=_ALL, subresources=_SCALED),
    _of("apps", "v1", "statefulsets", "StatefulSet", short="sts", categories=_ALL, subresources=_SCALED),
    _of("batch", "v1", "cronjobs", "CronJob", short="cj", categories=_ALL, subresources=_STATUS),
    _of("batch", "v1", "jobs", "Job", categories=_ALL, subresources=_STATUS),
    _of(
        "autoscaling",
        "v2",
        "horizontalpodautoscalers",
        "HorizontalPodAutoscaler",
        short="hpa",
        categories=_ALL,
        subresources=_STATUS,
    ),
    _of("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget", short="pdb", subresources=_STATUS),
    _of(_RBAC, "v1", "clusterrolebindings", "ClusterRoleBinding", namespaced=False),
    _of(_RBAC, "v1", "clusterroles", "ClusterRole", namespaced=False),
    _of(_RBAC, "v1", "rolebindings", "RoleBinding"),
    _of(_RBAC, "v1", "roles", "Role"),
    _of("networking.k8s.io", "v1", "ingressclasses", "IngressClass", namespaced=False),
    _of("networking.k8s.io", "v1", "ingresses", "Ingress", short="ing", subresources=_STATUS),
    _of("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy", short="netpol"),
    _of("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice"),
    _of("coordination.k8s.io", "v1", "leases", "Lease"),
    _of("events.k8s.io", "v1", "events", "Event", short="ev", stored_as="events"),
    _of("scheduling.k8s.io", "v1", "priorityclasses", "PriorityClass", short="pc", namespaced=False),
    _of("storage.k8s.io", "v1", "csidrivers", "CSIDriver", namespaced=False),
    _of("storage.k8s.io", "v1", "csinodes", "CSINode", namespaced=False),
    _of("storage.k8s.io", "v1", "storageclasses", "StorageClass", short="sc", namespaced=False),
    _of("storage.k8s.io", "v1", "volumeattachments", "VolumeAttachment", namespaced=False, subresources=_STATUS),
    _of(
        "admissionregistration.k8s.io",
        "v1",
        "mutatingwebhookconfigurations",
        "MutatingWebhookConfiguration",
        namespaced=False,
    ),
    _of(
        "admissionregistration.k8s.io",
        "v1",
        "validatingwebhookconfigurations",
        "ValidatingWebhookConfiguration",
        namespaced=False,
    ),
    _of(
        "apiextensions.k8s.io",
        "v1",
        "customresourcedefinitions",
        "CustomResourceDefinition",
        short="crd crds",
        namespaced=False,
        categories=("api-extensions",),
        subresources=_STATUS,
    ),
    _of("apiregistration.k8s.io", "v1", "apiservices", "APIService", namespaced=False, subresources=_STATUS),
    _of("authentication.k8s.io", "v1", "selfsubjectreviews", "SelfSubjectReview", namespaced=False, verbs=CREATE_ONLY),
    _of("authentication.k8s.io", "v1", "tokenreviews", "TokenReview", namespaced=False, verbs=CREATE_ONLY),
    _of("authorization.k8s.io", "v1", "localsubjectaccessreviews", "LocalSubjectAccessReview", verbs=CREATE_ONLY),
    _of(
        "authorization.k8s.io",
        "v1",
        "selfsubjectaccessreviews",
        "SelfSubjectAccessReview",
        namespaced=False,
        verbs=CREATE_ONLY,
    ),
    _of(
        "authorization.k8s.io",
        "v1",
        "selfsubjectrulesreviews",
        "SelfSubjectRulesReview",
        namespaced=False,
        verbs=CREATE_ONLY,
    ),
    _of(
        "authorization.k8s.io", "v1", "subjectaccessreviews", "SubjectAccessReview", namespaced=False, verbs=CREATE_ONLY
    ),
)


@dataclass(slots=True)
class Catalogue:
    """What is served at the moment."""

    _by_path: dict[tuple[str, str, str], Resource] = field(default_factory=dict)
    _by_name: dict[str, Resource] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Resource]:
        return iter(self._by_path.values())

    def add(self, resource: Resource) -> None:
        self._by_path[resource.group, resource.version, resource.plural] = resource
        if resource.preferred or resource.qualified not in self._by_name:
            self._by_name[resource.qualified] = resource

    def remove(self, resource: Resource) -> None:
        self._by_path.pop((resource.group, resource.version, resource.plural), None)
        self._by_name.pop(resource.qualified, None)
        for other in self:
            if other.qualified == resource.qualified:
                self.add(other)

    def find(self, group: str, version: str, plural: str) -> Resource | None:
        """The resource of a URL."""
        return self._by_path.get((group, version, plural))

    def named(self, qualified: str) -> Resource:
        """``pods``, ``deployments.apps``: in its preferred version. Raises Refusal (404)."""
        found = self._by_name.get(qualified)
        if found is None:
            raise status.path_not_found()
        return found

    def of_kind(self, api_version: str, kind: str) -> Resource | None:
        """The resource whose objects say this apiVersion and kind."""
        return next((known for known in self if known.group_version == api_version and known.kind == kind), None)

    def groups(self) -> dict[str, list[str]]:
        """Group → its versions, the preferred one first."""
        found: dict[str, list[str]] = {}
        for resource in sorted(self, key=lambda known: not known.preferred):
            versions = found.setdefault(resource.group, [])
            if resource.version not in versions:
                versions.append(resource.version)
        return found


def built_in() -> Catalogue:
    """A catalogue of the built-in resources."""
    catalogue = Catalogue()
    for resource in BUILT_IN:
        catalogue.add(resource)
    return catalogue
