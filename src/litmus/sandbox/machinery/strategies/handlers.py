"""Probes and lifecycle hooks of containers.

Source: pkg/apis/core/validation; documentation "Liveness, Readiness, and Startup Probes".
"""

import re
from typing import Any

from litmus.sandbox.machinery import names, status
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.status import Cause

from . import causes

_COUNTS = ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold")
_HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc")
_HOOK_HANDLERS = ("exec", "httpGet", "tcpSocket", "sleep")
_HEADER = "[-A-Za-z0-9]+"
_HEADER_TEXT = (
    "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for "
    f"validation is '{_HEADER}')"
)


def probe(container: Obj, name: str, at: str) -> list[Cause]:
    """``name`` is the field of the container, ``at`` the path of the container."""
    found = container.get(name)
    if found is None:
        return []
    field = f"{at}.{name}"
    said = _handler(found, field, _HANDLERS)
    for count in _COUNTS:
        said += causes.non_negative(f"{field}.{count}", found.get(count))
    grace_s = found.get("terminationGracePeriodSeconds")
    if grace_s is not None and grace_s <= 0:
        said.append(status.invalid_value(f"{field}.terminationGracePeriodSeconds", grace_s, "must be greater than 0"))
    if grace_s is not None and name == "readinessProbe":
        why = "must not be set for readinessProbes"
        said.append(status.invalid_value(f"{field}.terminationGracePeriodSeconds", grace_s, why))
    if name != "readinessProbe" and found.get("successThreshold") != 1:
        said.append(status.invalid_value(f"{field}.successThreshold", found.get("successThreshold"), "must be 1"))
    return said


def lifecycle(hooks: Obj | None, at: str) -> list[Cause]:
    """``at`` is the path of the hooks."""
    said: list[Cause] = []
    for name in ("postStart", "preStop"):
        if isinstance(hook := (hooks or {}).get(name), dict):
            said += _handler(hook, f"{at}.{name}", _HOOK_HANDLERS)
    return said


def port(value: Any, field: str) -> list[Cause]:
    """A number or the name of a port."""
    if isinstance(value, str):
        return causes.each(field, value, names.port_name(value))
    return causes.each(field, value or 0, names.port_number(value or 0))


def _handler(handler: Obj, at: str, known: tuple[str, ...]) -> list[Cause]:
    given = [name for name in known if isinstance(handler.get(name), dict)]
    if not given:
        return [status.required(at, "must specify a handler type")]
    said = _action(given[0], handler[given[0]], f"{at}.{given[0]}")
    for name in given[1:]:
        said.append(status.forbidden_field(f"{at}.{name}", "may not specify more than 1 handler type"))
    return said


def _action(name: str, action: Obj, at: str) -> list[Cause]:
    match name:
        case "exec":
            return [] if action.get("command") else [status.required(f"{at}.command")]
        case "httpGet":
            return _http_get(action, at)
        case "sleep":
            return causes.non_negative(f"{at}.seconds", action.get("seconds"))
    return port(action.get("port"), f"{at}.port")


def _http_get(action: Obj, at: str) -> list[Cause]:
    said = [] if action.get("path") else [status.required(f"{at}.path")]
    said += port(action.get("port"), f"{at}.port")
    if action.get("scheme") not in ("HTTP", "HTTPS"):
        said.append(causes.unsupported(f"{at}.scheme", action.get("scheme", ""), ("HTTP", "HTTPS")))
    for header in action.get("httpHeaders") or []:
        if not re.fullmatch(_HEADER, header.get("name", ""), re.ASCII):
            said.append(status.invalid_value(f"{at}.httpHeaders", header.get("name", ""), _HEADER_TEXT))
    return said
