"""The user-space engine on a real wire: what it does to packets is measured at the other end of it, not asked of it."""

import contextlib
import hashlib
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from litmus.faults import marked, namespaces
from litmus.faults.contract import FaultError
from litmus.faults.network import packets, rules, userspace
from litmus.faults.network.engine import Impairment, Match, Scope
from litmus.faults.network.userspace import UserspaceEngine
from tests.faults.network import wire

FAULT = f"test-{os.getpid()}"
PORT = 5000
NOBODY = 65534
A_LOT = 10_000_000
BOTH = pytest.mark.parametrize("family", [4, 6])
Installed = tuple[UserspaceEngine, dict[str, Any]]


def why_not() -> str:
    if os.geteuid() != 0:
        return "network namespaces need root"
    try:
        with namespaces.fresh_network():
            return UserspaceEngine().unavailable()
    except FaultError as error:
        return str(error)


pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not() or "-")


@pytest.fixture(scope="module")
def laid() -> Iterator[wire.Wire]:
    with wire.laid() as made:
        yield made


@pytest.fixture
def install(laid: wire.Wire) -> Iterator[Callable[..., Installed]]:
    """Installs an engine at the target's end, and leaves nothing of it behind."""
    recipes = []

    def at_target(fault_id: str = FAULT, scope: Scope | None = None, **asked: float) -> Installed:
        with laid.target.inside():
            engine = UserspaceEngine(seed=1)
            scope = scope or Scope(interface="eth0")
            recipe = engine.recipe(scope, fault_id=fault_id)
            recipes.append(recipe)
            engine.install(Impairment(**asked), scope, recipe)
        return engine, recipe

    yield at_target
    for recipe in recipes:
        with laid.target.inside():
            UserspaceEngine.remove(recipe)


class Line:
    """Datagrams from one end to the other."""

    def __init__(self, laid: wire.Wire, family: int, *, to: str = "peer", port: int = PORT) -> None:
        ends = {"target": laid.target, "peer": laid.peer, "other": laid.peer}
        origin = "target" if to != "target" else "peer"
        self.receiver = ends[to].bound(family, socket.SOCK_DGRAM, to, port)
        self.sender = ends[origin].bound(family, socket.SOCK_DGRAM, origin)
        self.address = (wire.ADDRESSES[family][to], port)

    def __enter__(self) -> "Line":
        return self

    def __exit__(self, *_: object) -> None:
        self.sender.close()
        self.receiver.close()

    def send(self, number: int, size: int = 100) -> None:
        self.sender.sendto(struct.pack(">I", number) + bytes(size - 4), self.address)

    def received(self, *, quiet_s: float = 1.0) -> list[int]:
        """The numbers of what has arrived, until nothing does any more."""
        found = []
        while select.select([self.receiver], [], [], quiet_s)[0]:
            found.append(struct.unpack_from(">I", self.receiver.recv(2048))[0])
        return found

    def takes_s(self, number: int = 1) -> float:
        """Seconds from one end to the other."""
        began = time.monotonic()
        self.send(number)
        assert struct.unpack_from(">I", self.receiver.recv(2048))[0] == number
        return time.monotonic() - began


@BOTH
def test_what_goes_out_is_late_and_what_comes_in_is_not(family: int, laid, install):
    install(delay_ms=1500)
    with Line(laid, family) as out, Line(laid, family, to="target") as back:
        assert all(out.takes_s(number) >= 1.5 for number in range(2))
        assert back.takes_s() < 1.5


@BOTH
def test_what_comes_in_is_late_and_what_goes_out_is_not(family: int, laid, install):
    install(scope=Scope(interface="eth0", egress=False, ingress=True), delay_ms=1500)
    with Line(laid, family) as out, Line(laid, family, to="target") as back:
        assert all(back.takes_s(number) >= 1.5 for number in range(2))
        assert out.takes_s() < 1.5


@BOTH
def test_an_echo_is_late_once_for_each_direction(family: int, laid, install):
    install(scope=Scope(interface="eth0", egress=True, ingress=True), delay_ms=300)
    assert echo_s(laid, family) >= 0.6


