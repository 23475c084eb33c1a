"""What a test may claim about a run: nothing that the run did not show."""

import msgspec
import pytest

from litmus import api
from litmus.testing import manifest, report
from litmus.testing.outcome import Outcome
from tests import samples


def figure(
    value: float | None, low: float | None = None, high: float | None = None, unit: str = "%"
) -> dict[str, object]:
    return {"value": value, "low": low, "high": high, "unit": unit}


def signal(availability: dict[str, object], *, count: int = 600, **more: object) -> dict[str, object]:
    window = {"start": "2026-01-01T00:00:00Z", "end": "2026-01-01T00:00:30Z", "samples": count}
    calm = {**window, "availability": figure(100, 99.5, 100), "latencyP95": figure(10, 9, 11, "ms")}
    hit = {**window, "availability": availability, "latencyP95": figure(25, 22, 30, "ms"), "errors": {"refused": 3}}
    return {"probe": "web", "baseline": calm, "fault": hit, "recovery": calm, **more}


def outcome(
    *signals: dict[str, object], verdict: str = "Pass", fail_step: str = "", targets: object = (), criteria: object = ()
) -> Outcome:
    status = {"targets": list(targets), "impact": {"signals": list(signals), "criteria": list(criteria)}}
    result = msgspec.convert(samples.result(**status), api.ChaosResult)
    return Outcome(
        experiment="pod-delete",
        verdict=verdict,
        fail_step=fail_step,
        engine=samples.an_engine(),
        result=result,
        events=("ChaosInject: injecting",),
        look=("kubectl describe chaosresult x",),
    )


def test_a_pass_is_a_pass_and_nothing_else_is():
    outcome().assert_passed()
    for verdict in ("Fail", "Error", "Stopped"):
        with pytest.raises(AssertionError, match=f"pod-delete: {verdict} - why"):
            outcome(verdict=verdict, fail_step="why").assert_passed()


@pytest.mark.parametrize(
    ("seen", "count", "problem"),
    [
        (figure(99.9, 99.5, 100), 600, ""),
        (figure(90, 85, 95), 600, "missed: probe web saw 90 % \\(85 to 95\\)"),
        (figure(98, 96, 99.5), 600, "inconclusive: probe web saw 98 %"),
        (figure(100, 90, 100), 50, "inconclusive: .* in 50 samples, and it takes 100"),
        (figure(None), 0, "inconclusive: probe web saw too little to tell"),
    ],
)
def test_an_availability_is_claimed_only_where_it_was_shown(seen, count, problem):
    ended = outcome(signal(seen, count=count))
    if problem:
        with pytest.raises(AssertionError, match=problem):
            ended.assert_availability(">= 99%")
    else:
        ended.assert_availability(">= 99%")


def test_every_signal_has_to_keep_a_claim():
    good, bad = signal(figure(100, 99.5, 100)), signal(figure(50, 40, 60), probe="api")
    with pytest.raises(AssertionError, match="probe api saw 50 %"):
        outcome(good, bad).assert_availability(">= 99%")


def test_what_the_run_itself_judged_is_not_judged_again():
    judged = {"name": "availability", "asked": ">= 99%", "judgement": "inconclusive", "explanation": "Too few."}
    with pytest.raises(AssertionError, match=r"inconclusive\. Too few\."):
        outcome(signal(figure(99.9, 99.5, 100)), criteria=[judged]).assert_availability(">= 99%")


def test_latency_may_be_compared_with_the_baseline():
    ended = outcome(signal(figure(100, 99.5, 100)))
    ended.assert_impact(latencyP95="<= 3x baseline")
    with pytest.raises(AssertionError, match="missed"):
        ended.assert_impact(latencyP95="<= 2x baseline")


def test_recovery_is_that_of_the_signal_and_without_one_that_of_the_pods():
    slow = {"timeToRecover": figure(30, 28, 32, "s")}
    with pytest.raises(AssertionError, match="missed"):
        outcome(signal(figure(100), **slow), targets=[{"name": "a", "readyAfterSeconds": 1.0}]).assert_recovered_within(
            "20s"
        )
    outcome(targets=[{"name": "a", "readyAfterSeconds": 1.0}]).assert_recovered_within("20s")
    with pytest.raises(AssertionError, match=r"ready after 21\.0 s, asked was 20s"):
        outcome(targets=[{"name": "a", "readyAfterSeconds": 21.0}]).assert_recovered_within("20s")
    with pytest.raises(AssertionError, match="no replacement was seen ready for b"):
        outcome(targets=[{"name": "a", "readyAfterSeconds": 1.0}, {"name": "b"}]).assert_recovered_within("20s")


