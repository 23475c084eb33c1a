"""ServiceAccounts. Source: pkg/registry/core/serviceaccount; documentation "Service Accounts"."""

from typing import ClassVar

from . import Strategy


class ServiceAccounts(Strategy):
    unconditional_update: ClassVar = False
