"""Which peers are meant: addresses, networks and host names, the names as the target itself would understand them."""

import ipaddress
import socket
from collections.abc import Iterable, Sequence
from pathlib import Path

from .. import processes
from ..contract import FaultError
from .engine import Match

EVERYWHERE = ("0.0.0.0/0", "::/0")


def network(text: str) -> str:
    """An address or a CIDR in its plain form, '' if it is neither. Bits beyond the prefix are cleared."""
    try:
        return str(ipaddress.ip_network(text.strip(), strict=False))
    except ValueError:
        return ""


def matches(destinations: Sequence[str], *, ports: Sequence[int], pid: int) -> tuple[Match, ...]:
    """All networks, each once and in a stable order; none: every peer. Raises FaultError for an unknown host."""
    found = {network(text) or text for text in destinations}
    networks = {text for text in found if network(text)}
    for name in found - networks:
        networks |= set(resolve(name, pid=pid))
    if not networks and ports:
        networks = set(EVERYWHERE)
    parsed = sorted(
        (ipaddress.ip_network(text) for text in networks),
        key=lambda net: (net.version, int(net.network_address), net.prefixlen),
    )
    wanted = tuple(sorted(set(ports)))
    return tuple(Match(family=net.version, network=str(net), ports=wanted) for net in parsed)


def resolve(name: str, *, pid: int, proc: Path | None = None) -> list[str]:
    """Addresses as networks of one: from the target's own hosts file, else by DNS along its search list.

    The question is asked from our own network: the target's may be the one that is impaired.
    """
    etc = (proc or processes.PROC) / str(pid) / "root" / "etc"
    found = _in_hosts(name, _lines(etc / "hosts")) or _ask(_candidates(name, _lines(etc / "resolv.conf")))
    if not found:
        raise FaultError(f"host {name!r} can't be resolved to an address; check the name")
    return sorted({network(address) for address in found})


def _in_hosts(name: str, lines: Iterable[list[str]]) -> list[str]:
    """hosts(5)."""
    return [words[0] for words in lines if name in words[1:] and network(words[0])]


def _candidates(name: str, lines: Iterable[list[str]]) -> list[str]:
    """The full names to ask for, in the order of resolv.conf(5): a short name goes through the search list first."""
    if name.endswith("."):
        return [name]
    search: list[str] = []
    dots = 1
    for words in lines:
        if words[0] == "search":
            search = words[1:]
        if words[0] == "options":
            dots = next((int(w[6:]) for w in words if w.startswith("ndots:") and w[6:].isdecimal()), dots)
    longer = [f"{name}.{domain.rstrip('.')}." for domain in search]
    full = [f"{name}."]
    return full + longer if name.count(".") >= dots else longer + full


def _ask(names: Iterable[str]) -> list[str]:
    for name in names:
        try:
            answers = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
        except OSError:
            continue
        return [str(answer[4][0]).partition("%")[0] for answer in answers]
    return []


def _lines(file: Path) -> list[list[str]]:
    """The words of each line, without comments; nothing where there is no such file."""
    try:
        text = file.read_text(errors="replace")
    except OSError:
        return []
    split = (line.partition("#")[0].split() for line in text.splitlines())
    return [words for words in split if words]
