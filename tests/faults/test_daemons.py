"""The kubelet and the runtime of one node among those of others, on recorded /proc folders of real hosts."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from litmus.faults import daemons
from litmus.faults.contract import FaultError

KUBELET = (
    "/var/cache/kube-1.20.2/bin/kubelet --config=conf/{node}.kubelet.yaml --hostname-override={node} "
    "--container-runtime=remote --container-runtime-endpoint=unix:///var/tmp/kube/{node}/run/containerd.sock"
)
UNIX = "Num       RefCount Protocol Flags    Type St Inode Path\n"
LISTENS = "00000000d88ee859: 00000002 00000000 00010000 0001 01 {inode} {path}\n"
CONNECTED = "00000000d88ee860: 00000003 00000000 00000000 0001 03 {inode} {path}\n"


class Host:
    """A /proc of our own."""

    def __init__(self, proc: Path) -> None:
        self.proc = proc

    def process(self, pid: int, words: str, *, name: str = "", parent: int = 1, state: str = "S", **fds: str) -> Path:
        entry = self.proc / str(pid)
        (entry / "fd").mkdir(parents=True)
        (entry / "net").mkdir()
        (entry / "cmdline").write_bytes(words.replace(" ", "\0").encode() + b"\0")
        name = name or words.split(" ")[0].rpartition("/")[2]
        (entry / "comm").write_text(f"{name}\n")
        rest = " ".join(["0"] * 17)
        (entry / "stat").write_text(f"{pid} ({name} (1)) {state} {parent} {rest} {pid * 100} 0 0\n")
        (entry / "net/unix").write_text(UNIX)
        for number, target in fds.items():
            (entry / "fd" / number.removeprefix("fd")).symlink_to(target)
        return entry

    def listen(self, pid: int, *rows: str) -> None:
        (self.proc / str(pid) / "net/unix").write_text(UNIX + "".join(rows))


@pytest.fixture
def host(tmp_path: Path) -> Host:
    (tmp_path / "self").mkdir()
    return Host(tmp_path)


@pytest.fixture
def shared(host: Host) -> Host:
    """What the kit's machine looked like: two nodes on one kernel, and the processes around them."""
    host.process(1, "/process_api --port 2024", fd3="socket:[4001444]")
    host.process(4746, "/var/cache/kube-1.20.2/bin/kube-apiserver --kubelet-client-key=k")
    host.process(4819, "containerd -c /var/tmp/kube/node1/containerd.toml", fd11="socket:[4001444]", fd13="pipe:[7]")
    host.process(4851, KUBELET.format(node="node1"), fd9="socket:[4001629]")
    host.process(4870, "containerd -c /var/tmp/kube/node2/containerd.toml", fd11="socket:[4000214]")
    host.process(4902, KUBELET.format(node="node2"))
    host.process(4444, "containerd-shim-runc-v2 -address /var/tmp/kube/node1/run/containerd.sock")
    host.process(7001, "vim kubelet")
    rows = [
        CONNECTED.format(inode=4001630, path="/var/tmp/kube/node1/run/containerd.sock"),
        LISTENS.format(inode=4001443, path="/var/tmp/kube/node1/run/containerd.sock.ttrpc"),
        LISTENS.format(inode=4001444, path="/var/tmp/kube/node1/run/containerd.sock"),
        LISTENS.format(inode=4000214, path="/var/tmp/kube/node2/run/containerd.sock"),
        "00000000d88ee861: 00000002 00000000 00000000 0002 01 11111\n",
    ]
    for kubelet in (4851, 4902):
        host.listen(kubelet, *rows)
    return host


@pytest.mark.parametrize(("node", "pid"), [("node1", 4851), ("node2", 4902), ("NODE2", 4902)])
def test_of_two_kubelets_on_a_host_the_one_of_the_node_is_found(shared, node, pid):
    found = daemons.of_node("kubelet", node, proc=shared.proc)
    assert (found.pid, found.name, found.started) == (pid, "kubelet", pid * 100)


@pytest.mark.parametrize("service", daemons.RUNTIMES)
@pytest.mark.parametrize(("node", "pid"), [("node1", 4819), ("node2", 4870)])
def test_the_runtime_is_the_process_that_listens_where_the_nodes_kubelet_calls(shared, service, node, pid):
    """And not process 1, which holds the sockets of the services that it starts on demand."""
    assert daemons.of_node(service, node, proc=shared.proc).pid == pid


def test_a_node_that_none_of_the_kubelets_serves_is_refused_with_those_that_are_there(shared):
    with pytest.raises(FaultError, match=r"node netem1 can't be told.*pid 4851 of node1, pid 4902 of node2; nothing"):
        daemons.of_node("kubelet", "netem1", proc=shared.proc)


def test_two_kubelets_of_one_name_are_refused(shared):
    shared.process(5000, KUBELET.format(node="node1"))
    with pytest.raises(FaultError, match="kubelet of node node1 can't be told"):
        daemons.of_node("kubelet", "node1", proc=shared.proc)


