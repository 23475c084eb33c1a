"""Pod templates: when two of them are the same, and the short hash that names one.

The hash uses the letters of Kubernetes' safe alphabet, so it is a valid label value and spells no word; its value
differs from Kubernetes' own, which depends on how Go prints structs.
"""

import hashlib
import json
from typing import Any

from litmus.sandbox.machinery import objects
from litmus.sandbox.machinery.objects import Obj

HASH_LABEL = "pod-template-hash"
_SAFE = str.maketrans("0123456789", "456789bcdf")


def same(one: Obj, other: Obj) -> bool:
    """Whether two templates describe the same pods, whatever hash they carry."""
    return bool(_essence(one) == _essence(other))


def digest(content: Obj, collisions: int = 0) -> str:
    """The hash of any JSON object, up to ten characters; ``collisions`` makes another one when a name is taken."""
    text = json.dumps([_pruned(content), collisions], sort_keys=True, separators=(",", ":"))
    number = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=4).digest())
    return str(number).translate(_SAFE)


def labelled(template: Obj, **labels: str) -> Obj:
    """A copy of the template with more labels; ``_`` in a name stands for ``-``."""
    copied = objects.copy(template)
    known = copied.setdefault("metadata", {}).setdefault("labels", {})
    known.update({name.replace("_", "-"): value for name, value in labels.items()})
    return copied


def _essence(template: Obj) -> Any:
    meta = template.get("metadata") or {}
    labels = {name: value for name, value in (meta.get("labels") or {}).items() if name != HASH_LABEL}
    return _pruned({**template, "metadata": {**meta, "labels": labels}})


def _pruned(value: Any) -> Any:
    """The value less what is null or empty: Kubernetes' semantic equality does not tell those from absent."""
    if isinstance(value, dict):
        kept = {name: _pruned(item) for name, item in value.items()}
        return {name: item for name, item in kept.items() if item not in (None, {}, [])}
    if isinstance(value, list):
        return [_pruned(item) for item in value]
    return value
