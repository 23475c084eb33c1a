"""The criteria of an engine on a real cluster, and what the result says of availability and recovery, which a client of
the test's own confirms (``client``).

The two see the same application, not the same requests: each asks ten times a second. So availability may differ by
``POINTS`` of a hundred, and a time by ``SECONDS`` - ten of their samples, which a busy machine is late by - beyond the
interval that the result states.
"""

import json
from datetime import datetime
from typing import Any

from tests.cluster import client
from tests.cluster.stage import Stage, until

POINTS = 5.0
SECONDS = 1.0
CRITERIA = {"availability": ">= 99%", "recovery": "<= 20s"}


def serve(stage: Stage, *, replicas: int) -> None:
    """nginx behind a Service, each pod ready some seconds after its start, as an application that has to warm up."""
    stage.deploy(replicas, ready_after_s=3)
    stage.kubectl("expose", "deployment", "web", "--port=80", "--type=NodePort")

    def endpoints() -> bool:
        (found,) = stage.get("endpoints", selector="app=web")
        return sum(len(one.get("addresses", [])) for one in found.get("subsets", [])) == replicas

    until(endpoints, "the endpoints of web")


def run(stage: Stage, **env: int) -> tuple[dict[str, Any], client.Seen]:
    """A run of pod-delete with a trafficProbe, and what the test saw of it itself."""
    url = f"http://{stage.get('service', 'web')['spec']['clusterIP']}/"
    engine = stage.engine({"pod-delete": {"FORCE": "true", **env}})
    engine["spec"]["experiments"][0]["spec"] |= {
        "impact": CRITERIA,
        "probe": [
            {
                "name": "shoppers",
                "type": "trafficProbe",
                "mode": "Continuous",
                "trafficProbe/inputs": {"url": url, "rate": 10, "timeout": "2s"},
            }
        ],
    }
    with client.watching(stage) as seen:
        stage.apply(engine)
        stage.ended(deadline_s=300)
    return stage.result(), seen


def confirmed(result: dict[str, Any], seen: client.Seen) -> None:
    """The figures of the result are those of the test's client."""
    (signal,) = result["impact"]["signals"]
    told = json.dumps({key: value for key, value in signal.items() if key != "slices"})
    fault = signal["fault"]
    start, end = (datetime.fromisoformat(fault[one]).timestamp() for one in ("start", "end"))
    available, own = fault["availability"], seen.availability(start, end)
    assert available["low"] - POINTS <= own <= available["high"] + POINTS, (own, told)
    recovery, own = signal["timeToRecover"], seen.recovery(killed(result))
    assert "value" in recovery, told
    # The result counts from the order to delete a pod, the client from when the pod was gone.
    later = max(target["goneAfterSeconds"] for target in result["targets"])
    assert recovery["low"] - later - SECONDS <= own <= recovery["high"] + SECONDS, (own, later, told)


def killed(result: dict[str, Any]) -> list[str]:
    return [target["name"] for target in result["targets"]]


def judged(result: dict[str, Any]) -> dict[str, str]:
    return {one["name"]: one["judgement"] for one in result["impact"]["criteria"]}


def test_one_replica_is_not_there_all_the_time_and_fails_the_criterion(stage: Stage) -> None:
    serve(stage, replicas=1)
    result, seen = run(stage, TOTAL_CHAOS_DURATION=20, CHAOS_INTERVAL=10)
    verdict, step = stage.verdict()
    (signal,) = result["impact"]["signals"]
    assert verdict == "Fail", json.dumps(signal)
    assert "impact.availability" in step
    assert "'>= 99%' would have passed" in step
    assert judged(result) == {"availability": "missed", "recovery": "met"}
    assert signal["baseline"]["availability"]["value"] > 95  # a busy machine loses some
    assert signal["fault"]["availability"]["value"] < 99
    assert signal["timeToRecover"]["value"] > 0
    confirmed(result, seen)
    (told,) = result["history"]["runs"]
    assert told["availability"] == signal["fault"]["availability"]["value"]


def test_three_replicas_behind_a_service_are_there_and_pass(stage: Stage) -> None:
    serve(stage, replicas=3)
    result, seen = run(stage, TOTAL_CHAOS_DURATION=30, CHAOS_INTERVAL=40)
    (signal,) = result["impact"]["signals"]
    assert stage.verdict() == ("Pass", "N/A"), json.dumps(signal)
    assert judged(result) == {"availability": "met", "recovery": "met"}
    assert len(killed(result)) == 1
    confirmed(result, seen)
