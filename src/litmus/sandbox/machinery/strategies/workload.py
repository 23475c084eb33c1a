"""What the workloads have in common: a number of replicas, a selector, a template of pods that it must match.

Source: pkg/apis/apps/validation; documentation "Workload Management".
"""

import re
from typing import Any

from litmus.sandbox.machinery import selectors, status
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.status import Cause

from . import causes, pod_spec

MISMATCH = "`selector` does not match template `labels`"
EMPTY_SELECTOR = "empty selector is invalid for"
_PERCENT = re.compile(r"[0-9]+%")
_PERCENT_TEXT = (
    "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for "
    "validation is '[0-9]+%')"
)


def selector_and_template(obj: Obj, *, kind: str) -> list[Cause]:
    """``kind``: the word for the workload in messages."""
    spec = obj["spec"]
    selector = spec.get("selector")
    if selector is None:
        said = [status.required("spec.selector")]
    else:
        said = causes.label_selector("spec.selector", selector)
        if not selector.get("matchLabels") and not selector.get("matchExpressions"):
            said.append(status.invalid_value("spec.selector", selector, f"{EMPTY_SELECTOR} {kind}"))
    if selector is not None and not said:
        labels = (spec["template"].get("metadata") or {}).get("labels") or {}
        if not selectors.from_label_selector(selector).matches({"metadata": {"labels": labels}}):
            shown = causes.ordered(labels)
            said.append(status.invalid_value("spec.template.metadata.labels", shown, MISMATCH))
    return said + pod_spec.template_causes(spec["template"], "spec.template")


def always_restarts(obj: Obj) -> list[Cause]:
    """Pods of a workload that keeps its pods running restart always."""
    spec = obj["spec"]["template"]["spec"]
    said: list[Cause] = []
    if spec.get("restartPolicy") != "Always":
        field = "spec.template.spec.restartPolicy"
        said.append(causes.unsupported(field, spec.get("restartPolicy"), ("Always",)))
    if spec.get("activeDeadlineSeconds") is not None:
        said.append(
            status.forbidden_field(
                "spec.template.spec.activeDeadlineSeconds", f"activeDeadlineSeconds in {obj['kind']} is not Supported"
            )
        )
    return said


def counts(spec: Obj, *fields: str) -> list[Cause]:
    """Numbers of the spec that are at least 0."""
    return [cause for field in fields for cause in causes.non_negative(f"spec.{field}", spec.get(field))]


def int_or_percent(value: Any, field: str) -> list[Cause]:
    """A number of pods or a share of them."""
    if isinstance(value, str):
        return [] if _PERCENT.fullmatch(value) else [status.invalid_value(field, value, _PERCENT_TEXT)]
    return causes.non_negative(field, value)


def at_most_all(value: Any, field: str) -> list[Cause]:
    """A share is at most 100%."""
    if isinstance(value, str) and _PERCENT.fullmatch(value) and int(value[:-1]) > 100:
        return [status.invalid_value(field, value, "must not be greater than 100%")]
    return []


def is_zero(value: Any) -> bool:
    """0, 0% or nothing."""
    return value in (None, 0) or (
        isinstance(value, str) and _PERCENT.fullmatch(value) is not None and int(value[:-1]) == 0
    )
