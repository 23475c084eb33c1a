"""What a user may do, from the Roles and bindings that lie in the store.

Source: the Kubernetes documentation "Using RBAC Authorization"; k8s.io/kubernetes/plugin/pkg/auth/authorizer/rbac and
pkg/apis/rbac/v1/evaluation_helpers.go. The rules of a user are remembered until any role or binding changes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from litmus.sandbox.machinery import objects, status
from litmus.sandbox.machinery.objects import Key, Obj
from litmus.sandbox.machinery.options import User
from litmus.sandbox.machinery.store import Event, Store

GROUP = "rbac.authorization.k8s.io"
ROLES, CLUSTER_ROLES = f"roles.{GROUP}", f"clusterroles.{GROUP}"
ROLE_BINDINGS, CLUSTER_ROLE_BINDINGS = f"rolebindings.{GROUP}", f"clusterrolebindings.{GROUP}"
_ANY = "*"
_REMEMBERED = 4096  # users in namespaces


@dataclass(frozen=True, slots=True, kw_only=True)
class Attributes:
    """What is to be allowed: a verb on a resource, or on a path when ``resource`` is ''."""

    user: User
    verb: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""

    @property
    def full_resource(self) -> str:
        """``pods``, ``pods/log``."""
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource


@dataclass(frozen=True, slots=True)
class Grant:
    """One rule that a user has, and by which binding."""

    rule: Obj
    reason: str


@dataclass(slots=True)
class Grants:
    """All rules of a user in one namespace; ``errors`` are the roles that could not be found."""

    rules: list[Grant] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    @property
    def said(self) -> str:
        """The errors as one text."""
        return self.errors[0] if len(self.errors) == 1 else f"[{', '.join(self.errors)}]" if self.errors else ""


def allows(rule: Obj, asked: Attributes) -> bool:
    """Whether one PolicyRule covers what is asked."""
    verbs = rule.get("verbs") or ()
    if _ANY not in verbs and asked.verb not in verbs:
        return False
    if not asked.resource:
        return any(_path_matches(known, asked.path) for known in rule.get("nonResourceURLs") or ())
    groups, names = rule.get("apiGroups") or (), rule.get("resourceNames")
    if _ANY not in groups and asked.group not in groups:
        return False
    if not _resource_matches(rule.get("resources") or (), asked):
        return False
    return not names or asked.name in names


def _resource_matches(known: Sequence[str], asked: Attributes) -> bool:
    if _ANY in known or asked.full_resource in known:
        return True
    return bool(asked.subresource) and f"*/{asked.subresource}" in known


def _path_matches(known: str, path: str) -> bool:
    return known in (_ANY, path) or (known.endswith(_ANY) and path.startswith(known[:-1]))


def service_account_of(user: User) -> Key | None:
    """The service account that a user is."""
    parts = user.name.split(":")
    if len(parts) != 4 or parts[:2] != ["system", "serviceaccount"]:
        return None
    return Key(parts[2], parts[3])


def _matches(subject: Obj, user: User, namespace: str) -> bool:
    kind, name = subject.get("kind"), subject.get("name", "")
    if kind == "User":
        return bool(name == user.name)
    if kind == "Group":
        return name in user.groups
    where = subject.get("namespace") or namespace
    return bool(where) and user.name == f"system:serviceaccount:{where}:{name}"


def _described(subject: Obj, namespace: str) -> str:
    name = subject.get("name", "")
    if subject.get("kind") == "ServiceAccount":
        return f'ServiceAccount "{name}/{subject.get("namespace") or namespace}"'
    return f'{subject.get("kind")} "{name}"'


class Rulebook:
    """Answers from the store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[tuple[str, tuple[str, ...], str], Grants] = {}
        for storage in (ROLES, CLUSTER_ROLES, ROLE_BINDINGS, CLUSTER_ROLE_BINDINGS):
            store.subscribe(storage, self._forget)

    def _forget(self, event: Event) -> None:
        self._known.clear()

    def grants(self, user: User, namespace: str) -> Grants:
        """The rules that a user has in a namespace, with those of the whole cluster; '' means only the latter."""
        asked = (user.name, user.groups, namespace)
        found = self._known.get(asked)
        if found is None:
            if len(self._known) >= _REMEMBERED:  # anybody may ask about namespaces that are not there
                self._known.clear()
            found = self._known[asked] = Grants()
            for binding, subject in self._bindings(user, namespace):
                self._add(found, binding, subject)
        return found

    def _bindings(self, user: User, namespace: str) -> Iterator[tuple[Obj, Obj]]:
        bindings = self._store.list(CLUSTER_ROLE_BINDINGS)
        if namespace:
            bindings = [*bindings, *self._store.list(ROLE_BINDINGS, namespace)]
        for binding in bindings:
            subjects = binding.get("subjects") or ()
            mine = (subject for subject in subjects if _matches(subject, user, objects.namespace(binding)))
            subject = next(mine, None)
            if subject is not None:
                yield binding, subject

    def _add(self, grants: Grants, binding: Obj, subject: Obj) -> None:
        reference, namespace = binding.get("roleRef") or {}, objects.namespace(binding)
        try:
            rules = self.rules_of(reference, namespace)
        except status.Refusal as missing:
            grants.errors.append(missing.message.replace("roles.", "role.", 1))
            return
        kind = "RoleBinding" if namespace else "ClusterRoleBinding"
        name = f"{objects.name(binding)}/{namespace}" if namespace else objects.name(binding)
        role = f'{reference.get("kind")} "{reference.get("name")}"'
        reason = f'RBAC: allowed by {kind} "{name}" of {role} to {_described(subject, namespace)}'
        grants.rules.extend(Grant(rule, reason) for rule in rules)

    def rules_of(self, reference: Obj, namespace: str) -> list[Obj]:
        """The rules of the role that a ``roleRef`` means. Raises Refusal 404."""
        name = reference.get("name", "")
        if reference.get("kind") == "ClusterRole":
            role, plural = self._store.get(CLUSTER_ROLES, Key("", name)), "clusterroles"
        else:
            role, plural = self._store.get(ROLES, Key(namespace, name)), "roles"
        if role is None:
            raise status.not_found(plural, GROUP, name)
        return role.get("rules") or []
