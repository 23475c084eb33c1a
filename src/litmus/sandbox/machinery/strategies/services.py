"""Services. Source: pkg/apis/core/v1/defaults.go; documentation "Service". Addresses are given out in admission."""

from typing import ClassVar

from litmus.sandbox.machinery.objects import Obj

from . import Strategy, omitted

AFFINITY_S = 10800
_WITH_ADDRESS = ("ClusterIP", "NodePort", "LoadBalancer")


class Services(Strategy):
    generation_of: ClassVar = ()

    def default(self, obj: Obj) -> None:
        omitted.metadata(obj["metadata"])
        spec = obj.setdefault("spec", {})
        omitted.nulls(spec)
        omitted.fields(
            spec, "ports", "selector", "externalIPs", "loadBalancerIP", "loadBalancerSourceRanges", "externalName"
        )
        omitted.fields(spec, "publishNotReadyAddresses", "clusterIP", "clusterIPs", "healthCheckNodePort", "type")
        omitted.fields(spec, "sessionAffinity", "externalTrafficPolicy", "ipFamilies", "trafficDistribution")
        kind = spec.setdefault("type", "ClusterIP")
        if spec.setdefault("sessionAffinity", "None") == "None":
            spec.pop("sessionAffinityConfig", None)
        elif spec["sessionAffinity"] == "ClientIP" and not _timeout(spec):
            spec["sessionAffinityConfig"] = {"clientIP": {"timeoutSeconds": AFFINITY_S}}
        for port in spec.get("ports", ()):
            omitted.fields(port, "name", "protocol", "targetPort", "nodePort")
            port.setdefault("protocol", "TCP")
            if "port" in port:
                port.setdefault("targetPort", port["port"])
        if kind in ("NodePort", "LoadBalancer") or (kind == "ClusterIP" and spec.get("externalIPs")):
            spec.setdefault("externalTrafficPolicy", "Cluster")
        if kind in _WITH_ADDRESS:
            spec.setdefault("internalTrafficPolicy", "Cluster")
        if kind == "LoadBalancer":
            spec.setdefault("allocateLoadBalancerNodePorts", True)
        obj.setdefault("status", {}).setdefault("loadBalancer", {})


def _timeout(spec: Obj) -> object:
    return ((spec.get("sessionAffinityConfig") or {}).get("clientIP") or {}).get("timeoutSeconds")
