"""Roles and their bindings, from permissions that each have a reason. Pure."""

from collections.abc import Sequence
from typing import Any, Literal

from litmus.experiments.declaration import Permission
from litmus.hub.documents import Comment, Flow

from . import parts
from .parts import Document, Installation

RoleKind = Literal["Role", "ClusterRole"]

_RBAC = "rbac.authorization.k8s.io"


def granted(
    kind: RoleKind,
    permissions: Sequence[Permission],
    wanted: Installation,
    *,
    component: str = "operator",
    name: str = parts.NAME,
) -> list[Document]:
    """A role, and its binding to the account of that name in the namespace of the installation."""
    within: Document = {"namespace": wanted.namespace} if wanted.namespace else {}
    clusterwide = kind == "ClusterRole"
    named = parts.meta(wanted, f"{component}-{kind.lower()}", name=name, clusterwide=clusterwide)
    bound = parts.meta(wanted, f"{component}-{kind.lower()}binding", name=name, clusterwide=clusterwide)
    rules = [line for permission in permissions for line in _rule(permission)]
    return [
        {"apiVersion": f"{_RBAC}/v1", "kind": kind, "metadata": named, "rules": rules},
        {
            "apiVersion": f"{_RBAC}/v1",
            "kind": f"{kind}Binding",
            "metadata": bound,
            "roleRef": {"apiGroup": _RBAC, "kind": kind, "name": name},
            "subjects": [{"kind": "ServiceAccount", "name": name, **within}],
        },
    ]


def _rule(permission: Permission) -> list[Any]:
    rule = {
        "apiGroups": Flow(permission.groups),
        "resources": Flow(permission.resources),
        "verbs": Flow(permission.verbs),
    }
    return [Comment(f"To {permission.reason}."), rule]
