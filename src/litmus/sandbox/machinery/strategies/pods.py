"""Pods. Source: pkg/apis/core/v1/defaults.go, pkg/registry/core/pod/strategy.go; documentation "Pod Lifecycle"."""

from typing import ClassVar

from litmus.sandbox.machinery.objects import Obj

from . import Strategy, amounts, omitted, pod_defaults, qos

OVER = ("Succeeded", "Failed")


class Pods(Strategy):
    generation_of: ClassVar = ("spec",)

    def default(self, obj: Obj) -> None:
        omitted.metadata(obj["metadata"])
        with amounts.decoding(obj):
            pod_defaults.pod(obj)
        obj.setdefault("status", {}).setdefault("phase", "Pending")

    def prepare_create(self, obj: Obj) -> None:
        obj["status"] = {"phase": "Pending", "qosClass": qos.of(obj)}

    def grace_s(self, obj: Obj, asked: int | None) -> int:
        """The spec's own period unless asked otherwise; none for a pod that is nowhere or over."""
        if not obj["spec"].get("nodeName") or obj.get("status", {}).get("phase") in OVER:
            return 0
        own = obj["spec"].get("terminationGracePeriodSeconds")
        grace_s = asked if asked is not None else pod_defaults.GRACE_S if own is None else own
        return max(grace_s, 1) if grace_s < 0 else grace_s
