"""The engine of network faults in user space, for nodes whose kernel has no ``sch_netem``.

Rules of iptables lead the packets of one interface into two queues of the kernel (``rules``), a process beside the
helper decides about each (``userspace_process``, ``mill``, ``scheduler``). Three things differ from netem: ARP and
neighbour discovery are spared; what other rules of the table ``mangle`` accept before ours is not seen; and where two
such faults have the same packet, the one that came first decides about it alone.

It needs the capabilities NET_ADMIN and NET_RAW, and SYS_ADMIN to try what the kernel offers in a namespace that is
thrown away afterwards.
"""

import contextlib
import functools
import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .. import marked, namespaces
from ..contract import MARK, FaultError
from . import nfqueue, rules
from .engine import Counters, Impairment, Scope

NAME = "userspace"
_READY_S = 15.0  # a slow node takes its time to start Python
_ANSWER_S = 3.0
_END_S = 2.0
_FIRST_QUEUE, _QUEUES = 0x4C00, 0x2000
_ADDRESSES_6 = Path("/proc/thread-self/net/if_inet6")
_started: dict[str, "subprocess.Popen[bytes]"] = {}


class UserspaceEngine:
    """One installation in the network namespace of the calling thread."""

    name = NAME

    def __init__(self, *, seed: int | None = None) -> None:
        self._seed = seed
        self._recipe: Mapping[str, Any] = {}
        self._scope = Scope(interface="")
        self._process: subprocess.Popen[bytes] | None = None

    def unavailable(self) -> str:
        try:
            offered = _offered()
        except FaultError as error:
            return str(error)
        if "4" in offered:
            return ""
        return "neither iptables-nft nor iptables-legacy takes a rule with NFQUEUE (CONFIG_NETFILTER_XT_TARGET_NFQUEUE)"

    def recipe(self, scope: Scope, *, fault_id: str) -> dict[str, Any]:
        """Raises FaultError without such an interface, or where IPv6 is spoken and can't be impaired."""
        try:
            socket.if_nametoindex(scope.interface)
        except OSError:
            known = ", ".join(name for _, name in socket.if_nameindex())
            raise FaultError(f"the target has no network interface {scope.interface!r}; it has {known}") from None
        variants = _offered()
        if "6" not in variants and 6 in rules.families(scope) and (scope.matches or _speaks_ipv6(scope.interface)):
            raise FaultError("no ip6tables takes a rule with NFQUEUE here, so IPv6 can't be impaired")
        egress, ingress = _free_queues(fault_id)
        return {
            "engine": NAME,
            "fault_id": fault_id,
            "interface": scope.interface,
            "variants": dict(variants),
            "chains": rules.chains(fault_id),
            "queues": {"egress": egress, "ingress": ingress},
        }

    def install(self, impairment: Impairment, scope: Scope, recipe: Mapping[str, Any]) -> None:
        """The process listens before the first packet is led to it. Raises FaultError."""
        self._recipe, self._scope = recipe, scope
        self._process = _start(impairment, recipe, seed=self._seed)
        rules.put(scope, recipe, new=True)

    def rescope(self, scope: Scope) -> None:
        rules.put(scope, self._recipe, new=False)
        self._scope = scope

    def counters(self) -> Counters:
        said = self.figures()
        return Counters(**{name: said[name] for name in ("seen", "dropped", "backlog")})

    def figures(self) -> dict[str, int]:
        """The counters, and what went otherwise than asked (``overflowed``, ``unsent``). Raises FaultError."""
        process = self._process
        if process is None or process.stdin is None:
            raise FaultError("the user-space network engine was not started")
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(b"?\n")
            process.stdin.flush()
        answer: dict[str, int] = _hear(process, _ANSWER_S)
        return answer

    def check(self) -> None:
        if self._process is None or self._process.poll() is not None:
            raise FaultError("the process of the user-space network engine has ended, so packets pass unimpaired")
        if not set(self._recipe["queues"].values()) <= nfqueue.in_use():
            raise FaultError("nobody listens to the packet queues of the user-space network engine any more")
        if gone := rules.missing(self._scope, self._recipe):
            raise FaultError(f"somebody removed {gone}, so packets pass unimpaired")

    @staticmethod
    def remove(recipe: Mapping[str, Any]) -> None:
        """Rules first, so that no packet comes after; then the process, which lets go what waits."""
        rules.remove(recipe)
        _end(str(recipe["fault_id"]))
        if left := UserspaceEngine.leftovers(recipe):
            raise FaultError(f"still there: {left}")

    @staticmethod
    def leftovers(recipe: Mapping[str, Any]) -> str:
        processes = [f"process {pid}" for pid in marked.find(str(recipe["fault_id"]))]
        return ", ".join([*rules.left(recipe), *processes])


@functools.cache
def _offered() -> Mapping[str, str]:
    """The variant of iptables that works for each family, found out in a network namespace that is thrown away."""
    nfqueue.in_use()
    with namespaces.fresh_network():
        nfqueue.Socket().close()
        found = {}
        for family in rules.FAMILIES:
            variant = next((variant for variant in rules.VARIANTS if rules.works(family, variant)), None)
            if variant is not None:
                found[str(family)] = variant
        return found


def _speaks_ipv6(interface: str) -> bool:
    """Whether it has an address beyond the link (scope 00; see the kernel's ip-sysctl and if_inet6)."""
    with contextlib.suppress(FileNotFoundError):
        lines = [line.split() for line in _ADDRESSES_6.read_text().splitlines()]
        return any(words[5] == interface and words[3] == "00" for words in lines)
    return False


def _free_queues(fault_id: str) -> tuple[int, int]:
    """Two neighbours that nobody listens to, from a range that people who choose by hand leave alone."""
    taken = nfqueue.in_use()
    begin = sum(fault_id.encode()) * 2
    for step in range(0, _QUEUES, 2):
        first = _FIRST_QUEUE + (begin + step) % _QUEUES
        if not taken & {first, first + 1}:
            return first, first + 1
    raise FaultError("all packet queues of the network namespace are taken")


def _start(impairment: Impairment, recipe: Mapping[str, Any], *, seed: int | None) -> "subprocess.Popen[bytes]":
    parameters = {**recipe, "impairment": asdict(impairment), "seed": seed}
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", f"{__package__}.userspace_process", json.dumps(parameters)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, MARK: str(recipe["fault_id"])},
    )
    _started[str(recipe["fault_id"])] = process
    said = _hear(process, _READY_S)
    if "error" in said:
        raise FaultError(f"the user-space network engine can't start: {said['error']}")
    return process


def _hear(process: "subprocess.Popen[bytes]", patience_s: float) -> Any:
    """One line of JSON from the process."""
    assert process.stdout is not None
    if not select.select([process.stdout], [], [], patience_s)[0]:
        raise FaultError(f"the user-space network engine says nothing for {patience_s:g} s")
    line = process.stdout.readline()
    if not line:
        raise FaultError("the process of the user-space network engine has ended")
    return json.loads(line)


def _end(fault_id: str) -> None:
    """Asks every process of ours to end, and kills those that don't."""
    for pid in marked.find(fault_id):
        _ask(pid, fault_id)
    marked.end(fault_id)
    process = _started.pop(fault_id, None)
    if process is not None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_END_S)
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()


def _ask(pid: int, fault_id: str) -> None:
    """Asks a process to end, if it is ours still, and waits for it; a pidfd tells of the end, whoever is the parent."""
    try:
        held = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        if pid not in marked.find(fault_id):
            return  # it has ended, and its number is another's now
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(held, signal.SIGTERM)
        select.select([held], [], [], _END_S)
    finally:
        os.close(held)
