"""The formats of strings that an API server checks; an unknown format says nothing.

Source: the documentation of CustomResourceDefinition, "Specifying a structural schema", and k8s.io/kube-openapi
validation/strfmt. The formats of numbers (int32, int64, float, double) are not checked there either.
"""

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable
from datetime import date
from urllib.parse import urlsplit

from litmus.sandbox.machinery import names

_WORD = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_HOSTNAME = re.compile(rf"{_WORD}|(?:{_WORD}\.)+[a-zA-Z]{{2,63}}")
_TIME = re.compile(r"(\d{2}):(\d{2}):(\d{2})(\.\d+)?(z|[+-]\d{2}:\d{2})", re.IGNORECASE)
_EMAIL = re.compile(r"[^\s@<>,;:\"()\[\]\\]+@[^\s@<>,;:\"()]+|[^<>]*<[^\s@<>]+@[^\s@<>]+>")
_MAC = re.compile(
    r"[0-9a-f]{2}([:-])(?:[0-9a-f]{2}\1){4,18}[0-9a-f]{2}|(?:[0-9a-f]{4}\.){2,9}[0-9a-f]{4}", re.IGNORECASE
)
_DURATION = re.compile(
    r"[-+]?(?:0|(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h)(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))*)"
)
_WORDED_DURATION = re.compile(
    r"\s*\d+\s*(?:ns|nanos?|us|micros?|ms|millis?|s|seconds?|secs?|m|minutes?|mins?|h|hours?|hrs?|d|days?|w|weeks?|wks?)",
    re.IGNORECASE,
)


def _matches(pattern: str) -> Callable[[str], bool]:
    known = re.compile(pattern, re.IGNORECASE)
    return lambda value: known.fullmatch(value) is not None


def _uuid(version: str) -> Callable[[str], bool]:
    third = f"{version}[0-9a-f]{{3}}" if version else "[0-9a-f]{4}"
    fourth = "[89ab][0-9a-f]{3}" if version in ("4", "5") else "[0-9a-f]{4}"
    return _matches(rf"[0-9a-f]{{8}}-?[0-9a-f]{{4}}-?{third}-?{fourth}-?[0-9a-f]{{12}}")


def _ip(version: int) -> Callable[[str], bool]:
    def fine(value: str) -> bool:
        try:
            return ipaddress.ip_address(value).version == version
        except ValueError:
            return False

    return fine


def _cidr(value: str) -> bool:
    try:
        ipaddress.ip_interface(value)
    except ValueError:
        return False
    return "/" in value


def _date(value: str) -> bool:
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return len(value) == 10


def _date_time(value: str) -> bool:
    time = _TIME.fullmatch(value[11:])
    fine = time is not None and int(time[1]) < 24 and int(time[2]) < 60 and int(time[3]) < 60
    return fine and value[10:11] in ("T", "t") and _date(value[:10])


def _uri(value: str) -> bool:
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return not re.search(r"[\x00-\x20\x7f]", value) and bool(parts.scheme or value.startswith("/"))


def _base64(value: str) -> bool:
    try:
        base64.b64decode(value, validate=True)
    except binascii.Error:
        return False
    return True


def _digits(value: str) -> str:
    return re.sub(r"[\s-]", "", value)


def _isbn10(value: str) -> bool:
    digits = _digits(value)
    if not re.fullmatch(r"\d{9}[\dXx]", digits):
        return False
    return sum((10 - at) * (10 if sign in "Xx" else int(sign)) for at, sign in enumerate(digits)) % 11 == 0


def _isbn13(value: str) -> bool:
    digits = _digits(value)
    return (
        bool(re.fullmatch(r"\d{13}", digits))
        and sum((3 if at % 2 else 1) * int(sign) for at, sign in enumerate(digits)) % 10 == 0
    )


def _credit_card(value: str) -> bool:
    digits = _digits(value)
    if not re.fullmatch(r"\d{13,19}", digits):
        return False
    doubled = [int(sign) * (2 if at % 2 else 1) for at, sign in enumerate(reversed(digits))]
    return sum(number - 9 if number > 9 else number for number in doubled) % 10 == 0


_KNOWN: dict[str, Callable[[str], bool]] = {
    "bsonobjectid": _matches("[0-9a-f]{24}"),
    "byte": _base64,
    "cidr": _cidr,
    "creditcard": _credit_card,
    "date": _date,
    "date-time": _date_time,
    "datetime": _date_time,
    "duration": lambda value: bool(_DURATION.fullmatch(value) or _WORDED_DURATION.fullmatch(value)),
    "email": lambda value: _EMAIL.fullmatch(value) is not None,
    "hexcolor": _matches("#?([0-9a-f]{3}|[0-9a-f]{6})"),
    "hostname": lambda value: len(value) <= 255 and _HOSTNAME.fullmatch(value) is not None,
    "ipv4": _ip(4),
    "ipv6": _ip(6),
    "isbn": lambda value: _isbn10(value) or _isbn13(value),
    "isbn10": _isbn10,
    "isbn13": _isbn13,
    "k8s-long-name": lambda value: not names.subdomain(value),
    "k8s-short-name": lambda value: not names.label(value),
    "mac": lambda value: _MAC.fullmatch(value) is not None,
    "rgbcolor": _matches(r"rgb\((\s*(\d{1,2}|1\d\d|2[0-4]\d|25[0-5])\s*,){2}\s*(\d{1,2}|1\d\d|2[0-4]\d|25[0-5])\s*\)"),
    "ssn": _matches(r"\d{3}[- ]?\d{2}[- ]?\d{4}"),
    "uri": _uri,
    "uuid": _uuid(""),
    "uuid3": _uuid("3"),
    "uuid4": _uuid("4"),
    "uuid5": _uuid("5"),
}


def fits(form: str, value: str) -> bool:
    """Whether a string has a format; any string has one that is not known."""
    known = _KNOWN.get(form)
    return known is None or known(value)
