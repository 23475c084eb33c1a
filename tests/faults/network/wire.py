"""Two network namespaces joined by a wire: the target of a fault, and its peer. Needs root.

They belong to processes that end with the test, so nothing stays when it is killed. Sockets keep the namespace that
they were made in, so one thread can be on both sides.
"""

import contextlib
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass

from litmus.faults import namespaces

ADDRESSES = {
    4: {"target": "10.99.0.1", "peer": "10.99.0.2", "other": "10.99.0.3"},
    6: {"target": "fd99::1", "peer": "fd99::2", "other": "fd99::3"},
}
_LENGTHS = {4: 24, 6: 64}
ETH_P_ALL = 3
PATIENCE_S = 20.0


@dataclass(frozen=True)
class End:
    """One end of the wire, known by a process that is in it."""

    pid: int

    @contextlib.contextmanager
    def inside(self) -> Iterator[None]:
        with namespaces.network_of(self.pid):
            yield

    def run(self, *words: str, check: bool = True) -> str:
        with self.inside():
            done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0 or not check, f"{words}: {done.stderr}"
        return done.stdout

    def make(self, family: int, kind: int, protocol: int = 0) -> socket.socket:
        with self.inside():
            made = socket.socket({4: socket.AF_INET, 6: socket.AF_INET6}[family], kind, protocol)
        made.settimeout(PATIENCE_S)
        return made

    def bound(self, family: int, kind: int, host: str, port: int = 0) -> socket.socket:
        made = self.make(family, kind)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        made.bind((ADDRESSES[family][host], port))
        return made

    def tap(self) -> socket.socket:
        """Everything that arrives at or leaves this end, as frames without their Ethernet header."""
        with self.inside():
            made = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
            made.bind(("eth0", ETH_P_ALL))
        made.settimeout(PATIENCE_S)
        return made

    def statistic(self, group: str, name: str) -> int:
        """A counter of /proc/net/snmp or, for IPv6, /proc/net/snmp6."""
        if group.endswith("6"):
            lines = self.run("cat", "/proc/thread-self/net/snmp6").splitlines()
            return next(int(line.split()[1]) for line in lines if line.split()[0] == f"{group}{name}")
        rows = [
            line for line in self.run("cat", "/proc/thread-self/net/snmp").splitlines() if line.startswith(f"{group}:")
        ]
        return int(rows[1].split()[rows[0].split().index(name)])


@dataclass(frozen=True)
class Wire:
    target: End
    peer: End


@contextlib.contextmanager
def laid() -> Iterator[Wire]:
    """A wire with addresses of both families at both ends, and a second pair of addresses at the peer's."""
    with contextlib.ExitStack() as stack:
        target, peer = (stack.enter_context(_namespace()) for _ in range(2))
        target.run("ip", "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", str(peer.pid))
        for end, names in ((target, ("target",)), (peer, ("peer", "other"))):
            for link in ("lo", "eth0"):
                end.run("ip", "link", "set", link, "up")
            for family, length in _LENGTHS.items():
                for name in names:
                    nodad = ["nodad"] if family == 6 else []
                    address = f"{ADDRESSES[family][name]}/{length}"
                    end.run("ip", "address", "add", address, "dev", "eth0", *nodad)
        for end in (target, peer):
            _await_carrier(end)
        yield Wire(target, peer)


def _await_carrier(end: End) -> None:
    """The kernel tells of it a moment after both ends are up, at the next turn of its own."""
    give_up = time.monotonic() + PATIENCE_S
    while "state UP" not in end.run("ip", "-o", "link", "show", "eth0"):
        assert time.monotonic() < give_up, "the wire has no carrier"
        time.sleep(0.005)


@contextlib.contextmanager
def _namespace() -> Iterator[End]:
    """``cat`` holds it, and ends when its standard input does."""
    script = ["unshare", "--net", "sh", "-c", "echo ready; exec cat"]
    with subprocess.Popen(script, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdin
        assert holder.stdout
        assert holder.stdout.readline() == b"ready\n"
        yield End(holder.pid)
        holder.stdin.close()
