"""Kubernetes events: what people see in ``kubectl describe``. A lost event never stops a run."""

import hashlib
import logging
from dataclasses import dataclass
from typing import Literal

from litmus import api

from . import clock, errors, kinds
from .cluster import Cluster

log = logging.getLogger(__name__)

# etcd holds what we write for an hour and people read it in a table: a long reason is cut, the result has it in full.
_MESSAGE_LIMIT = 1000


@dataclass(frozen=True, slots=True)
class Poster:
    """Posts events in the name of one component: a pod, or the operator."""

    cluster: Cluster
    component: str

    async def post(
        self,
        about: api.ChaosEngine | api.ChaosResult | api.ChaosSchedule,
        reason: str,
        message: str,
        *,
        warning: bool = False,
    ) -> None:
        """One event on an engine or result; the same one again raises its count instead of adding a line."""
        kind: Literal["Warning", "Normal"] = "Warning" if warning else "Normal"
        meta = about.metadata
        message = message if len(message) <= _MESSAGE_LIMIT else message[: _MESSAGE_LIMIT - 1] + "…"
        digest = hashlib.sha256(f"{meta.uid}/{reason}/{message}/{self.component}".encode()).hexdigest()[:12]
        name = f"{meta.name}.{digest}"
        now = clock.stamp()
        event = {
            "metadata": {"name": name, "namespace": meta.namespace},
            "involvedObject": {
                "apiVersion": api.API_VERSION,
                "kind": about.kind,
                "name": meta.name,
                "namespace": meta.namespace,
                "uid": meta.uid,
            },
            "reason": reason,
            "message": message,
            "type": kind,
            "source": {"component": self.component},
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
        }
        try:
            await self._write(event, name, meta.namespace, now)
        except errors.KubeError as error:
            log.warning("event %s on %s %s was not posted: %s", reason, about.kind, meta.name, error)

    async def _write(self, event: dict[str, object], name: str, namespace: str, now: str) -> None:
        try:
            await self.cluster.create(kinds.EVENT, event, namespace=namespace)
        except errors.Conflict:
            seen = await self.cluster.get(kinds.EVENT, name, namespace=namespace)
            again = {"count": seen.count + 1, "lastTimestamp": now}
            await self.cluster.patch(kinds.EVENT, name, again, namespace=namespace)
