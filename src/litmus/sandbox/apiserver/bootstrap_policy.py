"""The ClusterRoles and bindings that every cluster begins with.

Source: k8s.io/kubernetes/plugin/pkg/auth/authorizer/rbac/bootstrappolicy (policy.go) as of 1.37, and the Kubernetes
documentation "Default roles and role bindings". Roles of Kubernetes' own controllers are left out: ours act as the
system.
"""

from collections.abc import Iterable, Iterator

from litmus.sandbox.machinery import objects, options
from litmus.sandbox.machinery.objects import Key, Obj
from litmus.sandbox.machinery.options import Options
from litmus.sandbox.machinery.registry import Registry

_GROUP = "rbac.authorization.k8s.io"
_LABELS = {"kubernetes.io/bootstrapping": "rbac-defaults"}
_ANNOTATIONS = {"rbac.authorization.kubernetes.io/autoupdate": "true"}
_AGGREGATE = "rbac.authorization.k8s.io/aggregate-to-"

_READ = "get list watch"
_WRITE = "create delete deletecollection patch update"
_RW = "create delete deletecollection get list patch update watch"


def _rule(verbs: str, group: str, resources: str, *, names: str = "") -> Obj:
    """``group``: names with blanks between them, 'core' for the group without a name."""
    groups = ["" if name == "core" else name for name in group.split()]
    rule: Obj = {"verbs": verbs.split(), "apiGroups": groups, "resources": resources.split()}
    return {**rule, "resourceNames": names.split()} if names else rule


def _paths(*paths: str) -> Obj:
    return {"verbs": ["get"], "nonResourceURLs": list(paths)}


_EVENTS = _rule("create patch update", "core events.k8s.io", "events")

_VIEW = [
    _rule(
        _READ,
        "core",
        "configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods replicationcontrollers "
        "replicationcontrollers/scale serviceaccounts services services/status",
    ),
    _rule(
        _READ,
        "core",
        "bindings events limitranges namespaces/status pods/log pods/status replicationcontrollers/status "
        "resourcequotas resourcequotas/status",
    ),
    _rule(_READ, "core", "namespaces"),
    _rule(_READ, "discovery.k8s.io", "endpointslices"),
    _rule(
        _READ,
        "apps",
        "controllerrevisions daemonsets daemonsets/status deployments deployments/scale deployments/status replicasets "
        "replicasets/scale replicasets/status statefulsets statefulsets/scale statefulsets/status",
    ),
    _rule(_READ, "autoscaling", "horizontalpodautoscalers horizontalpodautoscalers/status"),
    _rule(_READ, "batch", "cronjobs cronjobs/status jobs jobs/status"),
    _rule(_READ, "policy", "poddisruptionbudgets poddisruptionbudgets/status"),
    _rule(_READ, "networking.k8s.io", "ingresses ingresses/status networkpolicies"),
]
_EDIT = [
    _rule(_READ, "core", "pods/attach pods/exec pods/portforward pods/proxy secrets services/proxy"),
    _rule("impersonate", "core", "serviceaccounts"),
    _rule(_WRITE, "core", "pods pods/attach pods/exec pods/portforward pods/proxy"),
    _rule("create", "core", "pods/eviction"),
    _rule(
        _WRITE,
        "core",
        "configmaps events persistentvolumeclaims replicationcontrollers replicationcontrollers/scale secrets "
        "serviceaccounts services services/proxy",
    ),
    _rule("create", "core", "serviceaccounts/token"),
    _rule(
        _WRITE,
        "apps",
        "daemonsets deployments deployments/rollback deployments/scale replicasets replicasets/scale statefulsets "
        "statefulsets/scale",
    ),
    _rule(_WRITE, "autoscaling", "horizontalpodautoscalers"),
    _rule(_WRITE, "batch", "cronjobs jobs"),
    _rule(_WRITE, "policy", "poddisruptionbudgets"),
    _rule(_WRITE, "networking.k8s.io", "ingresses networkpolicies"),
    _rule(_RW, "coordination.k8s.io", "leases"),
]
_ADMIN = [
    _rule("create", "authorization.k8s.io", "localsubjectaccessreviews"),
    _rule(_RW, _GROUP, "rolebindings roles"),
]
_NODE_PROXIER = [
    _rule("list watch", "core", "endpoints services"),
    _rule(_READ, "core", "nodes"),
    _EVENTS,
    _rule("list watch", "discovery.k8s.io", "endpointslices"),
]
_DISCOVERY = [
    _paths(
        "/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/openapi", "/openapi/*", "/readyz", "/version",
        "/version/",
    ),
]  # fmt: skip
_NODE = [
    _rule("create", "authentication.k8s.io", "tokenreviews"),
    _rule("create", "authorization.k8s.io", "localsubjectaccessreviews subjectaccessreviews"),
    _rule(_READ, "core", "services"),
    _rule("create get list watch", "core", "nodes"),
    _rule("patch update", "core", "nodes/status"),
    _rule("patch update", "core", "nodes"),
    _rule("create patch update", "core", "events"),
    _rule(_READ, "core", "pods"),
    _rule("create delete", "core", "pods"),
    _rule("patch update", "core", "pods/status"),
    _rule("create", "core", "pods/eviction"),
    _rule(_READ, "core", "configmaps secrets"),
    _rule("get", "core", "persistentvolumeclaims persistentvolumes"),
    _rule("get", "core", "endpoints"),
    _rule("create delete get patch update", "coordination.k8s.io", "leases"),
    _rule("get", "storage.k8s.io", "volumeattachments"),
    _rule("create", "core", "serviceaccounts/token"),
    _rule("get patch update", "core", "persistentvolumeclaims/status"),
    _rule(_READ, "storage.k8s.io", "csidrivers"),
    _rule("create delete get patch update", "storage.k8s.io", "csinodes"),
]
# What a node of the sandbox may do: it is kubelet and service proxy in one.
NODE_RULES = [*_NODE, *_NODE_PROXIER, *_DISCOVERY]

