"""The rules that lead packets into our queues: two chains of our own in the table ``mangle``, and a jump to each.

``--queue-bypass`` lets packets through when nobody listens to the queue, so rules alone do no harm. The chains are
named from the fault's id and the jumps carry it in a comment; nothing else is ever changed or removed.

Both of Debian's variants do: ``nft`` first, whose changes are atomic and which needs no lock file, else ``legacy``.
Packets of neighbour discovery are spared, as ARP is, so that IPv4 and IPv6 behave alike. See iptables-extensions(8).
"""

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from typing import Any

from .. import subprocesses
from ..contract import FaultError
from .engine import Match, Scope

VARIANTS = ("nft", "legacy")
MARK = 0x0010_0000  # packets that we send ourselves; other bits belong to others
FAMILIES = (4, 6)
_PORTS_A_RULE = 15  # of the match multiport
_NEIGHBOURS = range(133, 138)  # ICMPv6: router and neighbour discovery, redirect (RFC 4861)
_LOCK = "xtables.lock"
_WAIT = ("-w", "5")
_DIRECTIONS = {"egress": ("POSTROUTING", "-o", "-d"), "ingress": ("PREROUTING", "-i", "-s")}


def command(family: int, variant: str, what: str = "") -> str:
    """``iptables-nft-restore``, ``ip6tables-legacy``, …"""
    name = f"{'iptables' if family == 4 else 'ip6tables'}-{variant}"
    return f"{name}-{what}" if what else name


def chains(fault_id: str) -> dict[str, str]:
    """The chain of each direction; a name may have 28 characters at most."""
    digest = hashlib.sha256(fault_id.encode()).hexdigest()[:16]
    return {"egress": f"LITMUS-E-{digest}", "ingress": f"LITMUS-I-{digest}"}


def families(scope: Scope) -> tuple[int, ...]:
    """Those of the matches; both when everything is meant."""
    return tuple(sorted({match.family for match in scope.matches})) or FAMILIES


def wanted(scope: Scope, recipe: Mapping[str, Any], family: int) -> dict[str, list[str]]:
    """The rules of each of our chains, without ``-A CHAIN``. A chain without a rule lets everything through."""
    found: dict[str, list[str]] = {}
    for direction, (_, _, peer) in _DIRECTIONS.items():
        matches = [match for match in scope.matches if match.family == family]
        asked = scope.egress if direction == "egress" else scope.ingress
        if not asked or (scope.matches and not matches):
            found[direction] = []
            continue
        target = f"-j NFQUEUE --queue-num {recipe['queues'][direction]} --queue-bypass"
        found[direction] = [*_spared(family), *(f"{words}{target}" for words in _selectors(matches, peer))]
    return found


def _spared(family: int) -> Iterator[str]:
    yield f"-m mark --mark {MARK:#x}/{MARK:#x} -j RETURN"
    if family == 6:
        yield from (f"-p ipv6-icmp -m icmp6 --icmpv6-type {kind} -j RETURN" for kind in _NEIGHBOURS)


def _selectors(matches: list[Match], peer: str) -> Iterator[str]:
    if not matches:
        yield ""
    for match in matches:
        address = f"{peer} {match.network} "
        if not match.ports:
            yield address
        for at in range(0, len(match.ports), _PORTS_A_RULE):
            ports = ",".join(map(str, match.ports[at : at + _PORTS_A_RULE]))
            for protocol in ("tcp", "udp"):
                yield f"{address}-p {protocol} -m multiport --ports {ports} "


def put(scope: Scope, recipe: Mapping[str, Any], *, new: bool) -> None:
    """Fills our chains, one transaction for each family; with ``new`` also makes the jumps. Raises FaultError."""
    for family in FAMILIES:
        variant = recipe["variants"].get(str(family))
        if variant is None:
            if family in families(scope) and (scope.matches or family == 4):
                raise FaultError(f"the network namespace has no {command(family, 'nft')} with NFQUEUE")
            continue
        run(command(family, variant, "restore"), *_WAIT, "--noflush", stdin=_table(scope, recipe, family, new=new))


