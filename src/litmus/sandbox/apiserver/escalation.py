"""Nobody hands out permissions that they do not have themselves, unless they may ``escalate`` or ``bind``.

Source: the Kubernetes documentation "Privilege escalation prevention and bootstrapping"; the comparison of rules and
the words of the refusal: k8s.io/kubernetes/pkg/registry/rbac/validation, component-helpers/auth/rbac/validation.
"""

import itertools
from collections.abc import Iterable, Sequence

from litmus.sandbox.apiserver import authorization, rbac
from litmus.sandbox.apiserver.authorization import Authorizer
from litmus.sandbox.apiserver.rbac import Attributes
from litmus.sandbox.machinery import objects, status
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.options import User
from litmus.sandbox.machinery.resources import Resource

_ROLES, _BINDINGS = ("roles", "clusterroles"), ("rolebindings", "clusterrolebindings")
_ANY = "*"
_FULL_AUTHORITY: list[Obj] = [
    {"verbs": [_ANY], "apiGroups": [_ANY], "resources": [_ANY]},
    {"verbs": [_ANY], "nonResourceURLs": [_ANY]},
]
# The order in which Kubernetes prints the parts of a rule.
_PRINTED = {
    "APIGroups": "apiGroups",
    "Resources": "resources",
    "NonResourceURLs": "nonResourceURLs",
    "ResourceNames": "resourceNames",
    "Verbs": "verbs",
}


def concerns(resource: Resource) -> bool:
    """Whether writes of this resource are checked here."""
    return resource.group == rbac.GROUP and resource.plural in (*_ROLES, *_BINDINGS)


def check(authorizer: Authorizer, user: User, resource: Resource, new: Obj, old: Obj | None) -> None:
    """``new`` is what would be stored. Raises Refusal 403, and 404 when a binding means a role that is not there."""
    if authorization.MASTERS in user.groups:
        return
    namespace, name = objects.namespace(new), objects.name(new)
    if resource.plural in _ROLES:
        if old is not None and new.get("rules") == old.get("rules") and _aggregation(new) == _aggregation(old):
            return
        verb, target, granted = "escalate", resource.plural, list(_mappings(new.get("rules")))
        if _aggregation(new):
            granted = _FULL_AUTHORITY
    else:
        reference = new.get("roleRef") or {}
        if old is not None and (reference, new.get("subjects")) == (old.get("roleRef"), old.get("subjects")):
            return
        verb, target = "bind", "clusterroles" if reference.get("kind") == "ClusterRole" else "roles"
        granted = []
    about = name if verb == "escalate" else (new.get("roleRef") or {}).get("name", "")
    asked = Attributes(user=user, verb=verb, group=rbac.GROUP, resource=target, namespace=namespace, name=str(about))
    if authorizer.decide(asked).allowed:
        return
    if verb == "bind":
        granted = authorizer.rulebook.rules_of(new.get("roleRef") or {}, namespace)
    why = _missing(authorizer, user, granted, namespace)
    if why:
        raise status.forbidden(resource.plural, resource.group, name, why)


def _aggregation(role: Obj) -> object:
    return (role.get("aggregationRule") or {}).get("clusterRoleSelectors")


def _mappings(values: object) -> Iterable[Obj]:
    """What a client has sent may be anything; the registry refuses it afterwards."""
    return [value for value in values if isinstance(value, dict)] if isinstance(values, list) else []


def _missing(authorizer: Authorizer, user: User, granted: Sequence[Obj], namespace: str) -> str:
    """Says which of the rules the user does not have; '' when there are none."""
    grants = authorizer.rulebook.grants(user, namespace)
    own = [grant.rule for grant in grants.rules]
    lacking = [piece for rule in granted for piece in _broken_down(rule) if not any(_covers(has, piece) for has in own)]
    if not lacking:
        return ""
    lines = sorted({_printed(rule) for rule in _compacted(lacking)})
    who = f'user "{user.name}" (groups=[{" ".join(map(status.shown, user.groups))}])'
    said = f"{who} is attempting to grant RBAC permissions not currently held:\n" + "\n".join(lines)
    return f"{said}; resolution errors: {grants.said}" if grants.errors else said


def _broken_down(rule: Obj) -> Iterable[Obj]:
    """The rule as rules of one verb on one thing."""
    verbs = rule.get("verbs") or []
    names = rule.get("resourceNames") or [None]
    for group, resource, verb, name in itertools.product(
        rule.get("apiGroups") or [], rule.get("resources") or [], verbs, names
    ):
        piece: Obj = {"apiGroups": [group], "resources": [resource], "verbs": [verb]}
        yield piece if name is None else {**piece, "resourceNames": [name]}
    for path, verb in itertools.product(rule.get("nonResourceURLs") or [], verbs):
        yield {"nonResourceURLs": [path], "verbs": [verb]}


def _covers(own: Obj, piece: Obj) -> bool:
    if not _has_all(own, piece, "verbs") or not _has_all(own, piece, "apiGroups"):
        return False
    paths = own.get("nonResourceURLs") or []
    for path in piece.get("nonResourceURLs") or []:
        if not any(known in (_ANY, path) or (known.endswith(_ANY) and path.startswith(known[:-1])) for known in paths):
            return False
    if not all(_has_resource(own.get("resources") or [], resource) for resource in piece.get("resources") or []):
        return False
    own_names, names = own.get("resourceNames") or [], piece.get("resourceNames") or []
    return not own_names or (bool(names) and all(name in own_names for name in names))


def _has_all(own: Obj, piece: Obj, field: str) -> bool:
    known = own.get(field) or []
    return _ANY in known or all(value in known for value in piece.get(field) or [])


def _has_resource(known: Sequence[str], resource: str) -> bool:
    _, slash, subresource = resource.partition("/")
    return _ANY in known or resource in known or (bool(slash) and f"*/{subresource}" in known)


def _compacted(pieces: Iterable[Obj]) -> list[Obj]:
    """Pieces that differ in their verb alone become one rule."""
    merged: dict[tuple[object, ...], Obj] = {}
    for piece in pieces:
        key = tuple(tuple(piece.get(field) or ()) for field in _PRINTED.values() if field != "verbs")
        found = merged.setdefault(key, {**piece, "verbs": []})
        found["verbs"] = [*found["verbs"], *(verb for verb in piece["verbs"] if verb not in found["verbs"])]
    return list(merged.values())


def _printed(rule: Obj) -> str:
    shown = (
        f"{label}:[{' '.join(status.shown(value) for value in rule[field])}]"
        for label, field in _PRINTED.items()
        if rule.get(field)
    )
    return "{" + ", ".join(shown) + "}"
