"""ResourceQuota: a namespace does not get more than its quotas allow.

Source: documentation "Resource Quotas"; k8s.io/apiserver/pkg/admission/plugin/resourcequota. What is used is counted at
the moment of the request, so two requests cannot both take the last piece.
"""

from collections.abc import Iterable, Mapping

from litmus.sandbox.machinery import quantity
from litmus.sandbox.machinery.objects import Obj

from . import quota_usage
from .request import CREATE, DELETE, Request


def admit(request: Request) -> None:
    """Raises Refusal 403 when a quota would be exceeded, or when a container does not say what it needs."""
    if request.operation == DELETE or request.subresource or not request.namespace:
        return
    for quota in request.reader.list("resourcequotas", request.namespace):
        _check(request, quota)


def _check(request: Request, quota: Obj) -> None:
    resource = request.resource.qualified
    hard: dict[str, str] = quota["spec"].get("hard") or {}
    if not hard or not quota_usage.in_scope(quota, resource, request.obj):
        return
    name = quota["metadata"]["name"]
    if request.operation == CREATE and resource == "pods" and (silent := quota_usage.missing(quota, request.obj)):
        listed = "; ".join(f"{limited} for: {','.join(sorted(silent[limited]))}" for limited in sorted(silent))
        raise request.forbidden(f"failed quota: {name}: must specify {listed}")
    before = quota_usage.of(resource, request.old) if request.old is not None else {}
    asked = {
        limited: amount - before.get(limited, quantity.ZERO)
        for limited, amount in quota_usage.of(resource, request.obj).items()
        if limited in hard and amount > before.get(limited, quantity.ZERO)
    }
    if not asked:
        return
    used = quota_usage.used(request.reader, quota)
    over = sorted(limited for limited, amount in asked.items() if used[limited] + amount > quantity.of(hard[limited]))
    if over:
        said = f"requested: {_shown(over, asked)}, used: {_shown(over, used)}, limited: {_shown(over, hard)}"
        raise request.forbidden(f"exceeded quota: {name}, {said}")


def _shown(names: Iterable[str], amounts: Mapping[str, object]) -> str:
    return ",".join(f"{name}={amounts[name]}" for name in names)
