"""The network experiments on both engines: what a client measures with packets of its own, before, during and after.

``netem1`` has a kernel with netem, ``node1`` has none, so that the engine in user space is chosen there. The pods'
queueing disciplines are read with tc in the pod itself.
"""

import json
from typing import Any

import pytest

from tests.cluster import node_states
from tests.cluster.stage import Stage, kubectl, until

NODES = {"netem1": "kernel", "node1": "userspace"}
PORT = 7000
ECHO = f"""
import socket, threading
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.bind(("", {PORT}))
tcp = socket.create_server(("", {PORT}))
def accept():
    while True:
        tcp.accept()[0].close()
threading.Thread(target=accept, daemon=True).start()
while True:
    data, sender = udp.recvfrom(65535)
    udp.sendto(data, sender)
"""
# Counts and times the echoes of UDP packets. Arguments: address, number of packets, seconds to wait for the last one.
MEASURE = f"""
import json, select, socket, sys, time
address, count, wait = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sent, times, copies = {{}}, {{}}, 0
give_up = 0.0
while len(sent) < count or time.monotonic() < give_up:
    if len(sent) < count:
        number = len(sent)
        sent[number] = time.monotonic()
        udp.sendto(str(number).encode() + b" " * 500, (address, {PORT}))
        give_up = time.monotonic() + wait
    while select.select([udp], [], [], 0.005 if len(sent) < count else max(0, give_up - time.monotonic()))[0]:
        number = int(udp.recv(65535))
        copies += number in times
        times.setdefault(number, time.monotonic() - sent[number])
ordered = sorted(times.values())
median = ordered[len(ordered) // 2] * 1000 if ordered else None
print(json.dumps({{"answered": len(times), "copies": copies, "ms": median}}))
"""
# Restarts the machine of the node at once (reboot(2)), which takes the first process namespace. Once: a kubelet whose
# runtime forgot the pod with the restart runs it again. Argument: the id of the start of the machine that is to end.
REBOOT = """
import ctypes, pathlib
if pathlib.Path("/proc/sys/kernel/random/boot_id").read_text().strip() == "%s":
    ctypes.CDLL(None).reboot(0x01234567)
"""


@pytest.fixture(params=NODES)
def node(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    if not kubectl("get", "node", name, "--ignore-not-found"):
        pytest.skip(f"the cluster has no node {name}")
    return name


def pod(name: str, node: str, *, command: str, capability: str = "NET_ADMIN", **more: Any) -> dict[str, Any]:
    """``NET_ADMIN`` lets the test look at, and set, the pod's queueing disciplines."""
    container = {
        "name": "main",
        "image": "python:3.11",
        "command": ["python3", "-c", command],
        "securityContext": {"capabilities": {"add": [capability]}},
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": name}, "annotations": {"litmuschaos.io/chaos": "true"}},
        "spec": {"nodeName": node, "terminationGracePeriodSeconds": 1, "containers": [container], **more},
    }


def address(stage: Stage, name: str) -> str:
    found: str = stage.get("pods", selector=f"app={name}")[0]["status"]["podIP"]
    return found


def clients(stage: Stage) -> None:
    """Two peers of the target, which answer as it does."""
    stage.apply(pod("alice", "node1", command=ECHO), pod("bob", "node2", command=ECHO))
    stage.kubectl("wait", "--for=condition=Ready", "pod/alice", "pod/bob", "--timeout=150s")


def server(stage: Stage, node: str, **more: Any) -> str:
    """The target, an echo server; its address."""
    template = pod("web", node, command=ECHO, **more)
    stage.apply(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": template["metadata"],
            "spec": {
                "selector": {"matchLabels": {"app": "web"}},
                "template": {"metadata": {"labels": {"app": "web"}}, "spec": template["spec"]},
            },
        }
    )
    stage.kubectl("rollout", "status", "deployment/web", "--timeout=150s")
    found = address(stage, "web")
    until(lambda: measure(stage, "alice", found, count=1)["answered"], "the server to answer")
    return found


def measure(stage: Stage, client: str, to: str, *, count: int = 100, wait_s: float = 1.0) -> dict[str, Any]:
    client = "deployment/web" if client == "web" else client
    out = stage.kubectl("exec", client, "--", "python3", "-c", MEASURE, to, str(count), str(wait_s))
    found: dict[str, Any] = json.loads(out)
    return found


def qdiscs(stage: Stage) -> str:
    """What is queued how in the target, and how long its queue is."""
    return stage.kubectl(
        "exec", "deployment/web", "--", "sh", "-c", "tc qdisc show; ip link show eth0 | head -1; ip link show type ifb"
    )


def run(stage: Stage, experiment: str, **env: Any) -> None:
    """Starts an experiment on the target and waits until its fault is in force."""
    env = {"TOTAL_CHAOS_DURATION": 15, **env}
    stage.apply(stage.engine({experiment: env}))


