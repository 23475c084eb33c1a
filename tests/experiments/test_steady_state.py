"""Probes and measured impact in the life of an experiment: when they run, and what they make of its verdict."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest

from litmus.api.impact import Criterion, Figure, Impact, Signal, Window
from litmus.experiments import lifecycle, steady_state
from litmus.experiments.context import Context
from litmus.probes import kinds
from litmus.probes.contract import Observation, ProbeError
from tests import apiserver, samples
from tests.experiments.test_lifecycle import RESULT, Scripted, events, execute, outcome, stop_engine

pytestmark = pytest.mark.usefixtures("application")
WINDOW = Window(start="2026-01-01T00:00:00Z", end="2026-01-01T00:00:10Z")


class Page:
    """A page that says 200 or not, whenever it is asked."""

    def __init__(self) -> None:
        self.up: Callable[[], bool] = lambda: True
        self.asked: list[str] = []
        self.step: Callable[[], str] = lambda: ""
        self.error: Exception | None = None

    async def once(self, *, timeout_s: float) -> Observation:
        del timeout_s
        await asyncio.sleep(0)
        self.asked.append(self.step())
        if self.error:
            raise self.error
        up = self.up()
        return Observation(time.time(), up, "code 200" if up else "code 503", "code 200", latency_ms=1.0)

    async def aclose(self) -> None:
        self.asked.append("closed")


class Traffic(Page):
    async def stream(self):
        while True:
            yield await self.once(timeout_s=1)
            await asyncio.sleep(0.002)


@pytest.fixture
def application(server):
    server.put("chaosengines", samples.engine())
    server.put("pods", samples.pod("web-a"))


@pytest.fixture(autouse=True)
def _short(monkeypatch):
    """Windows that are long enough for a page that answers at once."""
    monkeypatch.setattr(steady_state, "_BASELINE_S", 0.3)
    monkeypatch.setattr(steady_state, "_BASELINE_UNJUDGED_S", 0.1)
    monkeypatch.setattr(steady_state, "_RECOVERED_S", 0.1)


@pytest.fixture
def page(monkeypatch):
    """What every probe of a test asks."""
    found = Page()
    monkeypatch.setattr(kinds, "prober", lambda probe, _: found)
    return found


@pytest.fixture
def traffic(monkeypatch):
    found = Traffic()
    monkeypatch.setattr(kinds, "prober", lambda probe, _: found)
    return found


def probe(name: str, mode: str, kind: str = "httpProbe", **run_properties: Any) -> dict[str, Any]:
    inputs = {"url": "http://web"} | ({"expectedResponseCode": "200"} if kind == "httpProbe" else {})
    quick = {"probePollingInterval": "10ms", "interval": "10ms"} | run_properties
    return {"name": name, "type": kind, "mode": mode, f"{kind}/inputs": inputs, "runProperties": quick}


def engine(server: apiserver.Server, *probes: dict[str, Any], **impact: str) -> None:
    entry = {"name": "pod-delete", "spec": {"probe": list(probes), "impact": impact}}
    server.put("chaosengines", samples.engine(experiments=[entry]))


def chaos(duration_s: float = 0.2, *, during: Callable[[], None] | None = None, reverted: list[str] | None = None):
    """A fault that is held for a while, and put back whatever happens."""

    async def script(context: Context) -> None:
        await context.start_chaos(duration_s)
        try:
            if during:
                during()
            await asyncio.sleep(duration_s)
        finally:
            if reverted is not None:
                reverted.append("reverted")

    return Scripted(script)


def status(server: apiserver.Server) -> dict[str, Any]:
    return server.get("chaosresults", RESULT)["status"]


async def test_a_run_whose_probes_pass_says_so_in_both_spellings(server, cluster, page):
    engine(server, *(probe(mode.lower(), mode) for mode in ("SOT", "EOT", "Edge", "Continuous", "OnChaos")))
    assert await execute(cluster, chaos()) == "Pass"
    found = status(server)
    assert {one["name"]: one["status"] for one in found["probeStatus"]} == {
        "sot": {"PreChaos": "Passed 👍"},
        "eot": {"PostChaos": "Passed 👍"},
        "edge": {"PreChaos": "Passed 👍", "PostChaos": "Passed 👍"},
        "continuous": {"Continuous": "Passed 👍"},
        "onchaos": {"OnChaos": "Passed 👍"},
    }
    assert [(one["name"], one["mode"], one["status"]["verdict"]) for one in found["probeStatuses"]] == [
        ("sot", "SOT", "Passed"),
        ("eot", "EOT", "Passed"),
        ("edge", "Edge", "Passed"),
        ("continuous", "Continuous", "Passed"),
        ("onchaos", "OnChaos", "Passed"),
    ]
    assert found["experimentstatus"]["probeSuccessPercentage"] == "100"


async def test_people_read_which_probes_passed_in_the_events(server, cluster, page):
    engine(server, probe("page", "Edge"))
    await execute(cluster, chaos())
    messages = [event["message"] for event in server.all("events") if event["reason"].endswith("ChaosCheck")]
    assert len(messages) == 2
    assert all("healthy" in message for message in messages)
    assert any(message.endswith("; probes passed before the chaos: page") for message in messages)
    assert events(server, "ChaosEngine") == ["PreChaosCheck", "PostChaosCheck", "Summary"]


async def test_a_failed_probe_before_the_chaos_keeps_it_from_happening(server, cluster, page):
    page.up = lambda: False
    engine(server, probe("page", "SOT"), probe("late", "EOT"))
    touched: list[None] = []
    assert await execute(cluster, chaos(during=lambda: touched.append(None))) == "Fail"
    assert touched == []
    told = outcome(server)
    assert told["failStep"].startswith(
        "probe page (httpProbe, SOT) failed before the chaos: observed code 503, expected code 200, at 20"
    )
    assert told["errorOutput"]["errorCode"] == "HTTP_PROBE_FAILURE"
    assert told["probeSuccessPercentage"] == "0"
    assert status(server)["probeStatuses"][1]["status"]["verdict"] == "N/A"


@pytest.mark.parametrize("mode", ["EOT", "Edge", "Continuous", "OnChaos"])
async def test_a_probe_that_fails_behind_the_start_of_the_chaos_fails_the_run(server, cluster, page, mode):
    engine(server, probe("page", mode), probe("fine", "SOT"))
    reverted: list[str] = []

    def breaks() -> None:
        page.up = lambda: False

    assert await execute(cluster, chaos(during=breaks, reverted=reverted)) == "Fail"
    assert reverted == ["reverted"]
    told = outcome(server)
    assert f"probe page (httpProbe, {mode}) failed" in told["failStep"]
    assert "observed code 503, expected code 200, at " in told["failStep"]
    assert told["probeSuccessPercentage"] == "50"
    first, _ = status(server)["probeStatus"]
    assert any(text.startswith("Better Luck Next Time 👎") for text in first["status"].values())


@pytest.mark.parametrize("mode", ["Continuous", "OnChaos"])
async def test_stop_on_failure_ends_the_chaos_at_once_and_everything_is_put_back(server, cluster, page, mode):
    engine(server, probe("page", mode, stopOnFailure=True), probe("late", "EOT"))
    reverted: list[str] = []

    def breaks() -> None:
        page.up = lambda: False

    assert await execute(cluster, chaos(3600, during=breaks, reverted=reverted)) == "Fail"
    assert reverted == ["reverted"]
    told = outcome(server)
    assert f"probe page (httpProbe, {mode}) failed" in told["failStep"]
    assert told["failStep"].endswith("; so the run was ended during chaos")
    assert told["phase"] == "Completed"
    assert status(server)["probeStatuses"][1]["status"]["verdict"] == "N/A"


@pytest.mark.parametrize("mode", ["SOT", "EOT", "Continuous", "OnChaos"])
async def test_a_probe_that_can_not_be_evaluated_is_an_error(server, cluster, page, mode):
    page.error = ProbeError("kubectl is not there")
    engine(server, probe("page", mode))
    reverted: list[str] = []
    assert await execute(cluster, chaos(0.3, reverted=reverted)) == "Error"
    told = outcome(server)
    assert "kubectl is not there" in told["failStep"]
    assert told["errorOutput"]["errorCode"] == "HTTP_PROBE_ERROR"


async def test_a_defect_in_a_probe_is_an_error_that_is_called_one(server, cluster, page):
    page.error = ZeroDivisionError("oops")
    engine(server, probe("page", "Continuous"))
    assert await execute(cluster, chaos(3600)) == "Error"
    assert "oops; this is a defect of litmus" in outcome(server)["failStep"]


async def test_an_abort_ends_the_probes_and_what_they_had_seen_stays(server, cluster, page, monkeypatch):
    monkeypatch.setattr(lifecycle, "_ABORT_POLL_S", 0.01)
    engine(server, probe("before", "SOT"), probe("page", "Continuous"))
    assert await execute(cluster, chaos(3600, during=lambda: stop_engine(server))) == "Stopped"
    found = status(server)
    assert [one["status"]["verdict"] for one in found["probeStatuses"]] == ["Passed", "N/A"]
    assert found["experimentstatus"]["probeSuccessPercentage"] == "50"
    assert page.asked.count("closed") == 2


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([probe("page", "SOT"), probe("page", "EOT")], "spec.experiments[0].spec.probe[1].name: 'page' is the name of"),
        ([probe("page", "SOT") | {"type": "sloProbe"}], "spec.experiments[0].spec.probe[0].type: sloProbe is not supp"),
        ([probe("page", "SOT", probeTimeout="soon")], "spec.experiments[0].spec.probe[0].runProperties.probeTimeout: "),
    ],
)
async def test_probes_that_can_not_be_read_are_an_error_before_anything_is_touched(server, cluster, given, words):
    engine(server, *given)
    assert await execute(cluster, chaos(during=lambda: pytest.fail("touched"))) == "Error"
    assert outcome(server)["failStep"].startswith(words)
    assert "create pods" not in [str(asked) for asked in server.asked]


@pytest.mark.parametrize(
    ("impact", "probes", "words"),
    [
        ({"availability": ">= 99%"}, [probe("page", "EOT")], "spec.impact: availability can't be measured without a"),
        ({"availability": "99"}, [probe("page", "Continuous")], "spec.impact.availability: '99' is not understood"),
        ({"speed": ">= 9"}, [probe("page", "Continuous")], "spec.impact.speed: there is no such criterion"),
    ],
)
async def test_criteria_that_can_not_be_judged_are_an_error_before_anything_is_touched(
    server, cluster, impact, probes, words
):
    engine(server, *probes, **impact)
    assert await execute(cluster, chaos(during=lambda: pytest.fail("touched"))) == "Error"
    assert words in outcome(server)["failStep"]


def judged(judgement: str, monkeypatch: Any) -> dict[str, Any]:
    """The analysis says what the test wants, and what it was given is kept."""
    given: dict[str, Any] = {}

    def analyse(signals: Any, **how: Any) -> Impact:
        given.update(how, signals=signals)
        explanation = (
            "Probe page: availability during the fault was 91 % (99% interval 88 to 94); '>= 99%' would have passed."
        )
        signal = Signal(
            probe="page",
            baseline=WINDOW,
            fault=Window(start=WINDOW.start, end=WINDOW.end, availability=Figure(value=91.0, unit="%")),
            recovery=WINDOW,
            time_to_recover=Figure(value=4.5, unit="s"),
        )
        criteria = [
            Criterion(name=name, asked=asked, judgement=judgement, explanation=explanation)  # type: ignore[arg-type]
            for name, asked in how["criteria"].items()
        ]
        return Impact(signals=[signal] if "page" in signals else [], criteria=criteria)

    monkeypatch.setattr(steady_state, "analyse", analyse)
    return given


@pytest.mark.parametrize(
    ("judgement", "verdict", "code"),
    [
        ("met", "Pass", None),
        ("missed", "Fail", "IMPACT_CRITERION_MISSED"),
        ("inconclusive", "Error", "IMPACT_INCONCLUSIVE"),
    ],
)
async def test_the_criteria_decide_and_what_is_inconclusive_is_no_pass(
    server, cluster, traffic, monkeypatch, judgement, verdict, code
):
    judged(judgement, monkeypatch)
    engine(server, probe("page", "Continuous", "trafficProbe"), availability=">= 99%")
    assert await execute(cluster, chaos()) == verdict
    told = outcome(server)
    assert told.get("errorOutput", {}).get("errorCode") == code
    if code:
        assert told["failStep"].startswith("impact.availability: Probe page: availability during the fault was 91 %")
    assert status(server)["impact"]["criteria"][0]["judgement"] == judgement
    assert status(server)["probeStatuses"][0]["status"]["verdict"] == ("Failed" if verdict == "Fail" else "Passed")


async def test_single_failures_of_traffic_are_the_criterias_to_judge(server, cluster, traffic, monkeypatch):
    given = judged("met", monkeypatch)
    engine(server, probe("page", "Continuous", "trafficProbe"), availability=">= 99%")
    begun: list[float] = []

    def breaks() -> None:
        begun.append(time.time())
        traffic.up = lambda: time.time() > begun[0] + 0.1

    assert await execute(cluster, chaos(during=breaks)) == "Pass"
    failed = [sample.at for sample in given["signals"]["page"] if not sample.good]
    assert failed
    assert given["chaos_start"] <= failed[0]


async def test_without_criteria_a_failure_of_traffic_fails_the_run(server, cluster, traffic):
    engine(server, probe("page", "Continuous", "trafficProbe"))

    def breaks() -> None:
        first = len(traffic.asked) + 1
        traffic.up = lambda: len(traffic.asked) > first

    assert await execute(cluster, chaos(during=breaks)) == "Fail"
    assert "probe page (trafficProbe, Continuous) failed" in outcome(server)["failStep"]


async def test_traffic_has_a_baseline_before_the_chaos_and_is_well_again_after_it(
    server, cluster, traffic, monkeypatch
):
    given = judged("met", monkeypatch)
    engine(server, probe("page", "Continuous", "trafficProbe"), recovery="<= 20s")

    def breaks() -> None:
        begun = time.time()
        traffic.up = lambda: time.time() > begun + 0.3

    assert await execute(cluster, chaos(0.2, during=breaks)) == "Pass"
    samples_ = given["signals"]["page"]
    assert given["chaos_start"] - samples_[0].at >= 0.3
    after = [sample.good for sample in samples_ if sample.at > given["chaos_end"]]
    assert not all(after)
    assert after[-30:] == [True] * 30
    assert given["chaos_start"] < given["chaos_end"] < given["run_end"]


async def killed(context: Context) -> None:
    for _ in range(2):
        await context.plan_faults("kill", [])


async def held(context: Context) -> None:
    for node in ("first", "second"):
        await context.moved([node], "injected")
    await context.moved(["first", "second"], "reverted")


@pytest.mark.parametrize(("script", "instant"), [(killed, True), (held, False)])
async def test_a_kill_is_over_at_once_and_a_fault_that_is_held_when_it_is_undone(
    server, cluster, traffic, monkeypatch, script, instant
):
    """The analysis need not guess it from how many injections there were."""
    given = judged("met", monkeypatch)
    engine(server, probe("page", "Continuous", "trafficProbe"))

    async def chaos_(context: Context) -> None:
        await context.start_chaos(0.05)
        await script(context)

    assert await execute(cluster, Scripted(chaos_)) == "Pass"
    assert len(given["injections"]) == 2
    assert given["instant"] is instant


@pytest.mark.parametrize(("ramp", "held"), [("0", [20]), ("7", [13, 7, 7]), ("60", [0, 60, 60])])
async def test_a_ramp_time_is_part_of_the_baseline(server, cluster, traffic, monkeypatch, ramp, held):
    monkeypatch.setattr(steady_state, "_BASELINE_S", 20)
    judged("met", monkeypatch)
    holds = []

    async def hold(self: Context, seconds: float) -> None:
        holds.append(seconds)

    monkeypatch.setattr(Context, "hold", hold)
    engine(server, probe("page", "Continuous", "trafficProbe"), availability=">= 99%")
    await execute(cluster, chaos(0.05), RAMP_TIME=ramp)
    assert holds == held


async def test_figures_are_in_the_result_and_in_the_history_even_when_the_run_failed(
    server, cluster, traffic, monkeypatch
):
    judged("missed", monkeypatch)
    engine(server, probe("page", "Continuous", "trafficProbe"), availability=">= 99%")

    async def script(context: Context) -> None:
        await context.start_chaos(0.05)
        await asyncio.sleep(0.05)
        raise ZeroDivisionError("oops")

    assert await execute(cluster, Scripted(script)) == "Error"
    found = status(server)
    assert found["impact"]["signals"][0]["probe"] == "page"
    (run,) = found["history"]["runs"]
    assert (run["number"], run["verdict"], run["availability"], run["recoverySeconds"]) == (1, "Error", 91.0, 4.5)


async def test_a_new_run_forgets_the_probes_and_the_impact_of_the_last(server, cluster, traffic, monkeypatch):
    judged("met", monkeypatch)
    engine(server, probe("page", "Continuous", "trafficProbe"))
    await execute(cluster, chaos(0.05))
    server.put("chaosengines", samples.engine())
    await execute(cluster, chaos(0.05))
    found = status(server)
    assert "impact" not in found
    assert (found["probeStatus"], found["probeStatuses"]) == ([], [])
    assert [run.get("availability") for run in found["history"]["runs"]] == [91.0, None]


async def test_the_twenty_latest_runs_are_kept(server, cluster):
    for _ in range(22):
        await execute(cluster, Scripted())
    runs = status(server)["history"]["runs"]
    assert [run["number"] for run in runs] == list(range(3, 23))


async def test_an_analysis_that_breaks_loses_no_verdict(server, cluster, traffic, monkeypatch):
    def analyse(*_: Any, **__: Any) -> Impact:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(steady_state, "analyse", analyse)
    engine(server, probe("page", "Continuous", "trafficProbe"))
    assert await execute(cluster, chaos(0.05)) == "Error"
    assert "oops; this is a defect" in outcome(server)["failStep"]
