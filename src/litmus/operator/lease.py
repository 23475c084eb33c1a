"""Leader election: one operator acts, the others stand by, by a Lease of ``coordination.k8s.io``.

The protocol is that of client-go: a holder renews, and whoever sees a lease that was not renewed for its duration, by
its own clock and not by the times in it, takes it. A lease whose holder's pod is gone is taken at once.
"""

import asyncio
import logging
from datetime import UTC, datetime
from typing import Any

from litmus.api import names
from litmus.kube import Cluster, errors, kinds

log = logging.getLogger(__name__)

DURATION_S = 8
_RENEW_S = 2.0


class Lost(Exception):
    """Another operator holds the lease now, or it could not be renewed in time: this one must not act any more."""


class Lease:
    """Our claim on the lease."""

    def __init__(self, cluster: Cluster, *, namespace: str, identity: str) -> None:
        self.cluster = cluster
        self.namespace = namespace
        self.identity = identity

    async def acquire(self) -> None:
        """Returns when we hold it."""
        clock = asyncio.get_running_loop().time
        seen_version, seen_at = "", clock()
        while True:
            try:
                lease = await self.cluster.find(kinds.LEASE, names.OPERATOR_LEASE, namespace=self.namespace)
                version = lease["metadata"]["resourceVersion"] if lease else ""
                if version != seen_version:
                    seen_version, seen_at = version, clock()
                holder = lease["spec"].get("holderIdentity") if lease else ""
                stale = clock() - seen_at > DURATION_S or (holder and not await self._alive(holder))
                if (not holder or holder == self.identity or stale) and await self._take(lease):
                    log.info("leading", extra={"identity": self.identity})
                    return
            except errors.KubeError as error:
                log.warning("the lease can't be read, it is tried again: %s", error)
            await asyncio.sleep(_RENEW_S / 2)

    async def keep(self) -> None:
        """Renews for ever. Raises Lost."""
        clock = asyncio.get_running_loop().time
        renewed = clock()
        while True:
            await asyncio.sleep(_RENEW_S)
            try:
                # A call that hangs must not keep us leading longer than the lease holds.
                async with asyncio.timeout(max(0.1, renewed + DURATION_S - clock())):
                    if await self._renew():
                        renewed = clock()
            except (errors.KubeError, TimeoutError) as error:
                log.warning("the lease could not be renewed: %s", str(error) or "no answer")
            if clock() - renewed >= DURATION_S:
                raise Lost("the lease could not be renewed in time")

    async def _renew(self) -> bool:
        """Raises Lost when another operator leads."""
        lease = await self.cluster.find(kinds.LEASE, names.OPERATOR_LEASE, namespace=self.namespace)
        if lease and lease["spec"].get("holderIdentity") not in (self.identity, ""):
            raise Lost(f"{lease['spec']['holderIdentity']} leads now")
        return await self._take(lease)

    async def release(self) -> None:
        """Gives it up, so that the next operator need not wait."""
        try:
            lease = await self.cluster.find(kinds.LEASE, names.OPERATOR_LEASE, namespace=self.namespace)
            if lease and lease["spec"].get("holderIdentity") == self.identity:
                await self.cluster.patch(
                    kinds.LEASE, names.OPERATOR_LEASE, {"spec": {"holderIdentity": ""}}, namespace=self.namespace
                )
        except errors.KubeError as error:
            log.warning("the lease could not be given up: %s", error)

    async def _alive(self, holder: str) -> bool:
        pod = await self.cluster.find(kinds.POD, holder, namespace=self.namespace)
        return pod is not None

    async def _take(self, lease: dict[str, Any] | None) -> bool:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        spec = {"holderIdentity": self.identity, "leaseDurationSeconds": DURATION_S, "renewTime": now}
        try:
            if lease is None:
                manifest = {"metadata": {"name": names.OPERATOR_LEASE}, "spec": {**spec, "acquireTime": now}}
                await self.cluster.create(kinds.LEASE, manifest, namespace=self.namespace)
            else:
                version = lease["metadata"]["resourceVersion"]
                patch = {"metadata": {"resourceVersion": version}, "spec": spec}
                await self.cluster.patch(kinds.LEASE, names.OPERATOR_LEASE, patch, namespace=self.namespace)
        except errors.Conflict:
            return False
        return True
