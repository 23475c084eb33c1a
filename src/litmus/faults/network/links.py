"""The interfaces of the network namespace that the calling thread is in: which one carries the route, and its peer."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from .. import namespaces, processes, subprocesses
from ..contract import FaultError, TargetGoneError
from . import netnsid


@dataclass(frozen=True, slots=True)
class Peer:
    """The other end of a veth pair, and the inode number of the network namespace that it is in."""

    device: str
    netns: int


def names() -> list[str]:
    """All interfaces."""
    return [name for _, name in socket.if_nameindex()]


def exists(device: str) -> bool:
    """Asked of the namespace itself; ``/sys`` would show the one that it was mounted in."""
    try:
        return socket.if_nametoindex(device) > 0
    except OSError:
        return False


def details(device: str) -> dict[str, Any]:
    """What ``ip link`` says. Raises FaultError when there is no such interface, with those that there are."""
    if not exists(device):
        raise FaultError(f"there is no interface {device!r} in the target, only {', '.join(names())}")
    found: list[dict[str, Any]] = json.loads(subprocesses.run(["ip", "-j", "-d", "link", "show", "dev", device]))
    return found[0]


def identity(device: str) -> str:
    """Number and hardware address, which tell it from one that has its name later."""
    found = details(device)
    return f"{found['ifindex']} {found.get('address', '')}".strip()


def queue_length(device: str) -> int:
    """Packets; 0 for an interface without a queue, of which ``ip`` says nothing."""
    return int(details(device).get("txqlen", 0))


def routed() -> str:
    """The interface of the default route, of IPv4 or else of IPv6; without any, the first one that is up."""
    for route in default_routes():
        return str(route["dev"])
    links = json.loads(subprocesses.run(["ip", "-j", "link", "show", "up"]))
    for link in links:
        if "LOOPBACK" not in link["flags"]:
            return str(link["ifname"])
    raise FaultError(f"no interface of the target is up, only {', '.join(names()) or 'none'}")


def default_routes() -> list[dict[str, Any]]:
    """Those of IPv4 first, each family's best first."""
    found: list[dict[str, Any]] = []
    for family in ("-4", "-6"):
        text = subprocesses.run(["ip", "-j", family, "route", "show", "default"])
        routes = [route for route in json.loads(text or "[]") if "dev" in route]
        found += sorted(routes, key=lambda route: route.get("metric", 0))
    return found


def gateways(device: str) -> list[str]:
    """The next hops of the default routes through an interface."""
    return [route["gateway"] for route in default_routes() if route["dev"] == device and "gateway" in route]


def peer(device: str) -> Peer | None:
    """The other end of a veth pair, usually on the host. None where there is none, or no process is where it is."""
    ours = details(device)
    if ours.get("linkinfo", {}).get("info_kind") != "veth" or "link_index" not in ours:
        return None
    for pid, netns in _each_once():
        if netnsid.of(pid) != ours.get("link_netnsid"):
            continue
        try:
            with inside(netns):
                found = json.loads(subprocesses.run(["ip", "-j", "-d", "link", "show", "type", "veth"]))
        except TargetGoneError:
            continue
        for link in found:
            if link["ifindex"] == ours["link_index"] and link.get("link_index") == ours["ifindex"]:
                return Peer(link["ifname"], netns)
    return None


def _each_once() -> Iterator[tuple[int, int]]:
    """One process of each network namespace other than the one we are in."""
    seen = {(processes.PROC / "thread-self" / "ns" / "net").stat().st_ino}
    for pid, netns in _namespaces():
        if netns not in seen:
            seen.add(netns)
            yield pid, netns


def is_the_hosts(netns: int) -> bool:
    """Whether it is that of the node itself, as far as the node's first process can be seen."""
    try:
        return netns == netns_of(1)
    except FaultError:
        return False


def _namespaces() -> Iterator[tuple[int, int]]:
    """(pid, namespace) of every process that can be seen, the host's first one first."""
    for pid in sorted(int(entry.name) for entry in processes.PROC.iterdir() if entry.name.isdigit()):
        try:
            yield pid, netns_of(pid)
        except FaultError:
            continue  # it ended, or belongs to somebody whose namespaces we may not see


def processes_in(netns: int) -> Iterator[int]:
    """The pids of the processes with that network namespace."""
    return (pid for pid, found in _namespaces() if found == netns)


def netns_of(pid: int) -> int:
    """The inode number by which a network namespace is told from the others. Raises TargetGoneError."""
    try:
        return (processes.PROC / str(pid) / "ns" / "net").stat().st_ino
    except (FileNotFoundError, ProcessLookupError) as error:
        raise TargetGoneError(f"process {pid} has ended") from error
    except PermissionError as error:
        raise FaultError(
            f"the network namespace of process {pid} can't be seen; the helper pod needs the capability SYS_PTRACE"
        ) from error


@contextmanager
def inside(netns: int) -> Iterator[None]:
    """In the network namespace with that number, by whatever process has it: a container may have ended while its
    pod's sandbox, and what was changed there, lives on. Raises TargetGoneError when no process has it any more."""
    for pid, found in _namespaces():
        if found != netns:
            continue
        try:
            entered = namespaces.network_of(pid)
            entered.__enter__()
        except TargetGoneError:
            continue
        try:
            yield
        finally:
            entered.__exit__(None, None, None)
        return
    raise TargetGoneError(f"network namespace {netns} has ended")
