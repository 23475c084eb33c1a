"""``litmus install``: brings the operator, its definitions and components into a cluster, and waits until they work.

Everything goes by server-side apply, so that doing it again is harmless and doing it with another release is an
upgrade. What it never does is to take over from an operator that runs the same engines from another namespace: two
operators would start every run twice. A component that is not asked for is left as it is.
"""

import contextlib
from typing import Annotated, Any

from cyclopts import Parameter, validators

from litmus.hub import documents
from litmus.kube import Cluster, errors, kinds, waiting

from . import applying, components, failures, installed, manifests, options, parts, rollout

_DEADLINE_S = 60.0
_ESTABLISHED_DEADLINE_S = 30.0


async def install(
    *,
    namespace: options.Namespace = options.OPERATOR_NAMESPACE,
    scope: Annotated[
        parts.Scope,
        Parameter(help="cluster: runs the engines of every namespace. namespaced: those of its own namespace only."),
    ] = "cluster",
    with_: Annotated[
        tuple[str, ...],
        Parameter(
            name="--with",
            help="What to install beside the operator, separated by commas. "
            + " ".join(f"{component.name}: {component.help}." for component in components.every()),
            negative="",
        ),
    ] = (),
    image: options.Image = "",
    replicas: Annotated[
        int, Parameter(help="Operators; one acts, the others stand by.", validator=validators.Number(gte=0))
    ] = 1,
    crds: Annotated[bool, Parameter(help="Whether to apply the definitions, which takes an administrator.")] = True,
    wait: Annotated[bool, Parameter(help="Whether to wait until everything is ready.")] = True,
    deadline: Annotated[
        float, Parameter(help="How long to wait for it, in seconds.", validator=validators.Number(gt=0))
    ] = _DEADLINE_S,
    render: Annotated[bool, Parameter(negative="", help="Print the manifests instead; needs no cluster.")] = False,
    kubeconfig: options.Kubeconfig = "",
    context: options.Context = "",
) -> int:
    """Install the operator and its definitions in a cluster; again to upgrade it or to change its settings."""
    wanted = parts.Installation(namespace=namespace, scope=scope, image=options.image(image), replicas=replicas)
    chosen = _chosen(with_)
    if render:
        print(manifests.render(wanted, chosen), end="")
        return 0
    async with Cluster.connect(kubeconfig=kubeconfig, context=context) as cluster:
        await _refuse_second(cluster, wanted)
        if crds:
            await _define(cluster)
        await _create_namespace(cluster, namespace)
        for manifest in manifests.operator(wanted):
            if manifest["kind"] != "Namespace":
                await applying.apply(cluster, documents.plain(manifest))
        for component in chosen:
            await _add(cluster, component, wanted)
        if wait:
            await _wait(cluster, chosen, wanted, deadline_s=deadline)
        await _tell_of_others(cluster, chosen, wanted)
    return 0


def _chosen(lists: tuple[str, ...]) -> list[components.Component]:
    try:
        return components.named(lists)
    except components.Unknown as unknown:
        raise failures.Misused(f"--with: {unknown}") from unknown


async def _add(cluster: Cluster, component: components.Component, wanted: parts.Installation) -> None:
    for manifest in component.objects(wanted):
        kind = kinds.of_manifest(manifest)
        title = applying.title(kind, manifest["metadata"]["name"])
        if manifest["kind"] in component.foreign and not await installed.is_served(cluster, kind):
            print(f"{title} left out: the cluster has no {kind}", flush=True)
        elif manifest["kind"] in component.theirs and await _is_there(cluster, manifest):
            print(f"{title} unchanged", flush=True)
        else:
            await applying.apply(cluster, manifest)


async def _is_there(cluster: Cluster, manifest: dict[str, Any]) -> bool:
    meta = manifest["metadata"]
    kind = kinds.raw(kinds.of_manifest(manifest))
    return await cluster.find(kind, meta["name"], namespace=meta["namespace"]) is not None


async def _wait(
    cluster: Cluster, chosen: list[components.Component], wanted: parts.Installation, *, deadline_s: float
) -> None:
    where, image = wanted.namespace, wanted.image
    await rollout.until_ready(cluster, rollout.OPERATOR, namespace=where, image=image, deadline_s=deadline_s)
    print(f"The operator is ready in namespace {where} and runs {installed.engines_of(wanted.watched)}.", flush=True)
    for component in chosen:
        if not component.deployment:
            print(f"The {component.name} is installed. {component.reach(where)}", flush=True)
            continue
        awaited = rollout.Awaited(
            called=f"the {component.name}", deployment=component.deployment, labels=component.labels
        )
        await rollout.until_ready(cluster, awaited, namespace=where, image=image, deadline_s=deadline_s)
        print(f"The {component.name} is ready. {component.reach(where)}", flush=True)


async def _tell_of_others(cluster: Cluster, chosen: list[components.Component], wanted: parts.Installation) -> None:
    """A component that is there and was not asked for keeps its image, which may be that of another release."""
    for component in components.deployed():
        if component not in chosen:
            image = await installed.image_of(cluster, component.deployment, namespace=wanted.namespace)
            if image and image != wanted.image:
                print(f"The {component.name} still runs {image}; --with {component.name} brings it to {wanted.image}.")


async def _refuse_second(cluster: Cluster, wanted: parts.Installation) -> None:
    for other in await installed.operators(cluster, namespace=wanted.namespace):
        remedy = f"first run: litmus uninstall --namespace {other.namespace}"
        if other.namespace != wanted.namespace and other.overlaps(wanted.watched):
            raise failures.Failed(f"there is already {other}, and an engine must not have two; to move it, {remedy}")
        if other.namespace == wanted.namespace and other.watched != wanted.watched:
            raise failures.Failed(f"there is already {other}, with the rights for that; to change its scope, {remedy}")


async def _define(cluster: Cluster) -> None:
    """Applies the definitions and waits until the API server serves them."""
    definitions = manifests.definitions()
    try:
        for definition in definitions:
            await applying.apply(cluster, definition)
    except errors.Forbidden as error:
        raise errors.Forbidden(
            f"{error}. Definitions are of the whole cluster: an administrator can apply them "
            "(litmus install --render has them too), and --no-crds leaves them alone"
        ) from error
    for definition in definitions:
        name = definition["metadata"]["name"]
        await waiting.until(
            cluster,
            kinds.CRD,
            _established,
            namespace="",
            name=name,
            what=f"the API server to serve {name}",
            deadline_s=_ESTABLISHED_DEADLINE_S,
        )


def _established(definitions: list[dict[str, Any]]) -> bool | None:
    for definition in definitions:
        for condition in definition.get("status", {}).get("conditions", ()):
            if condition["type"] == "NamesAccepted" and condition["status"] == "False":
                raise errors.Invalid(f"{definition['metadata']['name']}: {condition['message']}")
            if condition["type"] == "Established" and condition["status"] == "True":
                return True
    return None


async def _create_namespace(cluster: Cluster, name: str) -> None:
    """An existing namespace is left as it is: it may be somebody else's, and not everybody may look at it."""
    try:
        present = await cluster.find(kinds.NAMESPACE, name) is not None
    except errors.Forbidden:
        return
    if not present:
        with contextlib.suppress(errors.Conflict):  # somebody else created it just now
            await cluster.create(kinds.NAMESPACE, {"metadata": {"name": name}})
    print(f"namespace/{name} {'unchanged' if present else 'created'}", flush=True)
