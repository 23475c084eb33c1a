"""Two clusters' answers, field by field, less what is different in any two clusters: uids, times, versions, addresses."""

import json
import re
from collections.abc import Iterator
from typing import Any

from tests.cluster.conformance.play import Answer
from tests.cluster.conformance.steps import Step

_UID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_AGE = re.compile(r"^(<invalid>|\d+[smhd]+\d*[smh]?)$")
_OWN = {"resourceVersion", "uid", "clusterIP", "continue", "nodePort", "storageVersionHash", "serverAddress", "token"}
_RECORDED = re.compile(r"(ResourceVersion in (?:the precondition|record)) \(\d+\)")
_HASH = re.compile(r"\b(a|d)-[0-9a-z]{5,10}\b")


def differences(step: Step, real: Answer, ours: Answer) -> list[str]:
    """``path: real value | sandbox's value`` for each field that differs."""
    found = [] if real.code == ours.code else [f"code: {real.code} | {ours.code}"]
    keep = step.name.startswith("apply")
    found += _differ("", _plain(real.content, keep=keep), _plain(ours.content, keep=keep))
    return [line for line in found if not any(line.startswith(path) for path in step.ignore)]


def _plain(value: Any, *, keep: bool, key: str = "") -> Any:
    """The value with everything replaced that no two clusters share."""
    if isinstance(value, dict):
        return {k: _plain(v, keep=keep, key=k) for k, v in value.items() if keep or k != "managedFields"}
    if isinstance(value, list):
        if key == "clusterIPs":
            return ["<clusterIPs>" for _ in value]
        return [_plain(item, keep=keep, key=key if key == "cells" else "") for item in value]
    if key in _OWN and value not in ("", "None", None):
        return f"<{key}>"
    if isinstance(value, str):
        value = _RECORDED.sub(r"\1 (<version>)", value)
        if "BEGIN CERTIFICATE" in value:
            return "<certificate>"
        text = _HASH.sub(r"\1-<hash>", _TIME.sub("<time>", _UID.sub("<uid>", value)))
        return "<age>" if key == "cells" and _AGE.match(text) else text
    return value


def _differ(path: str, real: Any, ours: Any) -> Iterator[str]:
    if isinstance(real, dict) and isinstance(ours, dict):
        for key in sorted(real.keys() | ours.keys()):
            yield from _differ(f"{path}.{key}" if path else key, real.get(key, "-"), ours.get(key, "-"))
    elif (left_of := _keyed(real)) and (right_of := _keyed(ours)):
        yield from _differ_by_key(path, left_of, right_of)
    elif isinstance(real, list) and isinstance(ours, list):
        if len(real) != len(ours):
            yield f"{path}: {len(real)} items {_short(real)} | {len(ours)} items {_short(ours)}"
            return
        for number, (left, right) in enumerate(zip(real, ours, strict=True)):
            yield from _differ(f"{path}[{number}]", left, right)
    elif real != ours or type(real) is not type(ours):
        yield f"{path}: {_short(real)} | {_short(ours)}"


def _keyed(value: Any) -> dict[str, Any]:
    """The items of a list by what names them, where something does."""
    if not isinstance(value, list) or not value:
        return {}
    for key in ("name", "type", "manager"):
        if all(isinstance(item, dict) and isinstance(item.get(key), str) for item in value):
            found = {item[key]: item for item in value}
            return found if len(found) == len(value) else {}
    return {}


def _differ_by_key(path: str, real: dict[str, Any], ours: dict[str, Any]) -> Iterator[str]:
    # managedFields stand in the order of the seconds in which they were written
    for name in sorted(real.keys() | ours.keys()):
        yield from _differ(f"{path}[{name}]", real.get(name, "-"), ours.get(name, "-"))
    common = [name for name in ours if name in real]
    if not path.endswith("managedFields") and common != [name for name in real if name in ours]:
        yield f"{path}: order: {', '.join(real)} | {', '.join(ours)}"


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    return text if len(text) < 300 else f"{text[:300]}…"
