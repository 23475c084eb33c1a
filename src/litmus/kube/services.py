"""Which addresses packets to a service have, as a pod sees them.

kube-proxy rewrites a service's address on the host, after a packet has left the pod, and rewrites the answer before it
is back: the pod sees the service's own address. Where the rewriting happens in the pod's sockets (Cilium), and for a
headless service, it sees the endpoints' addresses. So all of them are meant.
"""

from typing import Any

from .cluster import Cluster
from .kinds import Kind

SERVICE = Kind("", "v1", "Service", "services", dict)
ENDPOINTS = Kind("", "v1", "Endpoints", "endpoints", dict)


async def destinations(cluster: Cluster, name: str, *, namespace: str) -> tuple[str, ...]:
    """Addresses, and the host name of an ExternalName service. Raises NotFound and Forbidden."""
    spec: dict[str, Any] = (await cluster.get(SERVICE, name, namespace=namespace)).get("spec") or {}
    if spec.get("type") == "ExternalName":
        return (str(spec["externalName"]),)
    own = [spec.get("clusterIP"), *(spec.get("clusterIPs") or []), *(spec.get("externalIPs") or [])]
    found = [address for address in own if address and address != "None"]
    endpoints: dict[str, Any] = await cluster.find(ENDPOINTS, name, namespace=namespace) or {}
    for subset in endpoints.get("subsets") or []:
        for key in ("addresses", "notReadyAddresses"):
            found += [entry["ip"] for entry in subset.get(key) or []]
    return tuple(dict.fromkeys(found))
