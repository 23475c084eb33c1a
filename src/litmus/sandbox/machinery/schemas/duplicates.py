"""Reading a JSON body with an eye on keys that stand twice in one object, which Python's parser overlooks.

The last one wins, as in Go; the paths of the others are reported for ``fieldValidation``.
Source: the API concepts, "Field validation"; the word is ``duplicate field "spec.replicas"``.
"""

import json
from typing import Any

from litmus.sandbox.machinery import status


def parse(body: bytes | str) -> tuple[Any, list[str]]:
    """The value and the paths of repeated fields. Raises Refusal (400) for what is no JSON."""
    repeated: dict[int, tuple[dict[str, Any], list[str]]] = {}

    def collect(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            seen: set[str] = set()
            repeated[id(found)] = (found, [name for name, _ in pairs if name in seen or seen.add(name)])  # type: ignore[func-returns-value]
        return found

    try:
        value = json.loads(body, object_pairs_hook=collect)
    except ValueError as why:
        raise status.bad_request(f"the object provided is unrecognized: {why}") from why
    return value, (list(dict.fromkeys(_paths(value, "", repeated))) if repeated else [])


def _paths(value: Any, path: str, repeated: dict[int, tuple[dict[str, Any], list[str]]]) -> list[str]:
    found: list[str] = []
    if isinstance(value, dict):
        if id(value) in repeated:
            found += [f"{path}.{name}" if path else name for name in repeated[id(value)][1]]
        for name, inner in value.items():
            found += _paths(inner, f"{path}.{name}" if path else name, repeated)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            found += _paths(inner, f"{path}[{index}]", repeated)
    return found
