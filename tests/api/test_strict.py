"""What a user wrote is checked to the letter, and each mistake is told with its path and the remedy."""

import copy
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from litmus import api
from litmus.api import schema, strict
from tests import samples

KINDS = [api.ChaosEngine, api.ChaosExperiment, api.ChaosResult, api.ChaosSchedule]


def engine(**spec: Any) -> dict[str, Any]:
    return samples.engine(**spec)


def entry(**components: Any) -> dict[str, Any]:
    return {"name": "pod-delete", "spec": {"components": components}}


def mistakes(manifest: Any) -> list[str]:
    return strict.mistakes(api.ChaosEngine, manifest)


@pytest.mark.parametrize(
    ("manifest", "sentence"),
    [
        (engine(engineSate="stop"), "spec.engineSate: unknown field; did you mean engineState?"),
        (engine(zzz=1), "spec.zzz: unknown field"),
        (engine() | {"sepc": {}}, "sepc: unknown field; did you mean spec?"),
        (
            engine(appinfo={"appns": "a", "aplabel": "app=web"}),
            "spec.appinfo.aplabel: unknown field; did you mean applabel?",
        ),
        (
            engine(experiments=[{"name": "a"}, entry(env=[{"name": "A", "valeu": "1"}])]),
            "spec.experiments[1].spec.components.env[0].valeu: unknown field; did you mean value?",
        ),
        (
            engine(components={"runner": {"imagPullPolicy": "Never"}}),
            "spec.components.runner.imagPullPolicy: unknown field; did you mean imagePullPolicy?",
        ),
    ],
)
def test_an_unknown_field_is_told_with_its_path_and_the_field_that_was_meant(manifest, sentence):
    assert mistakes(manifest) == [sentence]


@pytest.mark.parametrize(
    ("manifest", "sentence"),
    [
        (engine(engineState="stopp"), "spec.engineState: 'stopp' is not one of active, stop; did you mean stop?"),
        (engine(annotationCheck="yes"), "spec.annotationCheck: 'yes' is not one of false, true"),
        (
            engine(jobCleanUpPolicy="retian"),
            "spec.jobCleanUpPolicy: 'retian' is not one of delete, retain; did you mean retain?",
        ),
        (
            engine(appinfo={"appkind": "Deployment"}),
            "spec.appinfo.appkind: 'Deployment' is not one of daemonset, deployment, deploymentconfig, rollout, "
            "statefulset; did you mean deployment?",
        ),
    ],
)
def test_a_word_that_is_not_allowed_is_told_with_those_that_are(manifest, sentence):
    assert mistakes(manifest) == [sentence]


@pytest.mark.parametrize(
    ("manifest", "sentence"),
    [
        (engine(annotationCheck=True), "spec.annotationCheck: True must be text; write it in quotes: 'true'"),
        (
            engine(experiments=[entry(env=[{"name": "TOTAL_CHAOS_DURATION", "value": 30}])]),
            "spec.experiments[0].spec.components.env[0].value: 30 must be text; write it in quotes: '30'",
        ),
        (
            engine(experiments=[entry(env=[{"name": "CPU", "value": 0.5}])]),
            "spec.experiments[0].spec.components.env[0].value: 0.5 must be text; write it in quotes: '0.5'",
        ),
        (engine(monitoring="false"), "spec.monitoring: 'false' must be a boolean"),
        (engine(appinfo="app=web"), "spec.appinfo: 'app=web' must be an object"),
        (engine(experiments={"name": "pod-delete"}), "spec.experiments: {'name': 'pod-delete'} must be a list"),
        (
            engine(experiments=[entry(statusCheckTimeouts={"delay": "2"})]),
            "spec.experiments[0].spec.components.statusCheckTimeouts.delay: '2' must be a whole number",
        ),
        (
            engine(experiments=[entry(statusCheckTimeouts={"delay": True})]),
            "spec.experiments[0].spec.components.statusCheckTimeouts.delay: True must be a whole number",
        ),
        ([], "the manifest: [] must be an object"),
        ("text", "the manifest: 'text' must be an object"),
    ],
)
def test_a_value_of_another_type_is_told_with_the_type_that_is_meant(manifest, sentence):
    assert mistakes(manifest) == [sentence]


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (True, "True is neither a whole number nor text"),
        (1.5, "1.5 is neither a whole number nor text"),
        (["1"], "['1'] is neither a whole number nor text"),
    ],
)
def test_a_quantity_is_a_whole_number_or_text(value, sentence):
    manifest = engine(experiments=[entry(resources={"limits": {"cpu": 1, "memory": "1Gi", "bad": value}})])
    assert mistakes(manifest) == [f"spec.experiments[0].spec.components.resources.limits.bad: {sentence}"]


