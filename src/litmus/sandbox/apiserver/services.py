"""What the HTTP side works with; whoever starts a sandbox puts it together."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from litmus.sandbox.apiserver import definitions, tokens
from litmus.sandbox.apiserver.authentication import Authenticator
from litmus.sandbox.apiserver.authorization import Authorizer
from litmus.sandbox.apiserver.rbac import Rulebook
from litmus.sandbox.machinery.options import User
from litmus.sandbox.machinery.registry import Registry
from litmus.sandbox.machinery.resources import Catalogue
from litmus.sandbox.machinery.schemas.openapi import Documents


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """``kubelet_socket`` says where the kubelet of a node listens."""

    registry: Registry
    authenticator: Authenticator
    authorizer: Authorizer
    issuer: tokens.Issuer
    kubelet_socket: Callable[[str], Path]
    documents: Documents

    @property
    def catalogue(self) -> Catalogue:
        return self.registry.catalogue

    @property
    def now(self) -> Callable[[], datetime]:
        """The clock, in UTC."""
        return self.registry.now


def assemble(
    registry: Registry, *, users: Mapping[str, User], kubelet_socket: Callable[[str], Path], key: bytes
) -> Services:
    """``users``: token → user; ``key``: the private key of service account tokens, PEM (``tokens.new_key``)."""
    issuer = tokens.Issuer(key, store=registry.store, now=registry.now)
    return Services(
        registry=registry,
        authenticator=Authenticator(users, issuer),
        authorizer=Authorizer(Rulebook(registry.store)),
        issuer=issuer,
        kubelet_socket=kubelet_socket,
        documents=Documents(registry.catalogue, lambda: registry.store.list(definitions.STORAGE)),
    )
