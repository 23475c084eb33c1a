"""Probes on a real cluster: every mode and type asks a real nginx, or its cluster, from the pod of the experiment.

What the result says of an outage is confirmed by a client of the test's own, in a pod of its own.
"""

import json
from datetime import datetime
from typing import Any

import pytest

from litmus.hub import charts
from tests.cluster import stage as stages
from tests.cluster.stage import Stage, until

PASSED = "Passed 👍"
FAILED = "Better Luck Next Time 👎"
PHASES = {
    "SOT": ["PreChaos"],
    "EOT": ["PostChaos"],
    "Edge": ["PreChaos", "PostChaos"],
    "Continuous": ["Continuous"],
    "OnChaos": ["OnChaos"],
}
# Twenty times a second: when it asked, and whether it was answered.
CLIENT = """
import sys, time, urllib.request
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
while True:
    began = time.time()
    try:
        good = opener.open(sys.argv[1], timeout=2).status == 200
    except OSError:
        good = False
    print(began, int(good), flush=True)
    time.sleep(max(0.0, 0.05 - (time.time() - began)))
"""


@pytest.fixture
def web(stage: Stage) -> Stage:
    """A stage with one nginx behind a Service."""
    stage.deploy(1)
    expose(stage)
    return stage


def expose(stage: Stage) -> None:
    stage.kubectl("expose", "deployment", "web", "--port=80")
    until(lambda: any(one.get("subsets") for one in stage.get("endpoints", selector="app=web")), "an endpoint of web")


def url(stage: Stage) -> str:
    return f"http://{stage.get('service', 'web')['spec']['clusterIP']}/"


def http(stage: Stage, name: str, mode: str, code: str = "200", **run_properties: Any) -> dict[str, Any]:
    method = {"get": {"criteria": "==", "responseCode": code}}
    properties = {"probeTimeout": "5s", "interval": "500ms", "probePollingInterval": "500ms", **run_properties}
    return {
        "name": name,
        "type": "httpProbe",
        "mode": mode,
        "httpProbe/inputs": {"url": url(stage), "method": method},
        "runProperties": properties,
    }


def run(stage: Stage, *probes: dict[str, Any], env: Any = None, impact: Any = None) -> dict[str, Any]:
    """Applies an engine with these probes and waits for its end; the status of the result."""
    engine = stage.engine({"pod-delete": {"FORCE": "true", **(env or {})}})
    engine["spec"]["experiments"][0]["spec"] |= {"probe": list(probes), **({"impact": impact} if impact else {})}
    stage.apply(engine)
    stage.ended(deadline_s=240)
    return stage.result()


def words(result: dict[str, Any]) -> dict[str, dict[str, str]]:
    return {one["name"]: one["status"] for one in result["probeStatus"]}


@pytest.mark.parametrize("mode", PHASES)
def test_a_probe_of_each_mode_passes_while_nginx_answers(web: Stage, mode: str) -> None:
    web.kubectl("scale", "deployment/web", "--replicas=2")
    web.kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    result = run(web, http(web, "page", mode, attempt=10))
    assert web.verdict() == ("Pass", "N/A")
    assert words(result) == {"page": dict.fromkeys(PHASES[mode], PASSED)}
    (later,) = result["probeStatuses"]
    assert (later["mode"], later["status"]["verdict"]) == (mode, "Passed")
    assert "expected code == 200" in later["status"]["description"]
    assert result["experimentstatus"]["probeSuccessPercentage"] == "100"


@pytest.mark.parametrize("mode", ["EOT", "Continuous", "OnChaos"])
def test_a_probe_that_fails_tells_the_observed_value_the_expected_one_and_the_time(web: Stage, mode: str) -> None:
    result = run(web, http(web, "page", mode, code="404"))
    verdict, step = web.verdict()
    assert verdict == "Fail"
    assert f"probe page (httpProbe, {mode}) failed" in step
    assert "observed code 200" in step
    assert "expected code == 404" in step
    (text,) = words(result)["page"].values()
    assert text.startswith(FAILED)
    assert result["experimentstatus"]["errorOutput"]["errorCode"] == "HTTP_PROBE_FAILURE"


@pytest.mark.parametrize("mode", ["SOT", "Edge"])
def test_no_pod_is_touched_when_the_steady_state_is_not_there_to_begin_with(web: Stage, mode: str) -> None:
    before = web.pods()
    result = run(web, http(web, "page", mode, code="404"), http(web, "later", "EOT"))
    assert web.verdict()[0] == "Fail"
    assert web.pods() == before
    assert words(result)["later"]["PostChaos"].startswith("N/A")


def test_stop_on_failure_ends_a_long_chaos_at_the_first_failure(web: Stage) -> None:
    probe = http(web, "page", "Continuous", stopOnFailure=True)
    result = run(web, probe, env={"TOTAL_CHAOS_DURATION": 600, "CHAOS_INTERVAL": 10})
    verdict, step = web.verdict()
    assert verdict == "Fail"
    assert "so the run was ended during chaos" in step
    assert result["run"]["finishedAt"] < result["run"]["chaosEndsAt"]
    assert all(fault["state"] in ("moot", "reverted") for fault in result["faults"])