@pytest.mark.parametrize(
    ("manifest", "sentence"),
    [
        ({}, "the manifest: spec is missing"),
        ({"spec": {}}, "spec: experiments is missing"),
        (engine(experiments=[{}]), "spec.experiments[0]: name is missing"),
        (engine(experiments=[]), "spec.experiments: at least 1 entry is needed"),
        (engine(experiments=[{"name": ""}]), "spec.experiments[0].name: must not be empty"),
        (
            engine(experiments=[entry(secrets=[{"name": "key"}])]),
            "spec.experiments[0].spec.components.secrets[0]: mountPath is missing",
        ),
    ],
)
def test_what_is_missing_is_told_where_it_is_missing(manifest, sentence):
    assert mistakes(manifest) == [sentence]


def test_a_number_below_its_least_value_is_told_with_that_value():
    manifest = engine(experiments=[entry(statusCheckTimeouts={"timeout": -1})])
    assert mistakes(manifest) == [
        "spec.experiments[0].spec.components.statusCheckTimeouts.timeout: -1 is below 0",
    ]


def test_every_mistake_is_told_and_not_only_the_first():
    manifest = engine(engineState="x", monitoring="y", experiments=[{"nmae": "pod-delete"}])
    assert len(mistakes(manifest)) == 4


def test_an_absent_value_of_an_optional_field_is_no_mistake():
    manifest = engine(appinfo=None, engineState=None, experiments=[{"name": "pod-delete", "spec": None}])
    assert mistakes(manifest) == []


def test_fields_that_the_api_server_owns_are_left_to_it():
    manifest = engine() | {"status": {"of": {"another": "release"}}}
    manifest["metadata"] |= {"managedFields": [{}], "generation": 3, "selfLink": "/x"}
    assert mistakes(manifest) == []


def test_labels_and_other_maps_take_any_key_and_check_each_value():
    assert mistakes(engine(components={"runner": {"nodeSelector": {"any.thing/here": "yes"}}})) == []
    assert mistakes(engine(components={"runner": {"nodeSelector": {"ssd": True}}})) == [
        "spec.components.runner.nodeSelector.ssd: True must be text; write it in quotes: 'true'"
    ]


NEWER_SPELLINGS = {
    "selectors": {
        "workloads": [{"kind": "deployment", "namespace": "shop", "names": "web,api"}],
        "pods": [{"namespace": "shop", "names": "web-0"}],
    },
    "defaultHealthCheck": True,
    "terminationGracePeriodSeconds": 60,
    "components": {
        "runner": {
            "runnerAnnotations": {"a": "b"},
            "runnerLabels": {"c": "d"},
            "resources": {"limits": {"cpu": "100m"}},
            "configMaps": [{"name": "cm", "mountPath": "/cm", "data": {"x": "y"}}],
        },
        "sidecar": [{"image": "s", "env": [{"name": "A", "value": "1"}]}],
    },
    "experiments": [
        {
            "name": "pod-delete",
            "spec": {
                "components": {
                    "env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}],
                    "configMaps": [{"name": "cm", "mountPath": "/cm"}],
                    "experimentAnnotations": {"a": "b"},
                    "statusCheckTimeouts": {"delay": 2, "timeout": 180},
                },
                "probe": [
                    {
                        "name": "get",
                        "type": "httpProbe",
                        "mode": "Continuous",
                        "httpProbe/inputs": {
                            "url": "http://web",
                            "insecureSkipVerify": False,
                            "method": {"get": {"criteria": "==", "responseCode": "200"}},
                        },
                        "runProperties": {"probeTimeout": "5s", "interval": "2s", "retry": 1, "stopOnFailure": False},
                    },
                    {
                        "name": "command",
                        "type": "cmdProbe",
                        "mode": "Edge",
                        "cmdProbe/inputs": {
                            "command": "true",
                            "comparator": {"type": "int", "criteria": "==", "value": "0"},
                            "source": {"image": "busybox"},
                        },
                        "runProperties": {"probeTimeout": "5s", "interval": "5s", "attempt": 1},
                    },
                    {
                        "name": "pods",
                        "type": "k8sProbe",
                        "mode": "EOT",
                        "k8sProbe/inputs": {"version": "v1", "resource": "pods", "operation": "present"},
                        "runProperties": {"probeTimeout": "5s", "interval": "5s"},
                    },
                    {
                        "name": "latency",
                        "type": "promProbe",
                        "mode": "OnChaos",
                        "promProbe/inputs": {
                            "endpoint": "http://prometheus",
                            "query": "up",
                            "comparator": {"criteria": ">=", "value": "1"},
                        },
                        "runProperties": {"probeTimeout": "5s", "interval": "5s"},
                    },
                ],
            },
        }
    ],
}

