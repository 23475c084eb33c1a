"""Sets of fields: which fields a manager owns, as ``managedFields`` writes them down.

A path is a tuple of steps in the notation of FieldsV1: ``f:spec`` a field, ``k:{"name":"web"}`` an element of a list
by its keys, ``v:"x"`` an element of a set, ``i:0`` one by its place. A set of fields is a frozenset of paths, so its
algebra is Python's. Source: sigs.k8s.io/structured-merge-diff, fieldpath; the API concepts, "Field management".
"""

import json
from collections.abc import Iterable
from typing import Any

from litmus.sandbox.machinery.objects import Obj

Path = tuple[str, ...]
FieldSet = frozenset[Path]

EMPTY: FieldSet = frozenset()
# A FieldsV1 object lists itself as ".", then fields, elements by keys, by value and by place.
_ORDER = {".": 0, "f": 1, "k": 2, "v": 3, "i": 4}


def field(name: str) -> str:
    """The step to a field of an object."""
    return f"f:{name}"


def element(keys: Obj) -> str:
    """The step to an element of a list by its keys."""
    return f"k:{_compact({name: keys[name] for name in sorted(keys)})}"


def value(member: Any) -> str:
    """The step to a member of a set."""
    return f"v:{_compact(member)}"


def from_fields_v1(fields: Obj) -> FieldSet:
    """Reads a ``fieldsV1`` object. A field without anything inside is a member, as is what says ``.``."""
    return frozenset(_read(fields, ()))


def _read(fields: Obj, path: Path) -> Iterable[Path]:
    for step, inside in fields.items():
        if step == ".":
            yield path
        elif not inside:
            yield (*path, step)
        else:
            yield from _read(inside, (*path, step))


def to_fields_v1(fields: FieldSet) -> Obj:
    """Writes a ``fieldsV1`` object, in the order in which a real server does."""
    root: Obj = {}
    for path in fields:
        node = root
        for step in path:
            node = node.setdefault(step, {})
        node["."] = {}
    return _written(root)


def _written(node: Obj) -> Obj:
    if node.keys() == {"."}:
        return {}
    return {step: _written(inside) for step, inside in sorted(node.items(), key=lambda item: order(item[0]))}


def order(step: str) -> tuple[int, str]:
    """Sorts the steps at one place."""
    return _ORDER.get(step[:1], 9), step


def sort_key(path: Path) -> tuple[tuple[int, str], ...]:
    """Sorts paths as a set is walked."""
    return tuple(order(step) for step in path)


def below(fields: FieldSet, roots: Iterable[Path]) -> FieldSet:
    """The members that are one of the roots or inside one."""
    found = tuple(roots)
    return frozenset(path for path in fields if any(path[: len(root)] == root for root in found))


def shown(path: Path) -> str:
    """A path as messages show it: ``.spec.containers[name="web"].image``."""
    return "".join(map(_shown_step, path))


def _shown_step(step: str) -> str:
    kind, rest = step[:2], step[2:]
    if kind == "f:":
        return f".{rest}"
    if kind == "k:":
        keys = json.loads(rest)
        return f"[{','.join(f'{name}={_compact(keys[name])}' for name in sorted(keys))}]"
    return f"[={rest}]" if kind == "v:" else f"[{rest}]"


def _compact(content: Any) -> str:
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False)
