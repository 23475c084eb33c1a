#!/usr/bin/env python3
"""How many packets a second the user-space engine of network faults keeps up with, and how exact its delays are.

Over a wire of its own: two network namespaces that end with the benchmark, one engine in the first. Datagrams of 64
bytes are sent at a rate until it falls behind, and the highest rate that it kept up with is searched by halving. It
keeps up when it has judged every packet 50 ms after the last one was sent, and let go every one when its delay is over.
Asserts nothing: the exit status is 0 whenever it could measure, 2 with one sentence when it could not. Needs root.
"""

import argparse
import contextlib
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from table import Figure, Machine, NotMeasured, Row, render

from litmus.faults import namespaces
from litmus.faults.contract import FaultError
from litmus.faults.network.engine import Impairment, Scope
from litmus.faults.network.userspace import UserspaceEngine

CAN_NOT = 2
DELAY_S = 0.1
_TARGET, _PEER, _PORT = "10.98.0.1", "10.98.0.2", 5000
_SLACK_S = 0.05
_PROBES = 100
_LOWEST, _HIGHEST, _STEPS = 500, 128_000, 8
_BUFFER = 128 << 20
_SO_RCVBUFFORCE = 33


@dataclass(frozen=True)
class Case:
    """What is asked of the engine, in which direction."""

    title: str
    impairment: Impairment
    ingress: bool = False


CASES = (
    Case("passed through", Impairment()),
    Case("10 % lost", Impairment(loss=10)),
    Case("100 ms late, outgoing", Impairment(delay_ms=DELAY_S * 1000)),
    Case("100 ms late, incoming", Impairment(delay_ms=DELAY_S * 1000), ingress=True),
    Case("10 % damaged", Impairment(corruption=10)),
    Case("10 % doubled", Impairment(duplication=10)),
)


def main(arguments: list[str] | None = None) -> int:
    """Measures, prints the table, and returns the exit status."""
    parser = argparse.ArgumentParser(description="Measures the packet rate of the user-space network engine.")
    parser.add_argument("--repeat", type=int, default=3, help="searches of each rate (3)")
    parser.add_argument("--seconds", type=float, default=0.5, help="how long packets are sent at each rate (0.5)")
    options = parser.parse_args(arguments)
    load = [os.getloadavg()[0]]
    try:
        with laid() as (target, peer):
            rows = list(_rows(target, peer, repeat=options.repeat, seconds=options.seconds))
    except (NotMeasured, FaultError) as error:
        print(f"benchmarks/packets.py: {error}", file=sys.stderr)
        return CAN_NOT
    except KeyboardInterrupt:
        return 130
    load.append(os.getloadavg()[0])
    machine = Machine(
        cores=len(os.sched_getaffinity(0)),
        kernel=os.uname().release,
        kubernetes="none",
        image="none",
        load=(min(load), max(load)),
    )
    print("\n".join([render(rows), "", str(machine)]))
    return 0


def _rows(target: int, peer: int, *, repeat: int, seconds: float) -> Iterator[Row]:
    for case in CASES:
        figure = Figure(title=f"packets {case.title}: rate kept up with", unit="packets/s")
        rates = [
            _highest(lambda rate, c=case: _keeps_up(target, peer, c, rate=rate, seconds=seconds)) for _ in range(repeat)
        ]
        print(f"{case.title}: {', '.join(f'{rate:.0f}' for rate in rates)} packets/s", file=sys.stderr, flush=True)
        yield Row(figure, rates)
    for case in CASES:
        if case.impairment.delay_ms:
            yield Row(Figure(title=f"packets {case.title}: delivered", unit="ms"), _delays_ms(target, peer, case))


def _highest(keeps_up: Callable[[float], bool]) -> float:
    """Halves the distance between a rate that was kept up with and one that was not, on a logarithmic scale."""
    low, high = float(_LOWEST), float(_HIGHEST)
    if not keeps_up(low):
        return 0.0
    for _ in range(_STEPS):
        middle = (low * high) ** 0.5
        low, high = (middle, high) if keeps_up(middle) else (low, middle)
    return low


