"""``litmus hub install``: experiments with their service accounts and roles, ready to be named by an engine.

Nothing is half done: everything is read first, then the API server is asked whether it would take each object (a
dry run, which also tells of missing definitions, namespaces and rights), and only then it is applied.
"""

from typing import Any

import yaml

from litmus.api import yaml_text
from litmus.hub import model
from litmus.kube import Cluster, errors, kinds

from . import applying, failures, hub_get, hubs, options

_KINDS: dict[str, tuple[kinds.Kind[Any], ...]] = {
    "experiment": (kinds.EXPERIMENT,),
    "rbac": (
        kinds.SERVICE_ACCOUNT,
        kinds.ROLE,
        kinds.CLUSTER_ROLE,
        kinds.ROLE_BINDING,
        kinds.CLUSTER_ROLE_BINDING,
    ),
}
_BINDINGS = (kinds.ROLE_BINDING.kind, kinds.CLUSTER_ROLE_BINDING.kind)

Manifest = dict[str, Any]


async def install(
    *names: hubs.Names,
    namespace: options.WhereTo = "",
    image: options.Image = "",
    hub: hubs.Hub = "",
    kubeconfig: options.Kubeconfig = "",
    context: options.Context = "",
) -> int:
    """Install experiments into a namespace, with their service accounts and roles; again to upgrade them."""
    hubs.chosen(hubs.named(hub), names)  # a typo needs no cluster
    async with Cluster.connect(kubeconfig=kubeconfig, context=context) as cluster:
        namespace = namespace or cluster.namespace
        found = hubs.named(hub, image=image, namespace=namespace)
        charts = hubs.chosen(found, names)
        wanted = [manifest for chart in charts for manifest in manifests(found, chart, namespace, image)]
        await _expect(cluster, namespace)
        wanted = [await _with_other_subjects(cluster, manifest) for manifest in wanted]
        for manifest in wanted:
            await _rehearse(cluster, manifest, wanted)
        for manifest in wanted:
            await applying.apply(cluster, manifest)
    _tell(found, charts, namespace)
    return 0


def manifests(hub: model.Hub, chart: model.Chart, namespace: str, image: str) -> list[Manifest]:
    """The objects of an experiment in the order in which they are applied. Raises Failed for what does not belong."""
    result: list[Manifest] = []
    for part, allowed in _KINDS.items():
        path = hub_get.path(chart, part)
        if part == "rbac" and not path:
            continue  # hubs of 3.x have none; the last line tells
        try:
            text = hub_get.text(hub, chart, part, namespace=namespace, image=image)
            documents = yaml_text.documents(text)
        except (yaml.YAMLError, yaml_text.NotYaml) as error:
            raise failures.Failed(f"{path} of {hubs.called(hub)} is not YAML: {error}") from error
        for document in documents:
            if not _is_one_of(document, allowed):
                listed = ", ".join(kind.kind for kind in allowed)
                raise failures.Failed(
                    f"{path} of {hubs.called(hub)} holds something else than {listed}; "
                    f"look at it (litmus hub get {chart.name} --{part}) and apply it yourself"
                )
        result += documents
    return result


def _is_one_of(document: Any, allowed: tuple[kinds.Kind[Any], ...]) -> bool:
    if not isinstance(document, dict) or not isinstance(document.get("metadata"), dict):
        return False
    names = {(kind.api_version, kind.kind) for kind in allowed}
    return (document.get("apiVersion"), document.get("kind")) in names and bool(document["metadata"].get("name"))


async def _expect(cluster: Cluster, namespace: str) -> None:
    """Raises Failed when the namespace or the definitions are missing. Who may not look is told by what comes next."""
    try:
        if await cluster.find(kinds.NAMESPACE, namespace) is None:
            raise failures.Failed(
                f"there is no namespace {namespace!r}; create it (kubectl create namespace {namespace}) or name "
                "another one with -n"
            )
    except errors.Forbidden:
        pass
    try:
        await cluster.select(kinds.raw(kinds.EXPERIMENT), namespace=namespace)
    except errors.NotFound:
        raise failures.Failed("this cluster does not know ChaosExperiments; first run: litmus install") from None
    except errors.Forbidden:
        pass


async def _with_other_subjects(cluster: Cluster, manifest: Manifest) -> Manifest:
    """A ClusterRoleBinding keeps the service accounts of the namespaces where the experiment was installed before."""
    if manifest["kind"] != kinds.CLUSTER_ROLE_BINDING.kind:
        return manifest
    try:
        present = await cluster.find(kinds.raw(kinds.CLUSTER_ROLE_BINDING), manifest["metadata"]["name"])
    except errors.Forbidden:
        return manifest  # then it may not be written either, which is said in a moment
    there = (present or {}).get("subjects") or []
    ours = manifest.get("subjects") or []
    return {**manifest, "subjects": [*there, *(subject for subject in ours if not _among(subject, there))]}


def _among(subject: Manifest, others: list[Manifest]) -> bool:
    keys = ("kind", "namespace", "name")
    return any(all(subject.get(key) == other.get(key) for key in keys) for other in others)


async def _rehearse(cluster: Cluster, manifest: Manifest, wanted: list[Manifest]) -> None:
    """Asks whether the object would be taken. Raises Failed with the right that is missing, KubeError for the rest."""
    kind = kinds.raw(kinds.of_manifest(manifest))
    title = applying.title(kind, manifest["metadata"]["name"])
    try:
        await cluster.apply(kind, manifest, dry_run=True)
    except errors.NotFound:
        if manifest["kind"] in _BINDINGS and _role_comes_first(manifest, wanted):
            return  # whoever is no administrator can be told about a binding only when its role is there
        raise
    except errors.Forbidden as error:
        raise failures.Failed(f"nothing was installed, because {title} would be refused: {_right(error)}") from error


def _right(error: errors.Forbidden) -> str:
    """The right that is missing; of a role that grants more than one has, not the list of everything."""
    first, *more = str(error).splitlines()
    if not more:
        return f"{first}. Ask for this right, or let an administrator run the command"
    return (
        f"{first.rstrip(':')}; only who has all the rights of a role can give it: let an administrator run the command"
    )


def _role_comes_first(binding: Manifest, wanted: list[Manifest]) -> bool:
    role = binding.get("roleRef") or {}
    return any((m["kind"], m["metadata"]["name"]) == (role.get("kind"), role.get("name")) for m in wanted)


def _tell(hub: model.Hub, charts: list[model.Chart], namespace: str) -> None:
    one = len(charts) == 1
    first, option = charts[0].name, "" if hub.name == model.OURS else f" --hub {hub.name}"
    print(f"{first if one else f'{len(charts)} experiments'} can be run in namespace {namespace}. To start from:")
    print(f"  litmus hub get {first} --engine -n {namespace}{option} > engine.yaml")
    without = [chart.name for chart in charts if not chart.rbac_file]
    if without:
        print(
            f"{hubs.called(hub, first=True)} has no service account for {', '.join(without)}: make one, and name it "
            "in the engine (spec.chaosServiceAccount)."
        )
