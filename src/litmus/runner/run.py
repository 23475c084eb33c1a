"""Runs the experiments of an engine in the order of its list, each to a verdict, whatever goes wrong.

A runner that is started again - its container crashed, its node rebooted - goes on where the engine's status says it
was: an experiment with a verdict is not repeated, a Job that is there is followed and not created again.
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

import msgspec

from litmus import api
from litmus.api import engine as words
from litmus.api import names, targeting
from litmus.experiments import caps, placement
from litmus.kube import Cluster, engines, errors, events, kinds, results, waiting
from litmus.kube.objects import Job, Pod

from . import job as jobs
from . import pod as pods_

log = logging.getLogger(__name__)

# A pod may take this long to start (an image is pulled, a node is added), in seconds.
START_DEADLINE_S = 180.0
# What Kubernetes says can't work (an image, a mount) may still be a hiccup; then it is believed.
_BELIEVED_AFTER_S = 10.0
# Between the end of an experiment's container and its result being readable.
_RESULT_GRACE_S = 3.0


class Runner:
    """One run of one engine."""

    def __init__(self, cluster: Cluster, engine: api.ChaosEngine, env: Mapping[str, str]) -> None:
        self.cluster = cluster
        self.engine = engine
        self.namespace = engine.metadata.namespace
        self.name = names.runner(engine.metadata.name)
        self.events = events.Poster(cluster, self.name)
        self._targets = env.get("TARGETS", "")
        self._application = {name: env.get(name, "") for name in ("APP_NAMESPACE", "APP_LABEL", "APP_KIND")}
        # After the engine's own variables, so that its author can't loosen them.
        self._application |= {name: env[name] for name in (caps.VARIABLE,) if name in env}

    async def run(self) -> None:
        """Returns when every experiment has a verdict, or the engine was stopped."""
        self.engine = await engines.change_entries(self.cluster, self.engine, self._with_all_entries)
        for index, entry in enumerate(self.engine.spec.experiments):
            status = self.engine.status.experiments[index]
            if status.verdict in words.FINAL_VERDICTS:
                log.info("experiment has a verdict already", extra={"experiment": entry.name})
                continue
            if not await self._still_wanted():
                log.info("the engine was stopped")
                return
            await self._experiment(index, entry)

    def _with_all_entries(self, present: engines.Entries) -> engines.Entries:
        wanted = [entry.name for entry in self.engine.spec.experiments]
        if [entry.name for entry in present] == wanted:
            return present
        return [api.ExperimentStatus(name=name, runner=self.name) for name in wanted]

    async def _still_wanted(self) -> bool:
        seen = await self.cluster.find(kinds.ENGINE, self.engine.metadata.name, namespace=self.namespace)
        return seen is not None and seen.metadata.uid == self.engine.metadata.uid and seen.wanted

    async def _experiment(self, index: int, entry: api.EngineExperiment) -> None:
        """One experiment to its verdict; what keeps it from running becomes an Error with one event."""
        diary = results.Results(
            self.cluster,
            namespace=self.namespace,
            engine=self.engine.metadata.name,
            experiment=entry.name,
            instance=entry.instance,
        )
        begun = False
        try:
            job = await self._present_job(index, entry)
            if not job:
                # From here on a verdict in the result is of this run and not of an earlier one.
                fresh = await diary.begin(engine_uid=self.engine.metadata.uid, pod="")
                begun = True
                job = await self._create_job(index, entry, run=fresh.status.run.number)
            begun = True
            await self._set(index, status=words.RUNNING, verdict="Awaited")
            ended = await self._follow(index, entry, job, diary)
        except _CannotStart as failure:
            if await self._still_wanted():
                await self.events.post(self.engine, failure.reason, str(failure), warning=True)
                await self._settle(index, diary, str(failure), status=failure.status, begun=begun)
            return
        if ended.why and await self._still_wanted():
            sentence = f"{entry.name} could not finish: {ended.why}; apply the engine again once the cause is gone"
            await self.events.post(self.engine, "ChaosResourcesOperationFailed", sentence, warning=True)
            await self._settle(index, diary, sentence, status=words.COMPLETED, begun=True)
        elif not ended.why:
            result = await diary.find()
            await self._set(index, status=words.COMPLETED, verdict=result.status.verdict if result else "Error")
        else:
            return
        await self._clean_up(entry, job)

    async def _present_job(self, index: int, entry: api.EngineExperiment) -> str:
        """The name of the experiment's Job if an earlier life of this runner created it."""
        selector = f"{names.CHAOS_UID}={self.engine.metadata.uid},{names.EXPERIMENT_LABEL}={entry.name}"
        for present in await self.cluster.select(kinds.JOB, namespace=self.namespace, labels=selector):
            if present.metadata.annotations.get(_INDEX_ANNOTATION) == str(index):
                return present.metadata.name
        return ""

    async def _create_job(self, index: int, entry: api.EngineExperiment, *, run: int) -> str:
        """Raises _CannotStart."""
        experiment = await self._definition(entry)
        await self._check_dependencies(entry, experiment)
        placed = await self._placement(entry, experiment, run=run)
        name = names.job(entry.name)
        manifest = jobs.manifest(
            self.engine,
            entry,
            experiment,
            job_name=name,
            targets=self._targets,
            application=self._application,
        )
        template = manifest["spec"]["template"]
        template["spec"] = placed.applied(template["spec"])
        manifest["metadata"]["annotations"] = {_INDEX_ANNOTATION: str(index)}
        try:
            await self.cluster.create(kinds.JOB, manifest, namespace=self.namespace)
        except (errors.Forbidden, errors.Invalid) as error:
            raise _CannotStart(
                "JobCreationError", f"the Job of {entry.name} can't be created: {error}; mend the role or the engine"
            ) from error
        await self.events.post(
            self.engine, "ExperimentJobCreate", f"Experiment Job {name} for Chaos Experiment: {entry.name}"
        )
        return name

    async def _placement(
        self, entry: api.EngineExperiment, experiment: api.ChaosExperiment, *, run: int
    ) -> placement.Placement:
        """Where the experiment's pod may be, so that it does not hit itself. Raises _CannotStart."""
        if experiment.spec.definition.scope != "Cluster":
            return placement.ANYWHERE
        targets = targeting.parse(self._targets) if self._targets else []
        placed = await placement.of_experiment(self.cluster, self.engine, entry, targets, run=run)
        if placed.refusal:
            raise _CannotStart("TargetNodesRefused", f"{entry.name} is refused: {placed.refusal}")
        return placed

    async def _definition(self, entry: api.EngineExperiment) -> api.ChaosExperiment:
        try:
            return await self.cluster.get(kinds.EXPERIMENT, entry.name, namespace=self.namespace)
        except errors.NotFound:
            raise _CannotStart(
                "ExperimentNotFound",
                f"ChaosExperiment {entry.name} is not in namespace {self.namespace}; "
                f"kubectl apply its experiment.yaml from the hub there",
                status=words.NOT_FOUND,
            ) from None
        except (errors.Forbidden, errors.Invalid) as error:
            raise _CannotStart("ExperimentNotFound", f"{error}; grant it to the engine's service account") from error

    async def _check_dependencies(self, entry: api.EngineExperiment, experiment: api.ChaosExperiment) -> None:
        """ConfigMaps and Secrets exist; where the role can't read them, the kubelet will tell."""
        maps, secrets = jobs.mounts(experiment.spec.definition, entry.spec.components)
        mounted: list[tuple[kinds.Kind[Any], list[str]]] = [(kinds.CONFIG_MAP, [*maps]), (kinds.SECRET, [*secrets])]
        for kind, wanted in mounted:
            for name in wanted:
                try:
                    present = await self.cluster.find(kind, name, namespace=self.namespace)
                except errors.Forbidden:
                    continue
                if present is None:
                    raise _CannotStart(
                        "ExperimentDependencyCheck",
                        f"{kind} {name}, which {entry.name} mounts, is not in namespace {self.namespace}; create it",
                    )
        await self.events.post(
            self.engine,
            "ExperimentDependencyCheck",
            f"Experiment resources validated for Chaos Experiment: {entry.name}",
        )

    async def _follow(self, index: int, entry: api.EngineExperiment, job: str, diary: results.Results) -> pods_.Ended:
        """Waits for the experiment's last write, or for the end of its pod. Raises _CannotStart."""
        finished = asyncio.create_task(self._finished(diary))
        over = asyncio.create_task(self._over(index, entry, job))
        try:
            await asyncio.wait({finished, over}, return_when=asyncio.FIRST_COMPLETED)
            if not finished.done():
                ended = over.result()
                # The original's experiments and a killed one of ours do not say that they are finished.
                await asyncio.wait({finished}, timeout=0.0 if ended.why else _RESULT_GRACE_S)
                return await self._by_verdict(diary, ended)
            return pods_.Ended(pod=job)
        finally:
            for task in (finished, over):
                task.cancel()
            await asyncio.gather(finished, over, return_exceptions=True)

    async def _by_verdict(self, diary: results.Results, ended: pods_.Ended) -> pods_.Ended:
        """A pod that ended with a verdict in its result has done its work, whatever its exit code."""
        result = await diary.find()
        if result is not None and result.status.verdict != "Awaited":
            return pods_.Ended(ended.pod)
        return pods_.Ended(ended.pod, ended.why or "its pod ended without a verdict")

    async def _finished(self, diary: results.Results) -> None:
        """Returns at the last write of an experiment of ours."""

        def done(found: list[api.ChaosResult]) -> bool | None:
            run = found[0].status.run if found else None
            return True if run and run.finished_at and run.engine_uid == self.engine.metadata.uid else None

        await waiting.until(
            self.cluster,
            kinds.RESULT,
            done,
            namespace=self.namespace,
            name=diary.name,
            what="the verdict",
            deadline_s=None,
        )

    async def _over(self, index: int, entry: api.EngineExperiment, job: str) -> pods_.Ended:
        """Returns when the experiment's pod has ended. Raises _CannotStart when it can't start."""
        clock = asyncio.get_running_loop().time
        began, shown, seen = clock(), "", False
        async for pods in waiting.follow(self.cluster, kinds.POD, namespace=self.namespace, labels=f"job-name={job}"):
            ended = pods_.ended(pods, job=job, seen_before=seen)
            seen = seen or bool(pods)
            if ended is None and not pods:
                ended = await self._job_failed(job)
            if ended:
                return ended
            if pods and shown != pods[0].metadata.name:
                shown = pods[0].metadata.name
                await self._set(index, experiment_pod=shown)
            if not pods_.started(pods) and clock() - began > _BELIEVED_AFTER_S:
                await self._check_start(entry, job, pods, waited_s=clock() - began)
        raise AssertionError("follow() never ends by itself")

    async def _job_failed(self, job: str) -> pods_.Ended | None:
        found: Job | None = await self.cluster.find(kinds.JOB, job, namespace=self.namespace)
        if found is None:
            return pods_.Ended("", "its Job was deleted")
        failed = next((c for c in found.status.conditions if c.type == "Failed" and c.status == "True"), None)
        return pods_.Ended("", f"its Job failed: {failed.message or failed.reason}") if failed else None

    async def _check_start(self, entry: api.EngineExperiment, job: str, pods: list[Pod], *, waited_s: float) -> None:
        about = [job, *(pod.metadata.name for pod in pods)]
        noted = [
            event
            for event in await self.cluster.select(kinds.EVENT, namespace=self.namespace)
            if event.involved_object.name in about
        ]
        why = pods_.stuck(pods, noted)
        if not why and waited_s > START_DEADLINE_S:
            last = noted[-1].message if noted else "Kubernetes gives no reason"
            why = f"not started after {waited_s:.0f} s: {last}"
        if why:
            await self.cluster.delete(kinds.JOB, job, namespace=self.namespace)
            raise _CannotStart(
                "ChaosResourcesOperationFailed", f"the pod of {entry.name} can't start: {why}; mend it and apply again"
            )

    async def _settle(self, index: int, diary: results.Results, sentence: str, *, status: str, begun: bool) -> None:
        """Error in the result and in the engine."""
        error = results.Verdict(verdict="Error", fail_step=sentence, code=results.NOT_RUN)
        verdict = await diary.settle(error, engine_uid=self.engine.metadata.uid, begun=begun)
        await self._set(index, status=status, verdict=verdict)

    async def _clean_up(self, entry: api.EngineExperiment, job: str) -> None:
        if self.engine.spec.job_clean_up_policy == "retain":
            text = f"Experiment Job {job} is retained"
        else:
            try:
                await self.cluster.delete(kinds.JOB, job, namespace=self.namespace)
            except errors.Forbidden as error:
                log.warning("the operator has to remove the Job: %s", error)
                return
            text = f"Experiment Job {job} is deleted"
        await self.events.post(self.engine, "ExperimentJobCleanUp", text)

    async def _set(self, index: int, **fields: str) -> None:
        def change(entries: engines.Entries) -> engines.Entries:
            entries[index] = msgspec.structs.replace(entries[index], **fields)
            return entries

        self.engine = await engines.change_entries(self.cluster, self.engine, change)


class _CannotStart(Exception):
    """The experiment can't be started. ``reason`` is that of the event, ``status`` the engine's word for it."""

    def __init__(self, reason: str, sentence: str, *, status: str = words.SKIPPED) -> None:
        super().__init__(sentence)
        self.reason = reason
        self.status = status


# An engine may list one experiment twice: a Job is told by its place in the list.
_INDEX_ANNOTATION = "litmuschaos.io/experiment-index"
