"""The kinds of failure: one word out of a set that is the same for all probes and that no application can make grow.

They are what failures are counted by (``status.impact``), and what tells an application that refuses from one that
hangs; the sentence beside them is for people. docs/probes.md has the same table.
"""

import errno
from collections.abc import Mapping

KINDS: Mapping[str, str] = {
    "timeout": "no answer in time",
    "dns": "the name can't be resolved",
    "refused": "the connection was refused",
    "unreachable": "no way to the host",
    "reset": "the connection was closed before the answer was complete",
    "tls": "no trusted or no encrypted connection",
    "proxy": "the proxy of the environment failed",
    "network": "another failure of the network",
    "protocol": "the answer is not of the protocol that was asked",
    "http-100 … http-599": "an HTTP code that was not expected",
    "wrong-body": "the body is not as expected",
    "slow": "the answer took longer than expected",
    "not-serving": "gRPC health: another status than SERVING",
    "no-health-service": "gRPC health: the server or the service has none",
    "exit-status": "the command ended with another status than 0",
    "wrong-output": "the output of the command is not as expected",
    "no-data": "Prometheus has no value",
    "not-a-number": "the value is NaN",
    "wrong-value": "the value is not as expected",
    "absent": "an object that should be there is not",
    "present": "an object is there that should not be",
    "exists": "an object that should be created was there already",
    "failed": "a failure that has no kind",
    "other": "a kind too many for one probe",
}
_CODES = range(100, 600)

UNREACHABLE = (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN)
# What is short is ours, not the application's.
_OURS = {
    errno.EMFILE: "this process may open too few files",
    errno.ENFILE: "this node has too many open files",
    errno.EADDRNOTAVAIL: "this node has no port left for a connection",
    errno.ENOBUFS: "this node has no memory left for a connection",
    errno.ENOMEM: "this node has no memory left for a connection",
}


def of_code(code: int) -> str:
    """The kind of an answer of HTTP whose code was not expected; a code that HTTP does not have breaks the protocol."""
    return f"http-{code}" if code in _CODES else "protocol"


def known(kind: str) -> bool:
    """Whether it is one of the set."""
    number = kind.removeprefix("http-")
    return kind in KINDS or (number != kind and number.isdecimal() and of_code(int(number)) == kind)


def shortage(error: BaseException) -> str:
    """Why a failure of the network is one of our own, which says nothing of the application; '' if it is not."""
    return _OURS.get(error.errno or 0, "") if isinstance(error, OSError) else ""
