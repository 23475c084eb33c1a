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


def selector_and_template(obj: Obj, *, kind: str, unusable: str = "invalid label selector") -> list[Cause]:
    """``kind``: the word for the workload in messages; ``unusable``: what is said of a selector that cannot match."""
    spec = obj["spec"]
    selector = spec.get("selector")
    said = selector_causes(selector, kind=kind)
    labels = (spec["template"].get("metadata") or {}).get("labels") or {}
    if selector is None or said[:1] == []:
        said += mismatch_causes(selector, labels)
    elif not any(EMPTY_SELECTOR in cause.message for cause in said):
        shown = f"Invalid value: {status.shown(causes.ordered(selector))}"
        said.append(Cause(status.INVALID, "spec.selector", f"{shown}: {unusable}" if unusable else shown))
    return said + pod_spec.template_causes(spec["template"], "spec.template")


def selector_causes(selector: Obj | None, *, kind: str) -> list[Cause]:
    """A selector is given and selects something in particular."""
    if selector is None:
        return [status.required("spec.selector")]
    if not selector.get("matchLabels") and not selector.get("matchExpressions"):
        return [status.invalid_value("spec.selector", selector, f"{EMPTY_SELECTOR} {kind}")]
    return causes.label_selector("spec.selector", selector)


def mismatch_causes(selector: Obj | None, labels: Obj) -> list[Cause]:
    """The pods of a workload are those that it makes; no selector matches nothing."""
    if selector is not None and selectors.from_label_selector(selector).matches({"metadata": {"labels": labels}}):
        return []
    return [status.invalid_value("spec.template.metadata.labels", causes.ordered(labels) or None, MISMATCH)]


def always_restarts(obj: Obj, *, kind: str) -> list[Cause]:
    """Pods of a workload that keeps its pods running restart always. ``kind``: whose pods they are."""
    spec = obj["spec"]["template"]["spec"]
    said: list[Cause] = []
    if spec.get("restartPolicy") != "Always":
        field = "spec.template.spec.restartPolicy"
        said.append(causes.unsupported(field, spec.get("restartPolicy"), ("Always",)))
    if spec.get("activeDeadlineSeconds") is not None:
        said.append(
            status.forbidden_field(
                "spec.template.spec.activeDeadlineSeconds", f"activeDeadlineSeconds in {kind} is not Supported"
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
