"""What tests of node experiments need beside a namespace: rights for the whole cluster, and eyes for nodes."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import yaml

from litmus.experiments import catalogue
from tests.cluster import hollow
from tests.cluster.stage import Stage, kubectl, until

_RBAC = "rbac.authorization.k8s.io"


@contextmanager
def granted(stage: Stage, name: str) -> Iterator[None]:
    """What the chart of this experiment grants, to the namespace's service account chaos-sa."""
    rules = [
        {"apiGroups": list(one.groups), "resources": list(one.resources), "verbs": list(one.verbs)}
        for one in catalogue.find(name).permissions
    ]
    named = f"{stage.name}-{name}"
    role: dict[str, Any] = {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "ClusterRole",
        "metadata": {"name": named},
        "rules": rules,
    }
    binding = {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": named},
        "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": named},
        "subjects": [{"kind": "ServiceAccount", "name": "chaos-sa", "namespace": stage.name}],
    }
    kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all([role, binding]))
    try:
        yield
    finally:
        kubectl("delete", "clusterrole,clusterrolebinding", named)


def read(name: str) -> dict[str, Any]:
    """A node as kubectl shows it."""
    found: dict[str, Any] = json.loads(kubectl("get", "node", name, "-o", "json"))
    return found


def taints(name: str) -> list[str]:
    """'key=value:effect' of a node's taints, but for those that Kubernetes and these tests put there."""
    found = read(name)["spec"].get("taints", [])
    return [
        f"{taint['key']}={taint.get('value', '')}:{taint['effect']}"
        for taint in found
        if not taint["key"].startswith("node.kubernetes.io/") and taint["key"] != hollow.TAINT_KEY
    ]


def cordoned(name: str) -> bool:
    return bool(read(name)["spec"].get("unschedulable"))


def marks(name: str) -> list[str]:
    """What is left of our bookkeeping on a node."""
    return [key for key in read(name)["metadata"].get("annotations", {}) if "litmus" in key]


def prefers(node: str) -> dict[str, Any]:
    """A pod spec's wish to run on a node, which does not bind it."""
    term = {"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}]}
    wish = {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 100, "preference": term}]}
    return {"affinity": {"nodeAffinity": wish}, "tolerations": [hollow.toleration(node)]}


def on(stage: Stage, node: str, app: str = "web") -> set[str]:
    """uids of the application's pods on a node."""
    return {
        pod["metadata"]["uid"]
        for pod in stage.get("pods", selector=f"app={app}")
        if pod["spec"].get("nodeName") == node
    }


def during(stage: Stage, experiment: str) -> dict[str, Any]:
    """Waits until the fault is proven - its record says so - and returns the record."""

    def proven() -> dict[str, Any] | None:
        result = stage.get("chaosresult", f"chaos-{experiment}")
        faults = (result or {}).get("status", {}).get("faults", [])
        return faults[-1] if faults and all(fault["state"] == "proven" for fault in faults) else None

    return until(proven, f"the fault of {experiment} to be proven", deadline_s=150)
