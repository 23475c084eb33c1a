"""A sandbox between its start and its end: keys and tokens, nodes, service proxy, control plane, all side by side."""

import asyncio
import logging
import secrets
import socket
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from litmus.sandbox.lifecycle import SandboxError, certificates, kubeconfig
from litmus.sandbox.lifecycle.folder import DEFAULT_NAME, Folder, Settings
from litmus.sandbox.machinery import conditions
from litmus.sandbox.machinery.cluster import Cluster
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.options import User
from litmus.sandbox.machinery.store import Event, Store

from . import process
from .children import Children
from .database import Database
from .guard import Guard
from .nodes import Nodes

log = logging.getLogger(__name__)

ADMIN = User(name="kubernetes-admin", groups=("system:masters",))
PROXY = User(name="system:kube-proxy", groups=("system:node-proxier",))
_PROXY = "network"
_PROXY_RESTART_S = 1.0


@dataclass(slots=True)
class Running:
    """``listener``: where the API server will listen. ``guard``: the janitor, which is there already."""

    folder: Folder
    settings: Settings
    listener: socket.socket
    guard: Guard

    async def run(self, stop: asyncio.Event, wanted: asyncio.Event, on_ready: Callable[[], None]) -> None:
        """Until ``stop`` is set; ``wanted`` starts the nodes that are down. Raises SandboxError when it can't start."""
        certificates.make(
            self.folder.pki,
            addresses=[process.HOST, *(f"127.{number}.128.1" for number in process.NETWORKS)],
            names=["localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"],
        )
        users = self._users()
        children = Children(mark=self.folder.path, logs=self.folder.logs)
        nodes = Nodes(self.settings.node_names, self.settings.network, self.folder, children)
        store, database = Store(), None
        if self.settings.persist:
            database = Database(self.folder.database)
            database.restore(store)
            database.attach(store)
        earlier = {_boot_id(node) for node in store.list("nodes")}
        try:
            await nodes.start_missing()
            await self._start_proxy(children)
            from . import plane  # while the nodes do the same

            control = plane.build(
                plane.Place(
                    host=process.HOST,
                    port=self.settings.port,
                    network=self.settings.network,
                    pki=self.folder.pki,
                    kubelet_socket=self.folder.kubelet_socket,
                ),
                users=users,
                store=store,
            )
            nodes.restored(control.cluster)
            again = asyncio.Condition()
            work = [
                control.run(self.listener),
                self._announce(control.cluster, on_ready, earlier=earlier),
                self._restart(nodes, wanted, again),
                self._look_after_proxy(children),
                self.guard.keep(self._janitor_changed),
                *(nodes.look_after(name, control.cluster, again=again) for name in nodes.names),
            ]
            if database is not None:
                work.append(database.follow())
            await self._until(stop, work, nodes)
        finally:
            nodes.stopping = True
            await children.stop()
        if not self.settings.ready:
            raise SandboxError("the sandbox was ended before it was ready")

    async def _until(self, stop: asyncio.Event, work: list[Coroutine[Any, Any, None]], nodes: Nodes) -> None:
        """Everything side by side, until somebody stops it."""
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

    async def _start_proxy(self, children: Children) -> None:
        await children.start(_PROXY, "litmus.sandbox.network", f"--kubeconfig={self._file_of(PROXY)}")

    async def _look_after_proxy(self, children: Children) -> None:
        """Without the service proxy no service answers, so it is started again as often as it ends."""
        while True:
            code = await children.ended(_PROXY)
            log.warning("the service proxy ended with status %d and is started again", code)
            await asyncio.sleep(_PROXY_RESTART_S)
            await self._start_proxy(children)

    def _janitor_changed(self) -> None:
        self.settings.janitor = self.guard.janitor
        self.folder.save(self.settings)

    def _users(self) -> dict[str, User]:
        """Everybody's token, which is that of the last life where there was one; writes their kubeconfig files."""
        nodes = [User(name=f"system:node:{name}", groups=("system:nodes",)) for name in self.settings.node_names]
        users = {}
        for user in (ADMIN, PROXY, *nodes):
            file = self._file_of(user)
            token = kubeconfig.token(file) or secrets.token_urlsafe(32)
            users[token] = user
            kubeconfig.write(
                file,
                name="litmus-sandbox" if self.settings.name == DEFAULT_NAME else f"litmus-{self.settings.name}",
                server=f"https://{process.HOST}:{self.settings.port}",
                authority=self.folder.pki / "ca.crt",
                user=user.name,
                token=token,
            )
        return users

    def _file_of(self, user: User) -> Path:
        if user is ADMIN:
            return self.folder.kubeconfig
        return self.folder.pki / f"{_PROXY if user is PROXY else user.name.rpartition(':')[2]}.kubeconfig"

    async def _announce(self, cluster: Cluster, on_ready: Callable[[], None], *, earlier: set[str]) -> None:
        """Says that the sandbox is ready as soon as all its nodes are; ``earlier`` are the boots of past lives."""
        ready = asyncio.Event()

        def look(_: Event | None = None) -> None:
            up = [node for node in cluster.list("nodes") if _is_ready(node) and _boot_id(node) not in earlier]
            if len(up) >= self.settings.nodes:
                ready.set()

        unsubscribe = cluster.subscribe("nodes", look)
        look()
        await ready.wait()
        unsubscribe()
        self.settings.ready = True
        self.folder.save(self.settings)
        log.info("ready after %.2f s", time.time() - self.settings.started)
        on_ready()


def _is_ready(node: Obj) -> bool:
    return (conditions.find(node, "Ready") or {}).get("status") == "True"


def _boot_id(node: Obj) -> str:
    """Every start of a node has one of its own."""
    return str(node.get("status", {}).get("nodeInfo", {}).get("bootID", ""))
