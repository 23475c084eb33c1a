"""What Prometheus knows of a run, against what the test saw of it itself: a real Prometheus with our rules scrapes the
exporter and the operator through a whole run of pod-delete, and is asked everything that our dashboards and rules ask.

**The band.** Its start is the first kill, which ``kubectl get pods --watch`` shows as the end of a pod: the deletion is
forced, so that the order and the end are one. Its end is nothing that can be seen - the last kill is long over, and
there is nothing to undo - but what the run was asked for: TOTAL_CHAOS_DURATION from the moment at which it said that
its chaos begins, which the test sees in the result, by its own clock. A kill behind that end, or a run that goes on to
its next step before it, would prove it wrong.

**No data.** Some questions have no answer here, each for a reason that is written down. One that is expected to be
empty and is not fails the test as well, so that the list stays true. Only what other tests of the same cluster can
answer as well is left open.
"""

import contextlib
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from litmus.exporter import dashboards, rules
from litmus.exporter.dashboards import asked, chaos, experiment, overview
from tests.cluster import client, graphs, monitored, servers
from tests.cluster import stage as stages
from tests.cluster import test_probes_measure as measure
from tests.cluster.monitored import View
from tests.cluster.stage import Stage, until

DURATION_S, INTERVAL_S = 16, 8
RULES = stages.ROOT / "deploy" / "prometheus" / "litmus-rules.yaml"
PICTURES = stages.ROOT / "build" / "dashboards"

# Dashboards whose panels show the metrics of others; nobody exports those here.
OF_OTHERS = {"litmus-resources", "litmus-kafka", "litmus-cassandra", "litmus-openebs"}
# Of ours: (dashboard, title, legend), by the reason why there is nothing.
NO_DATA = {
    "a deletion has no amount, so nothing is measured against it": {
        ("litmus-experiment", "Delivered of what was asked", "{{mechanism}} {{target}}"),
        ("litmus-experiment", "What was asked", ""),
    },
    "a deletion leaves nothing to undo, so nothing can be late": {
        ("litmus-experiment", "Past their deadline", "{{mechanism}}"),
        ("litmus-experiment", "Time to revert", "{{mechanism}}, 50 of 100"),
        ("litmus-experiment", "Time to revert", "{{mechanism}}, 95 of 100"),
        ("litmus-overview", "Time to revert", "{{mechanism}}"),
    },
    "kube-state-metrics is not here": {
        ("litmus-experiment", "Ready pods", "{{namespace}}"),
        ("litmus-experiment", "Restarts of containers", "{{pod}}"),
    },
}
# Recordings that are empty as nothing was undone, unless another test undid something meanwhile; and the alert that
# does not say whose leftovers they are.
LEFT_OPEN = {"mechanism:litmus_time_to_revert_seconds:p95", "LitmusLeftovers"}


def test_prometheus_answers_every_question_and_draws_the_band_where_the_test_saw_the_chaos(
    stage: Stage, tmp_path: Path
) -> None:
    measure.serve(stage, replicas=3)
    operator = monitored.operator()
    with (
        monitored.exporter(tmp_path) as exporter,
        servers.prometheus(
            monitored.HOST, tmp_path, others={"exporter": exporter, "operator": operator}, rules=RULES
        ) as url,
    ):
        start, looks = int(time.time()), reconciled(operator)
        with steps(stage) as entered:
            result, seen = measure.run(stage, TOTAL_CHAOS_DURATION=DURATION_S, CHAOS_INTERVAL=INTERVAL_S)
        verdict = result["experimentstatus"]["verdict"]
        assert verdict in ("Pass", "Fail"), result["experimentstatus"]
        view = settled(stage, url, start, verdict)
        for dashboard in (overview.DASHBOARD, experiment.DASHBOARD):
            picture = PICTURES / f"{dashboard.uid}.png"
            graphs.draw(dashboard, view, picture)
            sys.stdout.write(f"{picture}\n")

        assert reconciled(operator) > looks
        assert answered(view, verdict) == expected(verdict)
        went_through_the_chaos(view)
        evaluated(view, stage)
        band(view, verdict, seen, entered)
        stage.kubectl("delete", "chaosresult", "chaos-pod-delete")
        until(lambda: not series_of(stage, exporter), "the series of the result to go with it", deadline_s=5)
        band(View(url=url, start=start, end=int(time.time()), choices=view.choices), verdict, seen, entered)


@contextlib.contextmanager
def steps(stage: Stage) -> Iterator[dict[str, float]]:
    """The steps of the run, each with when the test saw it first, as long as the context lasts."""
    entered: dict[str, float] = {}
    command = ["kubectl", "-n", stage.name, "get", "chaosresults", "--watch", "--no-headers"]
    with client.lines(
        [*command, "-o", "custom-columns=STEP:.status.run.step"],
        lambda line: entered.setdefault(line.strip(), time.time()),
    ):
        yield entered


