"""The lines that ``tc -batch`` is given, and nothing else: a pure function of what is asked (tc(8), tc-netem(8)).

With matches, a ``prio`` qdisc of two bands is at the root. Its priomap sends everything into the first band, whatever
its TOS says, so that only what a filter matched is ever in the second band, where netem is. Without matches netem is
at the root itself.
"""

import zlib
from collections.abc import Collection, Iterator, Sequence

from . import correlation
from .engine import Impairment, Match, Scope

# Packets that netem may hold. Its own default of 1000 would turn a long delay into loss.
LIMIT = 25_000
# What a band without a queue of somebody's own may hold; the same as the default of an interface.
_PLAIN = "pfifo limit 1000"
_TCP_AND_UDP = (6, 17)
# Filters of the same preference must be of one protocol; a rescoping uses the other pair meanwhile.
PREFERENCES = ((1, 2), (3, 4))


def handle(fault_id: str) -> str:
    """The number under which our root qdisc is found again: c000 to cfff, which tc itself never hands out."""
    return f"{0xC000 | (zlib.crc32(fault_id.encode()) & 0xFFF):x}"


def link_name(fault_id: str) -> str:
    """The ifb device of a fault; names of interfaces have at most 15 characters."""
    return f"lit{zlib.crc32(fault_id.encode()):08x}"


def netem(impairment: Impairment) -> str:
    """The options of netem, in the order of its manual page, with shares as ``correlation`` has them."""
    words = [f"limit {LIMIT}"]
    near = f" {impairment.correlation:g}%" if impairment.correlation else ""
    if impairment.delay_ms or impairment.jitter_ms:
        # tc takes a correlation of delays only after a jitter.
        jitter = f" {impairment.jitter_ms:g}ms{near}" if impairment.jitter_ms else ""
        words.append(f"delay {impairment.delay_ms:g}ms{jitter}")
    for word, share in (
        ("loss random", impairment.loss),
        ("corrupt", impairment.corruption),
        ("duplicate", impairment.duplication),
        ("reorder", impairment.reordering),
    ):
        if share:
            words.append(f"{word} {correlation.threshold(share, impairment.correlation):.6g}%{near}")
    if impairment.rate_kbit:
        words.append(f"rate {impairment.rate_kbit:g}kbit")
    return " ".join(words)


def impair(device: str, impairment: Impairment, *, own: str, keep: str = "", filters: Sequence[str] = ()) -> list[str]:
    """Puts the impairment on what leaves through ``device``.

    ``own``: the handle of the root; ``keep``: a qdisc that was there and stays in force, as words of tc.
    """
    if not filters:
        child = [f"qdisc add dev {device} parent {own}:1 {keep}"] if keep else []
        return [f"qdisc replace dev {device} root handle {own}: netem {netem(impairment)}", *child]
    bands = " ".join("0" * 16)
    return [
        f"qdisc replace dev {device} root handle {own}: prio bands 2 priomap {bands}",
        f"qdisc add dev {device} parent {own}:1 {keep or _PLAIN}",
        f"qdisc add dev {device} parent {own}:2 netem {netem(impairment)}",
        *(f"filter add dev {device} {line}" for line in filters),
    ]


def filters(matches: Sequence[Match], *, own: str, incoming: bool, generation: int = 0) -> list[str]:
    """One line a filter, without the device. ``incoming``: the peer is the source of the packets that are seen."""
    return [line for match in matches for line in _filter(match, own=own, incoming=incoming, generation=generation)]


def forget(device: str, *, own: str, generation: int, families: Collection[int]) -> list[str]:
    """Removes the filters of an earlier scope, which had matches of these families."""
    v4, v6 = PREFERENCES[generation % 2]
    return [
        f"filter del dev {device} parent {own}: protocol {protocol} pref {preference}"
        for family, protocol, preference in ((4, "ip", v4), (6, "ipv6", v6))
        if family in families
    ]


def redirect(device: str, to: str) -> list[str]:
    """Sends everything that arrives at ``device`` through ``to`` first, where it can be queued (tc-mirred(8))."""
    return [
        f"qdisc add dev {device} handle ffff: ingress",
        f"filter add dev {device} parent ffff: protocol all pref 1 u32 match u32 0 0"
        f" action mirred egress redirect dev {to}",
    ]


def passes(scope: Scope) -> int:
    """How often a packet and its answer together run through the impairment."""
    return int(scope.egress) + int(scope.ingress)


def _filter(match: Match, *, own: str, incoming: bool, generation: int) -> Iterator[str]:
    version, protocol = ("ip", "ip") if match.family == 4 else ("ip6", "ipv6")
    preference = PREFERENCES[generation % 2][0 if match.family == 4 else 1]
    side = "src" if incoming else "dst"
    start = f"parent {own}: protocol {protocol} pref {preference} u32 match {version} {side} {match.network}"
    if not match.ports:
        yield f"{start} flowid {own}:2"
    for port in match.ports:
        # Other protocols have something else where TCP and UDP have their ports: type and code of an ICMP message.
        for number in _TCP_AND_UDP:
            for word in ("dport", "sport"):
                yield (
                    f"{start} match {version} protocol {number} 0xff"
                    f" match {version} {word} {port} 0xffff flowid {own}:2"
                )
