"""Undoing a fault on a node from outside: a helper pod is sent there with nothing but the recipe of the ledger.

It is sent when the first helper died: by the experiment while that lives, else by the operator's reaper. It reads the
journal on the node, which may know more than the ledger: the journal is written before the first change.
"""

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

from . import errors, helpers, kinds, waiting
from .cluster import Cluster
from .node_marks import Done
from .objects import Pod

KIND = "node"
# Which pod undoes which session. It is another label than the first helper's, which is ended before.
REVERTS_LABEL = "litmuschaos.io/reverts"
# How long a helper that is asked to end may take, in seconds.
_END_S = helpers.REVERT_GRACE_S + 5.0


def recipe(
    *, session: str, mechanism: str, needs: helpers.Needs, recipes: Sequence[Mapping[str, Any]] = ()
) -> dict[str, Any]:
    """What the ledger holds of a session. ``recipes``: those of the mechanism, one a target, once they are known."""
    return {
        "kind": KIND,
        "session": session,
        "mechanism": mechanism,
        "capabilities": list(needs.capabilities),
        "hostPaths": list(needs.host_paths),
        "recipes": [dict(one) for one in recipes],
    }


async def revert(
    cluster: Cluster,
    *,
    undo: Mapping[str, Any],
    node: str,
    image: helpers.Image,
    namespace: str,
    metadata: Mapping[str, Any],
    pod_namespace: str,
) -> Done:
    """Ends what is left of a session on a node, and says how. Raises KubeError when it could not be ended.

    ``namespace``: where the session's helper pod runs; ``pod_namespace`` and ``metadata``: of the pod that is sent.
    """
    await _end_first_helper(cluster, str(undo["session"]), namespace=namespace)
    if await _node_is_gone(cluster, node):
        return Done("the node exists no more", moot=True)
    needs = helpers.Needs(capabilities=tuple(undo["capabilities"]), host_paths=tuple(undo["hostPaths"]))
    request = {"revert": undo["session"], "mechanism": undo["mechanism"], "recipes": undo["recipes"]}
    labels = {**metadata.get("labels", {}), REVERTS_LABEL: undo["session"]}
    pod = {
        "metadata": {**metadata, "labels": labels},
        "spec": helpers.spec(node=node, image=image, request=request, needs=needs),
    }
    report = await helpers.run(cluster, pod, namespace=pod_namespace, again=True)
    if why := report.get("error") or report.get("left"):
        raise errors.KubeError(f"the helper on node {node} could not undo it: {why}")
    return Done(str(report.get("said") or "put back by a second helper"))


async def under_way(cluster: Cluster, undo: Mapping[str, Any], *, namespace: str) -> bool:
    """Whether a helper pod in this namespace is undoing a recipe's session. Its node ends one that hangs."""
    pods = await cluster.select(kinds.POD, namespace=namespace, labels=f"{REVERTS_LABEL}={undo['session']}")
    return any(not pod.over for pod in pods)


async def _end_first_helper(cluster: Cluster, session: str, *, namespace: str) -> None:
    """Two must not work against each other: the first helper is ended, if it still runs, and reverts by itself."""
    selector = f"{helpers.SESSION_LABEL}={session}"
    pods = await cluster.select(kinds.POD, namespace=namespace, labels=selector)
    if not any(_may_run(pod) for pod in pods):
        return
    for pod in pods:
        await cluster.delete(kinds.POD, pod.metadata.name, namespace=namespace)
    # Where its kubelet does not answer, the wait is in vain: start_by keeps a late helper from harm, and who is sent
    # there next finds the same journal.
    with contextlib.suppress(errors.TimedOut):
        await waiting.until(
            cluster,
            kinds.POD,
            lambda seen: None if any(_may_run(pod) for pod in seen) else True,
            namespace=namespace,
            labels=selector,
            what=f"the helper of session {session} to end",
            deadline_s=_END_S,
        )


def _may_run(pod: Pod) -> bool:
    return not pod.over and (pod.runs or not pod.status.container_statuses or _waits(pod))


def _waits(pod: Pod) -> bool:
    return any(status.state.waiting is not None for status in pod.status.container_statuses)


async def _node_is_gone(cluster: Cluster, node: str) -> bool:
    try:
        return await cluster.find(kinds.NODE, node) is None
    except errors.Forbidden:
        return False  # a role for pods can't tell; the pod that is sent will
