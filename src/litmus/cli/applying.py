"""Bringing manifests into a cluster by server-side apply, and saying what came of each in the words of kubectl."""

from typing import Any

from litmus.kube import Cluster, kinds


async def apply(cluster: Cluster, manifest: dict[str, Any]) -> None:
    """Applies one object and prints whether it was created, configured or unchanged."""
    kind = kinds.raw(kinds.of_manifest(manifest))
    name, namespace = manifest["metadata"]["name"], manifest["metadata"].get("namespace", "")
    before = await cluster.find(kind, name, namespace=namespace)
    await cluster.apply(kind, manifest)
    after = await cluster.get(kind, name, namespace=namespace)
    print(f"{title(kind, name)} {_outcome(before, after)}", flush=True)


def title(kind: kinds.Kind[Any], name: str) -> str:
    """An object in the notation of kubectl: deployment.apps/chaos-operator-ce."""
    group = f".{kind.group}" if kind.group else ""
    return f"{kind.kind.lower()}{group}/{name}"


def _outcome(before: dict[str, Any] | None, after: dict[str, Any]) -> str:
    if before is None:
        return "created"
    return "unchanged" if _content(before) == _content(after) else "configured"


def _content(seen: dict[str, Any]) -> dict[str, Any]:
    """An object without what the cluster itself keeps writing to it."""
    bookkeeping = ("resourceVersion", "generation", "managedFields")
    meta = {key: value for key, value in seen["metadata"].items() if key not in bookkeeping}
    return {**seen, "metadata": meta, "status": None}
