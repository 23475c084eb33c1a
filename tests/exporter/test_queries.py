"""Every query of every dashboard and rule: Prometheus parses it, and what it names of ours exists."""

import re
from pathlib import Path

import pytest
import yaml

from litmus.exporter import counting, dashboards, metrics, rules
from litmus.exporter.dashboards import asked
from litmus.operator import metrics as of_operator
from tests.exporter import prom

RUN = {"namespace", "engine", "experiment"}
# The metrics of ours and their labels, as the exporter and the operator promise them.
OURS = {
    "litmus_run_info": RUN | {"result", "uid", "verdict"},
    "litmus_run_started_timestamp_seconds": RUN,
    "litmus_run_finished_timestamp_seconds": RUN,
    "litmus_chaos_active": RUN | {"verdict"},
    "litmus_chaos_started_timestamp_seconds": RUN | {"run", "verdict"},
    "litmus_chaos_ended_timestamp_seconds": RUN | {"run", "verdict"},
    "litmus_time_to_inject_seconds": {"namespace", "experiment", "mechanism"},
    "litmus_time_to_revert_seconds": {"namespace", "experiment", "mechanism"},
    "litmus_faults": RUN | {"mechanism", "state"},
    "litmus_faults_open_past_deadline": RUN | {"mechanism"},
    "litmus_leftovers_total": {"mechanism"},
    "litmus_asked_value": RUN | {"mechanism", "target", "unit"},
    "litmus_delivered_value": RUN | {"mechanism", "target", "unit"},
    "litmus_recovery_seconds": RUN | {"signal"},
    "litmus_availability_ratio": RUN | {"signal", "window"},
    "litmus_probe_outcomes_total": RUN | {"probe", "type", "status"},
    "litmus_experiments_passed_total": RUN,
    "litmus_experiments_failed_total": RUN,
    "litmus_experiments_stopped_total": RUN,
    "litmus_experiments_error_total": RUN,
    "litmus_resilience_score": {"namespace", "engine"},
    "litmus_operator_up": set(),
    "litmus_operator_queue_depth": set(),
    "litmus_operator_reconcile_seconds": set(),
    "litmus_reaper_actions_total": {"result"},
    "litmus_exporter_source_up": {"kind"},
    "litmus_exporter_objects": {"kind"},
    "litmus_exporter_webhook_failures_total": {"outlet"},
}
ADDED_BY_PROMETHEUS = {"instance", "job"}
HISTOGRAM = re.compile(r"_(bucket|count|sum)$")
SELECTED = re.compile(r"\b(litmus_\w+)(?:\{([^}]*)\})?")
MATCHED = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"")

QUESTIONS = [question for dashboard in dashboards.every() for question in asked.questions(dashboard)]
RULES = [rule["expr"] for group in rules.groups() for rule in group["rules"]]


def exists(name: str) -> bool:
    return name in OURS or HISTOGRAM.sub("", name) in OURS


def labels_of(name: str) -> set[str]:
    return OURS.get(name) or OURS.get(HISTOGRAM.sub("", name), set())


def test_every_query_is_parsed_by_prometheus(tmp_path: Path):
    exprs = [asked.filled(question.expr, range_s=3600, step_s=15) for question in QUESTIONS]
    file = tmp_path / "queries.yaml"
    written = [{"record": f"query:{i}", "expr": expr} for i, expr in enumerate(exprs)]
    file.write_text(yaml.safe_dump({"groups": [{"name": "all", "rules": written}]}))

    assert f"SUCCESS: {len(exprs)} rules found" in prom.promtool("check", "rules", file)


def test_what_is_promised_here_is_what_exporter_and_operator_serve():
    counted = counting.Counted(lambda: 0.0)
    families = {family.name: set(family.labels) for family in metrics.families(counted, pulse_s=10)}
    registries = (counted.registry, of_operator.Figures().registry)
    others = {family.name for registry in registries for family in registry.collect()}

    for name, labels in OURS.items():
        if name == "litmus_exporter_webhook_failures_total":
            continue  # of the outlets, where there are some
        assert families.get(name, labels) == labels, name
        assert name in families or name.removesuffix("_total") in others, name


def test_a_query_with_a_mistake_is_not(tmp_path: Path):
    file = tmp_path / "queries.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "all", "rules": [{"record": "a:b", "expr": "sum(("}]}]}))

    with pytest.raises(AssertionError, match="unclosed left parenthesis"):
        prom.promtool("check", "rules", file)


@pytest.mark.parametrize("expr", sorted({*(q.expr for q in QUESTIONS), *RULES}))
def test_every_metric_and_label_of_ours_in_a_query_exists(expr: str):
    text = re.sub(r"__name__=~\"litmus_[^\"]*\"", "", expr)
    for name, matchers in SELECTED.findall(text):
        assert exists(name), name
        assert set(MATCHED.findall(matchers)) <= labels_of(name) | ADDED_BY_PROMETHEUS, name


@pytest.mark.parametrize("question", [q for q in QUESTIONS if q.legend], ids=lambda q: f"{q.dashboard} {q.title}")
def test_a_legend_names_labels_that_the_query_keeps(question: asked.Asked):
    kept = {word.strip() for by in re.findall(r"by \(([^)]*)\)", question.expr) for word in by.split(",")}
    kept |= {"instance"} if not kept or "by (job, instance)" in question.expr else set()

    bare = " by (" not in question.expr  # nothing is aggregated, so every label is kept
    assert bare or set(re.findall(r"{{(\w+)}}", question.legend)) <= kept


def test_a_selection_means_everything_that_is_not_chosen():
    expr = 'up{namespace=~"$namespace",pod=~"${pod}"}[$__range]'

    assert asked.filled(expr, range_s=60, step_s=1, choices={"pod": "a"}) == 'up{namespace=~".*",pod=~"a"}[60s]'
