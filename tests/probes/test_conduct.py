"""When each probe is asked, and what comes of it, in virtual time."""

import asyncio

import pytest

from litmus import api
from litmus.probes.conduct import Conduct, ProbeFailed
from litmus.probes.contract import ProbeError, Prober
from tests.probes import scripted

pytestmark = pytest.mark.looptime


class Stage:
    """A run of ten seconds before the chaos, twenty of chaos, ten after it; probers by the name of their probe."""

    def __init__(self, **probers: scripted.Prober) -> None:
        self.probers = probers
        self.asked: list[api.Probe] = []
        self.conduct: Conduct

    def of(self, *probes: api.Probe, lenient: tuple[str, ...] = ()) -> "Stage":
        self.conduct = Conduct(scripted.checked(*probes), self._prober, lenient=lenient)
        return self

    def _prober(self, probe: api.Probe) -> Prober:
        self.asked.append(probe)
        return self.probers[probe.name.replace("-", "_")]

    async def run(self) -> None:
        """Raises what the verdict is."""
        conduct = self.conduct
        try:
            await conduct.before()
            await asyncio.sleep(10 - asyncio.get_running_loop().time())
            conduct.chaos_begins(20)
            await asyncio.sleep(20)
            await conduct.chaos_ended()
            await asyncio.sleep(10)
            await conduct.after()
            conduct.conclude()
        finally:
            await conduct.aclose()

    def words(self, name: str) -> dict[str, str]:
        account = next(a for a in self.conduct.accounts if a.checked.name == name)
        return {phase: outcome.word for phase, outcome in account.outcomes.items()}


@pytest.mark.parametrize(
    ("mode", "asked"),
    [
        ("SOT", [0]),
        ("EOT", [40]),
        ("Edge", [0, 40]),
        ("Continuous", list(range(0, 40, 5))),
        ("OnChaos", [10, 15, 20, 25]),
    ],
)
async def test_each_mode_has_its_time(mode, asked):
    prober = scripted.Prober(scripted.always)
    stage = Stage(page=prober).of(scripted.probe("page", mode, probePollingInterval="5s"))
    await stage.run()
    assert prober.asked == asked
    assert prober.closed == (2 if mode == "Edge" else 1)
    assert set(stage.words("page").values()) == {"Passed"}


@pytest.mark.parametrize(("mode", "asked"), [("SOT", 3), ("EOT", 43), ("Continuous", 3), ("OnChaos", 13)])
async def test_an_initial_delay_comes_before_the_first_question_of_each_mode(mode, asked):
    prober = scripted.Prober(scripted.always)
    await Stage(page=prober).of(scripted.probe("page", mode, initialDelay="3s")).run()
    assert prober.asked[0] == asked


async def test_on_chaos_ends_with_the_planned_chaos_even_if_the_experiment_goes_on():
    prober = scripted.Prober(scripted.always)
    stage = Stage(page=prober).of(scripted.probe("page", "OnChaos"))
    stage.conduct.chaos_begins(5)
    stage.conduct.chaos_begins(5)
    await asyncio.sleep(20)
    await stage.conduct.chaos_ended()
    assert prober.asked == [0, 1, 2, 3, 4]
    assert stage.words("page") == {"OnChaos": "Passed"}


@pytest.mark.parametrize("mode", ["SOT", "Edge"])
async def test_chaos_does_not_begin_in_what_is_not_in_its_steady_state(mode):
    stage = Stage(page=scripted.Prober(scripted.never), late=scripted.Prober(scripted.always))
    stage.of(scripted.probe("page", mode), scripted.probe("late", "SOT"))
    with pytest.raises(ProbeFailed) as told:
        await stage.conduct.before()
    assert str(told.value) == (
        f"probe page (httpProbe, {mode}) failed before the chaos: observed 503, expected 200, at 2023-11-14T22:13:20Z"
    )
    await stage.conduct.aclose()
    assert stage.words("page")["PreChaos"] == "Failed"
    assert stage.words("late") == {"PreChaos": "N/A"}


