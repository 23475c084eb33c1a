"""Amounts of resources inside objects."""

from litmus.sandbox.machinery import quantity
from litmus.sandbox.machinery.objects import Obj


def resource_list(amounts: Obj | None) -> None:
    """A ResourceList holds nothing finer than thousandths: more is rounded up. Raises quantity.Malformed."""
    for name, value in (amounts or {}).items():
        amounts[name] = str(quantity.of(value).rounded_to_milli())  # type: ignore[index]
