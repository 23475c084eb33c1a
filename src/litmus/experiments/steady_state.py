"""The steady state of one run: its probes, what was measured of the application, and the criteria of the engine.

Probes know nothing of impact, and impact nothing of probes; here they meet. A run that is to be measured is given the
time for it: a baseline before the chaos and, after it, until the application has been well for a while. Runs that only
have probes of 1.10 keep their pace.
"""

import asyncio
import logging
from collections.abc import Sequence

from litmus.api.engine import ExperimentAttributes
from litmus.api.impact import Criterion, Impact
from litmus.impact import Sample, analyse
from litmus.impact.criteria import read_criteria
from litmus.kube import results
from litmus.kube.findings import Findings
from litmus.probes import kinds, reading
from litmus.probes.account import Account, percentage
from litmus.probes.conduct import Conduct, NotEvaluated, ProbeFailed
from litmus.probes.contract import ProbeError, Surroundings

from . import steady_form, tunables, verdicts
from .context import Context

log = logging.getLogger(__name__)

MISSED = "IMPACT_CRITERION_MISSED"
INCONCLUSIVE = "IMPACT_INCONCLUSIVE"

# The length of a baseline in seconds, with criteria and without: the promises of docs/impact.md hold from 20 s on. A
# ramp time before the chaos counts. Before its first sample the pod of a probe may have to start.
_BASELINE_S, _BASELINE_UNJUDGED_S = 20.0, 10.0
_FIRST_SAMPLE_S = 120.0
# After the chaos so many good samples in a row are awaited, and so long; for a time that settles "recovery", too.
_RECOVERED_SAMPLES, _RECOVERED_S = 30, 5.0
_RECOVERY_S = 30.0


def read(context: Context, entry: ExperimentAttributes, *, path: str) -> "SteadyState":
    """Raises CannotRun with the first mistake in the probes or the criteria; ``path`` is that of ``entry``."""
    for mistake in steady_form.of_experiment(entry, path=path):
        raise verdicts.CannotRun(mistake)
    return SteadyState(context, entry, reading.read(entry.probe, path=f"{path}.probe"))