def reconciled(operator: str) -> float:
    return servers.counted(f"http://{operator}", "litmus_operator_reconcile_seconds_count")


def settled(stage: Stage, url: str, start: int, verdict: str) -> View:
    """The view of the whole run, once Prometheus has scraped its end and every rule was evaluated after it."""
    choices = {"namespace": stage.name, "engine": "chaos", "experiment": "pod-delete"}

    def view() -> View:
        return View(url=url, start=start, end=int(time.time()), choices=choices)

    of_run = f'litmus_chaos_ended_timestamp_seconds{{namespace="{stage.name}",verdict="{verdict}"}}'
    until(lambda: view().at_end(of_run), "Prometheus to have scraped the end of the chaos")
    scraped = time.time()

    def complete() -> View | None:
        # A view ends with a whole second, and does not show what was recorded within it.
        seen = view()
        return seen if all(scraped < monitored.evaluated_at(rule) <= seen.end for rule in seen.rules()) else None

    return until(complete, "every rule to be evaluated after that")


Key = tuple[str, str, str]


def key(question: asked.Asked) -> Key:
    return question.dashboard, question.title, question.legend


def questions() -> Iterator[asked.Asked]:
    return (question for dashboard in dashboards.every() for question in asked.questions(dashboard))


def answered(view: View, verdict: str) -> set[Key]:
    """The questions that have data. All of them are asked, and none may be refused."""
    return {key(question) for question in questions() if view.answer(question)}


def expected(verdict: str) -> set[Key]:
    """The questions that should have data after a run with this verdict."""
    silent = {one for found in NO_DATA.values() for one in found}
    assert silent <= {key(question) for question in questions()}, "the list has what no dashboard asks"
    return {
        key(question) for question in questions() if not _of_others(question) and not _of_another(question, verdict)
    } - silent


def _of_others(question: asked.Asked) -> bool:
    """Whether it asks for metrics that are not ours."""
    return question.dashboard in OF_OTHERS and question.by != "annotation" and "litmus_" not in question.expr


def _of_another(question: asked.Asked, verdict: str) -> bool:
    """Whether it asks for runs that ended, or will end, otherwise."""
    if question.by == "annotation":
        return question.title != f"Chaos: {verdict}"
    return question.title == "Runs that ended" and question.legend != verdict


def went_through_the_chaos(view: View) -> None:
    """The panel that says whether anything is broken did so while it was, and says no more so now."""
    (question,) = [one for one in asked.questions(experiment.DASHBOARD) if one.title == "Chaos"]
    (series,) = view.answer(question)
    values = [value for _, value in series.points]
    assert (values[0], max(values), values[-1]) == (0, 1, 0)


def evaluated(view: View, stage: Stage) -> None:
    """No rule fails; what is recorded has data, and no alert has a reason."""
    assert {rule["name"]: rule.get("lastError", "") for rule in view.rules() if rule["health"] != "ok"} == {}
    recorded = {one.record: one.expr for one in rules.RECORDINGS if one.record not in LEFT_OPEN}
    assert {name for name, expr in recorded.items() if not view.at_end(expr) or not view.at_end(name)} == set()
    reasons = {one.name: view.at_end(one.expr) for one in rules.ALERTS}
    others = {name for name, its in reasons.items() if all(_elsewhere(one, stage) for one in its)}
    assert set(reasons) - others - LEFT_OPEN == set()


def _elsewhere(series: monitored.Series, stage: Stage) -> bool:
    """Whether it is about another test's namespace."""
    return series.labels.get("namespace", stage.name) != stage.name


def band(view: View, verdict: str, seen: client.Seen, entered: Mapping[str, float]) -> None:
    """There is one band, in the colour of the verdict, and it begins and ends when the test saw it."""
    drawn = {
        one.title: monitored.regions(view.answer(one))
        for one in asked.questions(overview.DASHBOARD)
        if one.by == "annotation"
    }
    assert set(drawn) == {each.name for each in chaos.bands()}
    [(start, end)] = drawn.pop(f"Chaos: {verdict}")
    assert set(map(len, drawn.values())) == {0}, drawn
    kills = sorted(seen.gone.values())
    assert len(kills) == DURATION_S // INTERVAL_S
    after = next(at for at in sorted(entered.values()) if at > entered["chaos"])
    told = f"band {start} to {end}; kills {kills}; steps {entered}"
    assert start == pytest.approx(kills[0], abs=1), told
    assert end == pytest.approx(entered["chaos"] + DURATION_S, abs=1), told
    assert kills[-1] <= end <= after + 1, told


def series_of(stage: Stage, exporter: str) -> list[str]:
    """What the exporter tells of the test's result."""
    marks = (
        f'namespace="{stage.name}",engine="chaos",experiment="pod-delete"',
        f'chaosresult_namespace="{stage.name}"',
    )
    lines = servers.read(f"http://{exporter}/metrics").splitlines()
    assert lines, "the exporter does not answer"
    return [line for line in lines if any(mark in line for mark in marks)]
