"""Amounts of resources as Kubernetes writes them: ``500m``, ``1Gi``, ``1e3`` (API reference, "Quantity")."""

import math
import re
from decimal import Decimal

_FORM = re.compile(r"([+-]?[0-9.]+)(?:([eE][+-]?[0-9]+)|([numkMGTPE]|[KMGTPE]i)?)", re.ASCII)
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = ("Ki", "Mi", "Gi", "Ti", "Pi", "Ei")


def whole(text: str) -> int:
    """The amount in whole units - bytes, pieces -, rounded up as Kubernetes does. Raises ValueError."""
    found = _FORM.fullmatch(text.strip())
    if not found or found.group(1).count(".") > 1 or not any(letter.isdigit() for letter in found.group(1)):
        raise ValueError(f"{text!r} is no quantity, such as 500Mi or 2Gi")
    number, exponent, suffix = Decimal(found.group(1)), found.group(2), found.group(3) or ""
    if exponent:
        factor = Decimal(f"1{exponent}")
    elif suffix in _BINARY:
        factor = Decimal(1024) ** (1 + _BINARY.index(suffix))
    else:
        factor = Decimal(10) ** _DECIMAL[suffix]
    return math.ceil(number * factor)
