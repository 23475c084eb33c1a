"""Objects for tests, each with what a test does not care about filled in."""

from typing import Any

import msgspec

from litmus import api
from litmus.kube.objects import Node, Pod, Workload

NAMESPACE = "shop"
ENGINE_UID = "8a4c9f0e-engine"
CONTAINER_ID = "0123456789abcdef" * 4


def pod(
    name: str = "web-5d7f9-abcde",
    *,
    uid: str = "",
    owner: tuple[str, str] | None = ("ReplicaSet", "web-5d7f9"),
    labels: dict[str, str] | None = None,
    node: str = "node-1",
    phase: str = "Running",
    ready: bool = True,
    containers: list[dict[str, Any]] | None = None,
    **metadata: Any,
) -> dict[str, Any]:
    """A pod of the Deployment `web`, running and ready unless told otherwise."""
    owners = (
        [{"apiVersion": "apps/v1", "kind": owner[0], "name": owner[1], "uid": "o", "controller": True}] if owner else []
    )
    statuses = containers if containers is not None else [container(ready=ready)]
    return {
        "metadata": {
            "name": name,
            "namespace": NAMESPACE,
            "uid": uid or f"uid-of-{name}",
            "labels": {"app": "web", "pod-template-hash": "5d7f9"} if labels is None else labels,
            "ownerReferences": owners,
            **metadata,
        },
        "spec": {"nodeName": node, "containers": [{"name": status["name"], "image": "web:1"} for status in statuses]},
        "status": {"phase": phase, "containerStatuses": statuses},
    }


def container(
    name: str = "web", *, ready: bool = True, restarts: int = 0, state: Any = None, id_: str = ""
) -> dict[str, Any]:
    return {
        "name": name,
        "ready": ready,
        "restartCount": restarts,
        "containerID": f"containerd://{id_ or CONTAINER_ID}",
        "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}} if state is None else state,
    }


def node(name: str = "node-1", *, taints: list[dict[str, Any]] | None = None, **spec: Any) -> dict[str, Any]:
    """A node that is Ready; its uid is not that of another one with its name."""
    return {
        "metadata": {"name": name, "uid": f"uid-of-{name}", "labels": {"kubernetes.io/hostname": name}},
        "spec": ({"taints": taints} if taints else {}) | spec,
        "status": {"conditions": [{"type": "Ready", "status": "True"}], "nodeInfo": {"bootID": f"boot-of-{name}"}},
    }


def a_node(*args: Any, **kwargs: Any) -> Node:
    return msgspec.convert(node(*args, **kwargs), Node)


def workload(name: str = "web", *, replicas: int | None = 2, **metadata: Any) -> dict[str, Any]:
    """A Deployment or a StatefulSet."""
    return {
        "metadata": {
            "name": name,
            "namespace": NAMESPACE,
            "uid": f"uid-of-{name}",
            "labels": {"app": name},
            **metadata,
        },
        "spec": {} if replicas is None else {"replicas": replicas},
        "status": {"replicas": replicas or 1, "availableReplicas": replicas or 1},
    }


def a_workload(*args: Any, **kwargs: Any) -> Workload:
    return msgspec.convert(workload(*args, **kwargs), Workload)


def waiting(reason: str, message: str = "") -> dict[str, Any]:
    return {"waiting": {"reason": reason, "message": message}}


def terminated(exit_code: int, *, reason: str = "Completed", message: str = "") -> dict[str, Any]:
    return {"terminated": {"exitCode": exit_code, "reason": reason, "message": message}}


def a_pod(*args: Any, **kwargs: Any) -> Pod:
    return msgspec.convert(pod(*args, **kwargs), Pod)


def engine(
    *, name: str = "shop-chaos", uid: str = ENGINE_UID, status: Any = None, meta: Any = None, **spec: Any
) -> dict[str, Any]:
    """An engine that names the Deployment `web` and one pod-delete."""
    return {
        "apiVersion": api.API_VERSION,
        "kind": "ChaosEngine",
        "metadata": {"name": name, "namespace": NAMESPACE, "uid": uid, **(meta or {})},
        "spec": {
            "appinfo": {"appns": NAMESPACE, "applabel": "app=web", "appkind": "deployment"},
            "annotationCheck": "true",
            "engineState": "active",
            "chaosServiceAccount": "pod-delete-sa",
            "jobCleanUpPolicy": "delete",
            "experiments": [{"name": "pod-delete"}],
            **spec,
        },
        "status": status or {},
    }


def an_engine(**kwargs: Any) -> api.ChaosEngine:
    return msgspec.convert(engine(**kwargs), api.ChaosEngine)


def experiment(name: str = "pod-delete", **definition: Any) -> dict[str, Any]:
    """An installed experiment, as the charts of 1.10 write it."""
    return {
        "apiVersion": api.API_VERSION,
        "kind": "ChaosExperiment",
        "metadata": {"name": name, "namespace": NAMESPACE, "uid": f"uid-of-{name}"},
        "spec": {
            "definition": {
                "image": "litmuschaos/go-runner:1.10.0",
                "args": ["-c", f"./experiments -name {name}"],
                "command": ["/bin/bash"],
                "env": [{"name": "TOTAL_CHAOS_DURATION", "value": "15"}],
                "labels": {"name": name},
                **definition,
            }
        },
    }


def an_experiment(name: str = "pod-delete", **definition: Any) -> api.ChaosExperiment:
    return msgspec.convert(experiment(name, **definition), api.ChaosExperiment)


def result(name: str = "shop-chaos-pod-delete", *, meta: Any = None, **status: Any) -> dict[str, Any]:
    return {
        "apiVersion": api.API_VERSION,
        "kind": "ChaosResult",
        "metadata": {"name": name, "namespace": NAMESPACE, "uid": f"uid-of-{name}", **(meta or {})},
        "spec": {"engine": "shop-chaos", "experiment": "pod-delete"},
        "status": status,
    }


def a_result(**kwargs: Any) -> api.ChaosResult:
    return msgspec.convert(result(**kwargs), api.ChaosResult)
