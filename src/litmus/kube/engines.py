"""The status of a ChaosEngine, written entry by entry without overwriting what others write."""

from collections.abc import Callable
from typing import Any

import msgspec

from litmus import api
from litmus.api import names
from litmus.api.engine import EngineStatusWord

from . import clock, errors, kinds
from .cluster import Cluster

Entries = list[api.ExperimentStatus]


async def change_entries(
    cluster: Cluster, engine: api.ChaosEngine, change: Callable[[Entries], Entries], **status: EngineStatusWord
) -> api.ChaosEngine:
    """Rewrites ``status.experiments`` by ``change``.

    ``engine_status`` may be given to set the engine's word in the same write. Raises NotFound when the engine is gone
    and another one has its name.
    """

    def write(seen: api.ChaosEngine) -> dict[str, Any] | None:
        if seen.metadata.uid != engine.metadata.uid:
            raise errors.NotFound(f"engine {engine.metadata.name} is gone; another one has its name now")
        before = seen.status.experiments
        after = change(list(before))
        word = status.get("engine_status", seen.status.engine_status)
        if after == before and word == seen.status.engine_status:
            return None
        stamped = [
            new
            if i < len(before) and new == before[i]
            else msgspec.structs.replace(new, last_update_time=clock.stamp())
            for i, new in enumerate(after)
        ]
        return {"status": {"engineStatus": word, "experiments": [api.plain(entry) for entry in stamped]}}

    meta = engine.metadata
    return await cluster.update(kinds.ENGINE, meta.name, write, namespace=meta.namespace)


def owner(engine: api.ChaosEngine) -> dict[str, Any]:
    """The ownerReference that ties what we create to the engine, so that the garbage collector is a last net.

    ``blockOwnerDeletion`` stays unset: setting it needs a right on finalizers that the field's roles do not have.
    """
    return {
        "apiVersion": api.API_VERSION,
        "kind": engine.kind,
        "name": engine.metadata.name,
        "uid": engine.metadata.uid,
        "controller": True,
    }


def labels(engine: api.ChaosEngine, component: str) -> dict[str, str]:
    """Labels by which everything of an engine is found."""
    return {
        names.CHAOS_UID: engine.metadata.uid,
        names.ENGINE_LABEL: engine.metadata.name[:63].rstrip("-._"),
        names.COMPONENT: component,
        names.PART_OF: "litmus",
    }
