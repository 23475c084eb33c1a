"""Quotas and ranges, in a namespace of their own."""

from collections.abc import Iterator
from typing import Any

from tests.cluster.conformance.steps import LIMITED, Step, delete, get, meta, patch, pod, post

_CORE = f"/api/v1/namespaces/{LIMITED}"
_LEASES = f"/apis/coordination.k8s.io/v1/namespaces/{LIMITED}/leases"


def _pod(name: str, **resources: Any) -> dict[str, Any]:
    container = {"name": "main", "image": "nginx", "resources": resources}
    return pod(name, containers=[container], automountServiceAccountToken=False)


def quotas() -> Iterator[Step]:
    """How many there may be, and how much of what."""
    yield post("quota: namespace", "/api/v1/namespaces", {"metadata": meta(LIMITED)})
    yield get("quota: account", f"{_CORE}/serviceaccounts/default", until="metadata.name", ignore=("secrets",))
    hard = {"pods": "1", "requests.cpu": "1", "count/leases.coordination.k8s.io": "1"}
    yield post("quota: create", f"{_CORE}/resourcequotas", {"metadata": meta("few"), "spec": {"hard": hard}})
    yield get("quota: is counted", f"{_CORE}/resourcequotas/few", until="status.used.pods=0")
    yield post("quota: the first lease", _LEASES, {"metadata": meta("l1")})
    yield post("quota: the second lease", _LEASES, {"metadata": meta("l2")})
    yield post("quota: a dry run of it", f"{_LEASES}?dryRun=All", {"metadata": meta("l2")})
    yield post("quota: a pod that says nothing", f"{_CORE}/pods", _pod("p0"))
    yield post("quota: a pod that wants too much", f"{_CORE}/pods", _pod("p0", requests={"cpu": "1500m"}))
    yield post("quota: a pod that fits", f"{_CORE}/pods", _pod("p1", requests={"cpu": "600m"}))
    yield post("quota: one too many", f"{_CORE}/pods", _pod("p2", requests={"cpu": "600m"}))
    yield get("quota: is used", f"{_CORE}/resourcequotas/few", until="status.used.pods=1")
    yield delete("quota: the pod goes", f"{_CORE}/pods/p1?gracePeriodSeconds=0", ignore=("status",))
    yield get("quota: is free again", f"{_CORE}/resourcequotas/few", until="status.used.pods=0")
    yield patch("quota: a negative amount", f"{_CORE}/resourcequotas/few", {"spec": {"hard": {"pods": "-1"}}})
    yield patch("quota: no amount", f"{_CORE}/resourcequotas/few", {"spec": {"hard": {"pods": "many"}}})
    yield patch("quota: of nothing known", f"{_CORE}/resourcequotas/few", {"spec": {"hard": {"nothing": "1"}}})
    yield delete("quota: delete", f"{_CORE}/resourcequotas/few", ignore=("status",))


def ranges() -> Iterator[Step]:
    """What a container gets that says nothing, and how much it may say."""
    limit = {
        "type": "Container", "default": {"cpu": "500m", "memory": "64Mi"}, "defaultRequest": {"cpu": "100m"}, "min": {"cpu": "50m"}, "max": {"cpu": "1", "memory": "1Gi"},
        "maxLimitRequestRatio": {"cpu": "10"},
    }  # fmt: skip
    body = {"metadata": meta("range"), "spec": {"limits": [limit, {"type": "Pod", "max": {"cpu": "1500m"}}]}}
    yield post("range: create", f"{_CORE}/limitranges", body)
    dry = f"{_CORE}/pods?dryRun=All"
    for name, resources in {
        "defaults": {}, "too little": {"requests": {"cpu": "10m"}}, "too much": {"limits": {"cpu": "2"}}, "too far apart": {"requests": {"cpu": "50m"}, "limits": {"cpu": "1"}},
        "several": {"requests": {"cpu": "10m"}, "limits": {"cpu": "2", "memory": "2Gi"}}, "a limit only": {"limits": {"cpu": "200m"}},
    }.items():  # fmt: skip
        # a real server finds several mistakes in any order
        ignore = ("message",) if name == "several" else ()
        # and admits by what it has watched, which is behind at first; a dry run may be asked again
        until = "metadata.annotations" if name == "defaults" else ""
        yield post(f"range: {name}", dry, _pod("r", **resources), ignore=ignore, until=until)
    mains = [{"name": n, "image": "nginx", "resources": {"limits": {"cpu": "1"}}} for n in ("a", "b")]
    yield post("range: too much of a pod", dry, pod("r", containers=mains, automountServiceAccountToken=False))
    wrong = {"type": "Container", "min": {"cpu": "2"}, "max": {"cpu": "1"}, "default": {"cpu": "3"}}
    yield post("range: refused", f"{_CORE}/limitranges", {"metadata": meta("wrong"), "spec": {"limits": [wrong]}})
    yield delete("range: delete", f"{_CORE}/limitranges/range")
    yield delete("range: the namespace goes", f"/api/v1/namespaces/{LIMITED}")
