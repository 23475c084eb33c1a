"""The rules in the real promtool: they are legal, and alerts fire when they should and only then."""

from pathlib import Path

import pytest
import yaml

from litmus.exporter import rules
from tests.exporter import prom

RUN = 'namespace="shop",engine="e",experiment="pod-delete"'
ALERTS = {alert.name: alert for alert in rules.ALERTS}
WELL = {
    "litmus_operator_up": "1x60",
    'litmus_exporter_source_up{kind="ChaosEngine"}': "1x60",
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "litmus-rules.yaml"
    path.write_text(rules.text())
    return path


def check(file: Path, test: dict) -> None:
    tests = file.with_name("test.yaml")
    interval = {"rule_files": [str(file)], "evaluation_interval": "15s"}
    tests.write_text(yaml.safe_dump({**interval, "tests": [{"interval": "15s", **test}]}))
    prom.promtool("test", "rules", tests)


def series(given: dict[str, str]) -> list[dict[str, str]]:
    return [{"series": name, "values": values} for name, values in {**WELL, **given}.items()]


def fired(name: str, at: str, labels: dict[str, str] | None) -> dict:
    """What is expected of an alert at a moment; no labels: it is silent. Its texts are checked elsewhere."""
    alert = ALERTS[name]
    expected = [] if labels is None else [{"exp_labels": {"severity": alert.severity, **labels}}]
    return {"eval_time": at, "alertname": name, "exp_alerts": expected}


def firing(name: str, at: str) -> dict:
    """ALERTS tells which ones fire without their texts."""
    expr = f'count by (alertname) (ALERTS{{alertstate="firing",alertname="{name}"}})'
    return {"expr": expr, "eval_time": at, "exp_samples": [{"labels": f'{{alertname="{name}"}}', "value": 1}]}


def silent(name: str, at: str) -> dict:
    return {"expr": f'ALERTS{{alertstate="firing",alertname="{name}"}}', "eval_time": at, "exp_samples": []}


def test_the_file_is_legal(file: Path):
    assert "SUCCESS: 12 rules found" in prom.promtool("check", "rules", file)


def test_nothing_fires_in_a_cluster_that_is_well(file: Path):
    quiet = [silent(name, "14m") for name in ALERTS]
    given = {
        f'litmus_run_info{{{RUN},verdict="Pass"}}': "1x60",
        f"litmus_run_started_timestamp_seconds{{{RUN}}}": "0x60",
        f'litmus_chaos_active{{{RUN},verdict="Pass"}}': "0x60",
        f'litmus_faults_open_past_deadline{{{RUN},mechanism="netem"}}': "0x60",
        'litmus_leftovers_total{mechanism="netem"}': "0x60",
        "litmus_exporter_webhook_failures_total": "0x60",
    }

    check(file, {"input_series": series(given), "promql_expr_test": quiet})


@pytest.mark.parametrize("values", ["0x8 1x20", "_x9 1x20", "_x2 1x20"], ids=["from 0", "from 1", "long from 1"])
def test_the_time_of_a_single_injection_is_known_for_ten_minutes(file: Path, values: str):
    bucket = 'litmus_time_to_inject_seconds_bucket{namespace="shop",experiment="loss",mechanism="netem",le="%s"}'
    of = "mechanism:litmus_time_to_inject_seconds:p95"
    given = {bucket % le: values for le in ("0.1", "+Inf")} | {bucket % "0.05": "0x30"}
    sample = {"labels": f'{of}{{mechanism="netem"}}', "value": 0.0975}
    tests = [{"expr": f"{of} >= 0", "eval_time": at, "exp_samples": [sample]} for at in ("3m", "6m")]

    check(file, {"input_series": series(given), "promql_expr_test": tests})


def test_a_fault_past_its_deadline_fires_after_half_a_minute_once_for_a_restarted_exporter(file: Path):
    late = f'litmus_faults_open_past_deadline{{{RUN},mechanism="netem",instance="%s"}}'
    name = "LitmusFaultPastDeadline"
    tests = [silent(name, "1m15s"), firing(name, "2m")]

    check(
        file,
        {
            "input_series": series({late % "a": "0x3 1x20", late % "b": "_x4 1x20"}),
            "promql_expr_test": tests,
        },
    )


def test_an_alert_says_which_experiment_it_is_about(file: Path):
    given = {f'litmus_faults_open_past_deadline{{{RUN},mechanism="netem"}}': "2x60"}
    expected = fired(
        "LitmusFaultPastDeadline",
        "5m",
        {"namespace": "shop", "engine": "e", "experiment": "pod-delete", "mechanism": "netem"},
    )
    expected["exp_alerts"][0]["exp_annotations"] = {
        "summary": "netem of shop/e, experiment pod-delete, is past its deadline",
        "description": "2 faults should have been undone by now. Look at status.faults of the ChaosResult and at the "
        "events of the engine; litmus stop --all ends everything.",
    }

    check(file, {"input_series": series(given), "alert_rule_test": [expected]})


@pytest.mark.parametrize("values", ["0x20 1x40", "_x21 1x40"], ids=["a counter that rises", "one that begins at 1"])
def test_what_is_left_behind_fires_at_once_and_ends_after_a_quarter_of_an_hour(file: Path, values: str):
    given = {'litmus_leftovers_total{mechanism="netem"}': values + " 1x100"}
    tests = [silent("LitmusLeftovers", "5m"), firing("LitmusLeftovers", "6m"), silent("LitmusLeftovers", "24m")]

    check(file, {"input_series": series(given | {"litmus_operator_up": "1x200"}), "promql_expr_test": tests})


@pytest.mark.parametrize("values", ["1x10 0x20", "1x10 stale"], ids=["it says so", "nothing answers"])
def test_an_operator_that_is_down_fires_after_a_minute(file: Path, values: str):
    name = "LitmusOperatorDown"
    tests = [silent(name, "2m30s"), firing(name, "4m30s")]

    check(file, {"input_series": series({"litmus_operator_up": values}), "promql_expr_test": tests})


def test_an_operator_that_stands_by_beside_one_that_acts_is_no_reason(file: Path):
    given = {'litmus_operator_up{instance="b"}': "0x60"}

    check(file, {"input_series": series(given), "promql_expr_test": [silent("LitmusOperatorDown", "10m")]})


@pytest.mark.parametrize(("active", "stuck"), [(0, True), (1, False)], ids=["nothing is broken", "chaos goes on"])
def test_a_run_without_chaos_or_verdict_fires_after_twenty_minutes(file: Path, active: int, stuck: bool):
    given = {
        f'litmus_run_info{{{RUN},verdict="Awaited"}}': "1x100",
        f"litmus_run_started_timestamp_seconds{{{RUN}}}": "0x100",
        f'litmus_chaos_active{{{RUN},verdict="Awaited"}}': f"{active}x100",
    }
    name = "LitmusRunStuck"
    tests = [silent(name, "19m"), firing(name, "21m") if stuck else silent(name, "21m")]

    check(file, {"input_series": series(given), "promql_expr_test": tests})


def test_a_kind_that_the_exporter_cannot_watch_fires_after_two_minutes(file: Path):
    given = {'litmus_exporter_source_up{kind="ChaosResult"}': "1x4 0x40"}
    name = "LitmusExporterSourceDown"
    tests = [silent(name, "2m"), firing(name, "4m"), silent("LitmusExporterDown", "9m")]

    check(file, {"input_series": series(given), "promql_expr_test": tests})


def test_an_exporter_that_is_gone_fires_after_five_minutes(file: Path):
    given = {'litmus_exporter_source_up{kind="ChaosEngine"}': "1x4 stale"}
    tests = [silent("LitmusExporterDown", "5m"), firing("LitmusExporterDown", "8m")]

    check(file, {"input_series": series(given), "promql_expr_test": tests})


def test_a_webhook_that_fails_fires(file: Path):
    given = {"litmus_exporter_webhook_failures_total": "0x10 1x30"}

    check(file, {"input_series": series(given), "promql_expr_test": [firing("LitmusWebhookFails", "4m")]})


def test_the_pass_rate_is_over_every_ending(file: Path):
    given = {
        f"litmus_experiments_passed_total{{{RUN}}}": "3x10",
        f"litmus_experiments_error_total{{{RUN}}}": "1x10",
    }
    expected = {"labels": 'namespace:litmus_experiments_passed:ratio{namespace="shop"}', "value": 0.75}
    test = {"expr": "namespace:litmus_experiments_passed:ratio", "eval_time": "1m", "exp_samples": [expected]}

    check(file, {"input_series": series(given), "promql_expr_test": [test]})
