"""JSON patches (RFC 6902), carried out by the library ``jsonpatch``.

What a real server lets pass and the library does not is put right before: an operation without a value means null.
Source: k8s.io/apiserver/pkg/endpoints/handlers/patch.go and its library, evanphx/json-patch.
"""

from typing import Any

import jsonpatch
import jsonpointer

from litmus.sandbox.machinery import objects, status
from litmus.sandbox.machinery.objects import Obj

from . import reading

OPERATIONS_MAX = 10_000
_WITH_VALUE = ("add", "replace", "test")


def checked(body: Any) -> list[Obj]:
    """The operations. Raises Refusal 400 for what is no list of objects, 413 for too many."""
    if not isinstance(body, list):
        kind = reading.go_kind(body)
        raise status.bad_request(
            f"error decoding patch: json: cannot unmarshal {kind} into Go value of type []interface {{}}"
        )
    if len(body) > OPERATIONS_MAX:
        said = f"The allowed maximum operations in a JSON patch is {OPERATIONS_MAX}, got {len(body)}"
        raise status.Refusal(413, "RequestEntityTooLarge", said)
    for operation in body:
        if not isinstance(operation, dict):
            kind = reading.go_kind(operation)
            raise status.bad_request(f"json: cannot unmarshal {kind} into Go value of type jsonpatch.Operation")
    return body


def applied(operations: list[Obj], current: Obj) -> Any:
    """The object after all operations; ``current`` stays as it was. Raises Refusal 422 when one cannot be done."""
    found: Any = objects.copy(current)
    try:
        for operation in operations:
            found = jsonpatch.apply_patch(found, [_lenient(operation, found)], in_place=True)
        return found
    except (jsonpatch.JsonPatchException, jsonpointer.JsonPointerException, TypeError, ValueError, LookupError) as why:
        raise rejected() from why


def _lenient(operation: Obj, found: Any) -> Obj:
    """The operation in the words of RFC 6902, where a real server lets more pass: what an object lacks is null to it.

    So it can be replaced and copied, and compared with null.
    """
    kind = operation.get("op")
    whole = {"value": None, **operation} if kind in _WITH_VALUE else operation
    pointer = operation.get("from" if kind == "copy" else "path")
    if kind not in ("replace", "copy", "test") or not isinstance(pointer, str) or not _lacks(found, pointer):
        return whole
    if kind == "test" and whole["value"] is None:
        return {"op": "test", "path": "", "value": found}
    if kind == "test":
        return whole
    value = None if kind == "copy" else whole["value"]
    return {"op": "add", "path": operation.get("path"), "value": value}


def _lacks(found: Any, pointer: str) -> bool:
    """Whether the pointer names a key that an object, which is there, does not have."""
    parent, key = jsonpointer.JsonPointer(pointer).to_last(found)
    return isinstance(parent, dict) and key is not None and key not in parent


def rejected() -> status.Refusal:
    """422 as a real server says it: without a reason that would help."""
    return status.Refusal(422, "Invalid", "the server rejected our request due to an error in our request")
