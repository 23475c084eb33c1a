"""Where a run takes place: an experiment that the sandbox can't do is refused there before anything is touched.

A container of the sandbox is a plain process of somebody's machine, and its nodes are that one machine. A network
fault, a hog, or the restart of a node would hit whoever works there, so it is not left to the fault to fail.
"""

from litmus.kube import Cluster, errors, kinds, waiting
from litmus.kube.objects import Pod

from . import verdicts
from .declaration import Experiment

# How the sandbox's kubelets name their runtime, before the id of a container and in the description of a node.
_RUNTIME = "sandbox://"
# The kubelet reports the id of a container that runs already, in seconds.
_REPORT_S = 10.0


async def check(cluster: Cluster, experiment: Experiment, *, pod: str, namespace: str) -> None:
    """Raises CannotRun when ``pod``, the experiment's own, is one of the sandbox and the experiment can't do there.

    Asked of the own pod, because that is all that the smallest role allows.
    """
    if not experiment.sandbox or await cluster.find(kinds.POD, pod, namespace=namespace) is None:
        return

    def runtime(seen: list[Pod]) -> str | None:
        ids = [status.container_id for one in seen for status in one.status.container_statuses]
        return next((id_ for id_ in ids if id_), None)

    found = await waiting.until(
        cluster,
        kinds.POD,
        runtime,
        namespace=namespace,
        name=pod,
        what=f"the kubelet to report the container of {pod}",
        deadline_s=_REPORT_S,
    )
    if found.startswith(_RUNTIME):
        raise verdicts.CannotRun(refusal(experiment), code=verdicts.GENERIC)


async def foreseen(cluster: Cluster, experiment: Experiment) -> str:
    """Why the experiment would be refused in this cluster, '' if it would not or nobody may know: for a plan."""
    if not experiment.sandbox:
        return ""
    try:
        nodes = await cluster.select(kinds.NODE)
    except errors.Forbidden:
        return ""
    ours = any(node.status.node_info.container_runtime_version.startswith(_RUNTIME) for node in nodes)
    return refusal(experiment) if ours else ""


def refusal(experiment: Experiment) -> str:
    """The sentence for people."""
    why = experiment.sandbox[:1].lower() + experiment.sandbox[1:].rstrip(".")
    return f"{experiment.name} does not run on the sandbox: {why}; use a real cluster"
