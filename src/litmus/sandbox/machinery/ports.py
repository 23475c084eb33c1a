"""Where a port below 1024 is found: itself where this process may bind it, else ``OFFSET`` higher.

On Linux a port below ``net.ipv4.ip_unprivileged_port_start`` takes CAP_NET_BIND_SERVICE (ip(7), capabilities(7)). The
node, the service proxy and port-forward must agree about the answer, so it depends on nothing but this machine and
user.
"""

import functools
from pathlib import Path

OFFSET = 20_000
_CAP_NET_BIND_SERVICE = 10
_LOWEST = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")
_STATUS = Path("/proc/self/status")


def reachable(port: int) -> int:
    """The port to listen on, and to connect to, for what a manifest calls ``port``."""
    return port if port >= lowest_free() else port + OFFSET


@functools.cache
def lowest_free() -> int:
    """The lowest port that this user may bind."""
    try:
        effective = next(line for line in _STATUS.read_text().splitlines() if line.startswith("CapEff:"))
        if int(effective.split()[1], 16) >> _CAP_NET_BIND_SERVICE & 1:
            return 0
        return int(_LOWEST.read_text())
    except (OSError, StopIteration, ValueError):
        return 1024
