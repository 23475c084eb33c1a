"""Whether a user may do it: masters may all, nodes what a kubelet needs, everybody else what RBAC grants.

Source: the Kubernetes documentation "Authorization" and "Using Node Authorization"; the words of a refusal are those
of k8s.io/apiserver/pkg/endpoints/handlers/responsewriters/errors.go. The node authorizer is simplified: it does not
look for a path from the object to a pod of the node.
"""

from dataclasses import dataclass

from litmus.sandbox.apiserver import bootstrap_policy, rbac
from litmus.sandbox.apiserver.rbac import Attributes, Rulebook
from litmus.sandbox.apiserver.requests import RequestInfo
from litmus.sandbox.machinery import status
from litmus.sandbox.machinery.options import User
from litmus.sandbox.machinery.status import Refusal

MASTERS, NODES = "system:masters", "system:nodes"
# The probes of the server's health answer everybody (--authorization-always-allow-paths).
ALWAYS_ALLOWED = ("/healthz", "/livez", "/readyz")


@dataclass(frozen=True, slots=True)
class Decision:
    """``reason`` says by what, or what went wrong while finding out."""

    allowed: bool
    reason: str = ""


class Authorizer:
    """Masters, nodes, RBAC, in this order."""

    def __init__(self, rulebook: Rulebook) -> None:
        self.rulebook = rulebook

    def decide(self, asked: Attributes) -> Decision:
        if MASTERS in asked.user.groups or (not asked.resource and asked.path in ALWAYS_ALLOWED):
            return Decision(True)
        if NODES in asked.user.groups and any(rbac.allows(rule, asked) for rule in bootstrap_policy.NODE_RULES):
            return Decision(True)
        grants = self.rulebook.grants(asked.user, asked.namespace)
        for grant in grants.rules:
            if rbac.allows(grant.rule, asked):
                return Decision(True, grant.reason)
        return Decision(False, f"RBAC: {grants.said}" if grants.errors else "")

    def check(self, asked: Attributes) -> None:
        """Raises Refusal 403."""
        decision = self.decide(asked)
        if not decision.allowed:
            raise refusal(asked, decision.reason)


def attributes(user: User, info: RequestInfo) -> Attributes:
    """What a request needs."""
    if not info.is_resource:
        return Attributes(user=user, verb=info.verb, path=info.path)
    return Attributes(
        user=user,
        verb=info.verb,
        group=info.group,
        resource=info.resource,
        subresource=info.subresource,
        namespace=info.namespace,
        name=info.authorized_name,
        path=info.path,
    )


def refusal(asked: Attributes, reason: str = "") -> Refusal:
    """403, in Kubernetes' words."""
    because = f": {reason}" if reason else ""
    if not asked.resource:
        message = f'forbidden: User "{asked.user.name}" cannot {asked.verb} path "{asked.path}"{because}'
        return Refusal(403, "Forbidden", message)
    where = f'in the namespace "{asked.namespace}"' if asked.namespace else "at the cluster scope"
    why = f'User "{asked.user.name}" cannot {asked.verb} resource "{asked.full_resource}" in API group "{asked.group}"'
    return status.forbidden(asked.resource, asked.group, asked.name, f"{why} {where}{because}")
