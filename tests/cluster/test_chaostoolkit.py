"""k8-pod-delete and k8-service-kill: the real Chaos Toolkit, and what it did told by uids that kubectl reads."""

import json
from typing import Any

import pytest

from litmus.experiments import catalogue
from tests.cluster.stage import Stage, grant, until

PAUSE = {"TOTAL_CHAOS_DURATION": 5}


@pytest.fixture
def toolkit(stage: Stage) -> Stage:
    """The stage with the role of k8-service-kill for chaos-sa: the small one, ConfigMaps and Services."""
    experiment = catalogue.find("k8-service-kill")
    rules = [
        {"apiGroups": list(p.groups), "resources": list(p.resources), "verbs": list(p.verbs)}
        for p in experiment.permissions
    ]
    grant(stage, rules=rules)
    return stage


def deployed(stage: Stage, replicas: int = 3) -> None:
    stage.deploy(replicas)
    stage.kubectl("expose", "deployment/web", "--port=80")


def service(stage: Stage) -> dict[str, Any]:
    found: dict[str, Any] = stage.get("service", "web")
    return found


def test_pods_of_a_label_are_killed_and_the_hypothesis_of_their_number_holds(toolkit: Stage) -> None:
    toolkit.deploy(3)
    before = toolkit.pods()
    toolkit.apply(toolkit.engine({"k8-pod-delete": {**PAUSE, "LABEL_NAME": "web"}}))
    toolkit.ended(deadline_s=180)
    assert toolkit.verdict("k8-pod-delete") == ("Pass", "N/A")
    gone = set(before) - set(toolkit.pods())
    assert len(gone) == 1
    assert {target["uid"] for target in toolkit.result("k8-pod-delete")["targets"]} == gone
    said = [line for line in toolkit.events() if line.startswith("ChaosToolkit:")]
    assert any("action terminate-pods succeeded" in line for line in said)
    assert [fault["state"] for fault in toolkit.result("k8-pod-delete")["faults"]] == ["moot"]


def test_a_share_of_the_pods_is_hit_by_the_file_for_percentages(toolkit: Stage) -> None:
    toolkit.deploy(4)
    before = toolkit.pods()
    env = {**PAUSE, "LABEL_NAME": "app=web", "FILE": "pod-custom-kill-percentage.json", "PERCENTAGE": 50}
    toolkit.apply(toolkit.engine({"k8-pod-delete": env}))
    toolkit.ended(deadline_s=180)
    assert toolkit.verdict("k8-pod-delete") == ("Pass", "N/A")
    assert len(set(before) - set(toolkit.pods())) == 2


def test_a_deleted_service_is_put_back_with_its_address(toolkit: Stage) -> None:
    deployed(toolkit)
    before = service(toolkit)
    env = {**PAUSE, "LABEL_NAME": "web", "FILE": "service-app-kill-count.json"}
    toolkit.apply(toolkit.engine({"k8-service-kill": env}))
    until(lambda: toolkit.get("service", "web") is None, "the service to be gone", deadline_s=90)
    toolkit.ended(deadline_s=180)
    after = service(toolkit)
    assert toolkit.verdict("k8-service-kill") == ("Pass", "N/A")
    assert after["metadata"]["uid"] != before["metadata"]["uid"]
    assert after["spec"]["clusterIP"] == before["spec"]["clusterIP"]
    assert after["spec"]["ports"] == before["spec"]["ports"]
    assert [fault["state"] for fault in toolkit.result("k8-service-kill")["faults"]] == ["reverted"]


def test_an_application_that_is_not_reached_any_more_fails_by_its_hypothesis(toolkit: Stage) -> None:
    deployed(toolkit)
    url = f"http://{service(toolkit)['spec']['clusterIP']}/"
    toolkit.apply(toolkit.engine({"k8-service-kill": {**PAUSE, "LABEL_NAME": "web", "APP_ENDPOINT": url}}))
    toolkit.ended(deadline_s=180)
    verdict, step = toolkit.verdict("k8-service-kill")
    assert verdict == "Fail"
    assert "'The application answers' was not met after the method: probe application-must-respond-normally" in step
    assert service(toolkit)["spec"]["clusterIP"] in url


def test_an_abort_ends_the_toolkit_and_puts_the_service_back(toolkit: Stage) -> None:
    deployed(toolkit)
    before = service(toolkit)
    env = {"TOTAL_CHAOS_DURATION": 120, "LABEL_NAME": "web", "FILE": "service-app-kill-count.json"}
    toolkit.apply(toolkit.engine({"k8-service-kill": env}))
    until(lambda: toolkit.get("service", "web") is None, "the service to be gone", deadline_s=90)
    toolkit.kubectl("patch", "chaosengine/chaos", "--type=merge", "-p", '{"spec":{"engineState":"stop"}}')
    until(lambda: toolkit.get("service", "web"), "the service to be back", deadline_s=40)
    toolkit.ended(deadline_s=60)
    assert toolkit.verdict("k8-service-kill")[0] == "Stopped"
    assert service(toolkit)["spec"]["clusterIP"] == before["spec"]["clusterIP"]


def test_an_experiment_of_a_config_map_is_run(toolkit: Stage) -> None:
    toolkit.deploy(2)
    before = toolkit.pods()
    arguments = {"label_selector": "app=${label}", "qty": 1, "rand": True, "ns": "${ns}"}
    python = {"type": "python", "module": "chaosk8s.pod.actions", "func": "terminate_pods", "arguments": arguments}
    document = {
        "version": "1.0.0",
        "title": "mine",
        "description": "mine",
        "configuration": {
            "ns": {"type": "env", "key": "NAME_SPACE"},
            "label": {"type": "env", "key": "LABEL_NAME"},
        },
        "steady-state-hypothesis": {
            "title": "some pods run",
            "probes": [
                {
                    "type": "probe",
                    "name": "count",
                    "tolerance": {"type": "range", "range": [1, 9]},
                    "provider": {
                        "type": "python",
                        "module": "chaosk8s.pod.probes",
                        "func": "count_pods",
                        "arguments": {"label_selector": "app=${label}", "ns": "${ns}"},
                    },
                }
            ],
        },
        "method": [{"type": "action", "name": "kill", "provider": python, "pauses": {"after": 3}}],
        "rollbacks": [],
    }
    data = {"mine.json": json.dumps(document)}
    toolkit.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "mine"}, "data": data})
    env = {"CONFIGMAP": "mine", "FILE": "mine.json", "LABEL_NAME": "web"}
    toolkit.apply(toolkit.engine({"k8-pod-delete": env}))
    toolkit.ended(deadline_s=180)
    assert toolkit.verdict("k8-pod-delete") == ("Pass", "N/A")
    gone = set(before) - set(toolkit.pods())
    assert {target["uid"] for target in toolkit.result("k8-pod-delete")["targets"]} == gone
    assert len(gone) == 1


def test_a_file_that_is_not_there_is_an_error_that_lists_those_that_are(toolkit: Stage) -> None:
    toolkit.deploy(1)
    before = toolkit.pods()
    toolkit.apply(toolkit.engine({"k8-pod-delete": {"LABEL_NAME": "web", "FILE": "other.json"}}))
    toolkit.ended(deadline_s=120)
    verdict, step = toolkit.verdict("k8-pod-delete")
    assert verdict == "Error"
    assert "FILE='other.json': must be one of pod-app-kill-all.json" in step
    assert toolkit.pods() == before