def started(stage: Stage, experiment: str) -> None:
    """Waits until the fault is proven and the clock of the chaos runs. The slow node has to get our image first."""

    def begun() -> bool:
        status = (stage.get("chaosresult", f"chaos-{experiment}") or {}).get("status", {})
        step = status.get("run", {}).get("step", "")
        assert step not in ("Error", "Fail", "Stopped"), status
        return bool(step == "chaos" and status.get("faults"))

    until(begun, f"the chaos of {experiment} to begin", deadline_s=150)


def passed(stage: Stage, experiment: str, node: str) -> str:
    """Waits for the end; what was delivered."""
    stage.ended(deadline_s=150)
    assert stage.verdict(experiment) == ("Pass", "N/A")
    delivered: str = stage.result(experiment)["targets"][0]["delivered"]
    assert NODES[node] in delivered
    return delivered


def failed(stage: Stage, experiment: str) -> str:
    """Waits for the end, which has to be an Error; its sentence."""
    stage.ended(deadline_s=150)
    verdict, step = stage.verdict(experiment)
    assert verdict == "Error"
    return step


def test_a_client_sees_the_delay_while_it_lasts_and_neither_before_nor_after(stage: Stage, node: str) -> None:
    clients(stage)
    web = server(stage, node)
    before, state = measure(stage, "alice", web), qdiscs(stage)
    run(stage, "pod-network-latency", NETWORK_LATENCY=300, JITTER=50)
    started(stage, "pod-network-latency")
    during = measure(stage, "alice", web)
    delivered = passed(stage, "pod-network-latency", node)
    after = measure(stage, "alice", web)
    assert before["ms"] < 100
    assert 250 <= during["ms"] - before["ms"] <= 450
    assert after["ms"] < 100
    assert "ms added" in delivered
    assert qdiscs(stage) == state
    stage.swept()


def test_packets_are_lost_only_between_the_target_and_the_named_peer(stage: Stage, node: str) -> None:
    clients(stage)
    server(stage, node)
    # Asked from the target: a node may hide the address of who asks from another node.
    alice, bob, state = address(stage, "alice"), address(stage, "bob"), qdiscs(stage)
    run(stage, "pod-network-loss", NETWORK_PACKET_LOSS_PERCENTAGE=100, TARGET_IPS=f"{alice}/32")
    started(stage, "pod-network-loss")
    assert measure(stage, "web", alice)["answered"] == 0
    assert measure(stage, "web", bob)["answered"] == 100
    passed(stage, "pod-network-loss", node)
    assert measure(stage, "web", alice)["answered"] == 100
    assert qdiscs(stage) == state


def test_a_share_of_the_packets_is_lost_as_asked(stage: Stage, node: str) -> None:
    clients(stage)
    web = server(stage, node)
    run(stage, "pod-network-loss", NETWORK_PACKET_LOSS_PERCENTAGE=30, CORRELATION=20)
    started(stage, "pod-network-loss")
    assert 800 * 0.6 <= measure(stage, "alice", web, count=800)["answered"] <= 800 * 0.8
    passed(stage, "pod-network-loss", node)


def test_packets_arrive_twice(stage: Stage, node: str) -> None:
    clients(stage)
    web = server(stage, node)
    assert measure(stage, "alice", web)["copies"] == 0
    run(stage, "pod-network-duplication")
    started(stage, "pod-network-duplication")
    during = measure(stage, "alice", web)
    assert (during["answered"], during["copies"]) == (100, 100)
    passed(stage, "pod-network-duplication", node)
    assert measure(stage, "alice", web)["copies"] == 0


def test_damaged_packets_never_reach_the_client(stage: Stage, node: str) -> None:
    clients(stage)
    web = server(stage, node)
    run(stage, "pod-network-corruption", NETWORK_PACKET_CORRUPTION_PERCENTAGE=50)
    started(stage, "pod-network-corruption")
    assert 100 <= measure(stage, "alice", web, count=300)["answered"] <= 200
    passed(stage, "pod-network-corruption", node)
    assert measure(stage, "alice", web)["answered"] == 100


def test_both_directions_delay_a_question_and_its_answer(stage: Stage, node: str) -> None:
    clients(stage)
    web = server(stage, node)
    run(stage, "pod-network-latency", NETWORK_LATENCY=200, DIRECTION="both")
    started(stage, "pod-network-latency")
    during = measure(stage, "alice", web)
    passed(stage, "pod-network-latency", node)
    assert 350 <= during["ms"] <= 600


def test_the_chart_s_minute_of_latency_is_proven_without_waiting_for_it(stage: Stage, node: str) -> None:
    clients(stage)
    server(stage, node)
    alice = address(stage, "alice")
    run(stage, "pod-network-latency", TARGET_IPS=alice)
    started(stage, "pod-network-latency")
    assert measure(stage, "web", alice, count=10)["answered"] == 0
    assert "held back" in passed(stage, "pod-network-latency", node)
    assert measure(stage, "web", alice, count=10)["answered"] == 10


