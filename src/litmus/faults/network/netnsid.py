"""How the network namespace of a process is called in ours (RTM_GETNSID of rtnetlink(7)).

The two ends of a veth pair know each other by such a number and an interface number. Interface numbers alone repeat
from namespace to namespace: with them, a fault would hit somebody else's interface.
"""

import os
import socket
import struct

from .. import processes

NONE = -1
# linux/rtnetlink.h, linux/net_namespace.h and linux/netlink.h
_RTM_NEWNSID, _RTM_GETNSID = 88, 90
_NETNSA_NSID, _NETNSA_FD = 1, 3
_NLM_F_REQUEST = 1
_HEAD = struct.Struct("=IHHII")
_ATTRIBUTE = struct.Struct("=HHi")
_FAMILY = bytes(4)  # struct rtgenmsg, padded


def of(pid: int) -> int:
    """The number, NONE if it has none here or the process has ended. To be called in the namespace that is meant."""
    try:
        theirs = os.open(processes.PROC / str(pid) / "ns" / "net", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return NONE
    try:
        return _ask(theirs)
    finally:
        os.close(theirs)


def _ask(namespace: int) -> int:
    body = _FAMILY + _ATTRIBUTE.pack(_ATTRIBUTE.size, _NETNSA_FD, namespace)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as link:
        link.settimeout(2.0)
        link.sendto(_HEAD.pack(_HEAD.size + len(body), _RTM_GETNSID, _NLM_F_REQUEST, 1, 0) + body, (0, 0))
        try:
            answer = link.recv(4096)
        except TimeoutError:
            return NONE
    _, kind, *_ = _HEAD.unpack_from(answer)
    at = _HEAD.size + len(_FAMILY)
    if kind != _RTM_NEWNSID or len(answer) < at + _ATTRIBUTE.size:
        return NONE
    _, name, value = _ATTRIBUTE.unpack_from(answer, at)
    return int(value) if name == _NETNSA_NSID else NONE
