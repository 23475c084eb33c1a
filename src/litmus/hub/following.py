"""The custom hubs as a server sees them: what was there at the last look, which costs a request nothing.

Another process may add, sync or remove a hub at any time, and to read a large one takes a while. So a thread looks
again and again, and requests see what it saw last.
"""

import asyncio
import logging
from collections.abc import Sequence

from . import custom, model

_LOOK_S = 1.0  # what was added from a terminal is there when its user has turned to the browser
_LOG = logging.getLogger(__name__)


class Following:
    """The hubs of a list. ``hubs`` is what they were at the last look."""

    def __init__(self, at: custom.Places) -> None:
        self._at = at
        self.hubs: Sequence[model.Hub] = ()

    async def look(self) -> None:
        """Looks. Raises custom.Misused for a list that can't be read and never could."""
        self.hubs = await asyncio.to_thread(custom.hubs, at=self._at)

    async def follow(self, *, sync_every_s: float, look_s: float = _LOOK_S) -> None:
        """Keeps looking, and keeps them synced unless ``sync_every_s`` is 0, until it is cancelled."""
        async with asyncio.TaskGroup() as tasks:
            if sync_every_s:
                tasks.create_task(custom.keep_synced(sync_every_s, at=self._at))
            tasks.create_task(self._keep_looking(look_s))

    async def _keep_looking(self, every_s: float) -> None:
        while True:
            await asyncio.sleep(every_s)  # a file that another process changes wakes nobody
            try:
                await self.look()
            except Exception:  # noqa: BLE001  # the outermost loop; one odd hub must not end the others
                _LOG.exception("the list of hubs can't be followed")