class SteadyState:
    """Of one run."""

    def __init__(self, context: Context, entry: ExperimentAttributes, probes: Sequence[reading.Checked]) -> None:
        self._context = context
        self._criteria = entry.impact
        self._measuring = steady_form.measuring(entry.probe)
        traffic = {one.name for one in probes if one.probe.type == steady_form.TRAFFIC}
        self._measured = bool(self._criteria) or not traffic.isdisjoint(self._measuring)
        self._impact: Impact | None = None
        surroundings = Surroundings(
            cluster=context.cluster,
            engine=context.engine,
            experiment=context.experiment,
            pod=context.setting.pod,
        )
        judged = self._measuring if self._criteria else ()
        self._conduct = Conduct(
            probes,
            lambda probe: kinds.prober(probe, surroundings),
            lenient=[one.name for one in probes if one.name in judged and _lenient(one)],
            tripped=context.tripped,
        )

    async def before(self) -> str:
        """Probes before the chaos, and the baseline; says for people what passed. Raises RunEnded."""
        context, conduct = self._context, self._conduct
        await context.enter("probes before the chaos")
        await self._write()
        try:
            await conduct.before()
        except (ProbeFailed, ProbeError) as error:
            raise _ended(error) from error
        await self._write()
        if self._measured:
            await self._baseline()
        return self._passed("PreChaos", "before the chaos")

    def chaos_begins(self, duration_s: float) -> None:
        self._conduct.chaos_begins(duration_s)

    async def chaos_ended(self) -> None:
        await self._conduct.chaos_ended()

    async def after(self) -> str:
        """Probes after the chaos, what was measured, and the criteria; says for people what passed. Raises RunEnded."""
        context, conduct = self._context, self._conduct
        if self._measured:
            await context.enter("measuring the recovery")
            await self._recovery()
        await context.enter("probes after the chaos")
        await conduct.after()
        self._impact = await asyncio.to_thread(self._analysed)
        self._judge()
        self._conclude()
        return self._passed("PostChaos", "after the chaos")

    def why_ended(self) -> results.Verdict:
        """The verdict of a run that a probe has ended before its time."""
        during = self._context.step
        try:
            self._conduct.raise_early()
        except (ProbeFailed, ProbeError) as error:
            ended = _ended(error)
            sentence = f"{ended}; so the run was ended during {during}"
            return results.Verdict(verdict=ended.verdict, fail_step=sentence, code=ended.code)
        except Exception as error:  # whatever the task of a probe died of, the run has to have a verdict
            log.error("defect", exc_info=error)
            return verdicts.of_error(error, during=during)
        return results.Verdict(
            verdict="Error", fail_step=f"a probe ended the run during {during}", code=verdicts.GENERIC
        )

    def findings(self) -> Findings:
        """What the result shall say, however the run ended."""
        if self._impact is None:
            try:
                self._impact = self._analysed()
            except Exception as error:  # the verdict is known, and must be written
                log.error("what was measured can't be analysed", exc_info=error)
        accounts = self._conduct.accounts
        return Findings(
            statuses=[account.status() for account in accounts],
            outcomes=[account.outcome() for account in accounts],
            percentage=percentage(accounts),
            impact=self._impact,
        )

    async def aclose(self) -> None:
        await self._conduct.aclose()

    async def _write(self) -> None:
        accounts = self._conduct.accounts
        await self._context.results.probes(
            Findings(
                statuses=[account.status() for account in accounts],
                outcomes=[account.outcome() for account in accounts],
            )
        )

    async def _baseline(self) -> None:
        context, signals = self._context, self._signals()
        left_s = _BASELINE_S if self._criteria else _BASELINE_UNJUDGED_S
        left_s = max(0.0, left_s - float(context.values.get(tunables.RAMP) or 0))
        await context.enter(f"measuring the baseline, {left_s:g} s")
        if not await self._conduct.observed(lambda: all(len(a.series) for a in signals), within_s=_FIRST_SAMPLE_S):
            silent = ", ".join(account.checked.name for account in signals if not len(account.series))
            raise verdicts.CannotRun(
                f"probe {silent} has measured nothing in {_FIRST_SAMPLE_S:g} s; is it asked at all?"
            )
        await context.hold(left_s)

    async def _recovery(self) -> None:
        context, signals = self._context, self._signals()
        known, least = {a.checked.name: len(a.series) for a in signals}, context.now + _RECOVERED_S

        def recovered() -> bool:
            return context.now >= least and all(
                len(a.series) - known[a.checked.name] >= _RECOVERED_SAMPLES
                and a.series.passed_in_a_row >= _RECOVERED_SAMPLES
                for a in signals
            )

        limits = [wanted.limit for wanted in read_criteria(self._criteria) if wanted.name == "recovery"]
        await self._conduct.observed(recovered, within_s=max([_RECOVERY_S, *(limit * 1.2 + 5 for limit in limits)]))

    def _signals(self) -> list[Account]:
        return [account for account in self._conduct.accounts if account.checked.name in self._measuring]

    def _analysed(self) -> Impact | None:
        """None where nothing was asked continuously, or no chaos began."""
        lasting = [
            account
            for account in self._conduct.accounts
            if account.checked.probe.mode == "Continuous" and len(account.series)
        ]
        if not lasting or not self._context.timeline.begun:
            return None
        main = [account for account in lasting if account.checked.name in self._measuring]
        impact = self._of(main, self._criteria)
        if others := [account for account in lasting if account not in main]:
            impact = Impact(signals=[*impact.signals, *self._of(others, {}).signals], criteria=impact.criteria)
        return impact

    def _of(self, accounts: list[Account], criteria: dict[str, str]) -> Impact:
        timeline = self._context.timeline
        samples = {account.checked.name: self._samples(account) for account in accounts}
        latest = max((its[-1].at for its in samples.values() if its), default=timeline.chaos_end())
        return analyse(
            samples,
            chaos_start=timeline.chaos_start(),
            chaos_end=timeline.chaos_end(),
            run_end=max(latest, timeline.chaos_end()),
            injections=timeline.injections,
            criteria=criteria,
            seed=self._context.run_number,
            instant=timeline.kills,
        )

    def _samples(self, account: Account) -> list[Sample]:
        unsure = self._context.timeline.unsure
        return [
            Sample(at=seen.at, good=seen.passed, latency_ms=seen.latency_ms, error=seen.error)
            for seen in account.series
            if not unsure(seen.at)
        ]

    def _judge(self) -> None:
        """What the criteria say is said of the probes too whose failures they judge."""
        missed = self._criteria_that_are("missed")
        for account in self._conduct.accounts:
            if account.lenient and missed:
                account.judge("Failed", _told(missed))

    def _conclude(self) -> None:
        """Raises RunEnded. What is inconclusive is an Error, never a Pass."""
        missed, unsure = self._criteria_that_are("missed"), self._criteria_that_are("inconclusive")
        try:
            self._conduct.conclude()
        except ProbeFailed as error:
            others = [account for account in self._conduct.accounts if account.word == "Failed" and not account.lenient]
            if others or not missed:
                raise _ended(error) from error
        except ProbeError as error:
            if not missed:
                raise _ended(error) from error
        if missed:
            raise verdicts.CheckFailed(_told(missed), code=MISSED)
        if unsure:
            raise verdicts.CannotRun(_told(unsure), code=INCONCLUSIVE)

    def _criteria_that_are(self, judgement: str) -> list[Criterion]:
        return [one for one in (self._impact.criteria if self._impact else []) if one.judgement == judgement]

    def _passed(self, phase: str, when: str) -> str:
        names = [account.checked.name for account in self._conduct.accounts if phase in account.outcomes]
        return f"probes passed {when}: {', '.join(names)}" if names else ""


def _lenient(checked: reading.Checked) -> bool:
    """Whether single failures of a probe are the criteria's to judge: unless its author says how many are too many."""
    plan = checked.plan
    return checked.probe.type == steady_form.TRAFFIC and plan.attempts == 1 and not plan.stop_on_failure


def _ended(error: ProbeFailed | ProbeError) -> verdicts.RunEnded:
    """As the reference codes it, 5.4: HTTP_PROBE_FAILURE, HTTP_PROBE_ERROR."""
    match error:
        case ProbeFailed():
            return verdicts.CheckFailed(str(error), code=f"{_kind(error.kind)}_FAILURE")
        case NotEvaluated():
            return verdicts.CannotRun(str(error), code=f"{_kind(error.kind)}_ERROR")
        case _:
            return verdicts.CannotRun(str(error))


def _kind(type_: str) -> str:
    return type_.removesuffix("Probe").upper() + "_PROBE"


def _told(criteria: Sequence[Criterion]) -> str:
    return " ".join(f"impact.{one.name}: {one.explanation}" for one in criteria)
