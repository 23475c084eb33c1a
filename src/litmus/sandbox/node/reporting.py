"""Keeping the status of one pod on the API server as it is here: written when it changed, one write at a time.

It is a strategic merge patch that names the uid, so that conditions of others stay and a pod of the same name is never
hit. What can't be written now is written later; only the newest counts. Where somebody wrote over it - the controller
of a node that was silent for a while takes Ready from its pods - it is written again, as a kubelet does.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from litmus.sandbox import client
from litmus.sandbox.machinery import objects
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.status import Refusal

from .pod_status import OURS

log = logging.getLogger(__name__)

RETRY_S = (0.2, 5.0)


@dataclass(slots=True)
class Reporter:
    """``build`` makes the status of this moment; ``gone`` is called when the pod does not exist any more."""

    api: client.Client
    pod: Callable[[], Obj]
    build: Callable[[], Obj]
    gone: Callable[[], None]
    slots: asyncio.Semaphore
    sent: Obj = field(default_factory=dict)
    _version: int = 0
    _overwritten: bool = False
    _wanted: int = 0
    _done: int = 0
    _more: asyncio.Event = field(default_factory=asyncio.Event)
    _told: asyncio.Event = field(default_factory=asyncio.Event)

    def changed(self) -> None:
        """Something that the status shows has changed."""
        self._wanted += 1
        self._more.set()

    def seen(self, pod: Obj) -> None:
        """The pod as the server has it now, or had it: older than our own last write is no news."""
        if self.sent and _version(pod) > self._version and _truths(pod.get("status") or {}) != _truths(self.sent):
            self._overwritten = True
            self.changed()

    async def written(self) -> None:
        """Returns when everything until now is on the server (or has no place there any more)."""
        until = self._wanted
        while self._done < until:
            self._told.clear()
            await self._told.wait()

    async def run(self) -> None:
        """Writes until it is cancelled."""
        pause_s = RETRY_S[0]
        while True:
            await self._more.wait()
            self._more.clear()
            until, status = self._wanted, self.build()
            again, self._overwritten = self._overwritten, False
            if (status == self.sent and not again) or await self._write(status):
                self.sent, self._done = status, until
                self._told.set()
                pause_s = RETRY_S[0]
                continue
            self._overwritten |= again
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, RETRY_S[1])
            self._more.set()

    async def _write(self, status: Obj) -> bool:
        """Whether it need not be tried again."""
        pod = self.pod()
        patch = {"metadata": {"uid": objects.uid(pod)}, "status": _replacing(status)}
        try:
            async with self.slots:
                found = await self.api.patch(
                    "pods", objects.name(pod), patch, objects.namespace(pod), subresource="status", kind="strategic"
                )
                self._version = _version(found)
        except client.Unreachable:
            return False
        except Refusal as refusal:
            if refusal.code in (404, 409):
                if refusal.code == 404 or "uid" in refusal.message.lower():
                    self.gone()
                    return True
                return False
            log.warning("status of pod %s is refused: %s", objects.key(pod), refusal)
            return refusal.code < 500
        return True


def _replacing(status: Obj) -> Obj:
    """The status as a patch: a word that is not said any more has to be taken back."""
    said = {"reason": None, "message": None}
    return {
        **said,
        **status,
        "conditions": [{**said, **condition} for condition in status["conditions"]],
        "$setElementOrder/conditions": [{"type": kind} for kind in OURS],
    }


def _truths(status: Obj) -> dict[str, str]:
    """What the conditions that are ours say."""
    return {one["type"]: one.get("status", "") for one in status.get("conditions") or [] if one["type"] in OURS}


def _version(pod: Obj) -> int:
    return int(objects.meta(pod).get("resourceVersion") or 0)
