"""TAINTS: ``key=value:effect``, several separated by commas, as in the original (reference, 4.4)."""

import re

from litmus.kube.objects import Taint

EFFECTS = ("NoExecute", "NoSchedule", "PreferNoSchedule")
# What the original puts where a part is left out.
_VALUE = "node-taint"
_EFFECT = "NoExecute"

_WORD = r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?"
_DOMAIN = r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?"
_KEY = re.compile(rf"({_DOMAIN}/)?{_WORD}")


def read(text: str) -> tuple[Taint, ...]:
    """The taints; none for an empty text. Raises ValueError with what is allowed."""
    taints = [_one(part.strip()) for part in text.split(",") if part.strip()]
    places = [(taint.key, taint.effect) for taint in taints]
    if twice := next((place for place in places if places.count(place) > 1), None):
        raise ValueError(f"{twice[0]}:{twice[1]} is there twice, and a node has one taint of a key and effect")
    return tuple(taints)


def _one(text: str) -> Taint:
    named, colon, effect = text.partition(":")
    key, equals, value = named.partition("=")
    effect = effect if colon else _EFFECT
    if not _KEY.fullmatch(key) or (value and not re.fullmatch(_WORD, value)) or effect not in EFFECTS:
        raise ValueError(f"{text!r} must be key=value:effect with effect {' or '.join(EFFECTS)}")
    # key:effect without a value is a taint of its own kind; a bare key gets the value of the original.
    return Taint(key=key, value=value if equals or colon else _VALUE, effect=effect)
