"""What the workers of a node share."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from litmus.sandbox.client import Client
from litmus.sandbox.machinery.objects import Obj

from .addresses import Pool
from .events import Recorder
from .proc_mirror import Mirror
from .pulling import Images
from .sources import Sources

STARTS = 4
WRITES = 6


@dataclass(slots=True, kw_only=True)
class Surroundings:
    """``folder`` is the node's, ``sandbox`` that of the whole; ``api`` the address and port of the API server.

    ``starts`` bounds how many containers are started at a time, ``writes`` how many requests go out.
    """

    node: str
    folder: Path
    sandbox: Path
    client: Client
    events: Recorder
    sources: Sources
    images: Images
    pool: Pool
    mirror: Mirror
    allocatable: Mapping[str, str]
    api: tuple[str, int]
    services: dict[tuple[str, str], Obj] = field(default_factory=dict)
    starts: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(STARTS))
    writes: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(WRITES))

    def services_of(self, namespace: str) -> Iterable[Obj]:
        return [service for (place, _), service in self.services.items() if place == namespace]
