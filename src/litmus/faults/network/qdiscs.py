"""Reading queueing disciplines, and remembering one well enough to make it again.

An interface's default (``noqueue``, ``mq``, ``pfifo_fast``) has the handle 0 and comes back by itself when ours is
deleted. One that somebody set is made again from the words that ``tc`` shows, which are tried first in a network
namespace of our own: where the copy is not the same in every option, the fault is refused.
"""

import json
from typing import Any

from .. import namespaces, subprocesses
from ..contract import FaultError

# Ours, and those with classes and filters below, whose words are not all of it.
_REFUSED = frozenset({"netem", "prio", "htb", "hfsc", "drr", "cbq", "qfq", "ets", "mqprio", "taprio", "multiq"})
Before = dict[str, Any]


def shown(device: str, *, counters: bool = False) -> list[dict[str, Any]]:
    """All qdiscs of an interface. Raises FaultError when there is no such interface."""
    text = subprocesses.run(["tc", *(["-s"] if counters else []), "-j", "qdisc", "show", "dev", device])
    found: list[dict[str, Any]] = json.loads(text or "[]")
    return found


def root(device: str) -> dict[str, Any]:
    """The qdisc at the root of an interface, {} if there is none."""
    return next((qdisc for qdisc in shown(device) if qdisc.get("root")), {})


def batch(lines: list[str]) -> None:
    """Runs the lines one after the other, up to the first that fails. Raises FaultError with tc's own words."""
    subprocesses.run(["tc", "-batch", "-"], stdin="\n".join(lines) + "\n")


def remember(device: str) -> Before | None:
    """What it takes to make the root qdisc again, None for a default. Raises FaultError when that is not possible."""
    current = root(device)
    if not current or current["handle"] == "0:":
        return None
    kind = current["kind"]
    if kind == "netem" or kind in _REFUSED:
        why = "which may be another network fault" if kind in ("netem", "prio") else "with classes of its own"
        raise FaultError(
            f"interface {device} already has a root qdisc {kind} {current['handle']}, {why}; "
            f"it can't be restored exactly, so remove it or name another interface"
        )
    before = {"kind": kind, "handle": current["handle"].rstrip(":"), "words": words(device, kind)}
    if _copy_of(before) != current.get("options", {}):
        raise FaultError(
            f"interface {device} has a root qdisc {kind} {current['handle']} that can't be restored exactly "
            f"from what tc shows of it; remove it or name another interface"
        )
    return before


def words(device: str, kind: str) -> str:
    """The root qdisc as tc takes it: ``tbf rate 1Mbit burst 32Kb lat 50ms``."""
    for line in subprocesses.run(["tc", "qdisc", "show", "dev", device]).splitlines():
        parts = line.split()
        if parts[:2] == ["qdisc", kind] and "root" in parts:
            options = parts[parts.index("root") + 1 :]
            if options[:1] == ["refcnt"]:
                options = options[2:]
            return " ".join([kind, *(_plain(option) for option in options)])
    raise FaultError(f"the root qdisc of {device} changed while we looked")


def restore(device: str, before: Before | None, *, own: str, queue: int | None) -> None:
    """Puts back what was there; ours must be at the root. ``queue``: the length of the interface's queue.

    With the handle ``own`` the kernel refuses to delete what somebody has put in our place meanwhile.
    """
    if before is None:
        subprocesses.run(["tc", "qdisc", "del", "dev", device, "root", "handle", f"{own}:"])
    else:
        batch([f"qdisc replace dev {device} root handle {before['handle']}: {before['words']}"])
    if queue is not None:
        # The kernel gives an interface without a queue one of 1000 packets when it gets its first qdisc, and leaves it.
        subprocesses.run(["ip", "link", "set", "dev", device, "txqueuelen", str(queue)])


def _plain(option: str) -> str:
    """``limit 1000p`` is shown with a unit that tc does not take."""
    return option[:-1] if option.endswith("p") and option[:-1].isdecimal() else option


def _copy_of(before: Before) -> dict[str, Any] | None:
    with namespaces.fresh_network():
        tried = subprocesses.attempt(
            ["tc", "qdisc", "add", "dev", "lo", "root", "handle", f"{before['handle']}:", *before["words"].split()]
        )
        if tried.returncode:
            return None
        options: dict[str, Any] = root("lo").get("options", {})
        return options
