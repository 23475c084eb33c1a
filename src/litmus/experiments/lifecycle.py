"""The life of one experiment: Awaited → checks → probes → ramp → chaos → ramp → checks → probes → verdict.

Whatever happens in between, the result ends with a verdict and an event, and only what was proven and checked ends in
Pass. An abort - SIGTERM, or ``engineState: stop``, which is looked at every second so that it works without an
operator - cancels the run; what an experiment has to put back it does while being cancelled. So does a probe that ends
the run before its time.
"""

import asyncio
import contextlib
import logging
import signal
import time
from collections.abc import Mapping

from litmus import api
from litmus.kube import Cluster, errors, events, kinds, results

from . import capped, checks, grounds, setting, tunables, verdicts
from .context import Context
from .declaration import Experiment

log = logging.getLogger(__name__)

_ABORT_POLL_S = 1.0


async def execute(experiment: Experiment, cluster: Cluster, env: Mapping[str, str]) -> api.Verdict:
    """Runs an experiment to its verdict. Raises CannotRun or KubeError only when there is no result to write it to."""
    place = setting.read(env)
    engine = await cluster.get(kinds.ENGINE, place.engine, namespace=place.namespace)
    diary = results.Results(
        cluster,
        namespace=place.namespace,
        engine=place.engine,
        experiment=experiment.name,
        instance=place.instance,
    )
    if predecessor := _predecessor(await diary.find(), engine, place.pod):
        gone = f"{predecessor}, the pod of this run, is gone, and another one does not go on; apply the engine again"
        lost = results.Verdict(verdict="Error", fail_step=gone, code=verdicts.ABORTED)
        return await diary.settle(lost, engine_uid=engine.metadata.uid, begun=True)
    result = await diary.begin(engine_uid=engine.metadata.uid, pod=place.pod)
    poster = events.Poster(cluster, place.pod or f"{experiment.name} of {place.engine}")
    await poster.post(result, "Awaited", f"experiment: {experiment.name}, Result: Awaited")
    context = Context(
        cluster=cluster,
        experiment=experiment.name,
        setting=place,
        values=tunables.Values({}),
        engine=engine,
        results=diary,
        events=poster,
        run_number=result.status.run.number,
        result=result,
    )
    # A pod may start after its engine was stopped: then it touches nothing.
    verdict = _stopped_early(context) or await _guarded(experiment, context, env)
    await _conclude(context, verdict)
    return verdict.verdict


def _predecessor(result: api.ChaosResult | None, engine: api.ChaosEngine, pod: str) -> str:
    """The pod of the same Job that ran before this one, '' if this is the first.

    A Job replaces a pod that was deleted, whatever its back-off limit; the fault must not start all over again.
    """
    run = result.status.run if result else None
    if run is None or run.engine_uid != engine.metadata.uid or run.pod in ("", pod):
        return ""
    return run.pod if run.pod.rpartition("-")[0] == pod.rpartition("-")[0] else ""


async def _guarded(experiment: Experiment, context: Context, env: Mapping[str, str]) -> results.Verdict:
    """The phases as a task of their own, so that an abort can cancel them and nothing else."""
    run = asyncio.create_task(_phases(experiment, context, env))
    watch = asyncio.create_task(_abort_requested(context))
    loop = asyncio.get_running_loop()
    terminated = asyncio.Event()
    with contextlib.suppress(NotImplementedError):  # not in the main thread: tests cancel the task instead
        loop.add_signal_handler(signal.SIGTERM, terminated.set)
    stop, trip = asyncio.create_task(terminated.wait()), asyncio.create_task(context.tripped.wait())
    trip_ended = False
    try:
        await asyncio.wait({run, watch, stop, trip}, return_when=asyncio.FIRST_COMPLETED)
        if not run.done():
            trip_ended = trip.done()
            log.info("a probe ends the run" if trip_ended else "abort requested", extra={"step": context.step})
            run.cancel()
            await asyncio.wait({run})
    finally:
        for task in (watch, stop, trip, run):
            task.cancel()
        await asyncio.gather(watch, stop, trip, run, return_exceptions=True)
        if context.steady:
            await context.steady.aclose()
    if run.cancelled():
        return context.steady.why_ended() if context.steady and trip_ended else await _why_ended(context)
    error = run.exception()
    if error is None:
        return results.Verdict(verdict="Pass")
    if not isinstance(error, Exception):
        raise error
    if not isinstance(error, verdicts.RunEnded | errors.KubeError | tunables.TunableError):
        log.error("defect", exc_info=error)
    return verdicts.of_error(error, during=context.step)


