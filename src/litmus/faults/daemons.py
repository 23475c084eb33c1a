"""The kubelet of a node and its container runtime, among all processes of the host.

Several nodes may share a host, each with a kubelet and a runtime of its own, so that a name says nothing: a kubelet is
told by the node that it registers as (``--hostname-override``), and a runtime by the socket that this kubelet calls.
What can't be told apart is refused. Sources: proc(5), unix(7), kubelet's command line reference.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from . import processes
from .contract import FaultError

KUBELET = "kubelet"
# In a pod that runs as a container of Docker or CRI-O alike, "docker" means: whatever runs this node's containers.
RUNTIMES = ("docker", "containerd", "crio", "container-runtime")
_DEFAULT_SOCKET = "/run/containerd/containerd.sock"  # of the kubelet from 1.24 on
# Sockets between the kubelet and Docker: behind them stands the Docker daemon.
_SHIMS = ("dockershim.sock", "cri-dockerd.sock")
_DOCKER_SOCKET = "/run/docker.sock"
_LISTENS = 0x10000  # __SO_ACCEPTCON in the flags column of /proc/net/unix
_IN_CONFIG = re.compile(r"^[\s\"]*containerRuntimeEndpoint[\"\s]*:[\"'\s]*([^\"'\s,]+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Daemon:
    """A process that serves a node."""

    pid: int
    started: int  # clock ticks after boot
    name: str
    arguments: tuple[str, ...] = ()

    def option(self, name: str) -> str:
        """The value of ``--name=value`` or ``--name value``, '' without it; the last one counts."""
        found = ""
        for position, word in enumerate(self.arguments):
            if word.startswith(f"--{name}="):
                found = word.partition("=")[2]
            elif word == f"--{name}" and position + 1 < len(self.arguments):
                found = self.arguments[position + 1]
        return found


def of_node(service: str, node: str, *, proc: Path = processes.PROC) -> Daemon:
    """The kubelet or the container runtime of a node. Raises FaultError when it can't be told which it is."""
    kubelet = kubelet_of(node, proc=proc)
    if service == KUBELET:
        return kubelet
    if service in RUNTIMES:
        return runtime_of(kubelet, proc=proc)
    raise FaultError(f"service {service!r} is not known; allowed are {', '.join((KUBELET, *RUNTIMES))}")


def kubelets(*, proc: Path = processes.PROC) -> list[Daemon]:
    """All kubelets of the host, in order of their pids."""
    found = [_daemon(entry) for entry in proc.iterdir() if entry.name.isdigit() and _is_kubelet(entry)]
    running = [daemon for daemon in found if daemon]
    # A process that a kubelet has just forked looks like it until it executes its program.
    pids = {daemon.pid for daemon in running}
    own = [daemon for daemon in running if parent(daemon.pid, proc=proc) not in pids]
    return sorted(own, key=lambda daemon: daemon.pid)


def kubelet_of(node: str, *, proc: Path = processes.PROC) -> Daemon:
    """The kubelet that registers as this node; one without ``--hostname-override`` only if there is no other."""
    found = kubelets(proc=proc)
    if not found:
        raise FaultError(f"no kubelet process of node {node} is visible here; it is down, or the pod lacks hostPID")
    named = [daemon for daemon in found if daemon.option("hostname-override").lower() == node.lower()]
    if len(named) == 1:
        return named[0]
    if len(found) == 1 and not found[0].option("hostname-override"):
        return found[0]
    seen = ", ".join(f"pid {d.pid} of {d.option('hostname-override') or 'an unnamed node'}" for d in found)
    raise FaultError(f"the kubelet of node {node} can't be told: on this host there are {seen}; nothing was touched")


def runtime_of(kubelet: Daemon, *, proc: Path = processes.PROC) -> Daemon:
    """The process that listens on the socket which this kubelet calls for containers."""
    sockets = _listening(kubelet.pid, proc=proc)
    path = _endpoint(kubelet, sockets, proc=proc)
    inodes = sockets.get(path, set())
    holders = [_daemon(proc / str(pid)) for pid in _holders(inodes, proc=proc)]
    found = [daemon for daemon in holders if daemon]
    # A runtime's own children inherit the socket for the moment until they execute their program.
    pids = {daemon.pid for daemon in found}
    own = [daemon for daemon in found if parent(daemon.pid, proc=proc) not in pids]
    if len(own) == 1:
        return own[0]
    who = "no process" if not own else f"{len(own)} processes"
    raise FaultError(f"the container runtime of kubelet {kubelet.pid} can't be told: {who} listens on {path}")


