"""A stage for experiments on nodes: nodes, pods on them, and a run of an experiment whose chaos ends soon."""

from typing import Any

from litmus.experiments.context import Context
from litmus.experiments.declaration import Experiment
from litmus.kube import Cluster
from tests import apiserver, samples
from tests.experiments import stage


def nodes(server: apiserver.Server, *names: str, **spec: Any) -> None:
    for name in names:
        server.put("nodes", samples.node(name, **spec), namespace="")


def node(server: apiserver.Server, name: str = "node-1") -> dict[str, Any]:
    return server.get("nodes", name, namespace="")


def marks(server: apiserver.Server, name: str = "node-1") -> list[str]:
    """What the markers of faults on a node say."""
    annotations = node(server, name)["metadata"].get("annotations", {})
    return [text for key, text in annotations.items() if key.startswith("fault.litmuschaos.io/")]


def pod(server: apiserver.Server, name: str, *, spec: dict[str, Any] | None = None, **changes: Any) -> None:
    made = samples.pod(name, **changes)
    made["spec"] |= spec or {}
    server.put("pods", made)


async def begin(server: apiserver.Server, cluster: Cluster, experiment: Experiment, **env: Any) -> Context:
    """A run of one second, whose own pod is on a node that nobody hits."""
    context = await stage.context(server, cluster, experiment, TOTAL_CHAOS_DURATION="1", **env)
    server.change("pods", stage.EXPERIMENT_POD, {"spec": {"nodeName": "elsewhere"}})
    return context


def records(server: apiserver.Server, experiment: str) -> list[tuple[str, str]]:
    """State and message of every record."""
    return [(fault["state"], fault["message"]) for fault in stage.ledger(server, experiment)]
