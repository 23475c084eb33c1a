"""``litmus run``: applies an engine, shows what happens, and ends with the verdict as its exit status."""

import asyncio
import json as json_
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TextIO

import msgspec
from cyclopts import Parameter

from litmus import api
from litmus.api import names
from litmus.api.engine import EngineStatus
from litmus.kube import Cluster, errors, kinds, waiting

from . import cluster_rules, engine_file, failures, options, outcomes, progress, stop

# An engine that no operator has taken up after this long, in seconds, is taken back.
_OPERATOR_DEADLINE_S = 30.0
_STOP_DEADLINE_S = 60.0
# How long the API server may be away, in seconds, once it has answered: a wrong address is told at once.
_PATIENCE_S = 60.0
_TICK_S = 0.5


async def run(
    engine: Annotated[
        Path, Parameter(help="File with a ChaosEngine; - for standard input.", allow_leading_hyphen=True)
    ],
    *,
    junit: Annotated[Path | None, Parameter(help="Write a JUnit report to this file.")] = None,
    json: Annotated[bool, Parameter(help="Print the result as JSON; progress goes to stderr.", negative="")] = False,
    kubeconfig: options.Kubeconfig = "",
    context: options.Context = "",
) -> int:
    """Run an engine and wait for its verdict: exit status 0 Pass, 1 Fail, 2 Error, 3 Stopped, 4 usage."""
    if junit and not junit.absolute().parent.is_dir():
        raise failures.Misused(f"--junit: folder {junit.absolute().parent} does not exist; create it first")
    async with Cluster.connect(kubeconfig=kubeconfig, context=context) as cluster:
        wanted, manifest = engine_file.read(engine, namespace=cluster.namespace)
        outcome = await carry_out(cluster, wanted, manifest, shown_on=sys.stderr if json else sys.stdout)
    if junit:
        try:
            junit.write_text(outcomes.junit(outcome), encoding="utf-8")
        except OSError as error:
            raise failures.Failed(f"--junit: {junit} can't be written: {error}") from error
    print(json_.dumps(outcomes.as_json(outcome), indent=2, ensure_ascii=False) if json else outcomes.text(outcome))
    return outcomes.exit_status(outcome)


async def carry_out(
    cluster: Cluster, wanted: api.ChaosEngine, manifest: dict[str, Any], *, shown_on: TextIO
) -> outcomes.Outcome:
    """Applies the engine and follows it to its end. Raises Failed when nobody takes it up.

    What switch or caps of the cluster forbid is an Error without anything created.
    """
    if refused := await cluster_rules.refusal(cluster, wanted):
        untouched = msgspec.structs.replace(wanted, status=EngineStatus())
        return outcomes.Outcome(engine=untouched, results={}, refused=refused)
    earlier = await _results(cluster, wanted)
    with progress.shown(shown_on) as display:
        cluster.patience_s = _PATIENCE_S
        applied = await _apply(cluster, wanted, manifest)
        display.ignore(earlier.values())
        following = _Following(cluster, applied, display)
        final = await following.to_the_end()
    results = await _results(cluster, final)
    return outcomes.Outcome(engine=final, results=results, interrupted=following.interrupted.is_set())


async def _apply(cluster: Cluster, wanted: api.ChaosEngine, manifest: dict[str, Any]) -> api.ChaosEngine:
    """Creates the engine, or starts the one of that name again. Raises Failed while that one runs."""
    meta = wanted.metadata
    present = await cluster.find(kinds.ENGINE, meta.name, namespace=meta.namespace)
    if present and present.status.engine_status == "initialized":
        raise failures.Failed(
            f"engine {meta.name} in namespace {meta.namespace} is running; "
            f"wait for it, or stop it: litmus stop {meta.name} -n {meta.namespace}"
        )
    manifest.pop("status", None)
    manifest["spec"]["engineState"] = "active"
    try:
        await cluster.apply(kinds.ENGINE, manifest)
    except errors.NotFound as error:
        raise failures.Failed(f"{error}; is the namespace there, and is litmus installed (litmus install)?") from error
    return await cluster.get(kinds.ENGINE, meta.name, namespace=meta.namespace)


