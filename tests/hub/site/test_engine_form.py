"""The engine that the form fills in, and what is said about its values."""

import pytest
import yaml

from litmus.experiments import catalogue
from litmus.experiments.declaration import Experiment
from litmus.hub import charts, model
from litmus.hub.site import editor, engine_fields, engine_form

ALL = pytest.mark.parametrize("experiment", catalogue.everything(), ids=lambda experiment: experiment.name)


def chart_of(experiment: Experiment) -> model.Chart:
    return model.Chart(
        group=experiment.chart,
        name=experiment.name,
        title=experiment.title,
        help=experiment.help,
        declared=experiment,
    )


POD_DELETE = chart_of(catalogue.find("pod-delete"))
THEIRS = model.Chart(
    group="queues",
    name="break-queue",
    title="Break a queue",
    help="Breaks it.",
    variables=(
        model.Variable(name="QUEUE", value="orders", help="Which queue."),
        model.Variable(name="TOTAL_CHAOS_DURATION", value="30", unit="s"),
        model.Variable(name="SECRET_SAUCE", value=None, default="none"),
    ),
)
THEIR_ENGINE = """\
# Of somebody else.
apiVersion: litmuschaos.io/v1alpha1
kind: ChaosEngine
metadata:
  name: queue-chaos
  labels: {team: blue}
spec:
  appinfo: {appns: 'mq', applabel: 'app=mq', appkind: statefulset}
  chaosServiceAccount: break-queue-sa
  experiments:
    - name: break-queue
      spec:
        components:
          env:
            - {name: QUEUE, value: invoices}
            - name: PASSWORD
              valueFrom: {secretKeyRef: {name: mq, key: password}}
"""


def environment(text: str) -> dict[str, object]:
    [entry] = yaml.safe_load(text)["spec"]["experiments"]
    return {item["name"]: item.get("value", item.get("valueFrom")) for item in entry["spec"]["components"]["env"]}


@ALL
def test_the_untouched_form_is_the_engine_of_the_chart(experiment: Experiment):
    assert engine_form.fill(chart_of(experiment), {}) == (charts.engine(experiment), [])


@ALL
def test_the_fields_start_with_what_they_write(experiment: Experiment):
    chart = chart_of(experiment)
    values = {field.name: field.value for field in engine_fields.fields(chart)}
    assert engine_form.fill(chart, values)[0] == charts.engine(experiment)


def test_values_of_the_form_stand_in_the_engine_with_its_comments():
    values = {
        "name": "friday",
        "namespace": "shop",
        "applabel": "app=web",
        "appkind": "statefulset",
        "annotationCheck": "false",
        "jobCleanUpPolicy": "retain",
        "TOTAL_CHAOS_DURATION": " 45 ",
    }
    text, problems = engine_form.fill(POD_DELETE, values)
    found = yaml.safe_load(text)
    assert problems == []
    assert found["metadata"] == {"name": "friday", "namespace": "shop"}
    assert found["spec"]["appinfo"] == {"appns": "shop", "applabel": "app=web", "appkind": "statefulset"}
    assert (found["spec"]["annotationCheck"], found["spec"]["jobCleanUpPolicy"]) == ("false", "retain")
    assert environment(text)["TOTAL_CHAOS_DURATION"] == "45"
    ours = [line for line in charts.engine(catalogue.find("pod-delete")).splitlines() if "#" in line]
    assert [line for line in text.splitlines() if "#" in line] == ours


def test_a_tunable_that_the_chart_leaves_out_is_listed_when_it_differs_from_its_default():
    assert "RANDOMNESS" not in environment(engine_form.fill(POD_DELETE, {"RANDOMNESS": "false"})[0])
    text, problems = engine_form.fill(POD_DELETE, {"RANDOMNESS": "true", "PODS_AFFECTED_PERC": "50"})
    assert problems == []
    assert (environment(text)["RANDOMNESS"], environment(text)["PODS_AFFECTED_PERC"]) == ("true", "50")


BAD = {
    "name": ("", "metadata.name: missing; name the engine"),
    "namespace": ("Shop", "metadata.namespace: 'Shop' must be small letters, digits and -, at most 63 of them"),
    "applabel": (
        "web",
        "spec.appinfo.applabel: label selector 'web' names no value; write web=VALUE, or web!=none for any value",
    ),
    "appkind": (
        "pod",
        "spec.appinfo.appkind: 'pod' is not one of daemonset, deployment, deploymentconfig, rollout, statefulset",
    ),
    "annotationCheck": ("no", "spec.annotationCheck: 'no' is not one of false, true"),
    "TOTAL_CHAOS_DURATION": (
        "1m",
        "TOTAL_CHAOS_DURATION='1m': must be a whole number of seconds from 1 to 2592000, without a unit",
    ),
    "PODS_AFFECTED_PERC": (
        "120",
        "PODS_AFFECTED_PERC='120': must be a percentage from 0 to 100, or a range such as 20-40",
    ),
    "FORCED": ("true", "FORCED: pod-delete has no such tunable"),
}