OLDER_SPELLINGS = {
    "components": {"runner": {"type": "go", "image": "r:1", "runnerannotation": {"a": "b"}}},
    "experiments": [
        {
            "name": "pod-delete",
            "spec": {
                "rank": 1,
                "components": {
                    "configmaps": [{"name": "cm", "mountPath": "/cm", "data": {"x": "y"}}],
                    "experimentannotation": {"a": "b"},
                    "experimentImagePullSecrets": [{"name": "registry"}],
                    "tolerations": [{"key": "k", "operator": "Exists", "effect": "NoSchedule"}],
                },
                "probe": [
                    {
                        "name": "get",
                        "type": "httpProbe",
                        "mode": "SOT",
                        "httpProbe/inputs": {"url": "http://web", "expectedResponseCode": "200"},
                        "runProperties": {"probeTimeout": 5, "interval": 5, "retry": 1, "probePollingInterval": 2},
                    },
                    {
                        "name": "command",
                        "type": "cmdProbe",
                        "mode": "Edge",
                        "cmdProbe/inputs": {
                            "command": "true",
                            "comparator": {"type": "string", "criteria": "contains", "value": "x"},
                            "source": "inline",
                        },
                        "runProperties": {"probeTimeout": 5, "interval": 5, "retry": 1, "initialDelaySeconds": 1},
                    },
                    {
                        "name": "pods",
                        "type": "k8sProbe",
                        "mode": "EOT",
                        "operation": "present",
                        "k8sProbe/inputs": {
                            "command": {"version": "v1", "resource": "pods", "namespace": "shop"},
                            "expectedResult": "pass",
                        },
                        "runProperties": {"probeTimeout": 5, "interval": 5, "retry": 1},
                    },
                ],
            },
        }
    ],
}


@pytest.mark.parametrize("spec", [NEWER_SPELLINGS, OLDER_SPELLINGS], ids=["3.x", "1.10"])
def test_the_spellings_of_both_releases_are_accepted_and_understood(spec):
    manifest = engine(**spec)
    assert mistakes(manifest) == []
    understood = msgspec.convert(manifest, api.ChaosEngine)
    probes = understood.spec.experiments[0].spec.probe
    assert [probe.type for probe in probes][:3] == ["httpProbe", "cmdProbe", "k8sProbe"]
    assert probes[0].http.url == "http://web"


@pytest.mark.parametrize("spelling", ["configmaps", "configMaps"])
def test_an_experiments_configmaps_are_accepted_in_both_spellings(spelling):
    manifest = samples.experiment(**{spelling: [{"name": "cm", "mountPath": "/cm"}]})
    assert strict.mistakes(api.ChaosExperiment, manifest) == []


@pytest.mark.parametrize("spelling", ["experimentannotations", "experimentAnnotations"])
def test_an_experiments_annotations_are_accepted_in_both_spellings(spelling):
    manifest = samples.experiment(**{spelling: {"a": "b"}, "hostPID": True})
    assert strict.mistakes(api.ChaosExperiment, manifest) == []


