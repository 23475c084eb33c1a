"""ServiceAccounts. Source: pkg/registry/core/serviceaccount; documentation "Service Accounts"."""

from typing import ClassVar

from litmus.sandbox.machinery.objects import Obj

from . import Strategy, omitted


class ServiceAccounts(Strategy):
    unconditional_update: ClassVar = False

    def default(self, obj: Obj) -> None:
        omitted.metadata(obj["metadata"])
        omitted.nulls(obj)
        omitted.fields(obj, "secrets", "imagePullSecrets")
