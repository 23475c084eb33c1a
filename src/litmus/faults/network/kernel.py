"""The engine that the kernel has: netem, steered by prio and u32 filters (tc-netem(8), tc-prio(8), tc-u32(8)).

Outgoing packets pass the interface's own root qdisc. Arriving ones can't be queued where they arrive, so they are
redirected through an ``ifb`` device of ours; where the kernel has none, the host's end of the pod's veth pair does it.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from .. import namespaces, subprocesses
from ..contract import FaultError, TargetGoneError
from . import commands, links, qdiscs
from .engine import Counters, Impairment, Scope

Place = Mapping[str, Any]
_SMALLEST = Impairment(delay_ms=1)


class KernelEngine:
    """Acts in the network namespace of the calling thread, and at the host's end of a veth pair."""

    name = "kernel"

    def __init__(self) -> None:
        self._places: list[Place] = []
        self._scope = Scope(interface="")
        self._generation = 0

    def unavailable(self) -> str:
        return _refused([f"qdisc add dev lo root handle c000: netem {commands.netem(_SMALLEST)}"], "sch_netem")

    def recipe(self, scope: Scope, *, fault_id: str) -> dict[str, Any]:
        if scope.matches:
            lines = commands.filters(scope.matches, own="c000", incoming=False)
            why = _refused(commands.impair("lo", _SMALLEST, own="c000", filters=lines), "sch_prio and cls_u32")
            if why:
                raise FaultError(why)
        own = commands.handle(fault_id)
        places: list[dict[str, Any]] = []
        if scope.egress:
            places.append(_place(scope.interface, own=own, incoming=False))
        if scope.ingress:
            places.append(_arriving(scope.interface, own=own, fault_id=fault_id))
        return {"places": places}

    def install(self, impairment: Impairment, scope: Scope, recipe: Mapping[str, Any]) -> None:
        self._places, self._scope = list(recipe["places"]), scope
        for place in self._places:
            with _at(place):
                if place["feeds_from"]:
                    subprocesses.run(["ip", "link", "add", place["device"], "type", "ifb"])
                    subprocesses.run(["ip", "link", "set", "dev", place["device"], "up"])
                lines = self._filters(place, scope)
                keep = (place["before"] or {}).get("words", "")
                steps = commands.impair(place["device"], impairment, own=place["handle"], keep=keep, filters=lines)
                if place["feeds_from"]:
                    steps += commands.redirect(place["feeds_from"], place["device"])
                qdiscs.batch(steps)

    def rescope(self, scope: Scope) -> None:
        """The new filters come before the old ones go, so nothing that stays in scope escapes meanwhile."""
        old, self._generation = self._generation, self._generation + 1
        for place in self._places:
            with _at(place):
                added = [f"filter add dev {place['device']} {line}" for line in self._filters(place, scope)]
                families = {match.family for match in self._scope.matches}
                dropped = commands.forget(place["device"], own=place["handle"], generation=old, families=families)
                qdiscs.batch(added + dropped)
        self._scope = scope

    def counters(self) -> Counters:
        total = Counters()
        for place in self._places:
            with _at(place):
                for qdisc in qdiscs.shown(place["device"], counters=True):
                    if qdisc["kind"] == "netem":
                        total = _plus(total, qdisc)
        return total

    def check(self) -> None:
        for place in self._places:
            with _at(place):
                _check(place)

    @staticmethod
    def remove(recipe: Mapping[str, Any]) -> None:
        for place in reversed(recipe["places"]):
            try:
                with _at(place):
                    _remove(place)
            except TargetGoneError:
                continue  # the namespace ended, and its interfaces with it
        left = KernelEngine.leftovers(recipe)
        if left:
            raise FaultError(f"{left} could not be removed")

    @staticmethod
    def leftovers(recipe: Mapping[str, Any]) -> str:
        found = []
        for place in recipe["places"]:
            try:
                with _at(place):
                    found.append(_left(place))
            except TargetGoneError:
                continue
        return ", ".join(text for text in found if text)

    def _filters(self, place: Place, scope: Scope) -> list[str]:
        return commands.filters(
            scope.matches, own=place["handle"], incoming=place["incoming"], generation=self._generation
        )


def _place(device: str, *, own: str, incoming: bool, netns: int = 0) -> dict[str, Any]:
    """One root qdisc that becomes ours, and what it was. ``netns``: 0 for the target's."""
    return {
        "device": device,
        "link": links.identity(device),
        "handle": own,
        "incoming": incoming,
        "before": qdiscs.remember(device),
        "queue": links.queue_length(device),
        "netns": netns,
        "feeds_from": "",
    }


