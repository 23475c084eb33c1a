"""Lists in strategic merge patches: elements are found by their merge key, or by themselves where there is none.

Source: k8s.io/apimachinery/pkg/util/strategicpatch/patch.go.
"""

from collections.abc import Callable
from typing import Any

from litmus.sandbox.machinery import status
from litmus.sandbox.machinery.objects import Obj

from . import go_text

_PATCH = "$patch"
Merge = Callable[[Obj, Obj], Obj]


def merged(original: list[Any], patch: list[Any], key: str, merge: Merge) -> list[Any]:
    """``original`` with the elements of ``patch``; ``merge`` says what two elements of one name become.

    ``key``: the merge key, '' for a set of plain values. Raises Refusal 500, as a real server does.
    """
    if not any(isinstance(member, dict | list) for member in [*original, *patch]):
        found = list(dict.fromkeys([*original, *patch]))
        return ordered(found, patch, original, "")
    if not key:
        raise _no_key(next((member for member in patch if isinstance(member, dict)), {}), key)
    original, patch, replaced = _directives(original, patch, key)
    if replaced:
        return patch
    found = list(original)
    for member in patch:
        place = _place(found, member, key)
        if place is None:
            found.append(merge({}, member))
        else:
            found[place] = merge(found[place], member)
    return ordered(found, patch, original, key)


def ordered(found: list[Any], wanted: list[Any], before: list[Any], key: str) -> list[Any]:
    """Sorts a merged list: what ``wanted`` names in its order, the rest near its place in ``before``."""
    wanted_names = [_name(member, key) for member in wanted]
    before_names = [_name(member, key) for member in before]
    named = sorted(
        (member for member in found if _name(member, key) in wanted_names),
        key=lambda member: wanted_names.index(_name(member, key)),
    )
    others = sorted(
        (member for member in found if _name(member, key) not in wanted_names),
        key=lambda member: _index(before_names, _name(member, key)),
    )
    result: list[Any] = []
    while named and others:
        left, right = _name(others[0], key), _name(named[0], key)
        both = left in before_names and right in before_names
        first = others if both and before_names.index(left) < before_names.index(right) else named
        result.append(first.pop(0))
    return [*result, *named, *others]


def check_order(patch: list[Any], order: list[Any], key: str) -> None:
    """Raises Refusal when the elements of a patch do not stand in its own ``$setElementOrder``."""
    wanted = iter([_name(member, key) for member in order])
    for member in patch:
        if isinstance(member, dict) and _PATCH in member:
            continue
        if _name(member, key) not in wanted:  # consumes up to the match
            shown, listed = go_text.shown(patch), go_text.shown(order)
            said = f"The order in patch list:\n{shown}\n doesn't match $setElementOrder list:\n{listed}\n"
            raise status.Refusal(500, "", said)


def unknown_directive(directive: Any, where: Obj) -> status.Refusal:
    """500, as a real server says it."""
    whole = go_text.shown({**where, _PATCH: directive})
    return status.Refusal(500, "", f"unknown patch type: {go_text.shown(directive)} in map: {whole}")


def _directives(original: list[Any], patch: list[Any], key: str) -> tuple[list[Any], list[Any], bool]:
    """Carries out ``$patch`` in elements; returns what is left of both lists, and whether the patch replaces."""
    plain: list[Any] = []
    replaced = False
    for member in patch:
        directive = member.get(_PATCH) if isinstance(member, dict) else None
        if directive is None:
            plain.append(member)
        elif directive == "delete":
            if key not in member:
                raise _no_key(member, key)
            original = [other for other in original if _name(other, key) != member[key]]
        elif directive == "replace":
            replaced = True
        elif directive == "merge":
            raise status.Refusal(500, "", "merging lists cannot yet be specified in the patch")
        else:
            raise unknown_directive(directive, {name: each for name, each in member.items() if name != _PATCH})
    return original, plain, replaced


def _place(found: list[Any], member: Any, key: str) -> int | None:
    if not isinstance(member, dict) or key not in member:
        raise _no_key(member, key)
    return next((place for place, other in enumerate(found) if _name(other, key) == member[key]), None)


def _name(member: Any, key: str) -> Any:
    return member.get(key) if key and isinstance(member, dict) else member


def _index(names: list[Any], name: Any) -> int:
    return names.index(name) if name in names else len(names)


def _no_key(member: Any, key: str) -> status.Refusal:
    return status.Refusal(500, "", f"map: {go_text.shown(member)} does not contain declared merge key: {key}")
