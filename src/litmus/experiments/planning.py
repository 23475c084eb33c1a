"""What an engine would do, found out without changing anything: ``litmus plan``.

It asks the same questions as the operator, the runner and the experiment, in the same code, so that what it shows is
what happens - as long as the cluster stays as it is.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from litmus import api
from litmus.api import targeting
from litmus.kube import Cluster, errors, kinds, workloads
from litmus.kube.objects import DisruptionBudget, Pod

from . import admission, cap_admission, catalogue, declaration, grounds, placement, selection, tunables, verdicts
from .caps import Caps, Exceeded

Level = Literal["blocks", "warns", "informs"]

# A right on these within a namespace would be worth nothing.
_CLUSTER_WIDE = ("nodes",)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to know before the run; one that blocks would end it with an Error."""

    level: Level
    text: str


@dataclass(slots=True, kw_only=True)
class ExperimentPlan:
    """One experiment of the engine."""

    name: str
    candidates: Sequence[selection.Victim] = ()
    first_round: Sequence[selection.Victim] = ()
    tunables: Mapping[str, str] = field(default_factory=dict)
    # Of these, the ones that it understands and that have a value: what it will run with.
    meant: Mapping[str, str] = field(default_factory=dict)
    again: bool = False  # it chooses anew, round after round
    undo: str = ""
    privileges: tuple[str, ...] = ()
    findings: list[Finding] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class EnginePlan:
    """All of an engine."""

    engine: str
    namespace: str
    application: str
    findings: list[Finding] = field(default_factory=list)
    experiments: list[ExperimentPlan] = field(default_factory=list)

    @property
    def blocked(self) -> bool:
        """Whether the run would end with an Error."""
        everything = [*self.findings, *(f for experiment in self.experiments for f in experiment.findings)]
        return any(finding.level == "blocks" for finding in everything)


async def of_engine(cluster: Cluster, engine: api.ChaosEngine, *, caps: Caps | None = None) -> EnginePlan:
    """``caps``: what its operator will hold it to. Raises KubeError only when the cluster can't be asked at all."""
    namespace = engine.metadata.namespace
    plan = EnginePlan(engine=engine.metadata.name, namespace=namespace, application="none")
    targets: list[targeting.AppTarget] = []
    try:
        targets = await admission.targets(cluster, engine)
        plan.application = "; ".join(target.describe() for target in targets) or "none"
    except admission.Refused as refusal:
        plan.findings.append(Finding("blocks", str(refusal)))
    account = engine.spec.chaos_service_account
    if account and await cluster.find(kinds.SERVICE_ACCOUNT, account, namespace=namespace) is None:
        plan.findings.append(Finding("blocks", f"service account {account} is not in namespace {namespace}; create it"))
    for entry in engine.spec.experiments:
        plan.experiments.append(await _experiment(cluster, engine, entry, targets))
    try:
        if caps:
            await cap_admission.check(cluster, engine, targets, caps)
    except Exceeded as refusal:
        plan.findings.append(Finding("blocks", str(refusal)))
    return plan


async def _experiment(
    cluster: Cluster, engine: api.ChaosEngine, entry: api.EngineExperiment, targets: list[targeting.AppTarget]
) -> ExperimentPlan:
    plan = ExperimentPlan(name=entry.name)
    namespace = engine.metadata.namespace
    installed = await cluster.find(kinds.EXPERIMENT, entry.name, namespace=namespace)
    if installed is None:
        plan.findings.append(
            Finding(
                "blocks", f"ChaosExperiment {entry.name} is not in namespace {namespace}; apply its experiment.yaml"
            )
        )
    try:
        experiment = catalogue.find(entry.name)
    except catalogue.UnknownExperiment as unknown:
        level: Level = "blocks" if installed is None else "warns"
        plan.findings.append(Finding(level, f"its targets can't be foreseen: {unknown}"))
        return plan
    plan.privileges, plan.undo = experiment.privileges, experiment.undo
    plan.again = experiment.takes(tunables.INTERVAL)
    plan.findings += await _permissions(cluster, engine, experiment)
    if refusal := await grounds.foreseen(cluster, experiment):
        plan.findings.append(Finding("blocks", refusal))
        return plan
    try:
        values = _values(experiment, entry, installed)
        run = await placement.next_run(cluster, engine, entry)
        seed = selection.seed(engine.metadata.name, experiment.name, run=run, round_=0)
        prospect = await experiment.foresee(cluster, targets, values, seed=seed)
    except (verdicts.CannotRun, tunables.TunableError, errors.Forbidden) as error:
        plan.findings.append(Finding("blocks", str(error)))
        return plan
    plan.candidates, plan.first_round = prospect.candidates, prospect.first_round
    plan.tunables = placement.environment(entry, installed)
    taken = [tunable for tunable in experiment.all_tunables() if experiment.takes(tunable)]
    plan.meant = {t.name: value for t in taken if (value := plan.tunables.get(t.name, "").strip() or t.default)}
    if prospect.pods and experiment.removes_pods:
        plan.findings += _replicas(prospect.pods)
        plan.findings += await _budgets(cluster, prospect.pods.chosen)
    return plan


