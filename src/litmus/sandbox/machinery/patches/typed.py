"""Values with a schema: which fields they have, how two of them differ, how they merge, and what is left without some.

Maps and objects are granular unless their schema says atomic; lists are atomic unless it says set or map. What has no
schema is deduced: maps granular, lists atomic. Source: sigs.k8s.io/structured-merge-diff, typed; the API concepts,
"Server-Side Apply", merge strategy.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from litmus.sandbox.machinery.schemas.form import Schema

from . import field_sets
from .field_sets import FieldSet, Path

DEDUCED = Schema(type="json")
MISSING: Final = object()
# The only keys of lists in built-in kinds that have a default, so that they may be left out.
_DEFAULT_OF_KEYS: Mapping[str, Any] = {"protocol": "TCP"}
_MAPS = ("object", "map", "json", "raw")


class Part(NamedTuple):
    """What stands at one step of a value. ``declared``: the schema of the whole names this field."""

    schema: Schema
    value: Any
    declared: bool = False


def child(schema: Schema, name: str) -> Schema:
    """The schema of a field or of a key of a map."""
    return schema.fields.get(name) or (schema.items if schema.type == "map" else None) or DEDUCED


def is_list(schema: Schema) -> bool:
    """Whether it is a list whose elements have owners of their own."""
    return schema.type == "array" and schema.list_type != "atomic"


def parts(schema: Schema, value: Any) -> dict[str, Part] | None:
    """The parts of a value that have owners of their own by their step, None for what is one as a whole."""
    if isinstance(value, dict) and schema.type in _MAPS and schema.map_type != "atomic":
        return {
            field_sets.field(name): Part(child(schema, name), inside, name in schema.fields)
            for name, inside in value.items()
        }
    if isinstance(value, list) and is_list(schema):
        items = schema.items or DEDUCED
        return {step_of(schema, item): Part(items, item) for item in value}
    return None


def step_of(schema: Schema, item: Any) -> str:
    """The step to an element of a set or of a list with keys."""
    if schema.list_type == "set" or not isinstance(item, dict):
        return field_sets.value(item)
    return field_sets.element(keys_of(schema, item))


def keys_of(schema: Schema, item: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of an element, with defaults for those that it leaves out and that have one."""
    chosen = {name: item.get(name, _default(schema, name)) for name in schema.map_keys}
    return {name: value for name, value in chosen.items() if value is not None}


def _default(schema: Schema, key: str) -> Any:
    # Built-in schemas have no defaults, those of custom resources may.
    known = schema.items.fields.get(key) if schema.items else None
    return known.default if known is not None and known.default is not None else _DEFAULT_OF_KEYS.get(key)


def fields_of(schema: Schema, value: Any) -> FieldSet:
    """The fields that a value names: its leaves, elements of lists, keys of maps, and what it leaves empty."""
    return frozenset(_fields(schema, value, ()))


def _fields(schema: Schema, value: Any, path: Path) -> Iterator[Path]:
    found = parts(schema, value)
    if found is None:
        yield path
        return
    for step, part in found.items():
        inside = (*path, step)
        yield from _fields(part.schema, part.value, inside)
        if not step.startswith("f:") or not part.declared or part.value is None or part.value == {}:
            yield inside


@dataclass(frozen=True, slots=True)
class Difference:
    """What is in the new value alone, in both with another content, in the old one alone."""

    added: FieldSet
    modified: FieldSet
    removed: FieldSet

    @property
    def same(self) -> bool:
        return not (self.added or self.modified or self.removed)

    @property
    def written(self) -> FieldSet:
        return self.added | self.modified

    def without(self, roots: tuple[Path, ...]) -> "Difference":
        """The rest, less some fields and everything inside them."""
        if not roots:
            return self
        return Difference(*(each - field_sets.below(each, roots) for each in (self.added, self.modified, self.removed)))


def compared(schema: Schema, old: Any, new: Any) -> Difference:
    """How ``new`` differs from ``old``."""
    found: dict[str, set[Path]] = {"added": set(), "modified": set(), "removed": set()}
    _compare(schema, old, new, (), found)
    return Difference(**{name: frozenset(paths) for name, paths in found.items()})


