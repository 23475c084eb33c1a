"""JSON merge patches, RFC 7386: what is given replaces, null removes, objects merge, lists are replaced."""

from typing import Any

from litmus.sandbox.machinery import status
from litmus.sandbox.machinery.objects import Obj

from . import reading


def checked(body: Any) -> Obj:
    """The patch. Raises Refusal 400 for what is no object."""
    if body is None:
        raise status.bad_request("Invalid JSON Patch")
    if not isinstance(body, dict):
        kind = reading.go_kind(body)
        raise status.bad_request(
            f"error decoding patch: json: cannot unmarshal {kind} into Go value of type map[string]interface {{}}"
        )
    return body


def applied(patch: Any, current: Any) -> Any:
    """``current`` after the patch; both stay as they were, and the result may share with both."""
    if not isinstance(patch, dict):
        return patch
    found = dict(current) if isinstance(current, dict) else {}
    for name, value in patch.items():
        if value is None:
            found.pop(name, None)
        else:
            found[name] = applied(value, found.get(name))
    return found
