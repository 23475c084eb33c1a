"""An API server in this process, asked as a client asks it, without a network."""

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette

from litmus.sandbox.apiserver import app, bootstrap_policy, services, tokens
from litmus.sandbox.machinery import assembly
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.options import Options, User
from litmus.sandbox.machinery.registry import Registry

RBAC = "/apis/rbac.authorization.k8s.io/v1"
USERS = {
    "admin": User(name="kubernetes-admin", groups=("system:masters",)),
    "alice": User(name="alice"),
    "node1": User(name="system:node:node1", groups=("system:nodes",)),
}


@dataclass
class Clock:
    now: datetime = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class Answer:
    code: int
    content: Any
    headers: httpx2.Headers

    @property
    def message(self) -> str:
        return str(self.content["message"])


@dataclass
class Server:
    """The application, and the registry behind it."""

    registry: Registry
    services: services.Services
    app: Starlette
    client: httpx2.AsyncClient
    clock: Clock
    sockets: dict[str, Path] = field(default_factory=dict)

    async def __call__(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        user: str = "admin",
        type: str = "application/json",  # noqa: A002 - the content type
        accept: str = "application/json",
        headers: Any = None,
    ) -> Answer:
        """``user``: a token, '' for a stranger. ``body``: text and bytes as they are, anything else as JSON."""
        content = body if isinstance(body, str | bytes | None) else json.dumps(body)
        sent = [("accept", accept), ("user-agent", "test"), *(headers or {}).items()]
        if content is not None:
            sent.append(("content-type", type))
        if user:
            sent.append(("authorization", f"Bearer {user}"))
        found = await self.client.request(method, path, content=content, headers=sent)
        try:
            shown = found.json()
        except ValueError:
            shown = found.text
        return Answer(found.status_code, shown, found.headers)

    def put(self, resource: str, obj: Obj, namespace: str = "") -> Obj:
        """Creates an object as the system."""
        known = self.registry.catalogue.named(resource)
        whole = {"kind": known.kind, "apiVersion": known.group_version, **obj}
        return self.registry.create(known, whole, namespace=namespace, asked=Options())

    def role(self, name: str, rules: list[Obj], *, user: str = "", namespace: str = "", account: str = "") -> None:
        """Gives a user or an account of the namespace a role, a ClusterRole without a namespace."""
        kind = "Role" if namespace else "ClusterRole"
        subject = {"kind": "User", "name": user, "apiGroup": "rbac.authorization.k8s.io"}
        if account:
            subject = {"kind": "ServiceAccount", "name": account, "namespace": namespace}
        reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name}
        group = "rbac.authorization.k8s.io"
        self.put(f"{kind.lower()}s.{group}", {"metadata": {"name": name}, "rules": rules}, namespace)
        binding = {"metadata": {"name": name}, "roleRef": reference, "subjects": [subject]}
        self.put(f"{kind.lower()}bindings.{group}", binding, namespace)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def server(clock: Clock) -> AsyncIterator[Server]:
    registry = assembly.assemble(now=clock)
    bootstrap_policy.install(registry)
    sockets: dict[str, Path] = {}
    served = services.assemble(registry, users=USERS, kubelet_socket=lambda node: sockets[node], key=tokens.new_key())
    application = app.application(served)
    transport = httpx2.ASGITransport(app=application, raise_app_exceptions=True)
    async with httpx2.AsyncClient(transport=transport, base_url="https://127.0.0.1:6443") as client:
        found = Server(registry, served, application, client, clock, sockets)
        found.put("namespaces", {"metadata": {"name": "shop"}})
        found.put("serviceaccounts", {"metadata": {"name": "default"}}, "shop")
        yield found


@pytest.fixture
def pod() -> Callable[..., Obj]:
    """A pod of this name; ``containers`` are their names."""

    def made(name: str, *containers: str, **spec: Any) -> Obj:
        listed = [{"name": one, "image": "busybox"} for one in containers or ("main",)]
        return {"metadata": {"name": name, "labels": {"app": name}}, "spec": {"containers": listed, **spec}}

    return made


@pytest.fixture
def names() -> Callable[[Answer], list[str]]:
    return lambda answer: [obj["metadata"]["name"] for obj in answer.content["items"]]
