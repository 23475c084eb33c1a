"""A list in pages: ``limit`` and the opaque token ``continue``.

Source: the Kubernetes documentation, "Retrieving large results sets in chunks". The later pages show the objects as
they are when the page is asked for, not as they were at the first one; a token whose revision is no longer remembered
is 410.
"""

import base64
import binascii
import string

import msgspec

from . import objects, status
from .objects import Key, Obj

_ALPHABET = frozenset(string.ascii_letters + string.digits + "-_")
_OLD = (
    "The provided continue parameter is too old to display a consistent list result. "
    "You must start a new list without the continue parameter."
)


class _Token(msgspec.Struct):
    rv: int
    namespace: str
    name: str


def token(revision: int, last: Obj) -> str:
    """What the client sends to get the page after ``last``."""
    content = msgspec.json.encode(_Token(revision, objects.namespace(last), objects.name(last)))
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def start(text: str) -> tuple[int, Key]:
    """Revision and last object of the page before. Raises Refusal 400 for a token that is none of ours."""
    try:
        found = msgspec.json.decode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), type=_Token)
    except binascii.Error as error:
        strange = next((index for index, char in enumerate(text) if char not in _ALPHABET), len(text) - 1)
        said = f"illegal base64 data at input byte {strange}"
        raise status.bad_request(f"invalid continue token: continue key is not valid: {said}") from error
    except ValueError as error:
        raise status.bad_request(f"invalid continue token: continue key is not valid: {error}") from error
    return found.rv, Key(found.namespace, found.name)


def too_old() -> status.Refusal:
    """410: the token stems from a time that nobody remembers."""
    return status.expired(_OLD)
