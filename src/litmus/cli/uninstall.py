"""``litmus uninstall``: takes the operator and the components out of a cluster, and says what goes and what stays.

While an engine runs or a fault is not undone yet, somebody needs the operator, so that is refused; and what users have
made is never deleted by the way. The namespace always stays: nobody knows what else lives there.
"""

from typing import Annotated, Any

from cyclopts import Parameter

from litmus.api import names
from litmus.kube import Cluster, errors, kinds, waiting

from . import components, failures, installed, manifests, options, parts
from .applying import title

_PODS_DEADLINE_S = 40.0
_DEFINITIONS_DEADLINE_S = 60.0
_SELECTOR = ",".join(f"{key}={value}" for key, value in manifests.POD_LABELS.items())


async def uninstall(
    *,
    namespace: options.Namespace = options.OPERATOR_NAMESPACE,
    crds: Annotated[
        bool, Parameter(help="Also delete the definitions, with every engine, result and experiment.", negative="")
    ] = False,
    yes: Annotated[bool, Parameter(help="Confirm the loss that --crds would bring.", negative="")] = False,
    force: Annotated[
        bool, Parameter(help="Even if a run still needs the operator; nobody ends it then.", negative="")
    ] = False,
    kubeconfig: options.Kubeconfig = "",
    context: options.Context = "",
) -> int:
    """Remove the operator and the components from a cluster."""
    async with Cluster.connect(kubeconfig=kubeconfig, context=context) as cluster:
        watched = await _watched(cluster, namespace)
        theirs = await installed.objects(cluster, watched="" if crds else watched)
        _refuse_loss(theirs, crds=crds, yes=yes, force=force)
        removed, changed = await _remove_components(cluster, namespace)
        removed += await _remove_operator(cluster, namespace)
        if crds:
            if force:
                await _let_go(cluster, theirs)
            removed += await _remove_definitions(cluster)
    if not removed:
        print(f"There is no operator in namespace {namespace}.")
    else:
        kept = "" if crds else f", and the definitions with {theirs} (--crds deletes them too)"
        theirs_too = "".join(f"{title}, which was changed, " for title in changed)
        print(f"These stay: namespace {namespace}, {theirs_too}the roles of experiments in their namespaces{kept}.")
    return 0


async def _watched(cluster: Cluster, namespace: str) -> str:
    """Whose engines the operator runs; those of its namespace when it is gone already."""
    for operator in await installed.operators(cluster, namespace=namespace):
        if operator.namespace == namespace:
            return operator.watched
    return namespace


def _refuse_loss(theirs: installed.Objects, *, crds: bool, yes: bool, force: bool) -> None:
    if theirs.unfinished and not force:
        raise failures.Failed(
            f"the operator is still needed by {installed.listed(theirs.unfinished)}; first run: litmus stop --all. "
            "With --force it goes anyway, and nobody ends these runs or undoes their faults"
        )
    if crds and theirs and not yes:
        raise failures.Misused(f"--crds would delete {theirs}, of all namespaces; add --yes if that is meant")


async def _remove_components(cluster: Cluster, namespace: str) -> tuple[int, list[str]]:
    """How many objects went, and the titles of those that stay because somebody has made them their own."""
    removed, changed = 0, []
    for component in components.every():
        clusterwide = bool(component.deployment) and await _is_clusterwide(cluster, namespace, component.deployment)
        for manifest in reversed(_of_both_scopes(component, namespace)):
            kind, name = kinds.of_manifest(manifest), manifest["metadata"]["name"]
            if manifest["kind"] in component.foreign and not await installed.is_served(cluster, kind):
                continue
            if not kind.namespaced:
                removed += await _delete(cluster, kind, name) if clusterwide else 0
            elif manifest["kind"] in component.theirs and await _was_changed(cluster, manifest):
                changed.append(title(kind, name))
            else:
                removed += await _delete(cluster, kind, name, namespace)
    return removed, changed