def echo_s(laid: wire.Wire, family: int) -> float:
    protocol, kind, answer, skip = {4: (1, 8, 0, 20), 6: (58, 128, 129, 0)}[family]
    with laid.target.make(family, socket.SOCK_RAW, protocol) as raw:
        request = struct.pack(">BBHHH", kind, 0, 0, 7, 1)
        request = request[:2] + struct.pack(">H", packets.checksum(request)) + request[4:]
        began = time.monotonic()
        raw.sendto(request, (wire.ADDRESSES[family]["peer"], 0))
        while raw.recv(2048)[skip] != answer:
            pass
        return time.monotonic() - began


@BOTH
def test_the_opening_of_a_connection_is_late(family: int, laid, install):
    install(delay_ms=1500)
    with laid.peer.bound(family, socket.SOCK_STREAM, "peer", 80) as server:
        server.listen()
        with laid.target.make(family, socket.SOCK_STREAM) as client:
            began = time.monotonic()
            client.connect((wire.ADDRESSES[family]["peer"], 80))
            assert time.monotonic() - began >= 1.5


@BOTH
def test_only_the_named_peer_is_hit(family: int, laid, install):
    length = {4: 32, 6: 128}[family]
    match = Match(family=family, network=f"{wire.ADDRESSES[family]['peer']}/{length}")
    install(scope=Scope(interface="eth0", matches=(match,)), delay_ms=1500)
    with Line(laid, family) as hit, Line(laid, family, to="other") as spared:
        assert hit.takes_s() >= 1.5
        assert spared.takes_s() < 1.5
    other_family = 10 - family
    with Line(laid, other_family) as spared:
        assert spared.takes_s() < 1.5


@BOTH
def test_only_the_named_ports_are_hit_whoever_has_them(family: int, laid, install):
    everywhere = {4: "0.0.0.0/0", 6: "::/0"}[family]
    match = Match(family=family, network=everywhere, ports=(7001, 7002))
    install(scope=Scope(interface="eth0", matches=(match,)), delay_ms=1500)
    for port, hit in ((7001, True), (7002, True), (7003, False)):
        with Line(laid, family, port=port) as line:
            assert (line.takes_s() >= 1.5) is hit
    with Line(laid, family) as line, laid.target.bound(family, socket.SOCK_DGRAM, "target", 7001) as own:
        line.sender.close()
        line.sender = own
        assert line.takes_s() >= 1.5


@BOTH
@pytest.mark.parametrize("to", ["peer", "target"])
def test_the_asked_share_is_lost(family: int, to: str, laid, install):
    install(scope=Scope(interface="eth0", egress=to == "peer", ingress=to == "target"), loss=30)
    with Line(laid, family, to=to) as line:
        for number in range(1000):
            line.send(number)
        arrived = line.received()
    assert 0.25 < 1 - len(arrived) / 1000 < 0.35
    assert arrived == sorted(arrived)


@BOTH
def test_everything_lost_is_everything(family: int, laid, install):
    install(loss=100)
    with Line(laid, family) as line:
        for number in range(100):
            line.send(number)
        assert line.received() == []


@BOTH
@pytest.mark.parametrize("to", ["peer", "target"])
def test_the_receiver_rejects_the_asked_share_because_of_its_checksum(family: int, to: str, laid, install):
    end = laid.peer if to == "peer" else laid.target
    group = {4: "Udp", 6: "Udp6"}[family]
    before = end.statistic(group, "InCsumErrors"), end.statistic(group, "InErrors")
    install(scope=Scope(interface="eth0", egress=to == "peer", ingress=to == "target"), corruption=40)
    with Line(laid, family, to=to) as line:
        for number in range(1000):
            line.send(number, size=1000)
        arrived = line.received()
    rejected = end.statistic(group, "InCsumErrors") - before[0]
    assert 0.35 < 1 - len(arrived) / 1000 < 0.45
    # A bit of the port or of the length is rejected for other reasons.
    assert rejected > 0.9 * (1000 - len(arrived))


@BOTH
def test_damaged_packets_are_on_the_wire(family: int, laid, install):
    install(corruption=100)
    with laid.peer.tap() as tap, Line(laid, family) as line:
        for number in range(50):
            line.send(number, size=500)
        seen = frames_of(tap, packets.UDP, 50)
    assert all(not packets.transport_is_sound(frame) for frame in seen)


