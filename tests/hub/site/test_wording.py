"""What the checks of an engine say, in Japanese."""

# ruff: noqa: RUF001 - Japanese is what this is about

import re

import pytest

from litmus.experiments import catalogue
from litmus.hub import charts, model, translations
from litmus.hub.site import engine_check, engine_fields, wording

JAPANESE = re.compile(r"[\u3041-\u30ff\u4e00-\u9fff]")
CHARTS = {
    e.name: model.Chart(group=e.chart, name=e.name, title=e.title, help=e.help, declared=e)
    for e in catalogue.everything()
    if type(e).__module__.startswith("litmus.")
}
ENGINE = charts.engine(catalogue.find("pod-network-latency"))

MISTAKES = {
    ("litmuschaos.io/v1alpha1", "litmuschaos.io/v2"): "apiVersion: 'litmuschaos.io/v2'は使えません。",
    (
        "nginx-chaos",
        "Nginx",
    ): "metadata.name: 'Nginx'は使えません。英小文字、数字、-からなる63文字以内の名前を書いてください",
    (
        "annotationCheck",
        "annotationsCheck",
    ): "spec.annotationsCheck：このフィールドはありません。annotationCheckの間違い",
    ("engineState: 'active'", "engineState: 'on'"): "spec.engineState: 'on'は使えません。使える値はactive, stopです",
    ("monitoring: false", "monitoring: 'x'"): "spec.monitoring: 'x'は使えません。真偽値を書いてください",
    (
        "'60000'",
        "60000",
    ): "NETWORK_LATENCY: value: 60000は使えません。文字列を書いてください。引用符で囲み、'60000'とします",
    ("'60000'", "'fast'"): "NETWORK_LATENCY='fast'は使えません。1から240000までの数（ミリ秒）を",
    (
        "name: NETWORK_LATENCY",
        "name: NETWORK_LATENCIES",
    ): "NETWORK_LATENCIESはpod-network-latencyの設定項目ではありません。",
    ("name: pod-network-latency", "name: pod-netwrok-latency"): "はこのハブにありません。pod-network-latencyの間違い",
    ("app=nginx", "nginx"): "spec.appinfo.applabel：ラベルセレクター'nginx'に値がありません。nginx=VALUEと書くか、",
    ("chaosServiceAccount: pod-network-latency-sa", "chaosServiceAccount: ''"): "spec.chaosServiceAccountが空です。",
    ("auxiliaryAppInfo: ''", "auxiliaryAppInfo: x"): "spec.auxiliaryAppInfo: 'x'は、namespace:labelの形ではありません",
    ("    applabel", "   applabel"): "YAMLとして読めません：",
    ("kind: ChaosEngine", "kind: Pod"): "kind: ChaosEngineを1つだけ書いてください。今あるもの：Pod",
}


@pytest.mark.parametrize(("change", "japanese"), MISTAKES.items())
def test_a_mistake_is_told_in_japanese(change: tuple[str, str], japanese: str):
    assert change[0] in ENGINE
    problems = engine_check.check(ENGINE.replace(*change), CHARTS)
    assert any(japanese in wording.say("ja", problem.message) for problem in problems), problems
    assert [wording.say("en", problem.message) for problem in problems] == [problem.message for problem in problems]


@pytest.mark.parametrize("chart", CHARTS.values(), ids=CHARTS)
def test_what_a_field_may_be_is_told_in_japanese(chart: model.Chart):
    sentences = {field.allowed for field in engine_fields.fields(chart)} - {""}
    assert [sentence for sentence in sentences if not JAPANESE.search(wording.say("ja", sentence))] == []


def test_every_template_has_its_japanese():
    assert [one for one in wording.TEMPLATES if translations.translate("ja", one) == one] == []


def test_a_sentence_that_nobody_foresaw_stays_english():
    assert wording.say("ja", "A sentence of another release.") == "A sentence of another release."
