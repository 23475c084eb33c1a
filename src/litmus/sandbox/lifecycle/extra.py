"""Whether the packages of the extra [sandbox] are there: found out without importing any of them."""

import importlib.util

from .errors import MissingExtra

MODULES = ("cronsim", "cryptography", "httptools", "jsonpatch", "jwt", "starlette", "uvicorn", "websockets")


def expect() -> None:
    """Raises MissingExtra when one is not there."""
    missing = [name for name in MODULES if importlib.util.find_spec(name) is None]
    if missing:
        raise MissingExtra(
            f"the sandbox needs packages that are not installed ({', '.join(missing)}); "
            "run: pip install 'litmus-py[sandbox]'"
        )