def frames_of(tap: socket.socket, protocol: int, count: int) -> list[bytes]:
    found: list[bytes] = []
    while len(found) < count:
        data = tap.recv(65536)
        about = packets.shape(data)
        if about is not None and about.protocol == protocol:
            found.append(data)
    return found


@BOTH
def test_doubled_packets_are_on_the_wire_twice_and_the_same(family: int, laid, install):
    install(duplication=100)
    with laid.peer.tap() as tap, Line(laid, family) as line:
        for number in range(50):
            line.send(number)
        assert sorted(line.received()) == sorted([*range(50)] * 2)
        seen = frames_of(tap, packets.UDP, 100)
    assert all(packets.transport_is_sound(frame) for frame in seen)


@BOTH
def test_what_comes_in_is_doubled_and_still_comes_from_the_peer(family: int, laid, install):
    install(scope=Scope(interface="eth0", egress=False, ingress=True), duplication=100)
    with Line(laid, family, to="target") as line:
        line.send(7)
        came = [line.receiver.recvfrom(2048) for _ in range(2)]
    assert [data[:4] for data, _ in came] == [struct.pack(">I", 7)] * 2
    assert {address[0] for _, address in came} == {wire.ADDRESSES[family]["peer"]}


def test_the_asked_share_is_doubled(laid, install):
    install(duplication=25)
    with Line(laid, 4) as line:
        for number in range(1000):
            line.send(number)
        assert 1.2 < len(line.received()) / 1000 < 1.3


def test_some_packets_overtake_the_late_ones(laid, install):
    install(delay_ms=200, reordering=30)
    with Line(laid, 4) as line:
        for number in range(300):
            line.send(number)
        arrived = line.received(quiet_s=1.5)
    assert sorted(arrived) == [*range(300)]
    early = arrived[: next(at for at in range(300) if arrived[at] < max(arrived[: at + 1]))]
    assert 0.2 < len(early) / 300 < 0.4


def test_jitter_reorders_what_was_sent_at_once(laid, install):
    install(delay_ms=100, jitter_ms=90)
    with Line(laid, 4) as line:
        for number in range(100):
            line.send(number)
        arrived = line.received(quiet_s=1.5)
    assert sorted(arrived) == [*range(100)]
    assert arrived != sorted(arrived)


def test_a_rate_spreads_a_burst(laid, install):
    install(rate_kbit=1000)
    with Line(laid, 4) as line:
        began = time.monotonic()
        for number in range(100):
            line.send(number, size=1208)  # with its headers 1,250 bytes on the wire: 10 ms each
        assert line.received() == [*range(100)]
        assert time.monotonic() - began >= 1.0


@BOTH
@pytest.mark.parametrize(
    "asked",
    [
        {"delay_ms": 20.0},
        {"delay_ms": 5.0, "jitter_ms": 4.0},
        {"duplication": 20.0},
        {"corruption": 0.5},
        {"loss": 0.5},
    ],
    ids="-".join,
)
def test_a_large_transfer_arrives_unharmed_in_both_directions(family: int, asked: dict[str, float], laid, install):
    install(scope=Scope(interface="eth0", egress=True, ingress=True), **asked)
    body = os.urandom(A_LOT)
    with laid.peer.bound(family, socket.SOCK_STREAM, "peer", 80) as server:
        server.listen()
        with laid.target.make(family, socket.SOCK_STREAM) as client:
            client.connect((wire.ADDRESSES[family]["peer"], 80))
            served, _ = server.accept()
            with served:
                for source, sink in ((client, served), (served, client)):
                    assert transferred(source, sink, body) == hashlib.sha256(body).hexdigest()


def transferred(source: socket.socket, sink: socket.socket, body: bytes) -> str:
    """The digest of what arrived."""
    source.settimeout(60)
    sink.settimeout(60)
    sender = threading.Thread(target=source.sendall, args=(body,))
    sender.start()
    digest, left = hashlib.sha256(), len(body)
    while left:
        part = sink.recv(1 << 18)
        assert part
        digest.update(part)
        left -= len(part)
    sender.join()
    return digest.hexdigest()


