"""When each probe is asked: SOT before the chaos, EOT after it, Edge both times, Continuous all the while, OnChaos
during the chaos alone.

What lasts is a task of its own, which goes on after a failure: the failure is the probe's verdict, but what comes
behind it is still worth measuring. Only ``stopOnFailure``, and a probe that can't be evaluated, end the run early, by
``tripped``; who conducts the run then cancels it, and everything is put back.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Collection, Iterator, Sequence
from contextlib import aclosing

from litmus import api
from litmus.kube import errors

from . import chaining, evaluation
from .account import Account, Phase
from .contract import Observation, ProbeError, Prober, Streaming
from .reading import Checked

log = logging.getLogger(__name__)


class ProbeFailed(Exception):
    """A probe saw what it should not have seen: verdict Fail. A sentence with what was observed and expected."""

    def __init__(self, sentence: str, *, kind: str) -> None:
        super().__init__(sentence)
        self.kind = kind


class NotEvaluated(ProbeError):
    """A probe of the run could not be evaluated: verdict Error."""

    def __init__(self, sentence: str, *, kind: str) -> None:
        super().__init__(sentence)
        self.kind = kind


class Conduct:
    """The probes of one run. ``lenient``: names of those whose failures the engine's criteria judge."""

    def __init__(
        self,
        probes: Sequence[Checked],
        ask: Callable[[api.Probe], Prober],
        *,
        lenient: Collection[str] = (),
        tripped: asyncio.Event | None = None,
    ) -> None:
        self.accounts = [Account(checked, lenient=checked.name in lenient) for checked in probes]
        self.outputs: dict[str, str] = {}
        self.tripped = tripped or asyncio.Event()
        self._heard = asyncio.Event()
        self._ask = ask
        self._lasting: dict[str, tuple[Account, Phase, asyncio.Task[None]]] = {}
        self._completed: Counter[str] = Counter()

    async def before(self) -> None:
        """SOT, Edge, and the start of what is Continuous, in the order of the engine.

        Raises ProbeFailed at the first that fails: chaos in what is not in its steady state proves nothing. Only
        ``stopOnFailure: false`` says that the run shall go on and fail at its end, as in 3.x.
        """
        for account in self._of("SOT", "Edge", "Continuous"):
            if account.checked.probe.mode == "Continuous":
                self._start(account, "Continuous")
                continue
            await self._once(account, "PreChaos")
            if account.outcomes["PreChaos"].word == "Error" or (account.word == "Failed" and _stops(account)):
                break
        self.raise_early()

    def chaos_begins(self, duration_s: float) -> None:
        """The start of what is OnChaos, for at most so many seconds. The chaos begins once."""
        for account in self._of("OnChaos"):
            if account.checked.name not in self._lasting:
                self._start(account, "OnChaos", at_most_s=duration_s)

    async def chaos_ended(self) -> None:
        """The end of what is OnChaos."""
        await self._stop("OnChaos")

    async def after(self) -> None:
        """The end of what is Continuous, then EOT and Edge. All of them are asked, whatever the others say."""
        await self._stop("OnChaos", "Continuous")
        for account in self._of("EOT", "Edge"):
            await self._once(account, "PostChaos")

    async def observed(self, enough: Callable[[], bool], *, within_s: float) -> bool:
        """Lets what lasts go on until enough was seen, for at most so many seconds; whether it was."""
        limit = asyncio.timeout(within_s)
        try:
            async with limit:
                while not enough():
                    self._heard.clear()
                    await self._heard.wait()
        except TimeoutError:
            if not limit.expired():
                raise
        return enough()

    async def aclose(self) -> None:
        """Ends whatever still runs; what was not evaluated never will be."""
        tasks = [task for _, _, task in self._lasting.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for account in self.accounts:
            account.abandon()

    def conclude(self) -> None:
        """Raises ProbeFailed if any probe failed, else NotEvaluated if any could not be evaluated."""
        self._raise_for(self._with("Failed"))

    def raise_early(self) -> None:
        """As ``conclude``, but only failures that may end the run before its time count."""
        self._raise_for([account for account in self._with("Failed") if _stops(account)])

    def _raise_for(self, failed: list[Account]) -> None:
        self._raise_defects()
        wrong = self._with("Error")
        sentence = "; ".join(account.sentence.rstrip(".") for account in (*failed, *wrong))
        if failed:
            raise ProbeFailed(sentence, kind=failed[0].checked.probe.type)
        if wrong:
            raise NotEvaluated(sentence, kind=wrong[0].checked.probe.type)

    async def _once(self, account: Account, phase: Phase) -> None:
        """One evaluation. What goes wrong with it is in the account."""
        plan = account.checked.plan
        prober: Prober | None = None
        try:
            prober = self._open(account)
            await asyncio.sleep(plan.initial_delay_s)
            seen = await evaluation.evaluate(prober, plan, lambda _: None)
        except ProbeError as error:
            account.wrong(phase, str(error))
        else:
            self._register(account, seen)
            account.settle(phase, seen)
            log.info("probe", extra={"probe": account.checked.name, "phase": phase, "passed": seen.passed})
        finally:
            if prober:
                await _close(prober)

    def _start(self, account: Account, phase: Phase, *, at_most_s: float | None = None) -> None:
        task = asyncio.create_task(self._last(account, phase, at_most_s))
        task.add_done_callback(self._ended)
        self._lasting[account.checked.name] = (account, phase, task)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception():
            self.tripped.set()  # a defect of ours, or a cluster that does not answer: no verdict can come of it

    async def _last(self, account: Account, phase: Phase, at_most_s: float | None) -> None:
        """Asks again and again until it is cancelled, or the time is over."""
        limit = asyncio.timeout(at_most_s)
        prober: Prober | None = None
        try:
            prober = self._open(account)
            async with limit:
                await asyncio.sleep(account.checked.plan.initial_delay_s)
                async with aclosing(self._rounds(account, prober)) as rounds:
                    async for seen in rounds:
                        if self._ends_the_run(account, phase, seen):
                            return
        except TimeoutError:
            if not limit.expired():
                raise
        except ProbeError as error:
            account.wrong(phase, str(error))
            self.tripped.set()
        finally:
            if prober:
                await _close(prober)

    def _ends_the_run(self, account: Account, phase: Phase, seen: Observation) -> bool:
        if seen.passed or account.outcomes[phase].word != "Awaited":
            return False
        account.settle(phase, seen)
        log.info("probe failed", extra={"probe": account.checked.name, "observed": seen.observed})
        if _stops(account):
            self.tripped.set()
        return _stops(account)

    async def _rounds(self, account: Account, prober: Prober) -> AsyncGenerator[Observation]:
        """What each round came to. Every single observation is in the series of the account."""

        def hear(seen: Observation) -> None:
            account.series.add(seen)
            self._heard.set()

        rounds = _streamed(account, prober, hear) if isinstance(prober, Streaming) else _polled(account, prober, hear)
        async with aclosing(rounds):
            async for seen in rounds:
                self._completed[account.checked.name] += 1
                self._register(account, seen)
                yield seen

    def _open(self, account: Account) -> Prober:
        return self._ask(chaining.filled(account.checked.probe, self.outputs))

    def _register(self, account: Account, seen: Observation) -> None:
        if seen.passed:
            self.outputs[account.checked.name] = seen.output

    async def _stop(self, *phases: Phase) -> None:
        for account, phase, task in self._lasting.values():
            if phase not in phases:
                continue
            task.cancel()
            await asyncio.wait({task})
            account.last(phase, completed=self._completed[account.checked.name])

    def _of(self, *modes: str) -> Iterator[Account]:
        return (account for account in self.accounts if account.checked.probe.mode in modes)

    def _with(self, word: str) -> list[Account]:
        return [account for account in self.accounts if account.word == word]

    def _raise_defects(self) -> None:
        for _, _, task in self._lasting.values():
            if task.done() and not task.cancelled() and (error := task.exception()):
                raise error


def _stops(account: Account) -> bool:
    """Whether the failure of a probe ends the run: what is asked at an edge does so unless it is said otherwise."""
    said = account.checked.plan.stop_on_failure
    return bool(said) if account.checked.probe.mode in ("Continuous", "OnChaos") else said is not False


async def _polled(account: Account, prober: Prober, hear: Callable[[Observation], None]) -> AsyncGenerator[Observation]:
    """One evaluation after the other, with the pauses of the engine."""
    plan = account.checked.plan
    while True:
        yield await evaluation.evaluate(prober, plan, hear)
        await asyncio.sleep(plan.polling_s)


async def _streamed(
    account: Account, prober: Streaming, hear: Callable[[Observation], None]
) -> AsyncGenerator[Observation]:
    """Every observation of a stream that came to something: it passed, or it was one failure too many in a row."""
    failures = 0
    async with aclosing(prober.stream()) as stream:
        async for seen in stream:
            hear(seen)
            failures = 0 if seen.passed else failures + 1
            if seen.passed or (failures >= account.checked.plan.attempts and not account.lenient):
                yield seen


async def _close(prober: Prober) -> None:
    try:
        await prober.aclose()
    except (errors.KubeError, ProbeError) as error:
        log.warning("a probe could not give back what it held: %s", error)
