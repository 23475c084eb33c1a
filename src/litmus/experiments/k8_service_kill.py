"""k8-service-kill: the Chaos Toolkit deletes a Service and checks a hypothesis; at the end the Service is put back.

The original's file deletes the microservice of that label - its Deployment and pods - and brings nothing back. Ours
deletes what the experiment's name says, and creates it again with the same cluster address.
"""

import random
from collections.abc import Sequence
from typing import Any

from litmus.api.targeting import AppTarget
from litmus.kube import Cluster, kinds, recipes, recreate

from . import api_fault, selection, verdicts
from .context import Context
from .declaration import SMALL_ROLE, Experiment, Permission
from .toolkit import asking, files, journal
from .tunables import Values

FILE = asking.file("service-app-kill-health.json", "service")

_READ_MAPS = Permission(
    groups=("",), resources=("configmaps",), verbs=("get",), reason="read an experiment of the Chaos Toolkit"
)
_SERVICES = Permission(
    groups=("",),
    resources=("services",),
    verbs=("get", "list", "create", "delete"),
    reason="find and delete Services, and put them back",
)
Service = dict[str, Any]


class K8ServiceKill(Experiment):
    name = "k8-service-kill"
    title = "Service kill by the Chaos Toolkit"
    help = "Runs the Chaos Toolkit on an experiment that deletes a Service, and puts the Service back at the end."
    breaks = "service"
    blow = "delete"
    keywords = ("service", "Chaos Toolkit", "DNS", "endpoint")
    maturity = "beta"
    created = "2026-11-22T00:00:00Z"
    links = {
        "Chaos Toolkit": "https://chaostoolkit.org/",
        "Kubernetes: Services": "https://kubernetes.io/docs/concepts/services-networking/service/",
    }
    hits = "Services"
    proof = "The Service is gone, told by its uid; the hypothesis is the Chaos Toolkit's own."
    undo = "Created again with the same cluster address and node ports, by the experiment or the operator."
    permissions = (SMALL_ROLE, _READ_MAPS, _SERVICES)
    uses = (_SERVICES,)
    tunables = (FILE.listed("service-app-kill-health.json"), *asking.SHARED)

    async def foresee(
        self, cluster: Cluster, targets: Sequence[AppTarget], values: Values, *, seed: str
    ) -> selection.Prospect:
        namespace = targets[0].namespace if targets else cluster.namespace
        document = await _document(cluster, values, namespace=namespace)
        found = await _services(cluster, targets, values, fallback=namespace)
        chosen = _choose(found, values, document, seed=seed)
        env = asking.environment(values, namespace=namespace, label_selector=asking.selector(values) or _label(targets))
        asking.refuse_unset(document, env)
        return selection.Prospect(candidates=tuple(map(_victim, found)), first_round=tuple(map(_victim, chosen)))

    async def inject(self, context: Context) -> None:
        place, values, cluster = context.setting, context.values, context.cluster
        document = await _document(cluster, values, namespace=place.namespace)
        found = await _services(cluster, place.targets, values, fallback=place.namespace)
        seed = selection.seed(place.engine, self.name, run=context.run_number, round_=0)
        chosen = _choose(found, values, document, seed=seed)
        namespace = chosen[0]["metadata"]["namespace"]
        label = asking.selector(values) or _label(place.targets)
        pods = await cluster.select(kinds.POD, namespace=namespace, labels=label)
        env = asking.environment(
            values,
            namespace=namespace,
            label_selector=label,
            POD_COUNT=str(sum(pod.runs for pod in pods)),
            SERVICE_NAME=chosen[0]["metadata"]["name"],
        )
        asking.refuse_unset(document, env)
        changes = [
            api_fault.Change(target=_target(service), undo=recreate.recipe(service), put=_by_the_toolkit)
            for service in chosen
        ]
        names = [service["metadata"]["name"] for service in chosen]
        known = files.hits(document) != "unknown"
        limit_s = float(values[asking.TIMEOUT]) + 60
        async with api_fault.changed(context, changes, mechanism=self.name, limit_s=limit_s) as held:
            await context.start_chaos(values[asking.PAUSE])
            await held.inject()
            told = await asking.run(context, files.for_each(document, "service_name", names), env)
            gone = [await recreate.present(cluster, change.undo) is None for change in changes]
            await held.proven(["Service gone" if yes else "still there" for yes in gone], hold_s=0)
            # What could not be done is said first, unless the steady state was lost before anything was done.
            journal.conclude(told)
            if not any(gone) or (known and not all(gone)):
                left = ", ".join(name for name, yes in zip(names, gone, strict=True) if not yes)
                raise verdicts.CannotRun(
                    f"the Chaos Toolkit completed, but these Services are still there: {left}", code=verdicts.INJECT
                )


async def _document(cluster: Cluster, values: Values, *, namespace: str) -> dict[str, Any]:
    return await files.read(
        cluster, values[FILE], config_map=values[asking.CONFIG_MAP], namespace=namespace, family="service"
    )


async def _services(cluster: Cluster, targets: Sequence[AppTarget], values: Values, *, fallback: str) -> list[Service]:
    """The Services with the label. Raises CannotRun when there are none."""
    namespace = values[asking.NAMESPACE] or (targets[0].namespace if targets else fallback)
    label = asking.selector(values) or _label(targets)
    if not label:
        raise verdicts.CannotRun("LABEL_NAME='': set the label of the Services", code=verdicts.TUNABLE)
    found = await cluster.select(recreate.SERVICE, namespace=namespace, labels=label)
    if not found:
        raise verdicts.CannotRun(
            f"LABEL_NAME={values[asking.LABEL]!r}: no Service in namespace {namespace} has the label {label}",
            code=verdicts.TARGET_SELECTION,
        )
    return sorted(found, key=lambda service: str(service["metadata"]["name"]))


def _label(targets: Sequence[AppTarget]) -> str:
    return targets[0].labels if targets else ""


def _choose(found: list[Service], values: Values, document: dict[str, Any], *, seed: str) -> list[Service]:
    rng = random.Random("/".join([seed, *(str(service["metadata"]["uid"]) for service in found)]))
    share = asking.share(values, files.hits(document))
    size = selection.count(share.draw(rng), len(found))
    return sorted(rng.sample(found, size), key=lambda service: str(service["metadata"]["name"]))


async def _by_the_toolkit(_cluster: Cluster, _undo: recipes.Undo) -> None:
    """The change itself is left to the toolkit."""


def _target(service: Service) -> Any:
    meta = service["metadata"]
    return asking.account(name=meta["name"], namespace=meta["namespace"], kind="Service", uid=meta["uid"])


def _victim(service: Service) -> selection.Victim:
    meta = service["metadata"]
    return selection.Victim(kind="Service", name=meta["name"], namespace=meta["namespace"], uid=meta["uid"])