def test_an_outage_that_did_not_end_is_missed_though_it_has_no_value():
    lasting = {"timeToRecover": figure(None, 25, None, "s")}
    with pytest.raises(AssertionError, match="missed"):
        outcome(signal(figure(0, 0, 1), **lasting)).assert_recovered_within("20s")


@pytest.mark.parametrize("verdict", ["Error", "Stopped"])
def test_nothing_is_claimed_of_a_run_that_did_not_take_place(verdict):
    ended = outcome(signal(figure(100, 99.5, 100)), verdict=verdict, fail_step="no netem")
    with pytest.raises(AssertionError, match=f"nothing can be claimed: {verdict} - no netem"):
        ended.assert_availability(">= 99%")


def test_without_a_signal_nothing_is_claimed():
    with pytest.raises(AssertionError, match="no continuous signal"):
        outcome().assert_availability(">= 99%")


def test_the_section_of_a_report_has_verdict_figures_targets_events_and_a_way_on():
    seen = report.text(
        outcome(
            signal(figure(90, 85, 95), timeToRecover=figure(3, 2, 4, "s"), longestOutage=figure(2, 1, 3, "s")),
            verdict="Fail",
            fail_step="availability",
            targets=[
                {"name": "web-1", "node": "node1", "asked": "delete", "replacedBy": "web-2", "readyAfterSeconds": 2}
            ],
        )
    ).splitlines()
    assert seen == [
        "engine   shop/shop-chaos",
        "verdict  Fail - availability",
        "web: before: 600 samples, available 100 % (99.5 to 100), P95 10 ms (9 to 11)",
        "web: fault: 600 samples, available 90 % (85 to 95), P95 25 ms (22 to 30); 3 x refused",
        "web: after: 600 samples, available 100 % (99.5 to 100), P95 10 ms (9 to 11)",
        "web: recovered after 3 s (2 to 4), outage 2 s (1 to 3)",
        "target   web-1 on node1: delete, replaced by web-2, ready after 2.0 s",
        "event    ChaosInject: injecting",
        "look     kubectl describe chaosresult x",
    ]


def engine(app: str = "deployment/web", **more: object) -> dict[str, object]:
    wanted: dict[str, object] = {"values": {}, "probes": [], "criteria": {}, **more}
    experiment = wanted.pop("experiment", "pod-delete")
    made = manifest.engine(experiment, name="e", namespace="shop", app=app, service_account="sa", **wanted)
    return made[1]["spec"]


def test_an_application_is_named_as_kubectl_does_or_by_labels():
    workload = {"kind": "deployment", "namespace": "shop", "names": "web"}
    assert engine("deployment/web")["selectors"] == {"workloads": [workload]}
    assert engine("pod/web-0")["selectors"] == {"pods": [{"namespace": "shop", "names": "web-0"}]}
    assert engine("app.kubernetes.io/name=web")["appinfo"] == {
        "appns": "shop",
        "applabel": "app.kubernetes.io/name=web",
    }
    assert not {"appinfo", "selectors"} & set(engine(""))


def test_values_become_the_text_of_tunables():
    env = engine(values={"TOTAL_CHAOS_DURATION": 10, "FORCE": True})["experiments"][0]["spec"]["components"]["env"]
    assert env == [{"name": "TOTAL_CHAOS_DURATION", "value": "10"}, {"name": "FORCE", "value": "true"}]


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"experiment": "pod-delet"}, "there is no experiment 'pod-delet'; did you mean pod-delete"),
        ({"app": "web"}, "app='web': write deployment/NAME"),
        ({"app": "replicaset/web"}, "app='replicaset/web': write deployment/NAME"),
        ({"values": {"FORSE": "true"}}, "tunables: pod-delete has no FORSE; did you mean FORCE"),
        ({"values": {"FORCE": "maybe"}}, "tunables: FORCE='maybe': must be true or false"),
        ({"criteria": {"availability": ">= 99%"}}, "needs a continuous signal: give traffic="),
        ({"criteria": {"availability": "99"}}, "impact.availability: '99' is not understood"),
        ({"probes": [{"name": "p"}]}, "probe[0]: type is missing"),
    ],
)
def test_a_mistake_is_one_sentence_before_anything_is_asked_of_the_cluster(more, sentence):
    with pytest.raises(manifest.Misuse) as refused:
        engine(**more)
    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("value", [0, 1.5, -3])
def test_a_duration_is_whole_seconds(value):
    with pytest.raises(manifest.Misuse, match="must be whole seconds, at least 1"):
        manifest.duration_s(value)