@pytest.mark.parametrize("interval", ["10m", {"hour": {"everyNthHour": 2}}])
def test_a_schedules_interval_is_accepted_in_both_spellings(interval):
    manifest = {
        "spec": {
            "schedule": {
                "repeat": {
                    "timeRange": {"startTime": "2026-01-01T00:00:00Z"},
                    "workHours": {"includedHours": "0-12,15"},
                    "workDays": {"includedDays": "Mon-Fri"},
                    "properties": {"minChaosInterval": interval, "random": False},
                }
            },
            "engineTemplateSpec": engine()["spec"],
        }
    }
    assert strict.mistakes(api.ChaosSchedule, manifest) == []


def values(rule: schema.Schema, *, depth: int = 0) -> st.SearchStrategy[Any]:
    """Whatever a schema describes."""
    text = st.text("abc-=,:/ 0", min_size=rule.get("minLength", 0), max_size=5)
    if rule.get("x-kubernetes-int-or-string"):
        return st.integers(0, 100) | text
    if "enum" in rule:
        return st.sampled_from(rule["enum"])
    match rule.get("type"):
        case "string" if "pattern" in rule:
            return st.from_regex(rule["pattern"])
        case "string":
            return text
        case "integer":
            return st.integers(rule.get("minimum", -100), rule.get("maximum", 1000))
        case "number":
            return st.integers(0, 5) | st.floats(0, 5)
        case "boolean":
            return st.booleans()
        case "array":
            least = rule.get("minItems", 0)
            return st.lists(values(rule["items"], depth=depth + 1), min_size=least, max_size=least + 1)
        case "object" if "properties" in rule:
            required = set(rule.get("required", ()))
            fields = {name: values(inner, depth=depth + 1) for name, inner in rule["properties"].items()}
            return st.fixed_dictionaries(
                {name: fields[name] for name in fields if name in required},
                optional={name: fields[name] for name in fields if name not in required},
            )
        case "object":
            inner = values(rule.get("additionalProperties", {}), depth=depth + 1)
            return st.dictionaries(text, inner, max_size=2)
    return st.none() | st.booleans() | text


@pytest.mark.parametrize("kind", KINDS)
def test_every_manifest_that_the_schema_describes_is_accepted_unchanged_and_can_be_decoded(kind):
    @settings(max_examples=25)
    @given(values(schema.of(kind)))
    def check(manifest):
        manifest = manifest | {"kind": kind.__name__, "metadata": {"name": "x"}}  # the schema leaves both open
        before = copy.deepcopy(manifest)
        assert strict.mistakes(kind, manifest) == []
        assert manifest == before
        manifest.pop("metadata", None)  # left to the API server
        manifest.pop("status", None)  # written by us
        msgspec.convert(manifest, kind)

    check()


KNOWN = set(schema.of(api.ChaosEngine)["properties"]["spec"]["properties"])


@settings(max_examples=25)
@given(st.text(min_size=1).filter(lambda name: name not in KNOWN))
def test_an_unknown_field_is_never_accepted(name):
    [found] = mistakes(engine(**{name: "x"}))
    assert found.startswith(f"spec.{name}: unknown field")


@pytest.mark.parametrize(
    ("word", "hint"),
    [("pod-delet", "; did you mean pod-delete?"), ("pod-delete", "; did you mean pod-delete?"), ("zebra", "")],
)
def test_the_closest_known_word_is_suggested_and_none_when_none_is_near(word, hint):
    assert strict.closest(word, ["pod-delete", "container-kill"]) == hint


@pytest.mark.parametrize(
    ("manifest", "path"),
    [
        (engine() | {"kind": "ChaosEngin"}, "kind: "),
        (engine(experiments=None), "spec: experiments is missing"),
        (engine(experiments=[None]), "spec.experiments[0]: "),
        (engine(terminationGracePeriodSeconds=10**40), "spec.terminationGracePeriodSeconds: "),
    ],
)
def test_what_the_api_server_would_refuse_is_told_before_it_is_asked(manifest, path):
    [found] = mistakes(manifest)
    assert found.startswith(path)


def test_a_misspelt_field_of_the_metadata_is_told():
    manifest = engine()
    manifest["metadata"]["lables"] = {}
    assert mistakes(manifest) == ["metadata.lables: unknown field; did you mean labels?"]
