"""``litmus stop``: aborts engines. Their experiments revert, and what they can't revert the operator does.

``--all`` sets the switch that the operator obeys (``kube.switch``): it stops every engine and lets no other begin,
until ``--lift``. Who may not write it gets the next best thing, each engine told by itself.
"""

import asyncio
from typing import Annotated

from cyclopts import Parameter, validators

from litmus import api
from litmus.api import names
from litmus.kube import Cluster, errors, kinds, switch, waiting

from . import failures, installed, options

_DEADLINE_S = 60.0
_LOOK_S = 0.3


async def stop(
    engine: Annotated[str, Parameter(help="Name of the engine.")] = "",
    *,
    all: Annotated[bool, Parameter(help="Stop every engine, and let none begin.", negative="")] = False,  # noqa: A002 - the option's name
    lift: Annotated[bool, Parameter(help="Let engines run again after --all.", negative="")] = False,
    why: Annotated[str, Parameter(help="With --all: the reason, told to everybody whose engine does not run.")] = "",
    deadline: Annotated[
        float, Parameter(help="How long to wait until all is over, in seconds.", validator=validators.Number(gt=0))
    ] = _DEADLINE_S,
    namespace: Annotated[
        str,
        Parameter(
            name=["--namespace", "-n"],
            help="Its namespace; with --all, stop only the engines of this one, and let others begin.",
            show_default=False,
        ),
    ] = "",
    kubeconfig: options.Kubeconfig = "",
    context: options.Context = "",
) -> int:
    """Abort an engine, or all chaos of the cluster, and wait until it is over."""
    if [bool(engine), all, lift].count(True) != 1:
        raise failures.Misused("name one engine, or give --all, or --lift")
    if why and (not all or namespace):
        raise failures.Misused("--why is told where all chaos of the cluster is stopped: give --all, and no namespace")
    async with Cluster.connect(kubeconfig=kubeconfig, context=context) as cluster:
        if lift:
            return await _lift(cluster)
        if engine:
            one = await cluster.get(kinds.ENGINE, engine, namespace=namespace or cluster.namespace)
            await _stop_each(cluster, [one] if one.unfinished else [], deadline_s=deadline)
        elif namespace:
            await _stop_each(cluster, await _running(cluster, namespace), deadline_s=deadline)
        else:
            await _stop_all(cluster, why=why, deadline_s=deadline)
    return 0


async def _stop_all(cluster: Cluster, *, why: str, deadline_s: float) -> None:
    clock = asyncio.get_running_loop().time
    began = clock()
    running = await _running(cluster, "*")
    set_in = await _set(cluster, why=why)
    if set_in:
        print(f"All chaos is stopped: no engine begins until litmus stop --lift (ConfigMap {', '.join(set_in)}).")
        await _over(cluster, deadline_s=deadline_s)
        for one in running:
            print(f"{one.metadata.namespace}/{one.metadata.name} stopped")
    else:
        print("So each engine is told by itself, and new ones are not refused.")
        await _stop_each(cluster, running, deadline_s=deadline_s)
        await _over(cluster, deadline_s=deadline_s, of=running)
    number = f"{len(running)} engine{'' if len(running) == 1 else 's'} stopped" if running else "no engine was running"
    print(f"{number}, every fault undone, after {clock() - began:.1f} s.")


async def _set(cluster: Cluster, *, why: str) -> list[str]:
    """Sets the switch of every operator; where that was possible. One that is set already stays as it is."""
    done = []
    for namespace in await _namespaces(cluster):
        try:
            await cluster.create(kinds.CONFIG_MAP, switch.manifest(namespace=namespace, why=why), namespace=namespace)
        except errors.Conflict:
            found = await cluster.find(kinds.CONFIG_MAP, switch.NAME, namespace=namespace)
            if seen := switch.read(found, namespace=namespace):
                print(f"It was set before: {seen.said}")
        except (errors.Forbidden, errors.NotFound) as error:
            print(f"The switch can't be set in namespace {namespace}: {error}.")
            continue
        done.append(f"{namespace}/{switch.NAME}")
    return done


async def _lift(cluster: Cluster) -> int:
    lifted = False
    for namespace in await _namespaces(cluster):
        if await cluster.delete(kinds.CONFIG_MAP, switch.NAME, namespace=namespace):
            lifted = True
            print(f"Lifted: engines may run again (ConfigMap {namespace}/{switch.NAME} is deleted).")
            print("What was stopped stays stopped; apply an engine again to run it.")
    if not lifted:
        print("It was not set: engines may run.")
    return 0


async def _namespaces(cluster: Cluster) -> list[str]:
    """Where the operators are that look at a switch; the usual place for who may not ask."""
    try:
        found = {
            operator.namespace for operator in await installed.operators(cluster, namespace=names.OPERATOR_NAMESPACE)
        }
    except errors.Forbidden:
        found = set()
    return sorted(found) or [names.OPERATOR_NAMESPACE]


async def _running(cluster: Cluster, namespace: str) -> list[api.ChaosEngine]:
    return [one for one in await cluster.select(kinds.ENGINE, namespace=namespace) if one.unfinished]


async def _stop_each(cluster: Cluster, running: list[api.ChaosEngine], *, deadline_s: float) -> None:
    if not running:
        print("No engine is running.")
    # All are told first: one that is slow to stop must not let another go on.
    for one in running:
        await request(cluster, one)
    for one in running:
        await stopped(cluster, one, deadline_s=deadline_s)
        print(f"{one.metadata.namespace}/{one.metadata.name} stopped")


async def _over(cluster: Cluster, *, deadline_s: float, of: list[api.ChaosEngine] | None = None) -> None:
    """Waits until no engine runs and every record of a fault is closed. Raises Failed with what is left.

    ``of``: looks at these engines only, as others may go on.
    """
    clock = asyncio.get_running_loop().time
    give_up = clock() + deadline_s
    wanted = None if of is None else {(one.metadata.namespace, one.metadata.name) for one in of}
    while left := await _left(cluster, wanted):
        if clock() > give_up:
            shown = "; ".join(left[:5]) + (f" and {len(left) - 5} more" if len(left) > 5 else "")
            raise failures.Failed(
                f"after {deadline_s:g} s there is still {shown}. Is the operator running "
                f"(kubectl get pods -n {names.OPERATOR_NAMESPACE})? It goes on with what is left; "
                "kubectl describe chaosresult says what keeps it"
            )
        await asyncio.sleep(_LOOK_S)


async def _left(cluster: Cluster, wanted: set[tuple[str, str]] | None) -> list[str]:
    engines = await _running(cluster, "*")
    open_ = await cluster.select(kinds.RESULT, namespace="*", labels=f"{names.OPEN_FAULTS_LABEL}=true")
    found = [((one.metadata.namespace, one.metadata.name), f"engine {_place(one)}") for one in engines]
    found += [((one.metadata.namespace, one.spec.engine), f"an open fault in result {_place(one)}") for one in open_]
    return [said for of, said in found if wanted is None or of in wanted]


def _place(one: api.ChaosEngine | api.ChaosResult) -> str:
    return f"{one.metadata.namespace}/{one.metadata.name}"


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
