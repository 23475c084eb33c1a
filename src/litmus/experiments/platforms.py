"""Where an experiment works: kinds of clusters by the names that people search for.

Named only where the mechanism works by its nature; nobody ran everything everywhere. Serverless nodes (GKE Autopilot,
Fargate, virtual nodes of AKS) let no helper pod look at the node, and are meant by none of the names.
"""

from collections.abc import Collection

# Whoever talks to the API server only, or sends a helper pod with some capabilities, works on all of them.
ANY: tuple[str, ...] = (
    "GKE",
    "EKS",
    "AKS",
    "OpenShift (OKD)",
    "Rancher (RKE2)",
    "K3s",
    "kubeadm",
    "Minikube",
    "Kind",
)


def without(left_out: Collection[str]) -> tuple[str, ...]:
    """All but these."""
    return tuple(name for name in ANY if name not in left_out)


# Nodes of Kind are containers of one machine: the load is felt by all of them, and a restart would hit the machine.
OF_NODES = without({"Kind"})
# Minikube's node is a container as well, unless its driver makes a virtual machine.
MACHINES = without({"Kind", "Minikube"})
# There the kubelet and the runtime are parts of another process, which is no unit of that name.
UNITS = without({"K3s", "Rancher (RKE2)"})
# Whose interface for disks we speak.
CLOUDS = ("GKE", "EKS")
