"""What holds for every engine of the cluster: the switch that stops all of them, and the caps of the administrator.

Both are ConfigMaps of the operator's own namespace, followed for as long as it runs. What can't be read or understood
lets nothing new run: a safety that quietly is not there is worse than none.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from litmus.experiments import admission, caps_text
from litmus.experiments.caps import CONFIG_MAP, Caps, Mistake
from litmus.kube import Cluster, errors, kinds, switch, waiting
from litmus.kube.objects import ConfigMap

log = logging.getLogger(__name__)

_RETRY_S = 1.0


@dataclass(slots=True, kw_only=True)
class Rules:
    """What holds now. ``trouble``: why caps or switch are not known, by the name of the ConfigMap."""

    stopped: switch.Switch | None = None
    caps: Caps = field(default_factory=Caps)
    trouble: dict[str, str] = field(default_factory=dict)

    def known_caps(self) -> Caps:
        """Raises Refused when something is not known: then nothing may begin."""
        if self.trouble:
            raise admission.Refused("; ".join(self.trouble.values()))
        return self.caps


class Following:
    """Keeps the rules as the ConfigMaps say. ``namespace``: the operator's own."""

    def __init__(self, cluster: Cluster, *, namespace: str, default: Caps) -> None:
        self.cluster = cluster
        self.namespace = namespace
        self.default = default
        self.rules = Rules(caps=default)
        self.known = asyncio.Event()

    async def forever(self, changed: Callable[[], None]) -> None:
        """Calls ``changed`` whenever something else holds; ``known`` is set as soon as both were looked at."""
        seen: dict[str, object] = {}

        def note(name: str, found: ConfigMap | None, forbidden: str) -> None:
            state = forbidden or (found and (found.metadata.uid, found.data))
            if name in seen and seen[name] == state:
                return
            seen[name] = state
            self._note(name, found, forbidden)
            if len(seen) == len(_NAMES):
                self.known.set()
            changed()

        async with asyncio.TaskGroup() as group:
            for name in _NAMES:
                group.create_task(self._follow(name, note))

    async def _follow(self, name: str, note: Callable[[str, ConfigMap | None, str], None]) -> None:
        while True:
            try:
                async for found in waiting.follow(self.cluster, kinds.CONFIG_MAP, namespace=self.namespace, name=name):
                    note(name, found[0] if found else None, "")
            except errors.Forbidden as error:
                note(name, None, str(error))
            except errors.KubeError as error:
                log.warning("ConfigMap %s can't be read, it is tried again: %s", name, error)
            await asyncio.sleep(_RETRY_S)

    def _note(self, name: str, found: ConfigMap | None, forbidden: str) -> None:
        rules = self.rules
        rules.trouble.pop(name, None)
        if forbidden:
            rules.trouble[name] = (
                f"the operator may not read ConfigMap {self.namespace}/{name}, so it can't tell what is allowed: "
                f"{forbidden}; give it the role of its release (litmus install)"
            )
        elif name == switch.NAME:
            rules.stopped = switch.read(found, namespace=self.namespace)
        else:
            try:
                rules.caps = caps_text.read(found.data if found else None, default=self.default)
            except Mistake as mistake:
                rules.trouble[name] = str(mistake)
        log.info(
            "rules", extra={"stopped": rules.stopped.said if rules.stopped else "", "trouble": list(rules.trouble)}
        )


_NAMES = (switch.NAME, CONFIG_MAP)
