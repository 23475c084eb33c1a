"""The control process: brings a sandbox up, keeps it running, and takes it down in order.

The order of the start is the shortest: the nodes and the service proxy come first, as processes of their own that keep
trying until the API server listens; everything else is ready long before them.
"""

import asyncio
import contextlib
import errno
import logging
import os
import secrets
import signal
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from litmus.sandbox.lifecycle import SandboxError, certificates, kubeconfig
from litmus.sandbox.lifecycle.folder import Folder, Settings
from litmus.sandbox.machinery import conditions
from litmus.sandbox.machinery.options import User
from litmus.sandbox.machinery.store import Event, Store

from . import plane
from .children import Children
from .database import Database
from .nodes import Nodes

log = logging.getLogger(__name__)

HOST = "127.0.0.1"
START_NODES = signal.SIGHUP  # what ``litmus sandbox node start`` sends
ADMIN = User(name="kubernetes-admin", groups=("system:masters",))
PROXY = User(name="system:kube-proxy", groups=("system:node-proxier",))
# Second bytes of 127/8 that a sandbox may own; the low ones are where other programs put their loopback addresses.
_NETWORKS = range(32, 224)


async def run(folder: Folder, *, on_ready: Callable[[], None]) -> None:
    """Runs a prepared sandbox until SIGTERM or SIGINT. Raises SandboxError when it can't start."""
    settings = folder.load()
    if settings is None:
        raise SandboxError(f"{folder.path} holds no settings; start a sandbox with: litmus sandbox up")
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    with _network(settings) as network, _listener(settings) as listener:
        settings.port = listener.getsockname()[1]
        settings.network, settings.pid, settings.started = network, os.getpid(), time.time()
        folder.save(settings)
        await _Sandbox(folder, settings, listener).run(stop, on_ready)


@dataclass(slots=True)
class _Sandbox:
    folder: Folder
    settings: Settings
    listener: socket.socket

    async def run(self, stop: asyncio.Event, on_ready: Callable[[], None]) -> None:
        settings, folder = self.settings, self.folder
        certificates.make(
            folder.pki,
            addresses=[HOST, *(f"127.{number}.128.1" for number in _NETWORKS)],
            names=["localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"],
        )
        users = {secrets.token_urlsafe(32): user for user in self._users()}
        for token, user in users.items():
            self._kubeconfig(user, token)
        children = Children(mark=folder.path, logs=folder.logs)
        children.janitor()
        nodes = Nodes(settings.node_names, settings.network, folder, children)
        try:
            await nodes.start_missing()
            await children.start("network", "litmus.sandbox.network", f"--kubeconfig={self._proxy_kubeconfig}")
            store = Store()
            database = Database(folder.database) if settings.persist else None
            if database is not None:
                database.restore(store)
            control = plane.build(
                plane.Place(
                    host=HOST,
                    port=settings.port,
                    network=settings.network,
                    pki=folder.pki,
                    kubelet_socket=folder.kubelet_socket,
                ),
                users=users,
                store=store,
            )
            await self._until(stop, control, nodes, on_ready, database)
        finally:
            await children.stop()

    async def _until(
        self,
        stop: asyncio.Event,
        control: plane.Plane,
        nodes: Nodes,
        on_ready: Callable[[], None],
        database: Database | None,
    ) -> None:
        """Everything side by side, until somebody stops it."""
        again, wanted = asyncio.Condition(), asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(START_NODES, wanted.set)
        work = [control.run(self.listener), self._announce(control, on_ready), self._restart(nodes, wanted, again)]
        work += [nodes.look_after(name, control.cluster, again=again) for name in nodes.names]
        if database is not None:
            work.append(database.follow(control.registry.store))
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(part) for part in work]
            await stop.wait()
            log.info("stopping")
            nodes.stopping = True
            await nodes.children.stop()
            for task in tasks:
                task.cancel()

    async def _restart(self, nodes: Nodes, wanted: asyncio.Event, again: asyncio.Condition) -> None:
        """Starts the nodes that are down whenever somebody asks for it."""
        while True:
            await wanted.wait()
            wanted.clear()
            log.info("started again: %s", ", ".join(await nodes.start_missing()) or "none was down")
            async with again:
                again.notify_all()

    def _users(self) -> list[User]:
        nodes = [User(name=f"system:node:{name}", groups=("system:nodes",)) for name in self.settings.node_names]
        return [ADMIN, PROXY, *nodes]

    def _kubeconfig(self, user: User, token: str) -> None:
        path = self.folder.kubeconfig
        if user is PROXY:
            path = self._proxy_kubeconfig
        elif user is not ADMIN:
            path = self.folder.pki / f"{user.name.rpartition(':')[2]}.kubeconfig"
        kubeconfig.write(
            path,
            name="litmus-sandbox" if self.settings.name == Settings().name else f"litmus-{self.settings.name}",
            server=f"https://{HOST}:{self.settings.port}",
            authority=self.folder.pki / "ca.crt",
            user=user.name,
            token=token,
        )

    @property
    def _proxy_kubeconfig(self) -> Path:
        return self.folder.pki / "network.kubeconfig"

    async def _announce(self, control: plane.Plane, on_ready: Callable[[], None]) -> None:
        """Says that the sandbox is ready as soon as all its nodes are."""
        ready = asyncio.Event()

        def look(_: Event | None = None) -> None:
            nodes = control.cluster.list("nodes")
            good = [node for node in nodes if (conditions.find(node, "Ready") or {}).get("status") == "True"]
            if len(good) >= self.settings.nodes:
                ready.set()

        unsubscribe = control.cluster.subscribe("nodes", look)
        look()
        await ready.wait()
        unsubscribe()
        self.settings.ready = True
        self.folder.save(self.settings)
        log.info("ready after %.2f s", time.time() - self.settings.started)
        on_ready()


@contextlib.contextmanager
def _listener(settings: Settings) -> Iterator[socket.socket]:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, settings.port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise SandboxError(
                    f"port {settings.port} is in use; name another with --port, or leave the option out for a free one"
                ) from error
            why = f"port {settings.port} can't be opened ({error.strerror})"
            raise SandboxError(f"{why}; name another with --port") from error
        listener.listen(1024)
        listener.setblocking(False)
        yield listener


@contextlib.contextmanager
def _network(settings: Settings) -> Iterator[int]:
    """Claims a loopback network for as long as the sandbox lives: that of its last life, or any.

    The claim is a socket in the abstract name space (unix(7)): the kernel gives it back however the process ends.
    """
    for number in [settings.network] if settings.network else _NETWORKS:
        claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            claim.bind(f"\0litmus-sandbox-127.{number}")
        except OSError:
            claim.close()
            continue
        with claim:
            yield number
        return
    if settings.network:
        raise SandboxError(
            f"another sandbox uses 127.{settings.network}.0.0/16, where the kept services are; end that one first, "
            "or clear the kept objects with: litmus sandbox down"
        )
    raise SandboxError("too many sandboxes run on this machine; end one with: litmus sandbox down --name …")
