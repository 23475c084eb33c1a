"""Carries out what ``decide`` says an engine needs, against the cluster. Every step may be repeated."""

import asyncio
import logging
from contextlib import suppress

import msgspec

from litmus import api
from litmus.api import engine as words
from litmus.api import names
from litmus.experiments import admission, cap_admission, placement
from litmus.experiments.caps import Exceeded
from litmus.kube import Cluster, errors, events, kinds, results, waiting
from litmus.kube.objects import Pod

from . import decide, runner_pod
from .rules import Rules

log = logging.getLogger(__name__)

# Experiments that are stopped get this long, in seconds, before their pods are told to end.
_UNDOING_S = 10.0
# Pods get SIGTERM and their own grace period to revert; this much later they are removed by force, in seconds.
_REMOVAL_MARGIN_S = 10.0
_LOOK_AGAIN_S = 0.25
# When everything is stopped at once, the looks at many engines must not keep those that revert from their work.
_LOOK_AGAIN_AT_MOST_S = 1.0


class Reconciler:
    """One engine, told by its namespace and name."""

    def __init__(
        self,
        cluster: Cluster,
        poster: events.Poster,
        *,
        namespace: str,
        name: str,
        image: str,
        rules: Rules | None = None,
    ) -> None:
        self.cluster = cluster
        self.events = poster
        self.namespace = namespace
        self.name = name
        self.image = image
        self.rules = rules or Rules()

    async def reconcile(self) -> decide.Action:
        """Takes the next step and returns it; IDLE when there is nothing to do for this engine."""
        engine = await self.cluster.find(kinds.ENGINE, self.name, namespace=self.namespace)
        if engine is None:
            return decide.Action.IDLE
        runner = await self._runner(engine)
        action = decide.action(engine, runner, stop=bool(self.rules.stopped))
        if action not in (decide.Action.WAIT, decide.Action.IDLE):
            log.info("engine", extra={"engine": f"{self.namespace}/{self.name}", "action": action.name})
        match action:
            case decide.Action.INITIALIZE:
                await self._initialize(engine)
            case decide.Action.CREATE_RUNNER:
                await self._create_runner(engine)
            case decide.Action.COMPLETE:
                await self._complete(engine)
            case decide.Action.FAIL:
                why = decide.trouble(runner, wrote=bool(engine.status.experiments))
                await self._fail(engine, f"the run can't go on: {why}; apply the engine again to repeat it")
            case decide.Action.ABORT:
                await self._abort(engine)
            case decide.Action.RESTART:
                await self._restart(engine)
            case decide.Action.RELEASE:
                await self._release(engine)
            case decide.Action.REFUSE:
                # Verdicts of an earlier run are no verdicts of this one.
                await self._fail(msgspec.structs.replace(engine, status=words.EngineStatus()), self._why_stopped())
        return action

    async def _runner(self, engine: api.ChaosEngine) -> Pod | None:
        """Its runner pod; a pod of the same name that belongs to an earlier engine does not count."""
        pod = await self.cluster.find(kinds.POD, names.runner(self.name), namespace=self.namespace)
        return pod if pod and pod.metadata.labels.get(names.CHAOS_UID) == engine.metadata.uid else None

    async def _initialize(self, engine: api.ChaosEngine) -> None:
        """Finalizer, status and the runner in one go: between them nothing can be waited for."""

        def write(seen: api.ChaosEngine) -> dict[str, object] | None:
            if seen.metadata.uid != engine.metadata.uid or seen.metadata.deletion_timestamp or not seen.active:
                return None
            return {
                "metadata": {"finalizers": _with_finalizer(seen)},
                "status": {"engineStatus": "initialized", "experiments": []},
            }

        engine = await self.cluster.update(kinds.ENGINE, self.name, write, namespace=self.namespace, seen=engine)
        await self.events.post(
            engine, "ChaosEngineInitialized", f"Identifying app under test & launching {names.runner(self.name)}"
        )
        await self._report_unused(engine)
        await self._create_runner(engine)

    async def _create_runner(self, engine: api.ChaosEngine) -> None:
        try:
            targets = await admission.targets(self.cluster, engine)
            caps = self.rules.known_caps()
            await cap_admission.check(self.cluster, engine, targets, caps)
            pod = runner_pod.manifest(engine, targets, image=self.image, caps=caps)
            placed = await placement.of_runner(self.cluster, engine, targets)
            pod["spec"] = placed.applied(pod["spec"])
            await self.cluster.create(kinds.POD, pod, namespace=self.namespace)
        except (admission.Refused, Exceeded) as refusal:
            await self._fail(engine, str(refusal))
        except errors.Conflict:
            await asyncio.sleep(_LOOK_AGAIN_S)  # it is there already, or that of an earlier engine still goes away
        except (errors.Forbidden, errors.Invalid) as error:
            account = engine.spec.chaos_service_account
            await self._fail(
                engine,
                f"the runner pod can't be created: {error}; check that service account {account} "
                f"is in namespace {self.namespace} and that its pods are admitted there",
            )

    async def _report_unused(self, engine: api.ChaosEngine) -> None:
        """What the manifest asks for and this release does not act on is said, never silently dropped."""
        unused = []
        if engine.spec.components.sidecar:
            unused.append("spec.components.sidecar")
        if engine.spec.components.runner.type not in ("", "go"):
            unused.append("spec.components.runner.type")
        unused += [f"rank of {entry.name}" for entry in engine.spec.experiments if entry.spec.rank is not None]
        if unused:
            await self.events.post(engine, "FieldNotSupported", f"Not acted on: {', '.join(unused)}", warning=True)

    async def _complete(self, engine: api.ChaosEngine) -> None:
        if engine.spec.job_clean_up_policy != "retain":
            await self.cluster.delete(kinds.POD, names.runner(self.name), namespace=self.namespace)
            await self._remove_jobs(engine)  # the runner's role may not have let it
        await self._end(engine, "completed", engine.status.experiments)
        verdicts = ", ".join(f"{entry.name}: {entry.verdict}" for entry in engine.status.experiments)
        await self.events.post(engine, "ChaosEngineCompleted", f"ChaosEngine completed ({verdicts})")

    async def _fail(self, engine: api.ChaosEngine, sentence: str) -> None:
        """Error for every experiment without a verdict, one event that says what to do, and nothing left running."""
        await self.events.post(engine, "ChaosResourcesOperationFailed", sentence, warning=True)
        await self._remove_chaos_pods(engine)
        error = results.Verdict(verdict="Error", fail_step=sentence, code=results.NOT_RUN)
        entries = await self._settle(engine, error, status=words.SKIPPED)
        await self._end(engine, "completed", entries)

    async def _abort(self, engine: api.ChaosEngine) -> None:
        """Ends the pods of the run, which revert on SIGTERM, and writes Stopped where they could not."""
        because = f": {self._why_stopped()}" if self.rules.stopped else ""
        if because and engine.wanted:  # so that its experiments see that they are stopped, and not only ended
            stop = {"spec": {"engineState": "stop"}}
            await self.cluster.patch(kinds.ENGINE, self.name, stop, namespace=self.namespace)
        await self._await_undone(engine)
        await self._remove_chaos_pods(engine)
        sentence = f"the engine was stopped{because}"
        stopped = results.Verdict(verdict="Stopped", fail_step=sentence, code="EXPERIMENT_ABORTED")
        entries = await self._settle(engine, stopped, status=words.ABORTED)
        await self.events.post(engine, "ChaosEngineStopped", f"Chaos resources deleted successfully{because}")
        await self._end(engine, "stopped", entries)

    async def _await_undone(self, engine: api.ChaosEngine) -> None:
        """Waits until the experiments, which look at their engine, have undone their faults: not for long.

        To end a pod costs its node far more than to undo a fault. Where many are stopped at once, their faults would
        wait for the ends of each other's pods.
        """
        with suppress(errors.TimedOut):
            await waiting.until(
                self.cluster,
                kinds.RESULT,
                lambda open_: None if open_ else True,
                namespace=self.namespace,
                labels=f"{_selector(engine)},{names.OPEN_FAULTS_LABEL}=true",
                what="the faults to be undone",
                deadline_s=_UNDOING_S,
            )

    def _why_stopped(self) -> str:
        return self.rules.stopped.said if self.rules.stopped else ""

    async def _restart(self, engine: api.ChaosEngine) -> None:
        await self.events.post(engine, "RestartInProgress", "The engine was set to active again: starting a new run")
        await self._remove_chaos_pods(engine, forget=True)

        def write(seen: api.ChaosEngine) -> dict[str, object] | None:
            if seen.metadata.uid != engine.metadata.uid or not seen.active:
                return None
            return {"status": {"engineStatus": "", "experiments": []}}

        await self.cluster.update(kinds.ENGINE, self.name, write, namespace=self.namespace)

    async def _release(self, engine: api.ChaosEngine) -> None:
        await self._end(engine, engine.status.engine_status, engine.status.experiments)

    async def _settle(
        self, engine: api.ChaosEngine, verdict: results.Verdict, *, status: str
    ) -> list[api.ExperimentStatus]:
        """The engine's entries with a final verdict each, and the results to match."""
        present = engine.status.experiments
        entries = []
        for index, wanted in enumerate(engine.spec.experiments):
            entry = present[index] if index < len(present) else api.ExperimentStatus(name=wanted.name)
            if entry.verdict not in words.FINAL_VERDICTS:
                given = await self._settle_result(engine, wanted, verdict, begun=entry.verdict == "Awaited")
                entry = msgspec.structs.replace(entry, status=status, verdict=given)
            entries.append(entry)
        return entries

    async def _settle_result(
        self, engine: api.ChaosEngine, entry: api.EngineExperiment, verdict: results.Verdict, *, begun: bool
    ) -> api.Verdict:
        diary = results.Results(
            self.cluster, namespace=self.namespace, engine=self.name, experiment=entry.name, instance=entry.instance
        )
        return await diary.settle(verdict, engine_uid=engine.metadata.uid, begun=begun)

    async def _remove_chaos_pods(self, engine: api.ChaosEngine, *, forget: bool = False) -> None:
        """Asks everything of the engine to end and waits until nothing of it runs; by force when it stays.

        ``forget``: waits until the pods are gone, too, so that their names are free.
        """
        await self._remove_jobs(engine)
        selector = _selector(engine)
        clock = asyncio.get_running_loop().time
        asked: set[str] = set()
        force_at, pause_s = clock() + _REMOVAL_MARGIN_S, _LOOK_AGAIN_S
        while pods := await self.cluster.select(kinds.POD, namespace=self.namespace, labels=selector):
            if not forget and all(pod.metadata.name in asked and not pod.runs for pod in pods):
                return
            for pod in pods:
                name = pod.metadata.name
                if name not in asked:
                    asked.add(name)
                    await self.cluster.delete(kinds.POD, name, namespace=self.namespace)
                    grace_s = pod.spec.termination_grace_period_seconds
                    force_at = max(force_at, clock() + grace_s + _REMOVAL_MARGIN_S)
                elif clock() > force_at or (forget and not pod.runs):
                    # Nothing of it runs, and the kubelet takes its time - or it does not end at all.
                    await self.cluster.delete(kinds.POD, name, namespace=self.namespace, grace_s=0)
            await asyncio.sleep(pause_s)
            pause_s = min(1.5 * pause_s, _LOOK_AGAIN_AT_MOST_S)

    async def _remove_jobs(self, engine: api.ChaosEngine) -> None:
        for job in await self.cluster.select(kinds.JOB, namespace=self.namespace, labels=_selector(engine)):
            await self.cluster.delete(kinds.JOB, job.metadata.name, namespace=self.namespace)

    async def _end(
        self, engine: api.ChaosEngine, word: words.EngineStatusWord, entries: list[api.ExperimentStatus]
    ) -> None:
        """The engine's last write: its word, its entries, state stop as in the original, and no finalizer."""

        def write(seen: api.ChaosEngine) -> dict[str, object] | None:
            if seen.metadata.uid != engine.metadata.uid:
                return None
            return {
                "metadata": {"finalizers": [f for f in seen.metadata.finalizers if f != names.ENGINE_FINALIZER]},
                "spec": {"engineState": "stop"},
                "status": {"engineStatus": word, "experiments": [api.plain(entry) for entry in entries]},
            }

        await self.cluster.update(kinds.ENGINE, self.name, write, namespace=self.namespace)


def _selector(engine: api.ChaosEngine) -> str:
    return f"{names.CHAOS_UID}={engine.metadata.uid}"


def _with_finalizer(engine: api.ChaosEngine) -> list[str]:
    return sorted({*engine.metadata.finalizers, names.ENGINE_FINALIZER})