def parent(pid: int, *, proc: Path = processes.PROC) -> int:
    """The parent's pid; 0 when the process has ended."""
    try:
        return int(_stat(proc / str(pid))[1])
    except (OSError, IndexError, ValueError):
        return 0


def started(pid: int, *, proc: Path = processes.PROC) -> int:
    """When a process began, in clock ticks after boot; -1 if there is none. With the pid it names one process only."""
    try:
        return int(_stat(proc / str(pid))[19])
    except (OSError, IndexError, ValueError):
        return -1


def boot_id() -> str:
    """Another one after each start of the machine (random(4))."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def _is_kubelet(entry: Path) -> bool:
    try:
        words = (entry / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return False  # it ended while we looked
    program = words[0].rpartition(b"/")[2]
    return program == b"kubelet" or (program == b"hyperkube" and words[1:2] == [b"kubelet"])


def _daemon(entry: Path) -> Daemon | None:
    try:
        words = (entry / "cmdline").read_bytes().decode(errors="replace").rstrip("\0").split("\0")
        fields = _stat(entry)
        name = (entry / "comm").read_text().strip()
    except (OSError, IndexError):
        return None
    # A zombie serves nobody.
    return None if fields[0] in "ZX" else Daemon(int(entry.name), int(fields[19]), name, tuple(words))


def _stat(entry: Path) -> list[str]:
    """The fields of proc_pid_stat(5) from the third, the state, on; the name before may itself hold brackets."""
    return (entry / "stat").read_text().rpartition(")")[2].split()


def _endpoint(kubelet: Daemon, sockets: Mapping[str, set[str]], *, proc: Path) -> str:
    """The path of the runtime's socket: by flag, by the kubelet's configuration, else the defaults of its age."""
    said = kubelet.option("container-runtime-endpoint") or _configured(kubelet, proc=proc)
    if not said:
        dockershim = next((path for path in sockets if path.endswith("/dockershim.sock")), "")
        said = dockershim or _DEFAULT_SOCKET
    path = _plain(said.removeprefix("unix://"))
    return _DOCKER_SOCKET if path.rpartition("/")[2] in _SHIMS else path


def _configured(kubelet: Daemon, *, proc: Path) -> str:
    """``containerRuntimeEndpoint`` of the file that ``--config`` names (KubeletConfiguration, from 1.27 on)."""
    name = kubelet.option("config")
    if not name:
        return ""
    start = proc / str(kubelet.pid) / ("root" if name.startswith("/") else "cwd")
    try:
        found = _IN_CONFIG.search((start / name.lstrip("/")).read_text())
    except OSError:
        return ""
    return found.group(1) if found else ""


def _plain(path: str) -> str:
    return path.removeprefix("/var") if path.startswith("/var/run/") else path


def _listening(pid: int, *, proc: Path) -> dict[str, set[str]]:
    """Path → inodes of the Unix sockets that are listened on in a process's network namespace."""
    found: dict[str, set[str]] = {}
    for line in (proc / str(pid) / "net/unix").read_text().splitlines()[1:]:
        fields = line.split(maxsplit=7)
        if len(fields) == 8 and int(fields[3], 16) & _LISTENS:
            found.setdefault(_plain(fields[7]), set()).add(fields[6])
    return found


def _holders(inodes: set[str], *, proc: Path) -> list[int]:
    """The processes that have one of these sockets open, but for process 1, which keeps sockets for its services."""
    wanted = {f"socket:[{inode}]" for inode in inodes}
    return [
        int(entry.name)
        for entry in proc.iterdir()
        if wanted and entry.name.isdigit() and entry.name != "1" and _holds(entry, wanted)
    ]


def _holds(entry: Path, wanted: set[str]) -> bool:
    try:
        return any(_target(link) in wanted for link in (entry / "fd").iterdir())
    except OSError:
        return False  # it ended while we looked, or is not ours to look into


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:
        return ""