def _arriving(device: str, *, own: str, fault_id: str) -> dict[str, Any]:
    links.details(device)
    taken = [qdisc["kind"] for qdisc in qdiscs.shown(device) if qdisc["kind"] in ("ingress", "clsact")]
    name = commands.link_name(fault_id)
    without = f"interface {device} already has a qdisc {taken[0]}" if taken else _no_ifb(name)
    if not without:
        return {
            "device": name, "link": links.identity(device), "handle": own, "incoming": True, "before": None,
            "queue": None, "netns": 0, "feeds_from": device,
        }  # fmt: skip
    peer = links.peer(device)
    if peer is None:
        raise FaultError(
            f"arriving packets can't be impaired: {without}, and {device} is no veth with its peer on the host; "
            f"use DIRECTION=egress"
        )
    with links.inside(peer.netns):
        return _place(peer.device, own=own, incoming=True, netns=peer.netns)


def _no_ifb(name: str) -> str:
    """Why arriving packets can't be redirected, '' if they can; tried in a namespace of our own."""
    with namespaces.fresh_network():
        done = subprocesses.attempt(["ip", "link", "add", name, "type", "ifb"])
        if done.returncode:
            return "the kernel of this node has no ifb"
        try:
            qdiscs.batch(commands.redirect("lo", name))
        except FaultError:
            return "the kernel of this node has no ingress qdisc with mirred"
    return ""


def _refused(lines: list[str], what: str) -> str:
    try:
        with namespaces.fresh_network():
            qdiscs.batch(lines)
    except FaultError as error:
        return f"the kernel of this node lacks {what} ({error})"
    return ""


def _at(place: Place) -> AbstractContextManager[None]:
    return links.inside(place["netns"]) if place["netns"] else nullcontext()


def _is_another(place: Place) -> bool:
    """Whether the interface of that name is not the one of the recipe: the number of a network that ended, and the name
    of an interface on the host, are given to the next pod. What has our handle is ours all the same."""
    device, known = place["feeds_from"] or place["device"], place.get("link")
    return bool(known) and links.exists(device) and links.identity(device) != known


def _ours(place: Place) -> bool:
    return bool(qdiscs.root(place["device"]).get("handle") == f"{place['handle']}:")


def _ingress_filters(place: Place) -> str | None:
    """The filters of what arrives, in the words of tc; None where there is no ingress qdisc."""
    device = place["feeds_from"]
    if not links.exists(device) or all(qdisc["kind"] != "ingress" for qdisc in qdiscs.shown(device)):
        return None
    return subprocesses.run(["tc", "filter", "show", "dev", device, "ingress"]).strip()


def _redirected(place: Place) -> bool:
    """Whether what arrives goes through our device."""
    return f"device {place['device']})" in (_ingress_filters(place) or "")


def _has_ingress(place: Place) -> bool:
    """Whether the ingress qdisc is the one of this fault; one without any filter was left half-way by it."""
    filters = _ingress_filters(place)
    return filters is not None and (_redirected(place) or not (filters or _is_another(place)))


def _check(place: Place) -> None:
    device = place["device"]
    if not links.exists(device) or not _ours(place):
        now = qdiscs.root(device).get("kind", "none") if links.exists(device) else "gone with the interface"
        raise FaultError(f"the root qdisc of {device} is not ours any more: it is {now}")
    if all(qdisc["kind"] != "netem" for qdisc in qdiscs.shown(device)):
        raise FaultError(f"netem was taken out of the qdisc of {device}")
    if place["feeds_from"] and not _redirected(place):
        raise FaultError(f"the packets that arrive at {place['feeds_from']} are not redirected any more")


def _remove(place: Place) -> None:
    if place["feeds_from"]:
        if _has_ingress(place):
            subprocesses.run(["tc", "qdisc", "del", "dev", place["feeds_from"], "ingress"])
        if links.exists(place["device"]):
            subprocesses.run(["ip", "link", "del", "dev", place["device"]])
        return
    if links.exists(place["device"]):
        before = place.get("before")
        lost = before and qdiscs.root(place["device"]).get("handle") == "0:" and not _is_another(place)
        if _ours(place) or lost:
            qdiscs.restore(place["device"], before, own=place["handle"], queue=place.get("queue"))


def _left(place: Place) -> str:
    if place["feeds_from"]:
        ends = [f"ingress qdisc of {place['feeds_from']}"] if _has_ingress(place) else []
        ends += [f"interface {place['device']}"] if links.exists(place["device"]) else []
        return ", ".join(ends)
    if links.exists(place["device"]) and _ours(place):
        return f"root qdisc {place['handle']}: of {place['device']}"
    return ""


def _plus(total: Counters, qdisc: Mapping[str, Any]) -> Counters:
    """netem counts a packet when it leaves, so those that were dropped or still wait come on top."""
    return Counters(
        seen=total.seen + qdisc["packets"] + qdisc["drops"] + qdisc["qlen"],
        dropped=total.dropped + qdisc["drops"],
        backlog=total.backlog + qdisc["qlen"],
    )
