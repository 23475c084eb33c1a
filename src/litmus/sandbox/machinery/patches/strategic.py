"""Strategic merge patches: like merge patches, but lists of named elements merge too, and directives say how.

Source: the documentation "Update API Objects in Place Using kubectl patch"; k8s.io/apimachinery/pkg/util/strategicpatch
for the directives ``$patch``, ``$retainKeys``, ``$setElementOrder/x`` and ``$deleteFromPrimitiveList/x``. Custom
resources do not know this kind of patch.
"""

from typing import Any

from litmus.sandbox.machinery import objects, status
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.schemas.form import Schema

from . import go_text, reading, strategic_lists, typed

PATCH = "$patch"
_RETAIN = "$retainKeys"
_ORDER = "$setElementOrder/"
_DELETE = "$deleteFromPrimitiveList/"


def checked(body: Any) -> Obj:
    """The patch; null is an empty one. Raises Refusal 400 for what is no object."""
    if body is None:
        return {}
    if not isinstance(body, dict):
        kind = reading.go_kind(body)
        raise status.bad_request(f"json: cannot unmarshal {kind} into Go value of type map[string]interface {{}}")
    return body


def applied(patch: Obj, current: Obj, schema: Schema) -> Obj:
    """The object after the patch; neither argument changes. Raises Refusal 400, 422, 500."""
    return _merged(objects.copy(current), objects.copy(patch), schema)


def _merged(original: Obj, patch: Obj, schema: Schema) -> Obj:
    """Merges into ``original``; both belong to the caller, who gives them away."""
    if PATCH in patch:
        return _whole(patch)
    _retain(original, patch)
    _set_orders(original, patch, schema)
    for name, value in patch.items():
        if name.startswith(_DELETE):
            _delete_from_list(original, name.removeprefix(_DELETE), value)
        elif value is None:
            original.pop(name, None)
        elif name not in original or type(original[name]) is not type(value):
            original[name] = without_directives(value)
        else:
            original[name] = _value(original[name], value, typed.child(schema, name))
    return original


def _value(original: Any, patch: Any, schema: Schema) -> Any:
    if isinstance(patch, dict):
        return patch if "replace" in schema.patch_strategy else _merged(original, patch, schema)
    if isinstance(patch, list) and "merge" in schema.patch_strategy:
        return strategic_lists.merged(
            original, patch, schema.merge_key, lambda old, new: _merged(old, new, _items(schema))
        )
    return patch


def _items(schema: Schema) -> Schema:
    return schema.items or typed.DEDUCED


def _whole(patch: Obj) -> Obj:
    """``$patch: replace`` takes the rest of the patch as it is, ``$patch: delete`` leaves an empty object."""
    directive = patch.pop(PATCH)
    if directive == "replace":
        return patch
    if directive == "delete":
        return {}
    raise strategic_lists.unknown_directive(directive, patch)


def _retain(original: Obj, patch: Obj) -> None:
    """``$retainKeys`` lists all fields that may stay; used where fields exclude each other, as in volumes."""
    if _RETAIN not in patch:
        return
    kept = patch.pop(_RETAIN)
    named = [name for name, value in patch.items() if value is not None and not name.startswith((_ORDER, _DELETE))]
    if not isinstance(kept, list) or any(name not in kept for name in named):
        raise status.bad_request("invalid patch format of retainKeys")
    for name in [name for name in original if name not in kept]:
        del original[name]


def _set_orders(original: Obj, patch: Obj, schema: Schema) -> None:
    """``$setElementOrder/x`` gives the order of the list x after the merge; the list itself is merged here as well."""
    for directive in [name for name in patch if name.startswith(_ORDER)]:
        order = patch.pop(directive)
        name = directive.removeprefix(_ORDER)
        known = typed.child(schema, name)
        given, there = patch.pop(name, None), original.get(name)
        for found in (order, given or [], there or []):
            if not isinstance(found, list):
                raise status.Refusal(500, "", f"expected a slice, but received a {go_text.type_of(found)}")
        strategic_lists.check_order(given or [], order, known.merge_key)
        merged = there if given is None else without_directives(given) if there is None else _value(there, given, known)
        if merged is not None:
            original[name] = strategic_lists.ordered(merged, order, there or [], known.merge_key)


def _delete_from_list(original: Obj, name: str, gone: Any) -> None:
    if not isinstance(gone, list):
        raise status.bad_request("invalid patch format of primitive list")
    if isinstance(original.get(name), list):
        original[name] = [member for member in original[name] if member not in gone]


def without_directives(value: Any) -> Any:
    """What a patch adds: less its nulls and what only says how to merge."""
    if isinstance(value, dict):
        return {
            name: without_directives(inside)
            for name, inside in value.items()
            if inside is not None and name not in (PATCH, _RETAIN) and not name.startswith((_ORDER, _DELETE))
        }
    if isinstance(value, list):
        return [
            without_directives(inside)
            for inside in value
            if not (isinstance(inside, dict) and inside.get(PATCH) == "delete")
        ]
    return value