@pytest.mark.parametrize("field", BAD)
def test_a_problem_names_its_field_the_value_and_the_remedy(field: str):
    value, sentence = BAD[field]
    text, problems = engine_form.fill(POD_DELETE, {field: value})
    assert {problem.field for problem in problems} == {field}
    assert problems[0].message == sentence
    if problems[0].line:
        assert (
            repr(value) in text.splitlines()[problems[0].line - 1] or value in text.splitlines()[problems[0].line - 1]
        )


@pytest.mark.parametrize(
    "value", ["a: b", "'", "x\n  evil: true", "{{7*7}}", "# no", "*alias", "\x07", "\udc80", "日本"]
)
@pytest.mark.parametrize("field", ["name", "applabel", "namespace", "TARGET_PODS"])
def test_a_value_never_becomes_more_than_a_value(field: str, value: str):
    text, _ = engine_form.fill(POD_DELETE, {field: value})
    if "\udc80" in value:
        return  # no YAML can hold half a character; the check says so
    found = yaml.safe_load(text)
    assert set(found) == {"apiVersion", "kind", "metadata", "spec"}
    assert set(found["spec"]) == set(yaml.safe_load(charts.engine(catalogue.find("pod-delete")))["spec"])


def test_the_form_tells_unit_default_and_what_is_allowed():
    fields = {field.name: field for field in engine_fields.fields(chart_of(catalogue.find("pod-network-latency")))}
    latency = fields["NETWORK_LATENCY"]
    assert (latency.unit, latency.default, latency.section) == ("ms", "60000", "tunables")
    assert latency.allowed.startswith("must be a number of milliseconds from 1 to 240000")
    assert latency.help.startswith("How long each packet is held back")
    assert fields["DIRECTION"].choices == ("egress", "ingress", "both")
    assert fields["DIRECTION"].section == "more"
    assert "LIB" not in fields  # accepted and without effect


def test_the_form_of_a_chart_of_others_is_made_of_its_variables():
    text, problems = engine_form.fill(THEIRS, {"QUEUE": "returns"})
    assert problems == []
    assert yaml.safe_load(text)["spec"]["chaosServiceAccount"] == "break-queue-sa"
    assert environment(text) == {"QUEUE": "returns", "TOTAL_CHAOS_DURATION": "30"}
    assert "# Which queue." in text


def test_the_engine_that_a_chart_of_others_brings_is_filled_in():
    values = {field.name: field.value for field in engine_fields.fields(THEIRS, engine=THEIR_ENGINE)}
    assert (values["name"], values["namespace"], values["QUEUE"]) == ("queue-chaos", "mq", "invoices")
    text, problems = engine_form.fill(THEIRS, {"QUEUE": "returns", "applabel": "app=q"}, engine=THEIR_ENGINE)
    found = yaml.safe_load(text)
    assert problems == []
    assert found["metadata"] == {"name": "queue-chaos", "namespace": "mq", "labels": {"team": "blue"}}
    assert found["spec"]["appinfo"] == {"appns": "mq", "applabel": "app=q", "appkind": "statefulset"}
    assert environment(text)["QUEUE"] == "returns"
    assert environment(text)["PASSWORD"] == {"secretKeyRef": {"name": "mq", "key": "password"}}


@pytest.mark.parametrize("engine", ["", "a: [", "[]", "kind: ChaosEngine", "kind: ChaosEngine\nspec: 1\nmetadata: {}"])
def test_an_engine_of_others_that_can_not_be_read_is_as_good_as_none(engine: str):
    assert engine_form.fill(THEIRS, {}, engine=engine) == engine_form.fill(THEIRS, {})


BROKEN_PARTS = [
    "spec: {experiments: 5}",
    "spec: {experiments: [{name: break-queue, spec: 5}]}",
    "spec: {experiments: [{name: break-queue, spec: {components: {env: 5}}}]}",
    "spec: {experiments: [{name: break-queue, spec: {components: {env: [5, {name: QUEUE}, {value: x}]}}}]}",
    "spec: {appinfo: 5}",
]


@pytest.mark.parametrize("part", BROKEN_PARTS)
def test_what_is_broken_in_an_engine_of_others_is_told_or_mended_but_never_a_crash(part: str):
    engine = f"apiVersion: litmuschaos.io/v1alpha1\nkind: ChaosEngine\nmetadata: {{name: x}}\n{part}\n"
    text, _ = engine_form.fill(THEIRS, {"QUEUE": "returns"}, engine=engine)
    assert environment(text)["QUEUE"] == "returns"
    editor.context(THEIRS, "ja", engine=engine)


def test_a_visitor_without_a_script_gets_the_values_of_the_address():
    shown = editor.context(POD_DELETE, "en", values={"TOTAL_CHAOS_DURATION": "0", "lang": "en", "q": "<x>"})
    assert "value: '0'" in shown["command"]
    assert "<x>" not in shown["command"]
    [duration] = [field for field in shown["tunables"] if field["name"] == "TOTAL_CHAOS_DURATION"]
    assert duration["problem"].startswith("TOTAL_CHAOS_DURATION='0': must be a whole number")
