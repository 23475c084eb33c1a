"""Leases. Source: pkg/apis/coordination/validation; documentation "Leases"."""

from typing import ClassVar

from litmus.sandbox.machinery import status
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.status import Cause

from . import Strategy, causes


class Leases(Strategy):
    unconditional_update: ClassVar = False
    create_on_update: ClassVar = True

    def default(self, obj: Obj) -> None:
        obj.setdefault("spec", {})

    def validate(self, obj: Obj) -> list[Cause]:
        spec = obj["spec"]
        said: list[Cause] = []
        if "leaseDurationSeconds" in spec and spec["leaseDurationSeconds"] <= 0:
            value = spec["leaseDurationSeconds"]
            said.append(status.invalid_value("spec.leaseDurationSeconds", value, "must be greater than 0"))
        return said + causes.non_negative("spec.leaseTransitions", spec.get("leaseTransitions"))