async def test_a_run_that_is_told_to_go_on_fails_at_its_end():
    stage = Stage(page=scripted.Prober(scripted.never), late=scripted.Prober(scripted.always))
    stage.of(scripted.probe("page", "SOT", stopOnFailure=False), scripted.probe("late", "EOT"))
    with pytest.raises(ProbeFailed, match="probe page"):
        await stage.run()
    assert stage.words("late") == {"PostChaos": "Passed"}


@pytest.mark.parametrize("mode", ["Continuous", "OnChaos"])
async def test_one_failed_evaluation_of_a_probe_that_lasts_fails_it_and_what_follows_is_still_seen(mode):
    prober = scripted.Prober(scripted.down(15, 16))
    stage = Stage(page=prober).of(scripted.probe("page", mode))
    with pytest.raises(ProbeFailed) as told:
        await stage.run()
    assert "observed 503, expected 200, at 2023-11-14T22:13:35Z" in str(told.value)
    assert prober.asked[-1] > 25
    assert stage.conduct.accounts[0].series.failures == 1


async def test_attempts_let_a_short_outage_pass():
    stage = Stage(page=scripted.Prober(scripted.down(15, 17)))
    stage.of(scripted.probe("page", "Continuous", attempt=4, interval="1s"))
    await stage.run()
    assert stage.words("page") == {"Continuous": "Passed"}
    assert stage.conduct.accounts[0].sentence.startswith("2 of 40 observations failed; the last: observed 200")


@pytest.mark.parametrize("mode", ["Continuous", "OnChaos"])
async def test_stop_on_failure_trips_the_run_at_once(mode):
    stage = Stage(page=scripted.Prober(scripted.down(15, 16)))
    stage.of(scripted.probe("page", mode, stopOnFailure=True))
    run = asyncio.create_task(stage.run())
    await asyncio.sleep(0)
    await stage.conduct.tripped.wait()
    assert asyncio.get_running_loop().time() == 15
    with pytest.raises(ProbeFailed, match="probe page"):
        stage.conduct.raise_early()
    run.cancel()
    await asyncio.gather(run, return_exceptions=True)
    assert stage.probers["page"].closed == 1


async def test_a_failure_that_may_go_on_does_not_end_the_run():
    stage = Stage(page=scripted.Prober(scripted.never)).of(scripted.probe("page", "Continuous"))
    await stage.conduct.before()
    await asyncio.sleep(5)
    stage.conduct.raise_early()
    assert not stage.conduct.tripped.is_set()
    await stage.conduct.aclose()


@pytest.mark.parametrize("mode", ["SOT", "Edge", "EOT"])
async def test_a_probe_that_can_not_be_evaluated_is_an_error_and_no_fail(mode):
    stage = Stage(page=scripted.Prober(scripted.broken)).of(scripted.probe("page", mode))
    with pytest.raises(ProbeError, match=r"probe page .*: kubectl is not there"):
        await stage.run()


async def test_a_lasting_probe_that_can_not_be_evaluated_trips_the_run():
    stage = Stage(page=scripted.Prober(scripted.broken)).of(scripted.probe("page", "Continuous"))
    await stage.conduct.before()
    await stage.conduct.tripped.wait()
    with pytest.raises(ProbeError, match="kubectl is not there"):
        stage.conduct.raise_early()
    await stage.conduct.aclose()


async def test_a_defect_in_a_lasting_probe_is_raised_as_itself():
    stage = Stage(page=scripted.Prober(lambda _: ZeroDivisionError("oops")))
    stage.of(scripted.probe("page", "Continuous"))
    await stage.conduct.before()
    await stage.conduct.tripped.wait()
    with pytest.raises(ZeroDivisionError):
        stage.conduct.raise_early()
    await stage.conduct.aclose()