def _table(scope: Scope, recipe: Mapping[str, Any], family: int, *, new: bool) -> str:
    ours, lines = recipe["chains"], ["*mangle"]
    lines += [f":{chain} - [0:0]" for chain in ours.values()]  # makes the chain, or empties it
    for direction, rules in wanted(scope, recipe, family).items():
        lines += [f"-A {ours[direction]} {rule}" for rule in rules]
        if new:
            lines.append(f"-A {_jump(recipe, direction)}")
    return "\n".join([*lines, "COMMIT", ""])


def _jump(recipe: Mapping[str, Any], direction: str) -> str:
    hook, where, _ = _DIRECTIONS[direction]
    comment = f"litmus:{recipe['fault_id']}"
    return f'{hook} {where} {recipe["interface"]} -m comment --comment "{comment}" -j {recipe["chains"][direction]}'


def missing(scope: Scope, recipe: Mapping[str, Any]) -> str:
    """What is not there of what ``put`` made, '' when all is."""
    for family in FAMILIES:
        variant = recipe["variants"].get(str(family))
        if variant is None:
            continue
        there = listed(family, variant)
        for direction, rules in wanted(scope, recipe, family).items():
            chain = recipe["chains"][direction]
            if not any(
                line.startswith(f"-A {_DIRECTIONS[direction][0]} ") and line.endswith(f"-j {chain}") for line in there
            ):
                return f"the jump to chain {chain} ({command(family, variant)})"
            if sum(line.startswith(f"-A {chain} ") for line in there) != len(rules):
                return f"rules of chain {chain} ({command(family, variant)})"
    return ""


def remove(recipe: Mapping[str, Any]) -> None:
    """Our jumps, rules and chains, wherever they are found. Raises FaultError when that fails."""
    ours = set(recipe["chains"].values())
    for family, variant in _installed(recipe):
        there = listed(family, variant)
        made = [chain for chain in sorted(ours) if f"-N {chain}" in there]
        if not made:
            continue
        jumps = [f"-D{line[2:]}" for line in there if line.startswith("-A ") and line.rpartition(" -j ")[2] in ours]
        emptied = [f":{chain} - [0:0]" for chain in made]
        lines = ["*mangle", *emptied, *jumps, *(f"-X {chain}" for chain in made), "COMMIT", ""]
        run(command(family, variant, "restore"), *_WAIT, "--noflush", stdin="\n".join(lines))


def left(recipe: Mapping[str, Any]) -> list[str]:
    """Our chains that still exist."""
    ours = recipe["chains"].values()
    return [
        f"chain {chain} ({command(family, variant)})"
        for family, variant in _installed(recipe)
        for chain in ours
        if f"-N {chain}" in listed(family, variant)
    ]


def _installed(recipe: Mapping[str, Any]) -> list[tuple[int, str]]:
    return [(int(family), variant) for family, variant in recipe["variants"].items() if variant]


def listed(family: int, variant: str) -> list[str]:
    """The rules of the table, as ``-S`` prints them."""
    return run(command(family, variant), *_WAIT, "-t", "mangle", "-S").splitlines()


def queues_named(family: int, variant: str) -> set[int]:
    """The queues that rules of anybody name, whether somebody listens to them or not."""
    return {int(number) for line in listed(family, variant) for number in re.findall(r"--queue-num (\d+)", line)}


def works(family: int, variant: str) -> bool:
    """Tries a rule of ours for real, in this thread's network namespace, so call it in one that is thrown away."""
    rules = [*_spared(family), "-p tcp -m multiport --ports 1 -m comment --comment x -j NFQUEUE --queue-bypass"]
    lines = ["*mangle", ":LITMUS - [0:0]", *(f"-A LITMUS {rule}" for rule in rules), "COMMIT", ""]
    try:
        run(command(family, variant, "restore"), *_WAIT, "--noflush", stdin="\n".join(lines))
    except FaultError:
        return False
    return True


def run(*words: str, stdin: str = "") -> str:
    """Standard output of one of the programs of iptables. Raises FaultError."""
    return subprocesses.run(words, stdin=stdin, env=_environment())


def _environment() -> dict[str, str]:
    """The legacy variant wants a lock file that can be written; a helper's root file system can't be."""
    writable = next((place for place in ("/run", "/run/litmus", "/dev/shm") if os.access(place, os.W_OK)), "/run")
    path = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin"))
    return {**os.environ, "PATH": path, "XTABLES_LOCKFILE": f"{writable}/{_LOCK}"}
