"""Deployments. Source: pkg/apis/apps/{v1/defaults.go,validation}, pkg/registry/apps/deployment; doc. "Deployments"."""

from typing import ClassVar

from litmus.sandbox.machinery import status
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.status import Cause

from . import Strategy, causes, pod_defaults, workload

_BOTH_ZERO = "may not be 0 when `maxSurge` is 0"


class Deployments(Strategy):
    """A change of annotations counts as a new generation too: the controller copies them to its ReplicaSets."""

    generation_of: ClassVar = ("spec", "metadata.annotations")

    def default(self, obj: Obj) -> None:
        spec = obj.setdefault("spec", {})
        pod_defaults.template(spec)
        spec.setdefault("replicas", 1)
        strategy = spec.setdefault("strategy", {})
        strategy["type"] = strategy.get("type") or "RollingUpdate"
        if strategy["type"] == "RollingUpdate":
            rolling = strategy.setdefault("rollingUpdate", {})
            rolling.setdefault("maxUnavailable", "25%")
            rolling.setdefault("maxSurge", "25%")
        spec.setdefault("revisionHistoryLimit", 10)
        spec.setdefault("progressDeadlineSeconds", 600)
        obj.setdefault("status", {})

    def validate(self, obj: Obj) -> list[Cause]:
        spec = obj["spec"]
        said = workload.counts(spec, "replicas")
        said += workload.selector_and_template(obj, kind="deployment")
        said += workload.always_restarts(obj, kind="ReplicaSet")
        said += _strategy_causes(spec["strategy"], "spec.strategy")
        said += workload.counts(spec, "minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds")
        if spec["progressDeadlineSeconds"] <= spec.get("minReadySeconds", 0):
            value = spec["progressDeadlineSeconds"]
            said.append(
                status.invalid_value("spec.progressDeadlineSeconds", value, "must be greater than minReadySeconds")
            )
        return said

    def validate_update(self, new: Obj, old: Obj) -> list[Cause]:
        return causes.immutable("spec.selector", new["spec"].get("selector"), old["spec"].get("selector"))


def _strategy_causes(strategy: Obj, at: str) -> list[Cause]:
    rolling = strategy.get("rollingUpdate")
    if strategy["type"] == "Recreate":
        if rolling is None:
            return []
        why = "may not be specified when strategy `type` is 'Recreate'"
        return [status.forbidden_field(f"{at}.rollingUpdate", why)]
    if strategy["type"] != "RollingUpdate":
        shown = {"Type": strategy["type"], "RollingUpdate": rolling}
        return [causes.unsupported(at, shown, ("Recreate", "RollingUpdate"))]
    field = f"{at}.rollingUpdate"
    unavailable, surge = rolling.get("maxUnavailable"), rolling.get("maxSurge")  # type: ignore[union-attr]
    said = workload.int_or_percent(unavailable, f"{field}.maxUnavailable")
    said += workload.int_or_percent(surge, f"{field}.maxSurge")
    if workload.is_zero(unavailable) and workload.is_zero(surge):
        said.append(status.invalid_value(f"{field}.maxUnavailable", unavailable, _BOTH_ZERO))
    return said + workload.at_most_all(unavailable, f"{field}.maxUnavailable")