def test_a_host_name_is_understood_as_the_target_understands_it(stage: Stage, node: str) -> None:
    clients(stage)
    alice, bob = address(stage, "alice"), address(stage, "bob")
    server(stage, node, hostAliases=[{"ip": alice, "hostnames": ["db.example.test"]}])
    run(stage, "pod-network-loss", TARGET_HOSTS="db.example.test")
    started(stage, "pod-network-loss")
    assert measure(stage, "web", alice)["answered"] == 0
    assert measure(stage, "web", bob)["answered"] == 100
    passed(stage, "pod-network-loss", node)


def test_a_service_is_hit_at_its_own_address(stage: Stage, node: str) -> None:
    clients(stage)
    server(stage, node)
    stage.apply(pod("shop", "node2", command=ECHO))
    ports = [{"port": PORT, "protocol": "UDP"}]
    spec = {"selector": {"app": "shop"}, "ports": ports}
    stage.apply({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "shop"}, "spec": spec})
    rule = {"apiGroups": [""], "resources": ["services", "endpoints"], "verbs": ["get"]}
    stage.kubectl(
        "patch", "role", "chaos-sa", "--type=json", "-p", json.dumps([{"op": "add", "path": "/rules/-", "value": rule}])
    )
    stage.kubectl("wait", "--for=condition=Ready", "pod/shop", "--timeout=150s")
    service = stage.get("service", "shop")["spec"]["clusterIP"]
    # kube-proxy learns of the pod a moment after kubectl
    until(lambda: measure(stage, "web", service)["answered"] == 100, "the service to lead to its pod")
    run(stage, "pod-network-loss", TARGET_SERVICE=f"{stage.name}/shop")
    started(stage, "pod-network-loss")
    assert measure(stage, "web", service)["answered"] == 0
    passed(stage, "pod-network-loss", node)
    assert measure(stage, "web", service)["answered"] == 100


@pytest.mark.alone
def test_a_queueing_discipline_that_somebody_set_is_put_back(stage: Stage) -> None:
    clients(stage)
    web = server(stage, "netem1")
    theirs = "tc qdisc add dev eth0 root handle 77: tbf rate 50mbit burst 64kb latency 40ms"
    stage.kubectl("exec", "deployment/web", "--", "sh", "-c", theirs)
    state = qdiscs(stage)
    assert "tbf 77:" in state
    run(stage, "pod-network-latency", NETWORK_LATENCY=200)
    started(stage, "pod-network-latency")
    assert measure(stage, "alice", web)["ms"] >= 150
    passed(stage, "pod-network-latency", "netem1")
    assert qdiscs(stage) == state


@pytest.mark.parametrize(
    ("env", "words"),
    [
        ({"NETWORK_INTERFACE": "eth9"}, ["eth9", "eth0"]),
        ({"TARGET_IPS": "10.0.0.300"}, ["TARGET_IPS", "10.0.0.300", "10.0.0.0/8"]),
        ({"TARGET_HOSTS": "nobody.invalid"}, ["nobody.invalid", "resolved"]),
        ({"TARGET_SERVICE": "shop/db"}, ["TARGET_SERVICE", "shop/db", "role"]),
        ({"NETWORK_PACKET_LOSS_PERCENTAGE": "101"}, ["NETWORK_PACKET_LOSS_PERCENTAGE", "101", "100"]),
    ],
)
def test_bad_input_is_an_error_before_anything_is_touched(stage: Stage, env: dict[str, str], words: list[str]) -> None:
    clients(stage)
    web = server(stage, "node1")
    state = qdiscs(stage)
    run(stage, "pod-network-loss", **env)
    sentence = failed(stage, "pod-network-loss")
    assert all(word in sentence for word in words), sentence
    assert qdiscs(stage) == state
    assert measure(stage, "alice", web)["answered"] == 100


@pytest.mark.alone
def test_the_node_of_a_target_goes_away_and_comes_back_without_the_fault(stage: Stage) -> None:
    """Its helper dies with it and says no more; the ledger is closed when the node can be asked again."""
    name = "netem1"
    boot = node_states.alone_on_its_machine(name)
    clients(stage)
    server(stage, name)
    run(stage, "pod-network-latency", NETWORK_LATENCY=300, TOTAL_CHAOS_DURATION=240)
    started(stage, "pod-network-latency")
    assert measure(stage, "alice", address(stage, "web"))["ms"] > 250
    assert "netem" in qdiscs(stage)
    stage.apply(pod("reboot", name, command=REBOOT % boot, capability="SYS_BOOT", hostPID=True, restartPolicy="Never"))
    until(lambda: node_states.boot_ids()[name] != boot, f"{name} to come back", deadline_s=120)
    assert "ended before it said 'reverted'" in failed(stage, "pod-network-latency")

    def closed() -> bool:
        return [one["state"] for one in stage.result("pod-network-latency")["faults"]] in (["reverted"], ["moot"])

    until(closed, "the ledger to be closed", deadline_s=120)
    stage.kubectl("wait", "--for=condition=Ready", "pod", "-l=app=web", "--timeout=150s")
    until(lambda: measure(stage, "alice", address(stage, "web"), count=1)["answered"], "the server to answer")
    assert measure(stage, "alice", address(stage, "web"))["ms"] < 100
    assert "netem" not in qdiscs(stage)
    stage.swept()