def _of_both_scopes(component: components.Component, namespace: str) -> list[dict[str, Any]]:
    """Its objects in the order of their creation, those that only one of the scopes has among them."""
    namespaced = component.objects(parts.Installation(namespace=namespace, scope="namespaced"))
    clusterwide = component.objects(parts.Installation(namespace=namespace))
    more = [manifest for manifest in clusterwide if not kinds.of_manifest(manifest).namespaced]
    return [namespaced[0], *more, *namespaced[1:]]


async def _was_changed(cluster: Cluster, manifest: dict[str, Any]) -> bool:
    meta = manifest["metadata"]
    kind = kinds.raw(kinds.of_manifest(manifest))
    found = await cluster.find(kind, meta["name"], namespace=meta["namespace"])
    return found is not None and found.get("data") != manifest.get("data")


async def _remove_operator(cluster: Cluster, namespace: str) -> int:
    """The Deployment first and its rights last, so that it can end as it should. Returns how many objects went."""
    removed = await _delete(cluster, kinds.DEPLOYMENT, names.OPERATOR_NAME, namespace)
    if removed:
        await waiting.until(
            cluster,
            kinds.POD,
            lambda pods: None if pods else True,
            namespace=namespace,
            labels=_SELECTOR,
            what="the pods of the operator to end",
            deadline_s=_PODS_DEADLINE_S,
        )
    removed += await _delete(cluster, kinds.LEASE, names.OPERATOR_LEASE, namespace)
    if await _is_clusterwide(cluster, namespace, parts.NAME):
        removed += await _delete(cluster, kinds.CLUSTER_ROLE_BINDING, parts.NAME)
        removed += await _delete(cluster, kinds.CLUSTER_ROLE, parts.NAME)
    for kind in (kinds.ROLE_BINDING, kinds.ROLE, kinds.SERVICE_ACCOUNT):
        removed += await _delete(cluster, kind, parts.NAME, namespace)
    return removed


async def _is_clusterwide(cluster: Cluster, namespace: str, role: str) -> bool:
    """Whether the cluster role is bound to an account of this namespace, and not to that of another one."""
    try:
        binding = await cluster.find(kinds.raw(kinds.CLUSTER_ROLE_BINDING), role)
    except errors.Forbidden:
        return False
    subjects = (binding or {}).get("subjects") or ()
    return any(subject.get("namespace") == namespace for subject in subjects)


async def _let_go(cluster: Cluster, theirs: installed.Objects) -> None:
    """Takes our finalizers off, which nobody is left to do: the definitions could never be deleted otherwise."""
    ours = (names.ENGINE_FINALIZER, names.RESULT_FINALIZER)
    held: list[tuple[kinds.Kind[Any], dict[str, Any]]] = [
        *((kinds.ENGINE, engine) for engine in theirs.engines),
        *((kinds.RESULT, result) for result in theirs.results),
    ]
    for kind, thing in held:
        meta = thing["metadata"]
        before = meta.get("finalizers", [])
        after = [name for name in before if name not in ours]
        if after != before:
            change = {"metadata": {"finalizers": after}}
            await cluster.patch(kinds.raw(kind), meta["name"], change, namespace=meta["namespace"])


async def _remove_definitions(cluster: Cluster) -> int:
    removed = 0
    every = [definition["metadata"]["name"] for definition in manifests.definitions()]
    for name in every:
        removed += await _delete(cluster, kinds.CRD, name)
    for name in every:
        await waiting.until(
            cluster,
            kinds.CRD,
            lambda definitions: None if definitions else True,
            namespace="",
            name=name,
            what=f"{name} to go; an object with a finalizer may hold it: kubectl get {name} -A",
            deadline_s=_DEFINITIONS_DEADLINE_S,
        )
    return removed


async def _delete(cluster: Cluster, kind: kinds.Kind[Any], name: str, namespace: str = "") -> int:
    """Deletes one object and says so; 0 if there was none."""
    if not await cluster.delete(kind, name, namespace=namespace):
        return 0
    print(f"{title(kind, name)} deleted", flush=True)
    return 1
