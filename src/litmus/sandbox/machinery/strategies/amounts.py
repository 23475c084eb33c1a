"""Quantities inside objects: read, and written back in their canonical form.

A text that is no quantity does not get as far as validation on a real server: it cannot be decoded, which is a 400.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from litmus.sandbox.machinery import quantity, status
from litmus.sandbox.machinery.objects import Obj


@contextmanager
def decoding(obj: Obj) -> Iterator[None]:
    """Turns a malformed quantity into the refusal (400) of the object that holds it."""
    try:
        yield
    except quantity.Malformed as malformed:
        kind = obj.get("kind", "")
        said = f'{kind} in version "{obj.get("apiVersion", "")}" cannot be handled as a {kind}: {malformed}'
        raise status.bad_request(said) from malformed


def resource_list(amounts: Obj | None) -> None:
    """A ResourceList: every amount canonical and rounded up to thousandths. Raises quantity.Malformed."""
    for name, value in (amounts or {}).items():
        amounts[name] = str(quantity.of(value).rounded_to_milli())  # type: ignore[index]


def canonical(holder: Obj, *names: str) -> None:
    """The named fields, where they are given. Raises quantity.Malformed."""
    for name in names:
        if name in holder:
            holder[name] = quantity.canonical(holder[name])
