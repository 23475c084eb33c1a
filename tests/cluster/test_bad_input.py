"""What can't be run ends with an Error verdict and one event that says what to do. Nothing hangs, nothing is hit."""

from collections.abc import Callable
from typing import Any

import pytest
import yaml

from tests.cluster import stage as stages
from tests.cluster.stage import Stage

Change = Callable[[Stage, dict[str, Any]], None]


def components(engine: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = engine["spec"]["experiments"][0]["spec"]["components"]
    return found


def no_account(stage: Stage, engine: dict[str, Any]) -> None:
    engine["spec"]["chaosServiceAccount"] = "nobody"


def no_experiment(stage: Stage, engine: dict[str, Any]) -> None:
    stage.kubectl("delete", "chaosexperiment", "pod-delete")


def no_config_map(stage: Stage, engine: dict[str, Any]) -> None:
    components(engine)["configMaps"] = [{"name": "settings", "mountPath": "/settings"}]


def no_secret(stage: Stage, engine: dict[str, Any]) -> None:
    components(engine)["secrets"] = [{"name": "key", "mountPath": "/key"}]


def no_annotation(stage: Stage, engine: dict[str, Any]) -> None:
    stage.kubectl("annotate", "deployment/web", "litmuschaos.io/chaos-")


def no_application(stage: Stage, engine: dict[str, Any]) -> None:
    engine["spec"]["appinfo"]["applabel"] = "app=absent"


def no_image(stage: Stage, engine: dict[str, Any]) -> None:
    components(engine)["experimentImage"] = "Not A Name"


def bad_value(stage: Stage, engine: dict[str, Any]) -> None:
    components(engine)["env"].append({"name": "SEQUENCE", "value": "sideways"})


def bad_name(stage: Stage, engine: dict[str, Any]) -> None:
    components(engine)["env"].append({"name": "PODS_AFFECTED_PERCENT", "value": "50"})


def bad_percentage(stage: Stage, engine: dict[str, Any]) -> None:
    components(engine)["env"].append({"name": "PODS_AFFECTED_PERC", "value": "150"})


def a_probe(stage: Stage, engine: dict[str, Any]) -> None:
    probe = {"name": "up", "type": "httpProbe", "mode": "SOT", "httpProbe/inputs": {"url": "http://web"}}
    engine["spec"]["experiments"][0]["spec"]["probe"] = [probe]


def no_right_to_delete(stage: Stage, engine: dict[str, Any]) -> None:
    every = ["create", "list", "get", "patch", "update"]
    stages.grant(stage, rules=[{"apiGroups": ["*"], "resources": ["*"], "verbs": every}])


def no_right_to_create_jobs(stage: Stage, engine: dict[str, Any]) -> None:
    stages.grant(
        stage,
        rules=[
            {"apiGroups": ["", "litmuschaos.io"], "resources": ["*"], "verbs": ["*"]},
            {"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["get", "list"]},
        ],
    )


CASES: list[tuple[Change, str]] = [
    (no_account, 'service account "nobody" not found'),
    (no_experiment, "ChaosExperiment pod-delete is not in namespace"),
    (no_config_map, 'configmap "settings" not found'),
    (no_secret, 'secret "key" not found'),
    (no_annotation, "does not carry the annotation litmuschaos.io/chaos=true"),
    (no_application, "nothing matches deployment with label app=absent"),
    (no_image, "InvalidImageName"),
    (bad_value, "SEQUENCE='sideways': must be parallel or serial"),
    (bad_name, "did you mean PODS_AFFECTED_PERC?"),
    (bad_percentage, "PODS_AFFECTED_PERC='150': must be a percentage from 0 to 100"),
    (a_probe, "spec.experiments[0].spec.probe[0].httpProbe/inputs: needs method.get or method.post"),
    (no_right_to_delete, 'cannot delete resource "pods"'),
    (no_right_to_create_jobs, 'cannot create resource "jobs"'),
]


@pytest.mark.parametrize(("change", "sentence"), CASES, ids=[case[0].__name__ for case in CASES])
def test_ends_with_an_error_and_one_event_that_says_what_to_do(stage: Stage, change: Change, sentence: str) -> None:
    stage.deploy(1)
    before = stage.pods()
    engine = stage.engine("pod-delete")
    change(stage, engine)
    stage.apply(engine)
    status = stage.ended(deadline_s=60)
    assert [entry["verdict"] for entry in status["experiments"]] == ["Error"]
    verdict, step = stage.verdict()
    assert verdict == "Error"
    assert sentence in step.replace("serviceaccount", "service account")
    (event,) = stage.events(warnings=True)
    assert sentence in event.replace("serviceaccount", "service account")
    assert stage.pods() == before
    stage.swept()


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"engineSate": "active"}, "engineSate"),
        ({"engineState": "aktive"}, "spec.engineState"),
        ({"jobCleanUpPolicy": "remove"}, "spec.jobCleanUpPolicy"),
        ({"appinfo": {"appkind": "deploymnt"}}, "spec.appinfo.appkind"),
        ({"annotationCheck": "yes"}, "spec.annotationCheck"),
    ],
)
def test_a_typo_is_refused_with_the_path_of_the_field(stage: Stage, change: dict[str, Any], path: str) -> None:
    engine = stage.engine("pod-delete", **change)
    done = stages.run(["kubectl", "apply", "-f", "-"], stdin=yaml.safe_dump(engine), check=False)
    assert done.status != 0
    assert path in done.err
    assert stage.get("chaosengine", "chaos") is None