async def _results(cluster: Cluster, engine: api.ChaosEngine) -> dict[str, api.ChaosResult]:
    """The results of this engine's experiments, by experiment."""
    found = {}
    for entry in engine.spec.experiments:
        name = names.result(engine.metadata.name, entry.name, entry.instance)
        result = await cluster.find(kinds.RESULT, name, namespace=engine.metadata.namespace)
        if result:
            found[entry.name] = result
    return found


class _Following:
    """One engine from its start to its end, on the display."""

    def __init__(self, cluster: Cluster, engine: api.ChaosEngine, display: progress.Display) -> None:
        self.cluster = cluster
        self.engine = engine
        self.display = display
        self.interrupted = asyncio.Event()
        self._began = asyncio.get_running_loop().time()

    async def to_the_end(self) -> api.ChaosEngine:
        """The finished engine. An interrupt stops the run and waits for it; a second one leaves at once."""
        meta = self.engine.metadata
        self.display.line(f"engine {meta.name} applied in namespace {meta.namespace}")
        loop = asyncio.get_running_loop()
        _handle(loop, self.interrupted.set)
        follow = asyncio.create_task(self._follow())
        stopping = asyncio.create_task(self.interrupted.wait())
        try:
            await asyncio.wait({follow, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not follow.done():
                _unhandle(loop)
                self.display.line("interrupted: stopping the engine (once more leaves without waiting)")
                await stop.request(self.cluster, self.engine)
                await asyncio.wait({follow}, timeout=_STOP_DEADLINE_S)
                if not follow.done():
                    raise failures.Failed(f"engine {meta.name} did not stop in {_STOP_DEADLINE_S:.0f} s; look at it")
            return follow.result()
        finally:
            _unhandle(loop)
            for task in (follow, stopping):
                task.cancel()
            await asyncio.gather(follow, stopping, return_exceptions=True)

    async def _follow(self) -> api.ChaosEngine:
        meta = self.engine.metadata
        watching = asyncio.gather(self._show_results(), self._tick())
        try:
            async for found in waiting.follow(self.cluster, kinds.ENGINE, namespace=meta.namespace, name=meta.name):
                if not found or found[0].metadata.uid != meta.uid:
                    raise failures.Failed(f"engine {meta.name} was deleted while it ran")
                seen = found[0]
                self.display.engine(seen)
                if finished(seen):
                    # What the results said last may still be under way.
                    for result in (await _results(self.cluster, seen)).values():
                        self.display.result(result)
                    return seen
                await self._expect_operator(seen)
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
        raise AssertionError("follow() never ends by itself")

    async def _tick(self) -> None:
        while True:
            self.display.tick()
            await asyncio.sleep(_TICK_S)

    async def _show_results(self) -> None:
        meta = self.engine.metadata
        labels = f"{names.CHAOS_UID}={meta.uid}"
        async for found in waiting.follow(self.cluster, kinds.RESULT, namespace=meta.namespace, labels=labels):
            for result in found:
                self.display.result(result)

    async def _expect_operator(self, seen: api.ChaosEngine) -> None:
        """Takes the engine back when nobody starts it: it must not start by surprise, next week."""
        waited_s = asyncio.get_running_loop().time() - self._began
        if seen.status.engine_status == "initialized" or waited_s < _OPERATOR_DEADLINE_S:
            return
        await stop.request(self.cluster, seen)
        raise failures.Failed(
            f"no operator took up the engine within {_OPERATOR_DEADLINE_S:.0f} s, so it is set to stop; "
            f"is it running? kubectl get pods -n {names.OPERATOR_NAMESPACE}, or litmus install"
        )


def _handle(loop: asyncio.AbstractEventLoop, callback: Callable[[], None]) -> None:
    if threading.current_thread() is threading.main_thread():  # signals come to no other
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, callback)


def _unhandle(loop: asyncio.AbstractEventLoop) -> None:
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


def finished(engine: api.ChaosEngine) -> bool:
    """Whether the operator has ended the run: it sets the state to stop with its last write."""
    return not engine.active and engine.status.engine_status in ("completed", "stopped")
