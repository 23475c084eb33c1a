"""``/eviction``: a deletion that asks the pod's disruption budget first.

Source: the documentation "API-initiated Eviction" and "Specifying a Disruption Budget" (unhealthy pod eviction policy);
k8s.io/kubernetes/pkg/registry/core/pod/storage/eviction.go.
"""

from typing import Any

from starlette.responses import Response

from litmus.sandbox.apiserver import answers, query
from litmus.sandbox.apiserver.call import Call
from litmus.sandbox.machinery import objects, selectors, status
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.options import Options
from litmus.sandbox.machinery.resources import Resource
from litmus.sandbox.machinery.status import Refusal

EVICTION = Resource(group="policy", version="v1", plural="evictions", singular="eviction", kind="Eviction")
_OLD_VERSION = "policy/v1beta1"
_BUDGETS = "poddisruptionbudgets.policy"
_OVER = ("Succeeded", "Failed")
_WITHOUT_BUDGET = (*_OVER, "Pending")  # it serves nobody, so nothing is disrupted
_DISRUPTED_LIMIT = 2000
_PROCESSING_S = 10
_REFUSED = "Cannot evict pod as it would violate the pod's disruption budget."
_TOO_MANY = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."


async def serve(call: Call) -> Response:
    """Raises Refusal 400, 404, 409, 422, 429, and 500 when several budgets claim the pod."""
    writing = call.options()
    asked = await call.read(EVICTION, asked=writing, versions=(_OLD_VERSION,))
    if objects.name(asked) != call.info.name:
        raise status.bad_request("name in URL does not match name in Eviction object")
    body = {**(asked.get("deleteOptions") or {}), "kind": "DeleteOptions"}
    if writing.dry_run:
        body["dryRun"] = ["All"]
    deletion = query.deletion(body, call.query, user=call.user, user_agent=call.user_agent)
    pod = call.registry.get(call.known, call.key)
    if not _ignores_budgets(pod):
        _spend(call, pod, dry_run=deletion.dry_run)
    call.registry.delete(call.known, call.key, asked=deletion)
    return answers.success(call, code=201, warnings=writing.warnings)


def _ignores_budgets(pod: Obj) -> bool:
    return (pod.get("status") or {}).get("phase") in _WITHOUT_BUDGET or objects.leaving(pod)


def _ready(pod: Obj) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or []
    return any(one.get("type") == "Ready" and one.get("status") == "True" for one in conditions)


def _spend(call: Call, pod: Obj, *, dry_run: bool) -> None:
    """Takes one disruption from the pod's budget, where it has one."""
    resource = call.services.catalogue.named(_BUDGETS)
    budgets = [one for one in call.registry.store.list(resource.storage, objects.namespace(pod)) if _covers(one, pod)]
    if not budgets:
        return
    if len(budgets) > 1:
        raise Refusal(500, "", _TOO_MANY)
    budget = budgets[0]
    if not _ready(pod) and _spares_unhealthy(budget):
        return
    spent = _spent(budget, objects.name(pod), now=objects.timestamp(call.services.now()))
    asked = Options(user=call.user, manager="kube-apiserver", dry_run=dry_run)
    call.registry.update(resource, objects.key(budget), spent, subresource="status", asked=asked)


def _covers(budget: Obj, pod: Obj) -> bool:
    selector = (budget.get("spec") or {}).get("selector")
    return selector is not None and selectors.from_label_selector(selector).matches(pod)


def _spares_unhealthy(budget: Obj) -> bool:
    """Whether a pod that is not ready may go without asking."""
    if (budget.get("spec") or {}).get("unhealthyPodEvictionPolicy") == "AlwaysAllow":
        return True
    figures = budget.get("status") or {}
    healthy, desired = figures.get("currentHealthy") or 0, figures.get("desiredHealthy") or 0
    return bool(healthy >= desired > 0)


def _spent(budget: Obj, pod: str, *, now: str) -> Obj:
    """The budget with one disruption less. Raises Refusal 403 and 429."""
    name, figures = objects.name(budget), budget.get("status") or {}
    if (figures.get("observedGeneration") or 0) < (objects.meta(budget).get("generation") or 0):
        raise _refused(f"The disruption budget {name} is still being processed by the server.", _PROCESSING_S)
    allowed, disrupted = figures.get("disruptionsAllowed") or 0, figures.get("disruptedPods") or {}
    if allowed < 0:
        raise status.forbidden("poddisruptionbudgets", "policy", name, "pdb disruptions allowed is negative")
    if len(disrupted) > _DISRUPTED_LIMIT:
        why = "DisruptedPods map too big - too many evictions not confirmed by PDB controller"
        raise status.forbidden("poddisruptionbudgets", "policy", name, why)
    if allowed == 0:
        raise _refused(_why_not(name, figures))
    spent = objects.copy(budget)
    spent["status"] |= {"disruptionsAllowed": allowed - 1, "disruptedPods": {**disrupted, pod: now}}
    if allowed == 1:
        _no_more(spent, now)
    return spent


def _why_not(name: str, figures: Any) -> str:
    failed = next((one for one in figures.get("conditions") or [] if one.get("reason") == "SyncFailed"), None)
    if failed:
        said = f"because it failed sync: {failed.get('message', '')}"
        return f"The disruption budget {name} does not allow evicting pods currently {said}"
    needed, found = figures.get("desiredHealthy") or 0, figures.get("currentHealthy") or 0
    return f"The disruption budget {name} needs {needed} healthy pods and has {found} currently"


def _no_more(budget: Obj, now: str) -> None:
    """Sets the condition DisruptionAllowed to False."""
    found = budget["status"].setdefault("conditions", [])
    kept = [one for one in found if one.get("type") != "DisruptionAllowed"]
    condition = {
        "type": "DisruptionAllowed",
        "status": "False",
        "reason": "InsufficientPods",
        "message": "",
        "lastTransitionTime": now,
        "observedGeneration": budget["status"].get("observedGeneration", 0),
    }
    budget["status"]["conditions"] = [*kept, condition]


def _refused(message: str, retry_after_s: int = 0) -> Refusal:
    cause = {"reason": "DisruptionBudget", "message": message}
    return status.too_many_requests(_REFUSED, retry_after_s=retry_after_s, causes=[cause])