@pytest.fixture
def answers_only(laid: wire.Wire) -> Iterator[None]:
    """The target's firewall takes nothing but answers to what connection tracking saw going out."""
    for command in ("iptables-nft", "ip6tables-nft"):
        laid.target.run(
            command, "-A", "INPUT", "-i", "eth0", "-p", "udp", "-m", "conntrack", "--ctstate", "NEW", "-j", "DROP"
        )
        laid.target.run(
            command, "-A", "INPUT", "-i", "eth0", "-p", "tcp", "-m", "conntrack", "--ctstate", "NEW", "-j", "DROP"
        )
        for chain in ("INPUT", "OUTPUT"):
            laid.target.run(command, "-A", chain, "-m", "conntrack", "--ctstate", "INVALID", "-j", "DROP")
    yield
    for command in ("iptables-nft", "ip6tables-nft"):
        laid.target.run(command, "-F")


@BOTH
def test_connection_tracking_knows_the_connections_of_late_packets(family: int, laid, install, answers_only):
    install(delay_ms=20)
    body = os.urandom(A_LOT // 10)
    with laid.peer.bound(family, socket.SOCK_STREAM, "peer", 80) as server:
        server.listen()
        with laid.target.make(family, socket.SOCK_STREAM) as client:
            client.connect((wire.ADDRESSES[family]["peer"], 80))
            served, _ = server.accept()
            with served:
                for source, sink in ((client, served), (served, client)):
                    assert transferred(source, sink, body) == hashlib.sha256(body).hexdigest()
    with Line(laid, family) as line:
        for number in range(40):
            line.send(number)
            data, sender = line.receiver.recvfrom(2048)
            line.receiver.sendto(data, sender)
            assert line.sender.recv(2048) == data


@pytest.fixture
def mesh(laid: wire.Wire) -> Iterator[None]:
    """Address translation as in a service mesh: what root sends to the peer goes to the other one instead."""
    for family, command in ((4, "iptables-nft"), (6, "ip6tables-nft")):
        addresses = wire.ADDRESSES[family]
        rule = ["-d", addresses["peer"], "-m", "owner", "--uid-owner", "0", "-j", "DNAT", "--to", addresses["other"]]
        laid.target.run(command, "-t", "nat", "-A", "OUTPUT", *rule)
    yield
    for command in ("iptables-nft", "ip6tables-nft"):
        laid.target.run(command, "-t", "nat", "-F")


@BOTH
def test_translation_by_the_owner_of_a_packet_knows_whose_the_late_ones_are(family: int, laid, install, mesh):
    install(delay_ms=20)
    peer = wire.ADDRESSES[family]["peer"]
    with laid.peer.bound(family, socket.SOCK_STREAM, "peer", 80) as server, Line(laid, family) as line:
        server.listen()
        with of_nobody(laid, family, socket.SOCK_STREAM) as client:
            client.connect((peer, 80))
            server.settimeout(wire.PATIENCE_S)
            server.accept()[0].close()
        with of_nobody(laid, family, socket.SOCK_DGRAM) as sender:
            for number in range(40):
                sender.sendto(struct.pack(">I", number), line.address)
            assert line.received() == [*range(40)]


def of_nobody(laid: wire.Wire, family: int, kind: int) -> socket.socket:
    """A packet's owner is whoever opened its socket."""
    with laid.target.inside():
        os.seteuid(NOBODY)
        try:
            made = socket.socket({4: socket.AF_INET, 6: socket.AF_INET6}[family], kind)
        finally:
            os.seteuid(0)
    made.settimeout(wire.PATIENCE_S)
    return made


def test_the_engine_counts_what_it_sees(laid, install):
    engine, _ = install(loss=50)
    with Line(laid, 4) as line:
        for number in range(200):
            line.send(number)
        arrived = line.received()
    counters = engine.counters()
    assert counters.seen == 200
    assert counters.dropped == 200 - len(arrived)
    with laid.target.inside():
        engine.check()


def test_what_waits_is_let_go_when_the_fault_ends(laid, install):
    engine, recipe = install(delay_ms=60_000)
    with Line(laid, 4) as line:
        for number in range(40):
            line.send(number)
        until(lambda: engine.counters().backlog == 40)
        with laid.target.inside():
            UserspaceEngine.remove(recipe)
        assert line.received() == [*range(40)]


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + wire.PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        select.select([], [], [], 0.01)


def test_a_sender_is_not_held_up_by_packets_that_wait(laid, install):
    """netem orphans its packets for this; in the kernel's queue they would fill the buffer of the socket."""
    engine, _ = install(delay_ms=60_000)
    with Line(laid, 4) as line:
        line.sender.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 32 * 1024)
        line.sender.setblocking(False)
        for number in range(3000):
            line.send(number)
            if number % 50 == 0:
                until(lambda sent=number: engine.counters().seen > sent)
        until(lambda: engine.counters().backlog == 3000)


