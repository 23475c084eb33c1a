"""Deployments. Source: pkg/apis/apps/v1/defaults.go, pkg/apis/apps/validation; documentation "Deployments"."""

from typing import ClassVar

from litmus.sandbox.machinery.objects import Obj

from . import Strategy, amounts, omitted, pod_defaults


class Deployments(Strategy):
    """A change of annotations counts as a new generation too: the controller copies them to its ReplicaSets."""

    generation_of: ClassVar = ("spec", "metadata.annotations")

    def default(self, obj: Obj) -> None:
        omitted.metadata(obj["metadata"])
        spec = obj.setdefault("spec", {})
        omitted.nulls(spec)
        omitted.fields(spec, "paused", "minReadySeconds")
        with amounts.decoding(obj):
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
