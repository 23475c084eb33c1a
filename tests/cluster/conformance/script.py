"""All steps in their order."""

from collections.abc import Iterator

from tests.cluster.conformance import (
    applying,
    custom,
    limits,
    owners,
    patching,
    permissions,
    pods,
    reading,
    refusals,
    writing,
)
from tests.cluster.conformance.steps import KINDS, NAMESPACE, Step, core, get, life, meta, patch, post


def script() -> list[Step]:
    """All steps in their order."""
    steps = [*beginning()]
    for kind in KINDS:
        steps += life(*kind)
    for part in (
        refusals.refusals,
        refusals.updates,
        reading.selectors,
        reading.pages,
        reading.forms,
        reading.versions,
        writing.deployments,
        writing.finalizers,
        writing.dry_runs,
        writing.preconditions,
        writing.collections,
        writing.scales,
        patching.json_patches,
        patching.strategic_patches,
        reading.watches,
        custom.custom,
        permissions.rights,
        permissions.reviews,
        permissions.tokens,
        permissions.impersonation,
        permissions.aggregation,
        reading.discovery,
        applying.apply,
        applying.lists,
        owners.owners,
        owners.propagation,
        pods.pods,
        pods.conversations,
        pods.bindings,
        pods.evictions,
        pods.events,
        limits.quotas,
        limits.ranges,
        ending,
    ):
        steps += part()
    names = [step.name for step in steps]
    assert len(names) == len(set(names)), sorted(name for name in names if names.count(name) > 1)
    return steps


def beginning() -> Iterator[Step]:
    yield Step(name="namespace create", method="POST", path="/api/v1/namespaces", body={"metadata": meta(NAMESPACE)})
    yield Step(name="namespace get", method="GET", path=f"/api/v1/namespaces/{NAMESPACE}")
    yield Step(
        name="default account",
        method="GET",
        path=core("serviceaccounts", "default"),
        until="metadata.name",
        ignore=("secrets",),
    )
    yield Step(
        name="root certificate", method="GET", path=core("configmaps", "kube-root-ca.crt"), until="metadata.name"
    )


def ending() -> Iterator[Step]:
    path = f"/api/v1/namespaces/{NAMESPACE}"
    held = {"metadata": meta("holds-the-namespace", finalizers=["example.com/hold"])}
    yield post("namespace: something that holds it", core("configmaps"), held)
    yield Step(name="namespace delete", method="DELETE", path=path)
    yield Step(
        name="namespace refuses new objects",
        method="POST",
        path=core("configmaps"),
        body={"metadata": meta("late")},
    )
    yield get("namespace is held", path, until="status.conditions.4.status=True")
    holder = core("configmaps", "holds-the-namespace")
    yield patch("namespace: nothing holds it any more", holder, {"metadata": {"finalizers": None}})
    yield Step(name="namespace gone", method="GET", path=path, gone=True)