async def _phases(experiment: Experiment, context: Context, env: Mapping[str, str]) -> None:
    await _understand(experiment, context, env)
    place, timeout_s = context.setting, context.setting.check_timeout_s
    await grounds.check(context.cluster, experiment, pod=place.pod, namespace=place.namespace)
    checked = place.health_checks and experiment.checks_application(context.values)
    said = []
    if checked:
        await context.enter("pre-chaos check")
        await checks.healthy(context.cluster, place.targets, timeout_s=timeout_s)
        await checks.healthy(context.cluster, place.auxiliary, timeout_s=timeout_s)
        await experiment.check_before(context)
        said.append(f"{_subject(context)} healthy before the chaos")
    if context.steady:
        said.append(await context.steady.before())
    await _post(context, "PreChaosCheck", said)
    ramp_s = float(context.values[tunables.RAMP])
    if ramp_s:
        await context.enter(f"ramp time before the chaos, {ramp_s:g} s")
        await context.hold(ramp_s)
    await _inject(experiment, context)
    if ramp_s:
        await context.enter(f"ramp time after the chaos, {ramp_s:g} s")
        await context.hold(ramp_s)
    said = []
    if checked:
        await context.enter("post-chaos check")
        await checks.healthy(context.cluster, place.targets, timeout_s=timeout_s)
        await checks.healthy(context.cluster, place.auxiliary, timeout_s=timeout_s)
        await experiment.check_after(context)
        said.append(f"{_subject(context)} healthy after the chaos")
    if context.steady:
        said.append(await context.steady.after())
    await _post(context, "PostChaosCheck", said)


async def _inject(experiment: Experiment, context: Context) -> None:
    """The chaos, and the end of the probes that are asked during it alone."""
    try:
        await experiment.inject(context)
    finally:
        context.timeline.over = time.time()
    if context.steady:
        await context.steady.chaos_ended()


async def _post(context: Context, reason: str, said: list[str]) -> None:
    if told := "; ".join(filter(None, said)):
        await context.events.post(context.engine, reason, told)


async def _understand(experiment: Experiment, context: Context, env: Mapping[str, str]) -> None:
    """Reads the tunables, and refuses what would make this run another one than its author meant."""
    known = experiment.all_tunables()
    context.values = tunables.read(known, env)
    capped.run(context.setting.caps, experiment, context.values, context.setting.targets)
    mine = [(n, e) for n, e in enumerate(context.engine.spec.experiments) if e.name == experiment.name]
    if not mine:
        return
    place, entry = next((found for found in mine if found[1].instance == context.setting.instance), mine[0])
    tunables.check_names((variable.name for variable in entry.spec.components.env), known, experiment.name)
    if entry.spec.probe or entry.spec.impact:
        from . import steady_state  # probes and the analysis of impact cost a run without them nothing

        context.steady = steady_state.read(context, entry.spec, path=f"spec.experiments[{place}].spec")


async def _abort_requested(context: Context) -> None:
    """Returns when the engine was stopped or is being deleted."""
    while True:
        await asyncio.sleep(_ABORT_POLL_S)
        try:
            if await context.stopped():
                return
        except errors.KubeError as error:
            log.warning("the engine could not be read: %s", error)


def _stopped_early(context: Context) -> results.Verdict | None:
    if context.engine.wanted:
        return None
    return results.Verdict(verdict="Stopped", fail_step="stopped before it began", code=verdicts.ABORTED)


async def _why_ended(context: Context) -> results.Verdict:
    """Stopped if the engine was; a pod that is deleted or evicted while its engine runs on is an Error."""
    if await context.stopped():
        return results.Verdict(verdict="Stopped", fail_step=f"stopped during {context.step}", code=verdicts.ABORTED)
    return results.Verdict(
        verdict="Error",
        fail_step=f"the pod of {context.experiment} was ended from outside during {context.step} - deleted, evicted, "
        "or its node was drained; apply the engine again",
        code=verdicts.ABORTED,
    )


async def _conclude(context: Context, verdict: results.Verdict) -> None:
    """Events first, the verdict last: who reads it may remove this pod."""
    found = context.steady.findings() if context.steady else None
    warning = verdict.verdict != "Pass"
    about = f"experiment: {context.experiment}, Result: {verdict.verdict}"
    explained = about if verdict.fail_step == "N/A" else f"{about}; {verdict.fail_step}"
    log.info("verdict", extra={"verdict": verdict.verdict, "failStep": verdict.fail_step})
    await context.events.post(context.result, verdict.verdict, explained, warning=warning)
    await context.events.post(
        context.engine,
        "Summary",
        f"{context.experiment} experiment {_ended(verdict.verdict)}: {explained}",
        warning=warning,
    )
    await context.results.finish(verdict, targets=context.hit, found=found)


def _ended(verdict: api.Verdict) -> str:
    known = {"Pass": "has been Passed", "Fail": "has been Failed", "Stopped": "has been Stopped"}
    return known.get(verdict, "ended with an Error")


def _subject(context: Context) -> str:
    return "; ".join(target.describe() for target in context.setting.targets) or "no application to check,"