_ROLES: dict[str, list[Obj]] = {
    "cluster-admin": [_rule("*", "*", "*"), {"verbs": ["*"], "nonResourceURLs": ["*"]}],
    "system:aggregate-to-admin": _ADMIN,
    "system:aggregate-to-edit": _EDIT,
    "system:aggregate-to-view": _VIEW,
    "system:auth-delegator": [
        _rule("create", "authentication.k8s.io", "tokenreviews"),
        _rule("create", "authorization.k8s.io", "subjectaccessreviews"),
    ],
    "system:basic-user": [
        _rule("create", "authorization.k8s.io", "selfsubjectaccessreviews selfsubjectrulesreviews"),
        _rule("create", "authentication.k8s.io", "selfsubjectreviews"),
    ],
    "system:discovery": _DISCOVERY,
    "system:kubelet-api-admin": [
        _rule(_READ, "core", "nodes"),
        _rule("proxy", "core", "nodes"),
        _rule("*", "core", "nodes/log nodes/metrics nodes/proxy nodes/spec nodes/stats"),
    ],
    "system:monitoring": [
        _paths("/healthz", "/healthz/*", "/livez", "/livez/*", "/metrics", "/readyz", "/readyz/*"),
    ],
    "system:node": _NODE,
    "system:node-problem-detector": [
        _rule("get", "core", "nodes"),
        _rule("patch", "core", "nodes/status"),
        _EVENTS,
    ],
    "system:node-proxier": _NODE_PROXIER,
    "system:public-info-viewer": [_paths("/healthz", "/livez", "/readyz", "/version", "/version/")],
    "system:service-account-issuer-discovery": [_paths("/.well-known/openid-configuration", "/openid/v1/jwks")],
}
# Role → what it is aggregated into, beside what it collects itself.
_AGGREGATED = {"admin": None, "edit": "admin", "view": "edit"}
_COLLECTED = {"view": _VIEW, "edit": [*_EDIT, *_VIEW], "admin": [*_ADMIN, *_EDIT, *_VIEW]}

_GROUPS: dict[str, tuple[str, ...]] = {
    "cluster-admin": ("system:masters",),
    "system:basic-user": ("system:authenticated",),
    "system:discovery": ("system:authenticated",),
    "system:monitoring": ("system:monitoring",),
    "system:node": (),
    "system:public-info-viewer": ("system:authenticated", "system:unauthenticated"),
    "system:service-account-issuer-discovery": ("system:serviceaccounts",),
}


def _role(name: str, *, labels: Obj | None = None, **content: object) -> Obj:
    return {
        "apiVersion": f"{_GROUP}/v1",
        "kind": "ClusterRole",
        "metadata": {"name": name, "labels": {**_LABELS, **(labels or {})}, "annotations": dict(_ANNOTATIONS)},
        **content,
    }


def cluster_roles() -> Iterator[Obj]:
    """The ClusterRoles; those that are aggregated already hold what the aggregation of the others gives."""
    for name, rules in _ROLES.items():
        aggregate = name.removeprefix("system:aggregate-to-")
        labels = {_AGGREGATE + aggregate: "true"} if aggregate != name else {}
        yield _role(name, labels=labels, rules=rules)
    for name, into in _AGGREGATED.items():
        selector = {"matchLabels": {_AGGREGATE + name: "true"}}
        labels = {_AGGREGATE + into: "true"} if into else {}
        rule = {"clusterRoleSelectors": [selector]}
        yield _role(name, labels=labels, aggregationRule=rule, rules=_COLLECTED[name])


def cluster_role_bindings() -> Iterator[Obj]:
    """The ClusterRoleBindings, each of the role of its name."""
    for name, groups in _GROUPS.items():
        subjects = [{"kind": "Group", "apiGroup": _GROUP, "name": group} for group in groups]
        yield _binding(name, subjects)
    yield _binding("system:node-proxier", [{"kind": "User", "apiGroup": _GROUP, "name": "system:kube-proxy"}])


def _binding(name: str, subjects: Iterable[Obj]) -> Obj:
    found: Obj = {
        "apiVersion": f"{_GROUP}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": name, "labels": dict(_LABELS), "annotations": dict(_ANNOTATIONS)},
        "roleRef": {"apiGroup": _GROUP, "kind": "ClusterRole", "name": name},
    }
    listed = list(subjects)
    return {**found, "subjects": listed} if listed else found


def install(registry: Registry) -> None:
    """Creates what is missing. What is there already stays: its owner may have changed it. Raises Refusal."""
    asked = Options(user=options.SYSTEM, manager="kube-apiserver")
    wanted = {"clusterroles": cluster_roles(), "clusterrolebindings": cluster_role_bindings()}
    for plural, found in wanted.items():
        resource = registry.catalogue.named(f"{plural}.{_GROUP}")
        for obj in found:
            if registry.store.get(resource.storage, Key("", objects.name(obj))) is None:
                registry.create(resource, obj, asked=asked)