def test_when_the_engine_is_killed_packets_pass_at_once_and_the_check_says_so(laid, install):
    engine, recipe = install(loss=100)
    (pid,) = marked.find(FAULT)
    ending = os.pidfd_open(pid)
    try:
        os.kill(pid, signal.SIGKILL)
        # Not by its mark: a process has lost its environment before its socket is closed.
        assert select.select([ending], [], [], wire.PATIENCE_S)[0]
    finally:
        os.close(ending)
    with Line(laid, 4) as line:
        line.send(1)
        assert line.received() == [1]
    with laid.target.inside(), pytest.raises(FaultError, match="pass unimpaired"):
        engine.check()
    with laid.target.inside():
        UserspaceEngine.remove(recipe)
        assert UserspaceEngine.leftovers(recipe) == ""


def test_a_frozen_engine_is_removed_as_well(laid, install):
    _, recipe = install(loss=100)
    (pid,) = marked.find(FAULT)
    os.kill(pid, signal.SIGSTOP)
    with laid.target.inside():
        UserspaceEngine.remove(recipe)
        assert UserspaceEngine.leftovers(recipe) == ""
    assert marked.find(FAULT) == []


def test_removed_rules_are_noticed(laid, install):
    engine, _ = install(loss=1)
    laid.target.run("iptables-nft", "-t", "mangle", "-D", "POSTROUTING", "1")
    with laid.target.inside(), pytest.raises(FaultError, match="somebody removed the jump"):
        engine.check()


def test_removing_twice_and_half_of_it_is_fine(laid, install):
    _, recipe = install(loss=100)
    assert "chain LITMUS-E-" in left(laid, recipe)
    with laid.target.inside():
        rules.remove(recipe)
    assert left(laid, recipe).startswith("process ")
    for _ in range(2):
        with laid.target.inside():
            UserspaceEngine.remove(recipe)
        assert left(laid, recipe) == ""
    with Line(laid, 4) as line:
        line.send(1)
        assert line.received() == [1]


def left(laid: wire.Wire, recipe: dict[str, Any]) -> str:
    with laid.target.inside():
        return UserspaceEngine.leftovers(recipe)


def test_rules_of_others_stay_as_they_are(laid, install):
    theirs = [
        ("-A", "POSTROUTING", "-p", "tcp", "-m", "tcp", "--dport", "1", "-j", "ACCEPT"),
        ("-N", "LITMUS-E-of-somebody-else"),
        ("-A", "LITMUS-E-of-somebody-else", "-j", "RETURN"),
        ("-A", "PREROUTING", "-m", "comment", "--comment", f"litmus:{FAULT}", "-j", "LITMUS-E-of-somebody-else"),
    ]
    for words in theirs:
        laid.target.run("iptables-nft", "-t", "mangle", *words)
    before = laid.target.run("iptables-nft", "-t", "mangle", "-S")
    _, recipe = install(loss=100)
    assert laid.target.run("iptables-nft", "-t", "mangle", "-S") != before
    with laid.target.inside():
        UserspaceEngine.remove(recipe)
    assert laid.target.run("iptables-nft", "-t", "mangle", "-S") == before
    laid.target.run("iptables-nft", "-t", "mangle", "-F")
    laid.target.run("iptables-nft", "-t", "mangle", "-X")


def test_one_of_two_faults_ends_alone(laid, install):
    families = {4: f"{FAULT}-four", 6: f"{FAULT}-six"}
    recipes = {}
    for family, fault_id in families.items():
        everywhere = {4: "0.0.0.0/0", 6: "::/0"}[family]
        scope = Scope(interface="eth0", matches=(Match(family=family, network=everywhere),))
        _, recipes[family] = install(fault_id, scope, loss=100)
    with laid.target.inside():
        UserspaceEngine.remove(recipes[4])
    for family, arrives in ((4, [1]), (6, [])):
        with Line(laid, family) as line:
            line.send(1)
            assert line.received() == arrives


