"""What a *user* wrote, checked against the schema: every mistake with its path, the value and the remedy.

The API server drops an unknown field silently (before 1.25) and knows nothing of spelling. A chaos tool must not:
``PODS_AFECTED`` or ``engineSate`` would change who is hit.
"""

import difflib
from typing import Any

import msgspec

from . import schema
from .engine import ChaosEngine
from .meta import API_VERSION

_JSON_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}


# What the API server knows in an object's metadata (ObjectMeta of meta/v1).
_METADATA = (
    "name",
    "namespace",
    "generateName",
    "labels",
    "annotations",
    "finalizers",
    "ownerReferences",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "managedFields",
    "selfLink",
    "version",  # not Kubernetes', but in every chart of 1.10; the API server drops it
)


def mistakes(kind: type[msgspec.Struct], manifest: object) -> list[str]:
    """One sentence per mistake in ``manifest``; empty if it is a valid ``kind``."""
    if not isinstance(manifest, dict):
        return [f"the manifest: {manifest!r} must be an object"]
    if manifest.get("kind", kind.__name__) != kind.__name__:
        return [f"kind: {manifest['kind']!r} must be {kind.__name__}"]
    return _check(schema.of(kind), manifest, "")


def engine_mistakes(manifest: dict[str, Any]) -> list[str]:
    """One sentence per mistake in the manifest of an engine that somebody wants to run: it has to have a name, too."""
    if manifest.get("apiVersion") is None:
        return [f"apiVersion: missing; write {API_VERSION}"]
    if manifest["apiVersion"] != API_VERSION:
        return [f"apiVersion: {manifest['apiVersion']!r} must be {API_VERSION}"]
    found = mistakes(ChaosEngine, manifest)
    metadata = manifest.get("metadata")
    if not (isinstance(metadata, dict) and metadata.get("name")):
        found.append("metadata.name: missing; name the engine")
    return found


def closest(word: str, known: list[str]) -> str:
    """'; did you mean …?' when a known word is near, else nothing."""
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.7)
    return f"; did you mean {near[0]}?" if near else ""


def _check(rule: schema.Schema, value: object, path: str) -> list[str]:
    where = path or "the manifest"
    if value is None:
        return []  # the API server prunes nulls of optional fields
    if rule.get("x-kubernetes-int-or-string"):
        if isinstance(value, bool) or not isinstance(value, int | str):
            return [f"{where}: {value!r} is neither a whole number nor text"]
        return []
    wanted = rule.get("type")
    if wanted and (not isinstance(value, _JSON_TYPES[wanted]) or (isinstance(value, bool) and wanted != "boolean")):
        return [f"{where}: {value!r} must be {_article(wanted)}{_quote_hint(wanted, value)}"]
    if isinstance(value, dict):
        return _check_object(rule, value, path)
    if isinstance(value, list):
        return _check_list(rule, value, path)
    if "enum" in rule and value not in rule["enum"]:
        allowed = [word for word in rule["enum"] if word]
        return [f"{where}: {value!r} is not one of {', '.join(allowed)}{closest(str(value), allowed)}"]
    if isinstance(value, str) and len(value) < rule.get("minLength", 0):
        return [f"{where}: must not be empty"]
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return [f"{where}: {value} is too large a number"]
    if isinstance(value, int) and value < rule.get("minimum", value):
        return [f"{where}: {value} is below {rule['minimum']}"]
    return []


def _check_list(rule: schema.Schema, value: list[Any], path: str) -> list[str]:
    if len(value) < rule.get("minItems", 0):
        return [f"{path}: at least {rule['minItems']} entry is needed"]
    if None in value:
        return [f"{path}[{value.index(None)}]: null is no entry of a list; remove it"]
    items = rule.get("items", {})
    return [m for i, item in enumerate(value) for m in _check(items, item, f"{path}[{i}]")]


def _check_object(rule: schema.Schema, value: dict[str, Any], path: str) -> list[str]:
    if path == "metadata":
        unknown = [name for name in value if name not in _METADATA]
        return [f"metadata.{name}: unknown field{closest(name, list(_METADATA))}" for name in unknown]
    if rule.get("x-kubernetes-preserve-unknown-fields"):
        return []
    required = rule.get("required", ())
    found = [f"{path or 'the manifest'}: {name} is missing" for name in required if value.get(name) is None]
    known: dict[str, schema.Schema] = rule.get("properties", {})
    for name, inner in value.items():
        below = f"{path}.{name}" if path else name
        if name in known:
            found += _check(known[name], inner, below)
        elif "additionalProperties" in rule:
            found += _check(rule["additionalProperties"], inner, below)
        else:
            found.append(f"{below}: unknown field{closest(name, list(known))}")
    return found


def _article(wanted: str) -> str:
    return {"object": "an object", "array": "a list", "integer": "a whole number", "string": "text"}.get(
        wanted, f"a {wanted}"
    )


def _quote_hint(wanted: str, value: object) -> str:
    if wanted == "string" and isinstance(value, bool | int | float):
        text = str(value).lower() if isinstance(value, bool) else str(value)
        return f"; write it in quotes: '{text}'"
    return ""
