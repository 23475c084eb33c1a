"""Places for crash tests: a namespace for each fault, with an application, a service account, and the experiments."""

import secrets

from tests.cluster import conftest, stage
from tests.cluster.crash import rig
from tests.cluster.crash.faults import Fault, Place

_RIGHTS = [
    {
        "apiGroups": ["", "apps", "batch", "litmuschaos.io", "policy", "autoscaling"],
        "resources": ["*"],
        "verbs": ["*"],
    }
]


def prepare(fault: Fault) -> Place:
    """A new place for a fault. Its application runs on the fault's node, but not on one that is drained or silenced."""
    made = stage.Stage(f"crash-{secrets.token_hex(3)}")
    stage.kubectl("create", "namespace", made.name)
    made.kubectl("apply", "-f", "-", stdin=conftest.experiments())
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "crash-sa"}}
    rbac = "rbac.authorization.k8s.io"
    role = {
        "apiVersion": f"{rbac}/v1",
        "kind": "ClusterRole",
        "metadata": {"name": made.name},
        "rules": _RIGHTS,
    }
    binding = {
        "apiVersion": f"{rbac}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": made.name},
        "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": made.name},
        "subjects": [{"kind": "ServiceAccount", "name": "crash-sa", "namespace": made.name}],
    }
    made.apply(account, role, binding)
    node = fault.node if fault.on_node and fault.name != "service" else "node1"
    image = "python:3.11"
    container = {
        "name": "web",
        "image": image,
        "command": ["sleep", "infinity"],
        "resources": {"limits": {"ephemeral-storage": "100Mi"}} if fault.name == "fill" else {},
    }
    made.deploy(1, nodeName=node, containers=[container])
    for name in {fault.node, "netem1"}:  # a runner may be anywhere
        rig.agent(name)
    return Place(made, fault)


def clear(place: Place) -> None:
    """Removes what ``prepare`` made, and what a failed case may have left on this machine."""
    if place.fault.name == "service":
        rig.thaw(rf"kubelet .*--hostname-override={place.fault.node}( |$)")
    stage.kubectl("delete", "namespace", place.stage.name, "--wait=false")
    for kind in ("clusterrolebinding", "clusterrole"):
        stage.kubectl("delete", kind, place.stage.name, "--ignore-not-found")
    for kind in ("cordon", "taint"):
        if place.fault.name == kind == "cordon":
            stage.kubectl("uncordon", place.fault.node)
