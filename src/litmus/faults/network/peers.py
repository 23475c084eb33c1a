"""Whom to ask for answers to probe packets: somebody the fault is about, who answered before it."""

import ipaddress
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .. import processes
from . import links, probing
from .engine import Match, Scope
from .probing import Peer, Sample

# Where nobody said which port, what most services have.
_USUAL_PORTS = (443, 80)
_MOST = 10
_FIRST_LOOK_S = 0.3
_ESTABLISHED = "01"


@dataclass(frozen=True, slots=True)
class Acquaintance:
    """A peer, and how it answered without the fault. ``before`` is None where it did not: then only counters tell."""

    peer: Peer
    before: Sample | None


def find(scope: Scope, *, pid: int) -> Acquaintance | None:
    """The first of the possible peers that answers; else the first of them; None where there is none to ask at all.

    To be called in the target's network namespace.
    """
    tried = list(dict.fromkeys(candidates(scope, pid=pid)))[:_MOST]
    for peer in tried:
        if probing.probe(peer, count=3, window_s=_FIRST_LOOK_S).answered >= 2:
            return Acquaintance(peer, probing.probe(peer, count=10, window_s=_FIRST_LOOK_S))
    return Acquaintance(tried[0], None) if tried else None


def candidates(scope: Scope, *, pid: int) -> Iterator[Peer]:
    """Named addresses first, then those that the target's network and the target itself know."""
    known = [*links.gateways(scope.interface), *_connected(pid), *(peer.address for peer in _cluster(pid))]
    if not scope.matches:
        yield from (Peer(address) for address in known)
        yield from _cluster(pid)
        return
    for match in scope.matches:
        inside = [address for address in known if _contains(match, address)]
        net = ipaddress.ip_network(match.network)
        # The address of a network itself is a host's only where it has no others.
        first = net.network_address + (0 if net.num_addresses <= 2 else 1)
        addresses = list(dict.fromkeys([*inside, *([str(first)] if net.prefixlen >= 8 else [])]))
        for address in addresses:
            yield from _ways(address, match.ports)


def _ways(address: str, ports: Sequence[int]) -> Iterator[Peer]:
    """Ports that are filtered for can only be proven on those ports."""
    if not ports:
        yield Peer(address)
    yield from (Peer(address, port) for port in (ports or _USUAL_PORTS))


def _contains(match: Match, address: str) -> bool:
    parsed = ipaddress.ip_address(address)
    return parsed.version == match.family and parsed in ipaddress.ip_network(match.network)


def _cluster(pid: int) -> list[Peer]:
    """What a pod is told about: its name servers, and the API server (its environment, and resolv.conf)."""
    found = []
    try:
        for line in (processes.PROC / str(pid) / "root/etc/resolv.conf").read_text().splitlines():
            words = line.split()
            if words[:1] == ["nameserver"] and len(words) > 1:
                found.append(Peer(words[1].partition("%")[0], 53))
    except OSError:
        pass
    try:
        pairs = (processes.PROC / str(pid) / "environ").read_bytes().decode(errors="replace").split("\0")
        env = dict(pair.split("=", 1) for pair in pairs if "=" in pair)
        found.append(Peer(env["KUBERNETES_SERVICE_HOST"], int(env["KUBERNETES_SERVICE_PORT"])))
    except (OSError, KeyError, ValueError):
        pass
    return [peer for peer in found if _usable(peer.address)]


def _connected(pid: int) -> list[str]:
    """The other ends of the target's TCP connections (proc_pid_net(5)), which are in hexadecimal, each word swapped."""
    found: list[str] = []
    for name in ("tcp", "tcp6"):
        try:
            lines = (processes.PROC / str(pid) / "net" / name).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if fields[3] == _ESTABLISHED:
                found.append(_address(fields[2].partition(":")[0]))
    return [address for address in dict.fromkeys(found) if _usable(address)][:4]


def _address(digits: str) -> str:
    data = bytes.fromhex(digits)
    swapped = struct.pack(f"={len(data) // 4}I", *struct.unpack(f">{len(data) // 4}I", data))
    parsed = ipaddress.ip_address(swapped)
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return str(mapped or parsed)


def _usable(address: str) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return not (parsed.is_loopback or parsed.is_link_local or parsed.is_unspecified)