def _keeps_up(target: int, peer: int, case: Case, *, rate: float, seconds: float) -> bool:
    with _installed(target, case) as engine, _line(target, peer, case) as (sender, receiver):
        sent = _send(sender, rate, seconds)
        select.select([], [], [], _SLACK_S)
        judged = engine.figures()["seen"]
        if case.impairment.delay_ms:
            select.select([], [], [], DELAY_S)
        figures = engine.figures()
        arrived = _count(receiver)
    whole = arrived >= sent if not (case.impairment.loss or case.impairment.corruption) else True
    # A sender that could not send so fast has not tried the engine.
    tried = sent >= 0.9 * rate * seconds
    return tried and whole and judged >= sent and not figures["backlog"] and not figures["overflowed"]


def _send(sender: socket.socket, rate: float, seconds: float) -> int:
    """Evenly, in bursts of a millisecond; how many were sent."""
    data, sent, began = bytes(64), 0, time.monotonic()
    while (elapsed := time.monotonic() - began) < seconds:
        for _ in range(int(elapsed * rate) - sent):
            sender.send(data)
            sent += 1
        select.select([], [], [], 0.001)
    return sent


def _count(receiver: socket.socket) -> int:
    number = 0
    receiver.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while receiver.recv(128):
            number += 1
    return number


def _delays_ms(target: int, peer: int, case: Case) -> list[float]:
    """Of single packets, one after the other, from one end to the other."""
    found = []
    with _installed(target, case), _line(target, peer, case) as (sender, receiver):
        for _ in range(_PROBES):
            began = time.monotonic()
            sender.send(b"x")
            receiver.recv(16)
            found.append((time.monotonic() - began) * 1000)
    return found


@contextlib.contextmanager
def _installed(target: int, case: Case) -> Iterator[UserspaceEngine]:
    engine = UserspaceEngine(seed=1)
    scope = Scope(interface="eth0", egress=not case.ingress, ingress=case.ingress)
    with namespaces.network_of(target):
        recipe = engine.recipe(scope, fault_id=f"bench-{os.getpid()}")
    try:
        with namespaces.network_of(target):
            engine.install(case.impairment, scope, recipe)
        yield engine
    finally:
        with namespaces.network_of(target):
            UserspaceEngine.remove(recipe)


@contextlib.contextmanager
def _line(target: int, peer: int, case: Case) -> Iterator[tuple[socket.socket, socket.socket]]:
    """A sender and a receiver of datagrams, the target's end being the one that the case wants."""
    here, there = (peer, target) if case.ingress else (target, peer)
    with namespaces.network_of(there):
        receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with namespaces.network_of(here):
        sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with receiver, sender:
        receiver.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER)
        receiver.settimeout(10)
        receiver.bind((_TARGET if case.ingress else _PEER, _PORT))
        sender.connect((_TARGET if case.ingress else _PEER, _PORT))
        yield sender, receiver


@contextlib.contextmanager
def laid() -> Iterator[tuple[int, int]]:
    """Two network namespaces joined by a wire, as the pids of processes in them. Raises NotMeasured without root."""
    if os.geteuid() != 0:
        raise NotMeasured("network namespaces need root")
    if why_not := UserspaceEngine().unavailable():
        raise NotMeasured(why_not)
    with contextlib.ExitStack() as stack:
        target, peer = (stack.enter_context(_namespace()) for _ in range(2))
        _run(target, "ip", "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", str(peer))
        for pid, address in ((target, _TARGET), (peer, _PEER)):
            for link in ("lo", "eth0"):
                _run(pid, "ip", "link", "set", link, "up")
            _run(pid, "ip", "address", "add", f"{address}/24", "dev", "eth0")
        yield target, peer


@contextlib.contextmanager
def _namespace() -> Iterator[int]:
    """``cat`` holds it, and ends when its standard input does, so nothing stays when the benchmark is killed."""
    command = ["unshare", "--net", "sh", "-c", "echo ready; exec cat"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        if holder.stdout is None or holder.stdin is None or holder.stdout.readline() != b"ready\n":
            raise NotMeasured("unshare can't make a network namespace")
        yield holder.pid
        holder.stdin.close()


def _run(pid: int, *words: str) -> None:
    with namespaces.network_of(pid):
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotMeasured(f"{' '.join(words)}: {done.stderr.strip()}")


if __name__ == "__main__":
    sys.exit(main())