def test_what_a_kubelet_has_just_forked_is_not_taken_for_another_kubelet(shared):
    shared.process(5000, KUBELET.format(node="node1"), parent=4851)
    assert daemons.of_node("kubelet", "node1", proc=shared.proc).pid == 4851


def test_a_kubelet_that_has_ended_but_was_not_waited_for_does_not_count(shared):
    shared.process(5000, KUBELET.format(node="node1"), state="Z")
    assert daemons.of_node("kubelet", "node1", proc=shared.proc).pid == 4851


def test_a_kubelet_without_a_name_is_the_nodes_if_there_is_no_other(host):
    host.process(800, "/usr/bin/kubelet --kubeconfig=/etc/kubernetes/kubelet.conf")
    assert daemons.of_node("kubelet", "ip-10-0-0-7.ec2.internal", proc=host.proc).pid == 800
    host.process(900, KUBELET.format(node="node2"))
    with pytest.raises(FaultError, match="pid 800 of an unnamed node, pid 900 of node2"):
        daemons.of_node("kubelet", "ip-10-0-0-7.ec2.internal", proc=host.proc)


def test_the_only_kubelet_is_not_the_nodes_if_it_says_that_it_is_anothers(host):
    host.process(900, KUBELET.format(node="node2"))
    with pytest.raises(FaultError, match="kubelet of node node1 can't be told"):
        daemons.of_node("kubelet", "node1", proc=host.proc)


def test_without_any_kubelet_it_is_said_what_may_be_wrong(host):
    host.process(1, "init")
    with pytest.raises(FaultError, match=r"no kubelet process of node node1 is visible here.*hostPID"):
        daemons.of_node("kubelet", "node1", proc=host.proc)


def test_a_service_that_we_do_not_know_is_refused_with_those_that_we_do(shared):
    with pytest.raises(FaultError, match="'sshd' is not known; allowed are kubelet, docker, containerd, crio"):
        daemons.of_node("sshd", "node1", proc=shared.proc)


def test_hyperkube_serves_as_a_kubelet_and_options_may_be_words_of_their_own(host):
    host.process(800, "/hyperkube kubelet --hostname-override node7 --v 2")
    assert daemons.of_node("kubelet", "node7", proc=host.proc).option("v") == "2"


def test_a_runtime_that_nobody_can_be_told_to_be_is_refused(shared):
    (shared.proc / "4870/fd/11").unlink()
    with pytest.raises(FaultError, match=r"no process listens on /var/tmp/kube/node2/run/containerd.sock"):
        daemons.of_node("docker", "node2", proc=shared.proc)
    shared.process(5000, "socat", fd3="socket:[4001444]")
    with pytest.raises(FaultError, match=r"2 processes listens? on"):
        daemons.of_node("docker", "node1", proc=shared.proc)


@pytest.mark.parametrize(
    ("options", "socket"),
    [
        ("", "/run/containerd/containerd.sock"),
        ("--container-runtime-endpoint=unix:///var/run/crio/crio.sock", "/run/crio/crio.sock"),
        ("--container-runtime-endpoint=/run/crio/crio.sock", "/var/run/crio/crio.sock"),
        ("--container-runtime-endpoint=unix:///var/run/cri-dockerd.sock", "/run/docker.sock"),
        ("--config=/etc/kubelet.yaml", "/run/k3s/containerd/containerd.sock"),
    ],
)
def test_the_socket_is_the_one_of_the_flag_of_the_configuration_or_the_default(host, options, socket):
    entry = host.process(800, f"kubelet {options}".strip())
    (entry / "root/etc").mkdir(parents=True)
    (entry / "root/etc/kubelet.yaml").write_text(
        'kind: KubeletConfiguration\ncontainerRuntimeEndpoint: "unix:///run/k3s/containerd/containerd.sock"\n'
    )
    host.process(700, "the-runtime", fd4="socket:[77]")
    host.listen(800, LISTENS.format(inode=77, path=socket))
    assert daemons.of_node("docker", "any", proc=host.proc).pid == 700


def test_where_the_kubelet_itself_speaks_to_docker_docker_is_the_runtime(host):
    """Before 1.24, with a containerd at its default socket that only serves Docker."""
    host.process(800, "kubelet --network-plugin=cni", fd5="socket:[79]")
    host.process(700, "dockerd -H fd://", fd4="socket:[77]")
    host.process(600, "containerd", fd4="socket:[78]")
    host.process(1, "systemd", fd44="socket:[77]")
    rows = [("77", "/run/docker.sock"), ("78", "/run/containerd/containerd.sock"), ("79", "/var/run/dockershim.sock")]
    host.listen(800, *(LISTENS.format(inode=inode, path=path) for inode, path in rows))
    assert daemons.of_node("docker", "any", proc=host.proc).name == "dockerd"


def test_a_pid_with_its_start_names_one_process_only():
    child = subprocess.Popen(["sleep", "60"])
    try:
        began = daemons.started(child.pid)
        assert began > daemons.started(os.getpid()) > 0
        assert daemons.parent(child.pid) == os.getpid()
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
    assert daemons.started(child.pid) == -1
    assert daemons.parent(child.pid) == 0