def test_the_output_of_a_command_is_used_by_a_later_one(web: Stage) -> None:
    def command(name: str, mode: str, line: str, value: str) -> dict[str, Any]:
        return {
            "name": name,
            "type": "cmdProbe",
            "mode": mode,
            "cmdProbe/inputs": {
                "command": line,
                "comparator": {"type": "int", "criteria": "==", "value": value},
                "source": "inline",
            },
            "runProperties": {"probeTimeout": 5, "interval": 1, "retry": 1},
        }

    first = command("first", "SOT", "echo 40", "40")
    second = command("second", "EOT", "echo $(( {{ .first.ProbeArtifacts.Register }} + 2 ))", "42")
    result = run(web, first, second)
    assert web.verdict() == ("Pass", "N/A")
    assert words(result) == {"first": {"PreChaos": PASSED}, "second": {"PostChaos": PASSED}}


def test_the_cluster_itself_is_asked_in_the_spelling_of_1_10(web: Stage) -> None:
    probe = {
        "name": "deployed",
        "type": "k8sProbe",
        "mode": "Edge",
        "operation": "present",
        "k8sProbe/inputs": {
            "command": {
                "group": "apps",
                "version": "v1",
                "resource": "deployments",
                "namespace": web.name,
                "labelSelector": "app=web",
            }
        },
        "runProperties": {"probeTimeout": 5, "interval": 1, "retry": 1},
    }
    result = run(web, probe)
    assert web.verdict() == ("Pass", "N/A")
    assert words(result) == {"deployed": {"PreChaos": PASSED, "PostChaos": PASSED}}


def test_probes_that_can_not_be_evaluated_are_refused_before_anything_is_touched(web: Stage) -> None:
    before = web.pods()
    engine = web.engine("pod-delete")
    slo = {"name": "objective", "type": "sloProbe", "mode": "EOT", "sloProbe/inputs": {}, "runProperties": {}}
    engine["spec"]["experiments"][0]["spec"]["probe"] = [slo]
    web.apply(engine)
    assert until(
        lambda: [told for told in web.events(warnings=True) if "sloProbe is not supported" in told],
        "the operator to refuse the engine",
    )
    assert web.pods() == before


# The recovery of one replica is measured twice, by the probe and by the test; of three, that there was nothing to see.


@pytest.fixture
def client(web: Stage) -> Stage:
    """The test's own client of web, in a pod of its own."""
    container = {
        "name": "client",
        "image": stages.IMAGE or charts.DEFAULT_IMAGE,
        "command": ["python", "-c", CLIENT, url(web)],
    }
    spec = {"terminationGracePeriodSeconds": 0, "containers": [container]}
    web.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "client"}, "spec": spec})
    web.kubectl("wait", "pod/client", "--for=condition=Ready", "--timeout=60s")
    return web


def traffic(stage: Stage) -> dict[str, Any]:
    return {
        "name": "shoppers",
        "type": "trafficProbe",
        "mode": "Continuous",
        "trafficProbe/inputs": {"url": url(stage), "rate": 20, "timeout": "2s"},
    }


def longest_outage(stage: Stage) -> float:
    """Of the test's client, in seconds: from the last good answer before a failure to the first one behind it."""
    lines = [line.split() for line in stage.kubectl("logs", "client", "--tail=-1").splitlines()]
    longest, good_at, down = 0.0, 0.0, False
    for at, good in ((float(line[0]), line[1] == "1") for line in lines if len(line) == 2):
        if good and down and good_at:
            longest = max(longest, at - good_at)
        down = not good
        good_at = at if good else good_at
    return longest


def test_one_replica_is_not_there_all_the_time_and_fails_the_criterion(client: Stage) -> None:
    result = run(client, traffic(client), impact={"availability": ">= 99%"}, env={"TOTAL_CHAOS_DURATION": 20})
    verdict, step = client.verdict()
    (signal,) = result["impact"]["signals"]
    assert verdict == "Fail", json.dumps(signal)
    assert "impact.availability" in step
    assert "'>= 99%' would have passed" in step
    assert signal["fault"]["availability"]["value"] < 99
    assert signal["baseline"]["availability"]["value"] == 100
    outage = longest_outage(client)
    assert outage > 0
    measured = signal["longestOutage"]
    assert measured["low"] - 0.5 <= outage <= measured["high"] + 0.5, (measured, outage)
    (run_,) = result["history"]["runs"]
    assert run_["availability"] == signal["fault"]["availability"]["value"]


def test_three_replicas_behind_a_service_are_there_and_pass(client: Stage) -> None:
    client.kubectl("scale", "deployment/web", "--replicas=3")
    client.kubectl("rollout", "status", "deployment/web", "--timeout=90s")
    result = run(
        client,
        traffic(client),
        impact={"availability": ">= 99%"},
        env={"TOTAL_CHAOS_DURATION": 20, "CHAOS_INTERVAL": 30},
    )
    (signal,) = result["impact"]["signals"]
    assert client.verdict() == ("Pass", "N/A"), json.dumps(signal)
    assert signal["fault"]["availability"]["value"] >= 99
    assert datetime.fromisoformat(signal["fault"]["start"]) < datetime.fromisoformat(signal["fault"]["end"])
    assert longest_outage(client) < 2