async def test_a_failure_that_was_seen_outweighs_a_probe_that_could_not_be_evaluated():
    stage = Stage(page=scripted.Prober(scripted.never), odd=scripted.Prober(scripted.broken))
    stage.of(scripted.probe("odd", "EOT"), scripted.probe("page", "EOT"))
    with pytest.raises(ProbeFailed, match=r"probe page .*; probe odd .* kubectl"):
        await stage.run()


async def test_a_probe_that_never_got_to_its_question_is_no_pass():
    stage = Stage(page=scripted.Prober(scripted.always))
    stage.of(scripted.probe("page", "OnChaos", initialDelay="1m"))
    with pytest.raises(ProbeError, match="never answered during the chaos; shorten its initialDelay"):
        await stage.run()


async def test_an_evaluation_that_only_failed_when_the_chaos_ended_is_a_failure():
    """Its attempts were not used up: the chaos was too short for them."""
    stage = Stage(page=scripted.Prober(scripted.never))
    stage.of(scripted.probe("page", "OnChaos", attempt=1000, interval="1s"))
    with pytest.raises(ProbeFailed, match="failed during the chaos"):
        await stage.run()


async def test_what_one_probe_saw_is_filled_into_a_later_one():
    stage = Stage(first=scripted.Prober(lambda _: "10.0.0.7"), later=scripted.Prober(scripted.always))
    later = scripted.probe("later", "EOT")
    later = api.probe.Probe(
        name="later",
        type="httpProbe",
        mode="EOT",
        http=api.probe.HttpProbe(url="http://{{ .first.ProbeArtifacts.Register }}/", expected_response_code="200"),
    )
    await stage.of(scripted.probe("first", "SOT"), later).run()
    assert stage.asked[-1].http is not None
    assert stage.asked[-1].http.url == "http://10.0.0.7/"


async def test_a_stream_fails_when_as_many_observations_in_a_row_do():
    for attempts, word in ((5, "Failed"), (20, "Passed")):
        stage = Stage(page=scripted.Stream(scripted.down(15, 16)))
        stage.of(scripted.probe("page", "Continuous", kind="trafficProbe", attempt=attempts))
        base = asyncio.get_running_loop().time()
        stage.probers["page"].says = scripted.down(base + 15, base + 16)
        await stage.conduct.before()
        await asyncio.sleep(30)
        await stage.conduct.after()
        await stage.conduct.aclose()
        assert stage.words("page") == {"Continuous": word}


async def test_a_stream_whose_failures_are_the_criterias_to_judge_does_not_fail_by_itself():
    stage = Stage(page=scripted.Stream(scripted.down(15, 16)))
    await stage.of(scripted.probe("page", "Continuous", kind="trafficProbe"), lenient=("page",)).run()
    account = stage.conduct.accounts[0]
    assert account.word == "Passed"
    assert account.series.failures == 10
    account.judge("Failed", "availability 97 %, asked >= 99 %")
    assert account.outcome().status.verdict == "Failed"


async def test_a_stream_that_nobody_wants_more_of_is_closed_at_once_and_before_its_prober():
    prober = scripted.Stream(scripted.down(5, 6))
    stage = Stage(page=prober)
    stage.of(scripted.probe("page", "Continuous", kind="trafficProbe", stopOnFailure=True))
    await stage.conduct.before()
    await stage.conduct.tripped.wait()
    await stage.conduct.aclose()
    assert prober.ends == ["stream", "prober"], "it is closed by who gave it up, not by the collector of garbage"


async def test_an_abort_ends_every_question():
    prober = scripted.Prober(scripted.always, takes_s=100, obedient=False)
    stage = Stage(page=prober).of(scripted.probe("page", "Continuous"), scripted.probe("late", "EOT"))
    await stage.conduct.before()
    await asyncio.sleep(1)
    await stage.conduct.aclose()
    assert prober.closed == 1
    assert stage.words("page") == {"Continuous": "N/A"}
    assert stage.words("late") == {"PostChaos": "N/A"}
