"""The signature of a webhook's request: HMAC-SHA256 over the time of the attempt and the body.

    Litmus-Timestamp: 1767225600
    Litmus-Signature: v1=<hexadecimal HMAC-SHA256 of "1767225600." followed by the body, with the shared key>

The time is signed with the body, so that who records a request can't send it again later. Receivers that are written
in Python may call ``verify``; docs/windows.md has the recipe for others.
"""

import hashlib
import hmac

TIMESTAMP = "Litmus-Timestamp"
SIGNATURE = "Litmus-Signature"
TOLERANCE_S = 300
_VERSION = "v1="


def headers(key: bytes, body: bytes, *, at: int) -> dict[str, str]:
    """The two headers of a request that is sent at ``at``, in whole seconds of UNIX time."""
    return {TIMESTAMP: str(at), SIGNATURE: _VERSION + _mac(key, body, str(at))}


def verify(key: bytes, body: bytes, *, timestamp: str, signature: str, now: float) -> bool:
    """Whether the request was signed with ``key``, no longer than ``TOLERANCE_S`` from ``now``. In constant time."""
    given = signature.encode()  # of text, compare_digest takes ASCII alone
    genuine = hmac.compare_digest(given, (_VERSION + _mac(key, body, timestamp)).encode())
    return genuine and timestamp.isascii() and timestamp.isdigit() and abs(now - int(timestamp)) <= TOLERANCE_S


def _mac(key: bytes, body: bytes, timestamp: str) -> str:
    return hmac.new(key, timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
