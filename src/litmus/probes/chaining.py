"""What one probe saw, used in a later one: ``{{ .NAME.ProbeArtifacts.Register }}`` in its inputs, as in the original.

A name with a dash is reached by ``{{ (index . "my-probe").ProbeArtifacts.Register }}``, as Go's templates want it, and
without ``index`` too, because that is how people write it. Nothing else of Go's templates is understood: an expression
that has nothing to do with probes is left as it is, for it belongs to the command (``kubectl -o go-template=…``). Only
the inputs are looked at, and of them not the comparators, which are checked before the run.

A value is filled in as it is. In a command of the shell, whatever the earlier probe printed is read by that shell.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar

import msgspec

from litmus import api
from litmus.api import strict
from litmus.api.probe import Comparator

from .contract import ProbeError

S = TypeVar("S", bound=msgspec.Struct)

INPUTS = ("k8s", "http", "cmd", "prom", "traffic")

_EXPRESSION = re.compile(r"\{\{-?(.*?)-?\}\}", re.DOTALL)
_NAME = r"[^\s.\"'(){}]+"
_REGISTER = r"\s*\.ProbeArtifacts\s*\.Register"
_PLAIN = re.compile(rf"\s*\.({_NAME}){_REGISTER}\s*")
_INDEXED = re.compile(rf"\s*\(\s*index\s+\.\s+[\"`]([^\"`]+)[\"`]\s*\){_REGISTER}\s*")
_MEANT = re.compile(r"Probe\s*Artifact|\bRegister\b", re.IGNORECASE)

# When a probe has an output, and when it needs those of others: before the chaos, during it, after it.
_GIVES = {"SOT": 0, "Edge": 0, "Continuous": 1, "OnChaos": 1, "EOT": 2}
_NEEDS = {"SOT": 0, "Edge": 0, "Continuous": 0, "OnChaos": 1, "EOT": 2}
_LASTING = ("Continuous", "OnChaos")


def filled(probe: api.Probe, outputs: Mapping[str, str]) -> api.Probe:
    """The probe with what earlier ones saw in it. Raises ProbeError for one that has not seen anything."""

    def fill(text: str) -> str:
        return _EXPRESSION.sub(lambda found: _value(found, outputs), text)

    changes = {name: _mapped(given, fill) for name in INPUTS if (given := getattr(probe, name)) is not None}
    return msgspec.structs.replace(probe, data=fill(probe.data) if probe.data else probe.data, **changes)


def mistakes(probes: Sequence[api.Probe], *, path: str) -> Iterator[str]:
    """One sentence for every expression that names no probe whose output is there when it is needed."""
    for place, probe in enumerate(probes):
        for field, text in _texts(probe):
            where = f"{path}[{place}].{field}"
            for found in _EXPRESSION.finditer(text):
                try:
                    name = _name(found)
                except ProbeError as error:
                    yield f"{where}: {error}"
                    continue
                if name is not None:
                    yield from (f"{where}: {found[0]} {why}" for why in _unusable(name, place, probes))


def _unusable(name: str, place: int, probes: Sequence[api.Probe]) -> Iterator[str]:
    user = probes[place]
    source = next(((at, probe) for at, probe in enumerate(probes) if probe.name == name), None)
    if source is None:
        others = [probe.name for probe in probes if probe is not user]
        yield f"names no probe of this experiment{strict.closest(name, others)}"
        return
    at, given = source
    ready, needed = _GIVES[given.mode], _NEEDS[user.mode]
    if ready > needed or (ready == needed and given.mode in _LASTING):
        yield f"is not there yet: {name} runs in mode {given.mode}, and {user.name} in mode {user.mode}"
    elif ready == needed and at >= place:
        yield f"is not there yet: list {name} before {user.name}"


def _value(found: re.Match[str], outputs: Mapping[str, str]) -> str:
    name = _name(found)
    if name is None:
        return found[0]
    if name not in outputs:
        raise ProbeError(f"{found[0]}: the probe {name} has no output yet")
    return outputs[name]


def _name(found: re.Match[str]) -> str | None:
    """The probe that an expression names, None if it is not about probes. Raises ProbeError if it is, and wrong."""
    inner = found[1]
    known = _PLAIN.fullmatch(inner) or _INDEXED.fullmatch(inner)
    if known:
        return known[1]
    if _MEANT.search(inner):
        raise ProbeError(
            f"{found[0]} can't be read; the output of a probe is {{{{ .NAME.ProbeArtifacts.Register }}}}, "
            'or {{ (index . "NAME").ProbeArtifacts.Register }}'
        )
    return None


def _texts(probe: api.Probe) -> Iterator[tuple[str, str]]:
    """Every text of the inputs that may have an expression in it, by the path of its field."""
    found: list[tuple[str, str]] = [("data", probe.data or "")]
    for name in INPUTS:
        given = getattr(probe, name)
        if given is not None:
            key = next(f.encode_name for f in msgspec.structs.fields(probe) if f.name == name)
            found += _fields(given, key)
    return iter(found)


def _fields(given: object, path: str) -> list[tuple[str, str]]:
    if isinstance(given, str):
        return [(path, given)]
    if not isinstance(given, msgspec.Struct) or isinstance(given, Comparator):
        return []
    return [
        text
        for field in msgspec.structs.fields(given)
        for text in _fields(getattr(given, field.name), f"{path}.{field.encode_name}")
    ]


def _mapped(given: S, fill: Callable[[str], str]) -> S:
    changes: dict[str, object] = {}
    for field in msgspec.structs.fields(given):
        value = getattr(given, field.name)
        if isinstance(value, str):
            changes[field.name] = fill(value)
        elif isinstance(value, msgspec.Struct) and not isinstance(value, Comparator):
            changes[field.name] = _mapped(value, fill)
    return msgspec.structs.replace(given, **changes)
