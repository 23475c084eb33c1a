"""The reaper: looks at every open record of the ledger whose run is over, and closes it or calls for help.

It finds the results by a label, so that a cluster with thousands of finished ones costs one small list.
"""

import asyncio
import logging
from datetime import UTC, datetime, timedelta

from litmus import api
from litmus.api import names
from litmus.kube import Cluster, clock, errors, events, kinds, results

log = logging.getLogger(__name__)

PERIOD_S = 2.0
# A fault ends by its deadline plus this many seconds, whoever has died (design.md, section 1).
_MARGIN = timedelta(seconds=5)


async def reap_forever(cluster: Cluster, poster: events.Poster, *, namespace: str) -> None:
    """Looks at all open records every few seconds. ``namespace``: '*' for all."""
    while True:
        try:
            await reap(cluster, poster, namespace=namespace)
        except errors.KubeError as error:
            log.warning("the ledger could not be read, it is tried again: %s", error)
        except Exception:
            # The outermost loop of the reaper: it must outlive whatever stands in a result.
            log.exception("defect: the ledger is looked at again")
        await asyncio.sleep(PERIOD_S)


async def reap(cluster: Cluster, poster: events.Poster, *, namespace: str) -> int:
    """Closes what can be closed and returns how many results were touched."""
    touched = 0
    for result in await cluster.select(kinds.RESULT, namespace=namespace, labels=f"{names.OPEN_FAULTS_LABEL}=true"):
        if await _abandoned(cluster, result):
            await _close(cluster, poster, result)
            touched += 1
    return touched


async def _abandoned(cluster: Cluster, result: api.ChaosResult) -> bool:
    """Whether nobody looks after the records any more: the pod of the run is gone or over, or a deadline is past.

    A slow recovery keeps the record of a kill open beyond the chaos; there is nothing to undo, so no deadline counts.
    """
    to_undo = [fault for fault in result.status.faults if fault.open and fault.undo.get("kind") != "none"]
    if any(_past(fault.deadline) for fault in to_undo):
        return True
    if not result.status.run.pod:
        return True
    pod = await cluster.find(kinds.POD, result.status.run.pod, namespace=result.metadata.namespace)
    return pod is None or pod.over


def _past(deadline: str) -> bool:
    """Whether a fault should have ended; a deadline that nobody can read has passed."""
    try:
        return datetime.now(UTC) > clock.parse(deadline) + _MARGIN
    except ValueError:
        return True


async def _close(cluster: Cluster, poster: events.Poster, result: api.ChaosResult) -> None:
    meta = result.metadata

    def write(seen: api.ChaosResult) -> dict[str, object] | None:
        if seen.metadata.uid != meta.uid:
            return None
        faults = [results.settled(fault) for fault in seen.status.faults]
        return results.ledger_patch(seen, faults)

    after = await cluster.update(kinds.RESULT, meta.name, write, namespace=meta.namespace, seen=result)
    left = [fault for fault in after.status.faults if fault.open]
    log.info(
        "ledger closed",
        extra={"result": f"{meta.namespace}/{meta.name}", "open": len(left), "engine": result.spec.engine},
    )
    for fault in left:
        await poster.post(
            result,
            "FaultNotReverted",
            f"{fault.mechanism} on node {fault.node} can't be undone by this release ({fault.undo}); undo it by hand",
            warning=True,
        )
