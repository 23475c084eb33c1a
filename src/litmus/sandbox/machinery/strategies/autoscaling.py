"""HorizontalPodAutoscalers: kept, validated; the sandbox measures nothing they could act on.

Source: pkg/apis/autoscaling/{v2/defaults.go,validation}; documentation "Horizontal Pod Autoscaling".
"""

from litmus.sandbox.machinery import names, status
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.status import Cause

from . import Strategy, causes

_CPU_SHARE = 80
"""Percent of the requested cpu that an autoscaler without metrics aims at."""


class Autoscalers(Strategy):
    def default(self, obj: Obj) -> None:
        spec = obj.setdefault("spec", {})
        spec.setdefault("minReplicas", 1)
        spec.setdefault("scaleTargetRef", {})
        if not spec.get("metrics"):
            target = {"type": "Utilization", "averageUtilization": _CPU_SHARE}
            spec["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]
        found = obj.setdefault("status", {})
        found.setdefault("currentMetrics", None)
        found.setdefault("desiredReplicas", 0)

    def validate(self, obj: Obj) -> list[Cause]:
        spec = obj["spec"]
        least, most = spec["minReplicas"], spec.get("maxReplicas", 0)
        said: list[Cause] = []
        if least < 1:
            said.append(status.invalid_value("spec.minReplicas", least, "must be greater than or equal to 1"))
        if least == 0 and not any(metric.get("type") in ("Object", "External") for metric in spec["metrics"]):
            why = "must specify at least one Object or External metric to support scaling to zero replicas"
            said.append(status.forbidden_field("spec.metrics", why))
        if most < 1:
            said.append(status.invalid_value("spec.maxReplicas", most, "must be greater than 0"))
        if most < least:
            why = "must be greater than or equal to `minReplicas`"
            said.append(status.invalid_value("spec.maxReplicas", most, why))
        for field in ("kind", "name"):
            value, at = spec["scaleTargetRef"].get(field, ""), f"spec.scaleTargetRef.{field}"
            said += causes.each(at, value, names.path_segment(value)) if value else [status.required(at)]
        return said
