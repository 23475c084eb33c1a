"""k8-pod-delete: the Chaos Toolkit deletes pods and checks a hypothesis; that they are gone is proven by their uids."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from litmus.api import targeting
from litmus.api.targeting import AppTarget
from litmus.kube import Cluster, clock, errors, kinds, waiting
from litmus.kube.objects import Pod

from . import selection, verdicts
from .context import Context
from .declaration import Experiment, Permission
from .toolkit import asking, files, journal
from .tunables import Values

FILE = asking.file("pod-app-kill-count.json", "pod")

# Beyond a pod's own grace period, in seconds, where the timeout of the checks is not longer.
_REMOVAL_MARGIN_S = 30.0


@dataclass(frozen=True, slots=True)
class _Aim:
    """The file, and the pods with the label: which of them it hits is known only of files of ours."""

    document: dict[str, Any]
    env: dict[str, str]
    choice: selection.Choice
    namespace: str
    known: bool


class K8PodDelete(Experiment):
    name = "k8-pod-delete"
    title = "Pod delete by the Chaos Toolkit"
    help = "Runs the Chaos Toolkit on an experiment that deletes pods by label, and proves that they are gone."
    breaks = "pod"
    blow = "delete"
    keywords = ("pod", "Chaos Toolkit", "steady state")
    maturity = "beta"
    created = "2026-11-22T00:00:00Z"
    links = {"Chaos Toolkit": "https://chaostoolkit.org/"}
    proof = "The uids of the deleted pods are gone; the hypothesis is the Chaos Toolkit's own."
    undo = "Nothing: the owner of a pod replaces it. Rollbacks of the file are played by the Chaos Toolkit."
    removes_pods = True
    uses = (Permission(groups=("",), resources=("pods",), verbs=("delete",), reason="delete the targets"),)
    tunables = (FILE.listed("pod-app-kill-count.json"), *asking.SHARED)

    async def foresee(
        self, cluster: Cluster, targets: Sequence[AppTarget], values: Values, *, seed: str
    ) -> selection.Prospect:
        namespace = targets[0].namespace if targets else cluster.namespace
        aim = await _aim(cluster, targets, values, namespace=namespace, seed=seed)
        return selection.prospect(aim.choice)

    async def inject(self, context: Context) -> None:
        place, values = context.setting, context.values
        seed = selection.seed(place.engine, self.name, run=context.run_number, round_=0)
        aim = await _aim(context.cluster, place.targets, values, namespace=place.namespace, seed=seed)
        chosen = aim.choice.chosen
        await context.start_chaos(values[asking.PAUSE])
        ids = await context.plan_faults(self.name, [(pod, "") for pod in chosen])
        shown = ", ".join(pod.metadata.name for pod in chosen)
        may = "" if aim.known else "some of "
        await context.events.post(context.engine, "ChaosInject", f"Injecting {self.name} chaos on {may}{shown}")
        started = context.now
        told = await asking.run(context, aim.document, aim.env)
        await context.moved(ids, "injected")
        gone = await _gone(context, chosen, aim, told)
        for pod in gone:
            meta = pod.metadata
            target = asking.account(
                name=meta.name, namespace=meta.namespace, kind="Pod", uid=meta.uid, node=pod.spec.node_name
            )
            where = context.note(target)
            after = round(context.now - started, 2)
            context.measured(where, injected_at=clock.stamp(), gone_after_seconds=after, delivered="pod gone")
        await context.moved(ids, "moot", "deleted by the Chaos Toolkit")
        journal.conclude(told)
        _refuse_untouched(gone, aim)


async def _aim(cluster: Cluster, targets: Sequence[AppTarget], values: Values, *, namespace: str, seed: str) -> _Aim:
    """Raises CannotRun when the file or the pods are not to be had; nothing was touched."""
    document = await files.read(
        cluster, values[FILE], config_map=values[asking.CONFIG_MAP], namespace=namespace, family="pod"
    )
    where = values[asking.NAMESPACE] or (targets[0].namespace if targets else namespace)
    named = asking.selector(values)
    wanted: Sequence[AppTarget] = targets
    if named or not targets:
        if not named:
            raise verdicts.CannotRun(
                "LABEL_NAME='': set it, or name an application in the engine", code=verdicts.TUNABLE
            )
        wanted = [AppTarget(kind=targeting.ANY_OWNER, namespace=where, labels=named)]
    pods = sorted(await selection.candidates(cluster, wanted), key=lambda pod: pod.metadata.name)
    if len({pod.metadata.namespace for pod in pods}) > 1:
        raise verdicts.CannotRun(
            "the application is in several namespaces, the Chaos Toolkit acts in one; set NAME_SPACE and LABEL_NAME",
            code=verdicts.TARGET_SELECTION,
        )
    kind = files.hits(document)
    chosen = selection.window(pods, asking.share(values, kind), seed=seed)
    env = asking.environment(
        values,
        namespace=pods[0].metadata.namespace,
        # Without a label, the pattern of names says it all.
        label_selector=named or (targets[0].labels if targets else ""),
        TARGET_PATTERN=_pattern(chosen),
        POD_COUNT=str(len(pods)),
    )
    asking.refuse_unset(document, env)
    choice = selection.Choice(tuple(pods), chosen)
    return _Aim(document, env, choice, pods[0].metadata.namespace, kind != "unknown")


def _pattern(pods: Sequence[Pod]) -> str:
    return f"^({'|'.join(re.escape(pod.metadata.name) for pod in pods)})$"


async def _gone(context: Context, chosen: Sequence[Pod], aim: _Aim, told: dict[str, Any]) -> list[Pod]:
    """Who of the chosen is gone; a file of ours that did its work is waited for, since pods take their time to end."""
    deleted = {str(name) for run in told.get("run") or [] for name in _names(run.get("output"))}
    expected = {pod.metadata.uid for pod in chosen if pod.metadata.name in deleted}
    grace_s = max((pod.spec.termination_grace_period_seconds for pod in chosen), default=0)
    seen: set[str] = set()

    def look(pods: list[Pod]) -> bool | None:
        seen.clear()
        seen.update(pod.metadata.uid for pod in pods)
        return True if not expected & seen else None

    try:
        await waiting.until(
            context.cluster,
            kinds.POD,
            look,
            namespace=aim.namespace,
            what="the deleted pods to be gone",
            deadline_s=grace_s + max(_REMOVAL_MARGIN_S, context.setting.check_timeout_s),
        )
    except errors.TimedOut as late:
        raise verdicts.CannotRun(
            f"the Chaos Toolkit deleted pods that are still there: {late}", code=verdicts.INJECT
        ) from late
    return [pod for pod in chosen if pod.metadata.uid not in seen]


def _names(output: object) -> list[object]:
    """What ``terminate_pods`` returns."""
    return output if isinstance(output, list) else []


def _refuse_untouched(gone: Sequence[Pod], aim: _Aim) -> None:
    """Raises CannotRun unless every pod is gone that had to go, or any where only the file knows which."""
    wanted = aim.choice.chosen
    left = [pod.metadata.name for pod in wanted if pod not in gone]
    if (aim.known and left) or not gone:
        raise verdicts.CannotRun(
            f"the Chaos Toolkit completed, but these pods are still there: {', '.join(left)}", code=verdicts.INJECT
        )
