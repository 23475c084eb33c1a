"""What probes of a run make of its verdict, on a real cluster with a real nginx under chaos.

Every type in every mode is in ``test_probes_of_every_kind``, and what is measured in ``test_probes_measure``.
"""

import re
from typing import Any

import pytest

from tests.cluster.stage import Stage, until

PASSED = "Passed 👍"
FAILED = "Better Luck Next Time 👎"


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


def run(stage: Stage, *probes: dict[str, Any], env: Any = None) -> dict[str, Any]:
    """Applies an engine with these probes and waits for its end; the status of the result."""
    engine = stage.engine({"pod-delete": {"FORCE": "true", **(env or {})}})
    engine["spec"]["experiments"][0]["spec"]["probe"] = list(probes)
    stage.apply(engine)
    stage.ended(deadline_s=240)
    return stage.result()


def words(result: dict[str, Any]) -> dict[str, dict[str, str]]:
    return {one["name"]: one["status"] for one in result["probeStatus"]}


def test_a_probe_that_fails_tells_the_observed_value_the_expected_one_and_the_time(web: Stage) -> None:
    result = run(web, http(web, "page", "OnChaos", code="404"))
    verdict, step = web.verdict()
    assert verdict == "Fail"
    assert "probe page (httpProbe, OnChaos) failed" in step
    assert "observed code 200" in step
    assert "expected code == 404" in step
    assert re.search(r", at \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$", step)
    (text,) = words(result)["page"].values()
    assert text.startswith(FAILED)
    assert result["experimentstatus"]["errorOutput"]["errorCode"] == "HTTP_PROBE_FAILURE"


@pytest.mark.parametrize("mode", ["SOT", "Edge"])
def test_no_pod_is_touched_when_the_steady_state_is_not_there_to_begin_with(web: Stage, mode: str) -> None:
    before = web.pods()
    result = run(web, http(web, "page", mode, code="404"), http(web, "later", "EOT"))
    verdict, step = web.verdict()
    assert verdict == "Fail", step
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
