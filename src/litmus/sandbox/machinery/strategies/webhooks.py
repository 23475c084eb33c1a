"""Webhook configurations: kept with their defaults so that installers succeed; the sandbox calls no webhook.

Source: pkg/apis/admissionregistration/v1/defaults.go; documentation "Dynamic Admission Control".
"""

from typing import Any, ClassVar

from litmus.sandbox.machinery.objects import Obj

from . import Strategy


class Webhooks(Strategy):
    generation_of: ClassVar = ("webhooks",)
    own: ClassVar[dict[str, Any]] = {}

    def default(self, obj: Obj) -> None:
        for hook in obj.get("webhooks", ()):
            for field, value in (("failurePolicy", "Fail"), ("matchPolicy", "Equivalent"), ("timeoutSeconds", 10)):
                hook.setdefault(field, value)
            for field, value in self.own.items():
                hook.setdefault(field, value)
            hook.setdefault("namespaceSelector", {})
            hook.setdefault("objectSelector", {})
            for rule in hook.get("rules") or ():
                rule.setdefault("scope", "*")
            if isinstance(service := (hook.get("clientConfig") or {}).get("service"), dict):
                service.setdefault("port", 443)


class MutatingWebhooks(Webhooks):
    own: ClassVar = {"reinvocationPolicy": "Never"}
