"""The process of the user-space engine: ``python -m litmus.faults.network.userspace_process PARAMETERS``.

It lives in the target's network namespace and does nothing but look after packets. One line of JSON on standard
output says that it listens, or why not; each line on standard input is answered with its counters. It ends when
standard input does, that is with its parent, and on SIGTERM; what waits then goes on at once. (PR_SET_PDEATHSIG would
end it with the *thread* that started it.) When it is killed the kernel drops what waits, and lets the rest through.
"""

import contextlib
import json
import os
import select
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from ..contract import FaultError
from . import nfqueue
from .engine import Impairment
from .injection import Injection
from .mill import KERNEL_PACKETS, Direction, Mill, needs_single, needs_whole

_ROUND = 64  # packets between two looks at the clock
_FOREVER = float("inf")


def main(arguments: list[str]) -> int:
    """Exit status 2 when it can't begin."""
    parameters = json.loads(arguments[0])
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        socket = nfqueue.Socket()
        mill = _mill(socket, parameters)
    except (FaultError, OSError) as error:
        _say({"error": str(error)})
        return 2
    ends, wakes = os.pipe()
    os.set_blocking(wakes, False)
    signal.signal(signal.SIGTERM, lambda *_: None)
    signal.set_wakeup_fd(wakes)
    _say({"ready": True})
    _serve(socket, mill, ends)
    mill.release(_FOREVER)
    mill.flush(socket)
    _let_pass(socket)
    return 0


def _mill(socket: nfqueue.Socket, parameters: Mapping[str, Any]) -> Mill:
    impairment = Impairment(**parameters["impairment"])
    queues: dict[int, Direction] = {queue: direction for direction, queue in parameters["queues"].items()}
    injection = Injection(parameters["interface"])
    mill = Mill(impairment, queues, injection=injection, seed=parameters.get("seed"))
    for queue, direction in queues.items():
        whole = needs_whole(impairment, direction)
        socket.listen(
            queue,
            copy=nfqueue.WHOLE_PACKET if whole else nfqueue.HEADERS_ONLY,
            limit=KERNEL_PACKETS,
            segmented=needs_single(impairment, direction),
        )
    return mill


def _serve(socket: nfqueue.Socket, mill: Mill, ends: int) -> None:
    """Until standard input ends or a signal comes."""
    asked = sys.stdin.fileno()
    sources = [socket.fileno(), asked, ends]
    while True:
        patience = None if mill.next_at is None else max(0.0, mill.next_at - time.monotonic())
        ready = select.select(sources, [], [], patience)[0]
        if ends in ready or (asked in ready and not _answer(asked, mill)):
            return
        if socket.fileno() in ready:
            _take(socket, mill)
        mill.release(time.monotonic())
        mill.flush(socket)


def _take(socket: nfqueue.Socket, mill: Mill) -> None:
    now = time.monotonic()
    for _ in range(_ROUND):
        message = socket.receive()
        if not message:
            return
        for packet in nfqueue.parse(message):
            mill.take(packet, now)


def _let_pass(socket: nfqueue.Socket) -> None:
    """What the kernel has handed over and nobody has looked at; without an end if the rules were still there."""
    for _ in range(KERNEL_PACKETS):
        message = socket.receive()
        if not message:
            return
        for packet in nfqueue.parse(message):
            socket.decide(nfqueue.verdict(packet, nfqueue.ACCEPT))


def _answer(asked: int, mill: Mill) -> bool:
    """False when nobody can ask any more."""
    questions = os.read(asked, 4096)
    for _ in range(questions.count(b"\n")):
        _say({**asdict(mill.counters()), **mill.trouble()})
    return bool(questions)


def _say(what: Mapping[str, Any]) -> None:
    with contextlib.suppress(BrokenPipeError):
        os.write(sys.stdout.fileno(), json.dumps(what).encode() + b"\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