def _compare(schema: Schema, old: Any, new: Any, path: Path, found: dict[str, set[Path]]) -> None:
    # Most of most objects. Whether a 1 became true deep inside is not worth a look at everything.
    if old == new and (isinstance(old, dict | list) or equal(old, new)):
        return
    old_parts, new_parts = _inside(schema, old), _inside(schema, new)
    leaf = old_parts is None or new_parts is None or not (old_parts or new_parts)
    if not leaf:
        assert old_parts is not None
        assert new_parts is not None
        for step, part in (old_parts | new_parts).items():
            before, after = old_parts.get(step), new_parts.get(step)
            _compare(
                part.schema,
                before.value if before else MISSING,
                after.value if after else MISSING,
                (*path, step),
                found,
            )
    if old is MISSING:
        found["added"].add(path)
    elif new is MISSING:
        found["removed"].add(path)
    elif leaf and not equal(old, new):
        found["modified"].add(path)


def _inside(schema: Schema, value: Any) -> dict[str, Part] | None:
    """As ``parts``; what is missing or null has none where a container may stand."""
    if value is MISSING or value is None:
        return {} if (schema.type in _MAPS and schema.map_type != "atomic") or is_list(schema) else None
    return parts(schema, value)


def equal(one: Any, other: Any) -> bool:
    """Equality of JSON values: 1 is 1.0 and is not true."""
    return isinstance(one, bool) is isinstance(other, bool) and bool(one == other)


def merged(schema: Schema, live: Any, config: Any) -> Any:
    """``live`` with everything that ``config`` says; neither is changed, both may be shared."""
    if config is MISSING:
        return live
    if live is MISSING:
        return config
    live_parts, config_parts = _inside(schema, live), _inside(schema, config)
    if not live_parts or config_parts is None or config is None:
        return config if config is not None or not live_parts else live
    if isinstance(live, list):
        order = interleaved(list(live_parts), list(config_parts))
    else:
        order = list(live_parts | config_parts)
    found = {}
    for step in order:
        before, after = live_parts.get(step), config_parts.get(step)
        whole = before or after
        assert whole is not None
        found[step] = merged(whole.schema, before.value if before else MISSING, after.value if after else MISSING)
    return _put_together(live, found)


def interleaved(left: list[str], right: list[str]) -> list[str]:
    """The order of a merged list: that of the right one, with what only the left one has kept near its place."""
    in_left, in_right = set(left), set(right)
    found: list[str] = []
    place = 0
    upcoming = [step for step in right if step in in_left]
    for step in right:
        while place < len(left) and not (upcoming and left[place] == upcoming[0]):
            if left[place] not in in_right:
                found.append(left[place])
            place += 1
        if upcoming and step == upcoming[0]:
            upcoming.pop(0)
            place += place < len(left) and left[place] == step
        found.append(step)
    return found + [step for step in left[place:] if step not in in_right]


def without(schema: Schema, value: Any, fields: FieldSet) -> Any:
    """The value less the fields of a set and everything inside them; a container left with nothing becomes null."""
    found = parts(schema, value)
    if found is None or not fields:
        return value
    inside: dict[str, set[Path]] = {}
    for path in fields:
        inside.setdefault(path[0], set()).add(path[1:])
    kept = {}
    for step, part in found.items():
        deeper = inside.get(step, set())
        if () in deeper:
            continue
        kept[step] = without(part.schema, part.value, frozenset(deeper))
    return _put_together(value, kept) if kept or not found else None


def _put_together(like: Any, found: dict[str, Any]) -> Any:
    return list(found.values()) if isinstance(like, list) else {step[2:]: inside for step, inside in found.items()}


def with_named(schema: Schema, fields: FieldSet) -> FieldSet:
    """The set and the named fields of objects on the way to its members, though nobody listed them."""
    found = set(fields)
    for path in fields:
        at = schema
        for depth, step in enumerate(path[:-1]):
            if not step.startswith("f:"):
                at = at.items or DEDUCED
                continue
            if step[2:] in at.fields:
                found.add(path[: depth + 1])
            at = child(at, step[2:])
    return frozenset(found)
