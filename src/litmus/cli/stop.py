"""``litmus stop``: aborts engines. Their experiments revert, and what they can't revert the operator does."""

from typing import Annotated

from cyclopts import Parameter

from litmus import api
from litmus.kube import Cluster, errors, kinds, waiting

from . import failures, options

_DEADLINE_S = 60.0


async def stop(
    engine: Annotated[str, Parameter(help="Name of the engine.")] = "",
    *,
    all: Annotated[bool, Parameter(help="Stop every engine of the cluster.", negative="")] = False,  # noqa: A002 - the option's name
    namespace: Annotated[str, Parameter(name=["--namespace", "-n"], help="Its namespace.", show_default=False)] = "",
    kubeconfig: options.Kubeconfig = "",
    context: options.Context = "",
) -> int:
    """Abort an engine, or all of them, and wait until they have stopped."""
    if bool(engine) == all:
        raise failures.Misused("name one engine, or give --all")
    async with Cluster.connect(kubeconfig=kubeconfig, context=context) as cluster:
        if engine:
            one = await cluster.get(kinds.ENGINE, engine, namespace=namespace or cluster.namespace)
            running = [one] if _runs(one) else []
        else:
            running = [one for one in await cluster.select(kinds.ENGINE, namespace=namespace or "*") if _runs(one)]
        if not running:
            print("No engine is running.")
            return 0
        # All are told first: one that is slow to stop must not let another go on.
        for one in running:
            await request(cluster, one)
        for one in running:
            await stopped(cluster, one, deadline_s=_DEADLINE_S)
            print(f"{one.metadata.namespace}/{one.metadata.name} stopped")
    return 0


async def request(cluster: Cluster, engine: api.ChaosEngine) -> None:
    """Sets the engine's state to stop."""
    meta = engine.metadata
    await cluster.patch(kinds.ENGINE, meta.name, {"spec": {"engineState": "stop"}}, namespace=meta.namespace)


async def stopped(cluster: Cluster, engine: api.ChaosEngine, *, deadline_s: float) -> None:
    """Waits until the operator has ended the engine. Raises Failed when it does not."""
    meta = engine.metadata

    def over(found: list[api.ChaosEngine]) -> bool | None:
        return True if not found or found[0].status.engine_status != "initialized" else None

    try:
        await waiting.until(
            cluster,
            kinds.ENGINE,
            over,
            namespace=meta.namespace,
            name=meta.name,
            what=f"engine {meta.name} to stop",
            deadline_s=deadline_s,
        )
    except errors.TimedOut as error:
        raise failures.Failed(
            f"{error}; is the operator running? The experiment's pod stops by itself: "
            f"kubectl get pods -n {meta.namespace}"
        ) from error


def _runs(engine: api.ChaosEngine) -> bool:
    """Active, or asked to stop and not there yet."""
    return engine.active or engine.status.engine_status == "initialized"
