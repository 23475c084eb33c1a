"""The control plane of a sandbox: API server, controllers and scheduler over one store, on one loop."""

import asyncio
import asyncio.sslproto
import logging
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from litmus.sandbox.apiserver import app, bootstrap_policy, services
from litmus.sandbox.apiserver.streams import upgrade
from litmus.sandbox.controllers import loop
from litmus.sandbox.machinery import assembly
from litmus.sandbox.machinery.cluster import Cluster
from litmus.sandbox.machinery.options import User
from litmus.sandbox.machinery.registry import Registry
from litmus.sandbox.machinery.store import Store

from . import bootstrap, controllers

log = logging.getLogger(__name__)

# What asyncio sets aside for each connection: 256 KiB by itself, which a hundred watchers, or a thousand clients that
# connect and say nothing, would all keep. A record of TLS has 16 KiB.
_TLS_BUFFER_BYTES = 32 * 1024

CONTROLLERS = User(name="system:kube-controller-manager", groups=("system:masters",))


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a sandbox is: ``network`` is the second byte of its loopback addresses, ``pki`` the folder of its keys."""

    host: str
    port: int
    network: int
    pki: Path
    kubelet_socket: Callable[[str], Path]

    @property
    def services(self) -> str:
        """The range of service addresses."""
        return f"127.{self.network}.128.0/17"

    @property
    def kubernetes_ip(self) -> str:
        """The address of the service ``kubernetes``: the first of the range."""
        return f"127.{self.network}.128.1"


@dataclass(frozen=True, slots=True)
class Plane:
    """Put together and not yet running."""

    place: Place
    registry: Registry
    cluster: Cluster
    serves: services.Services
    controllers: Sequence[loop.Controller]

    async def run(self, listener: socket.socket) -> None:
        """Serves and controls until cancelled."""
        bootstrap.bootstrap(self.cluster)
        bootstrap_policy.install(self.registry)
        asyncio.sslproto.SSLProtocol.max_size = _TLS_BUFFER_BYTES
        config = uvicorn.Config(
            app.application(self.serves),
            http=upgrade.Protocol,
            ws="none",
            ssl_certfile=self.place.pki / "server.crt",
            ssl_keyfile=self.place.pki / "server.key",
            lifespan="off",
            access_log=False,
            log_config=None,
            server_header=False,
            timeout_graceful_shutdown=1,
        )
        server = _Server(config)
        async with asyncio.TaskGroup() as group:
            group.create_task(server.serve(sockets=[listener]))
            group.create_task(loop.run(self.cluster, self.controllers))


class _Server(uvicorn.Server):
    """The signals are the control process's own."""

    def install_signal_handlers(self) -> None:
        """Leaves them alone."""


def build(place: Place, *, users: Mapping[str, User], store: Store) -> Plane:
    """``users``: token → user; ``store``: with what an earlier life left in it."""
    registry = assembly.assemble(service_range=place.services, store=store)
    cluster = Cluster(registry, user=CONTROLLERS)
    serves = services.assemble(
        registry,
        users=users,
        kubelet_socket=place.kubelet_socket,
        key=(place.pki / "accounts.key").read_bytes(),
    )
    acting = controllers.everything(
        cluster,
        issuer=serves.issuer,
        authority=(place.pki / "ca.crt").read_text(),
        address=place.host,
        port=place.port,
        kubernetes_ip=place.kubernetes_ip,
    )
    return Plane(place, registry, cluster, serves, acting)