def _values(
    experiment: declaration.Experiment, entry: api.EngineExperiment, installed: api.ChaosExperiment | None
) -> tunables.Values:
    known = experiment.all_tunables()
    tunables.check_names((variable.name for variable in entry.spec.components.env), known, experiment.name)
    return tunables.read(known, placement.environment(entry, installed))


def _replicas(choice: selection.Choice) -> list[Finding]:
    """What the numbers of pods foretell."""
    per_workload: dict[tuple[str, str], list[Pod]] = {}
    for pod in choice.candidates:
        per_workload.setdefault(workloads.workload_of(pod), []).append(pod)
    found = []
    for kind, name in {workloads.workload_of(pod) for pod in choice.chosen}:
        pods = per_workload[kind, name]
        hit = [pod for pod in choice.chosen if workloads.workload_of(pod) == (kind, name)]
        if not kind:
            names = ", ".join(pod.metadata.name for pod in hit)
            found.append(Finding("warns", f"no workload owns {names}: a deleted one does not come back"))
        elif len(pods) == 1:
            found.append(Finding("warns", f"{kind} {name} has one replica: it will be down while its pod is replaced"))
        elif len(hit) == len(pods):
            found.append(Finding("warns", f"all {len(pods)} pods of {kind} {name} are hit at once: it will be down"))
    return found


async def _budgets(cluster: Cluster, chosen: Sequence[Pod]) -> list[Finding]:
    """PodDisruptionBudgets that a first round would violate: a deletion is not an eviction and does not ask them."""
    found = []
    for namespace in sorted({pod.metadata.namespace for pod in chosen}):
        try:
            budgets = await _budgets_in(cluster, namespace)
        except errors.Forbidden as error:
            found.append(Finding("informs", f"PodDisruptionBudgets in {namespace} can't be read: {error}"))
            continue
        for budget in budgets:
            hit = [
                pod
                for pod in chosen
                if pod.metadata.namespace == namespace and workloads.selects(budget.spec.selector, pod.metadata.labels)
            ]
            allowed = budget.status.disruptions_allowed
            if len(hit) > allowed:
                found.append(
                    Finding(
                        "warns",
                        f"PodDisruptionBudget {budget.metadata.name} would be violated: it allows {allowed} "
                        f"disruptions now, the first round takes {len(hit)}",
                    )
                )
    return found


async def _budgets_in(cluster: Cluster, namespace: str) -> list[DisruptionBudget]:
    for kind in kinds.DISRUPTION_BUDGETS:
        try:
            return await cluster.select(kind, namespace=namespace)
        except errors.NotFound:
            continue  # this cluster does not serve that version
    return []


async def _permissions(cluster: Cluster, engine: api.ChaosEngine, experiment: declaration.Experiment) -> list[Finding]:
    """What the engine's service account lacks, asked of the API server's own authorizer."""
    account = engine.spec.chaos_service_account
    if not account:
        return []
    wanted = [
        (group, resource, verb)
        for rule in (*declaration.USED_BY_EVERY_RUN, *experiment.all_uses)
        for group in rule.groups
        for resource in rule.resources
        for verb in rule.verbs
    ]
    user = f"system:serviceaccount:{engine.metadata.namespace}:{account}"
    try:
        answers = await asyncio.gather(*(_allowed(cluster, user, engine.metadata.namespace, *item) for item in wanted))
    except errors.Forbidden as error:
        return [Finding("informs", f"the rights of {account} can't be checked: {error}")]
    missing: dict[str, list[str]] = {}
    for (group, resource, verb), allowed in zip(wanted, answers, strict=True):
        if not allowed:
            missing.setdefault(f"{resource}.{group}" if group else resource, []).append(verb)
    if not missing:
        return []
    listed = "; ".join(f"{', '.join(verbs)} on {resource}" for resource, verbs in missing.items())
    return [Finding("blocks", f"service account {account} lacks: {listed}; apply the experiment's rbac.yaml")]


async def _allowed(cluster: Cluster, user: str, namespace: str, group: str, resource: str, verb: str) -> bool:
    plain, _, subresource = resource.partition("/")
    attributes = {"namespace": namespace, "verb": verb, "group": group, "resource": plain}
    if subresource:
        attributes["subresource"] = subresource
    if resource in _CLUSTER_WIDE:
        del attributes["namespace"]
    groups = ["system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated"]
    review: dict[str, Any] = {"spec": {"user": user, "groups": groups, "resourceAttributes": attributes}}
    answer = await cluster.create(kinds.ACCESS_REVIEW, review)
    return bool(answer["status"].get("allowed"))
