"""An API server with an engine's experiment in it, and a kubelet that is played."""

from collections.abc import Callable
from typing import Any

from litmus import api
from litmus.kube import Cluster
from litmus.probes.contract import Surroundings
from tests import apiserver, samples

OWN_POD = "pod-delete-abc123-x"


def surroundings(cluster: Cluster, *, pod: str = OWN_POD) -> Surroundings:
    engine = api.ChaosEngine(
        metadata=api.ObjectMeta(name="chaos", namespace=samples.NAMESPACE, uid=samples.ENGINE_UID),
        spec=api.EngineSpec(chaos_service_account="chaos-sa", experiments=[api.EngineExperiment(name="pod-delete")]),
    )
    return Surroundings(cluster=cluster, engine=engine, experiment="pod-delete", pod=pod)


def put_own_pod(server: apiserver.Server, *, deadline_s: int = 900, **container: Any) -> None:
    """The pod of the experiment, of our image, and its Job."""
    pod = samples.pod(OWN_POD, owner=("Job", "pod-delete-abc123"))
    pod["spec"]["containers"][0] |= {"image": "litmus:9", "imagePullPolicy": "Never", **container}
    pod["spec"]["imagePullSecrets"] = [{"name": "registry"}]
    server.put("pods", pod)
    job = {
        "metadata": {"name": "pod-delete-abc123", "creationTimestamp": "2026-01-01T00:00:00Z"},
        "spec": {"activeDeadlineSeconds": deadline_s},
    }
    server.put("jobs", job)


def kubelet(server: apiserver.Server, react: Callable[[str], dict[str, Any] | None]) -> list[dict[str, Any]]:
    """Whatever pod is created gets the status that ``react`` says of its name; the manifests of all."""
    made: list[dict[str, Any]] = []

    def created(_: apiserver.Server, pod: dict[str, Any]) -> None:
        made.append(pod)
        if status := react(pod["metadata"]["name"]):
            server.change("pods", pod["metadata"]["name"], {"status": status})

    server.on("create", "pods", created)
    return made


def status(container: str, *, state: dict[str, Any] | None = None, phase: str = "Running") -> dict[str, Any]:
    return {"phase": phase, "containerStatuses": [samples.container(container, state=state)]}
