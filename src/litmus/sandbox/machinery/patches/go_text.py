"""Values as Go's fmt prints them with %v: what a real server's messages about patches quote.

Source: the documentation of Go's package fmt, "Printing".
"""

from typing import Any


def shown(value: Any) -> str:
    """``map[a:1 b:[x y]]``, ``<nil>``, ``true``."""
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return f"map[{' '.join(f'{name}:{shown(value[name])}' for name in sorted(value))}]"
    if isinstance(value, list):
        return f"[{' '.join(map(shown, value))}]"
    return str(value)


def type_of(value: Any) -> str:
    """The Go type of a decoded JSON value, as %T prints it."""
    if value is None:
        return "<nil>"
    types = {bool: "bool", str: "string", int: "int64", float: "float64", dict: "map[string]interface {}"}
    return types.get(type(value), "[]interface {}")
