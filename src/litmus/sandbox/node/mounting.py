"""The volumes of one pod over its life: made ready before anything starts, kept up to date while it runs."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from litmus.sandbox import client
from litmus.sandbox.machinery import objects
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.status import Refusal

from . import recipes, sources, tokens, volumes
from .surroundings import Surroundings

RETRY_S = (0.5, 30.0)
REFRESH_S = 30.0
"""How often volumes are looked over for tokens that have to be renewed."""


class Pod(Protocol):
    """What is needed of the pod's worker."""

    around: Surroundings
    obj: Obj
    ip: str
    place: recipes.Place

    @property
    def host_ip(self) -> str: ...

    def lookup(self, resource: str, name: str) -> Obj | None: ...

    def wake(self) -> None: ...

    async def sources_changed(self, timeout_s: float) -> None: ...

    def event(self, reason: str, message: str, *, kind: Literal["Normal", "Warning"] = "Normal") -> None: ...


@dataclass(slots=True)
class Mounts:
    """``places``: volume → its folder on this machine."""

    pod: Pod
    places: dict[str, Path] = field(default_factory=dict)
    _tokens: tokens.Tokens = field(init=False)

    def __post_init__(self) -> None:
        self._tokens = tokens.Tokens(self.pod.around.client, lambda: self.pod.obj)

    async def mount_all(self) -> None:
        """Every volume, however long that takes."""
        namespace, specs = objects.namespace(self.pod.obj), self._specs()
        wanted = sources.referenced(self.pod.obj) | {pair for spec in specs for pair in volumes.references(spec)}
        names = [(resource, namespace, name) for resource, name in sorted(wanted)]
        await self.pod.around.sources.want(objects.uid(self.pod.obj), names, self.pod.wake)
        pause_s = RETRY_S[0]
        while not all([await self._mount(spec) for spec in specs]):
            await self.pod.sources_changed(pause_s)
            pause_s = min(pause_s * 2, RETRY_S[1])

    async def refresh(self) -> None:
        """Volumes follow their ConfigMaps, Secrets and the pod's own fields; tokens are renewed."""
        while True:
            await self.pod.sources_changed(REFRESH_S)
            for spec in self._specs():
                if volumes.is_payload(spec):
                    await self._mount(spec)

    def _specs(self) -> list[Obj]:
        return (self.pod.obj.get("spec") or {}).get("volumes") or []

    async def _mount(self, spec: Obj) -> bool:
        context = volumes.Context(
            pod=self.pod.obj,
            folder=self.pod.place.folder,
            claims=self.pod.around.sandbox / "volumes",
            ip=self.pod.ip,
            host_ip=self.pod.host_ip,
            allocatable=self.pod.around.allocatable,
            lookup=self.pod.lookup,
            token=self._token,
            claim=self._claim,
        )
        try:
            self.places[spec["name"]] = await volumes.set_up(spec, context)
        except (volumes.NotMounted, OSError, Refusal, client.Unreachable) as error:
            message = f'MountVolume.SetUp failed for volume "{spec["name"]}" : {error}'
            self.pod.event("FailedMount", message, kind="Warning")
            return False
        return True

    async def _token(self, projection: Obj) -> str:
        async with self.pod.around.writes:
            return await self._tokens.of(projection)

    async def _claim(self, name: str) -> Obj | None:
        try:
            return await self.pod.around.client.get("persistentvolumeclaims", name, objects.namespace(self.pod.obj))
        except Refusal as refusal:
            if refusal.code == 404:
                return None
            raise