def test_a_host_that_moves_is_followed(laid, install):
    def to(name: str) -> Scope:
        return Scope(interface="eth0", matches=(Match(family=4, network=f"{wire.ADDRESSES[4][name]}/32"),))

    engine, _ = install(scope=to("peer"), loss=100)
    with laid.target.inside():
        engine.rescope(to("other"))
        engine.check()
    for name, arrives in (("peer", [1]), ("other", [])):
        with Line(laid, 4, to=name) as line:
            line.send(1)
            assert line.received() == arrives


def test_the_engine_ends_with_whoever_started_it(laid):
    """And what it leaves does no harm, until another process removes it."""
    fault_id = f"{FAULT}-orphan"
    script = (
        "import json, sys\n"
        "from litmus.faults.network.engine import Impairment, Scope\n"
        "from litmus.faults.network.userspace import UserspaceEngine\n"
        "engine, scope = UserspaceEngine(), Scope(interface='eth0')\n"
        f"recipe = engine.recipe(scope, fault_id={fault_id!r})\n"
        "engine.install(Impairment(loss=100), scope, recipe)\n"
        "print(json.dumps(recipe), flush=True)\n"
        "sys.stdin.read()\n"
    )
    with laid.target.inside():
        helper = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with helper:
        assert helper.stdout
        recipe = json.loads(helper.stdout.readline())
        assert len(marked.find(fault_id)) == 1
        helper.kill()
    until(lambda: not marked.find(fault_id))
    with Line(laid, 4) as line:
        line.send(1)
        assert line.received() == [1]
    assert left(laid, recipe)
    with laid.target.inside():
        UserspaceEngine.remove(recipe)
    assert left(laid, recipe) == ""


def test_the_legacy_variant_does_as_well(laid, install, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(rules, "VARIANTS", ("legacy",))
    with offered_anew():
        with laid.target.inside():
            if UserspaceEngine().unavailable():
                pytest.skip("no iptables-legacy with NFQUEUE here")
        engine, recipe = install(loss=100)
        assert recipe["variants"] == {"4": "legacy", "6": "legacy"}
        with laid.target.inside():
            engine.check()
        for family in (4, 6):
            with Line(laid, family) as line:
                line.send(1)
                assert line.received() == []
        with laid.target.inside():
            UserspaceEngine.remove(recipe)
        assert "LITMUS" not in laid.target.run("iptables-legacy", "-t", "mangle", "-S")


@contextlib.contextmanager
def offered_anew() -> Iterator[None]:
    """What the kernel offers is asked once for each process."""
    userspace._offered.cache_clear()
    try:
        yield
    finally:
        userspace._offered.cache_clear()


def test_a_process_that_has_the_number_of_ours_by_now_is_not_asked_to_end(monkeypatch: pytest.MonkeyPatch):
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as stranger:
        found = [[stranger.pid]]  # and nobody, when it is looked at again
        monkeypatch.setattr(marked, "find", lambda _: found.pop() if found else [])
        userspace._end("test-stranger")
        assert stranger.poll() is None
        assert stranger.stdin
        stranger.stdin.close()
        assert stranger.wait(wire.PATIENCE_S) == 0, "it ended by itself, and by no signal"


def test_an_interface_that_does_not_exist_is_named_beside_those_that_do(laid):
    with laid.target.inside(), pytest.raises(FaultError, match=r"no network interface 'eth7'; it has .*eth0"):
        UserspaceEngine().recipe(Scope(interface="eth7"), fault_id=FAULT)


def test_trying_what_the_kernel_offers_changes_nothing(laid):
    with offered_anew():
        before = laid.target.run("sh", "-c", "iptables-nft -t mangle -S; cat /proc/thread-self/net/ip_tables_names")
        with laid.target.inside():
            assert UserspaceEngine().unavailable() == ""
        after = laid.target.run("sh", "-c", "iptables-nft -t mangle -S; cat /proc/thread-self/net/ip_tables_names")
    assert before == after
