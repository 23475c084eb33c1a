"""What the checks say of a cluster, in each state that a learner may bring it to."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from litmus.tutorial import checks
from litmus.tutorial.cluster import Cluster, Obj

READY = {"conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:03Z"}]}


class Known(Cluster):
    """A cluster whose objects are given, by resource and name."""

    def __init__(self, *, may: Sequence[str] = (), plan: Obj | None = None, **objects: Mapping[str, Any]) -> None:
        super().__init__(env={}, folder=Path())
        self._objects, self._may, self._plan = objects, may, plan

    def get(self, resource: str, name: str, *, namespace: str = "nginx") -> Obj | None:
        return self._objects.get(resource, {}).get(name)

    def list(self, resource: str, *, namespace: str = "nginx", labels: str = "") -> Sequence[Obj]:
        return [*self._objects.get(resource, {}).values()]

    def may(self, account: str, verb: str, resource: str) -> bool:
        return f"{verb} {resource}" in self._may

    def plan(self, engine: str) -> Obj | None:
        return self._plan


def scene(*, facts: Mapping[str, str] | None = None, asked: Mapping[str, Any] | None = None, **known: Any):
    return checks.Scene(cluster=Known(**known), facts=facts or {}, asked=asked)


def deployment(*, ready: int = 3, delay_s: int = 0, annotations: Mapping[str, str] | None = None, seen: int = 1) -> Obj:
    container = {"readinessProbe": {"initialDelaySeconds": delay_s}}
    return {
        "metadata": {"generation": 1, "annotations": annotations or {}},
        "spec": {"replicas": 3, "template": {"spec": {"containers": [container]}}},
        "status": {"observedGeneration": seen, "replicas": 3, "updatedReplicas": 3, "readyReplicas": ready},
    }


def application(**changes: Any) -> dict[str, Any]:
    return {"deployment": {"nginx": deployment(**changes)}, "service": {"nginx": {}}}


def pod(name: str, *, leaving: bool = False, restarts: int = 0) -> Obj:
    meta = {"name": name, "creationTimestamp": "2026-01-01T00:00:01Z"}
    status = {**READY, "containerStatuses": [{"restartCount": restarts}]}
    return {"metadata": {**meta, "deletionTimestamp": "x"} if leaving else meta, "status": status}


def pods(*some: Obj) -> dict[str, Obj]:
    return {one["metadata"]["name"]: one for one in some}


def result(verdict: str = "Pass", *, number: int = 1, finished: bool = True, targets: Sequence[Obj] = ()) -> Obj:
    run = {"number": number, "finishedAt": "now"} if finished else {"number": number}
    outcome = {"verdict": verdict, "failStep": "because"}
    return {"status": {"experimentstatus": outcome, "run": run, "targets": targets, "history": {"passedRuns": 1}}}


def chaos(made: Obj) -> dict[str, Any]:
    return {"chaosresult": {"nginx-chaos-pod-delete": made}}


ASKED = {"asked": 60, "answered": 60, "failed": 0, "median_ms": 1.5}


@pytest.mark.parametrize(
    ("check", "known", "missing"),
    [
        (checks.nodes_ready, {}, "nodes"),
        (checks.nodes_ready, {"nodes": {"a": {"status": READY}, "b": {"status": {}}}}, "nodes"),
        (checks.nodes_ready, {"nodes": {"a": {"status": READY}}}, ""),
        (checks.application_ready, {}, "application"),
        (checks.application_ready, {"deployment": {"nginx": deployment()}}, "service"),
        (checks.application_ready, application(ready=2), "pods"),
        (checks.application_ready, application(seen=0), "pods"),
        (checks.application_ready, application(), ""),
        (checks.fast, application(delay_s=25), "still-slow"),
        (checks.fast, application(), ""),
        (checks.slow, application(), "still-fast"),
        (checks.slow, application(delay_s=25, ready=1), "pods"),
        (checks.slow, application(delay_s=25), ""),
        (checks.answered, {}, "not-asked"),
        (checks.answered, {"asked": {**ASKED, "failed": 1}}, "requests"),
        (checks.answered, {"asked": {**ASKED, "answered": 0}}, "requests"),
        (checks.answered, {"asked": ASKED}, ""),
        (checks.operator_ready, {}, "definitions"),
        (checks.operator_ready, {"crd": {"chaosengines.litmuschaos.io": {}}}, "operator"),
        (checks.operator_gone, {"deployment": {"chaos-operator-ce": {}}}, "operator-there"),
        (checks.operator_gone, {}, ""),
        (checks.experiments_there, {"chaosexperiments": pods(pod("pod-delete"))}, "experiments"),
        (checks.experiments_there, {"chaosexperiments": pods(pod("pod-delete"), pod("container-kill"))}, ""),
        (checks.role_is_small, {}, "role"),
        (checks.role_is_small, {"may": ["delete pods", "delete nodes"]}, "role-too-wide"),
        (checks.role_is_small, {"may": ["delete pods"]}, ""),
        (checks.agreed, application(), "annotation"),
        (checks.agreed, application(annotations={"litmuschaos.io/chaos": "false"}), "annotation"),
        (checks.agreed, application(annotations={"litmuschaos.io/chaos": "true"}), ""),
        (checks.refused, application(), "not-run"),
        (checks.refused, application() | chaos(result("Pass")), "verdict"),
        (checks.refused, application() | chaos(result("Error")), ""),
        (checks.refused, application(annotations={"litmuschaos.io/chaos": "true"}), "agreed-already"),
        (checks.planned, {}, "plan"),
        (checks.planned, {"plan": {"blocked": True, "experiments": [{"firstRound": [{"name": "a"}]}]}}, "plan"),
        (checks.planned, {"plan": {"blocked": False, "experiments": [{"firstRound": []}]}}, "plan"),
        (checks.planned, {"plan": {"blocked": False, "experiments": [{"firstRound": [{"name": "a"}]}]}}, ""),
        (checks.CHAOS.passed, {}, "not-run"),
        (checks.CHAOS.passed, chaos(result(finished=False)), "running"),
        (checks.CHAOS.passed, chaos(result("Fail")), "verdict"),
        (checks.CHAOS.passed, chaos(result()), ""),
        (checks.CHAOS.failed, chaos(result("Fail")), ""),
        (checks.CHAOS.failed, chaos(result("Error")), "verdict"),
        (checks.CHAOS.there, {}, "no-result"),
        (checks.CHAOS.there, chaos(result()), ""),
        (checks.CHAOS.begun, chaos(result(finished=False)), "not-begun"),
        (checks.CHAOS.begun, chaos(result(finished=False, targets=[{"name": "a"}])), ""),
        (checks.CHAOS.begun, chaos(result(targets=[{"name": "a"}])), "over"),
        (checks.CHAOS.stopped, chaos(result("Stopped")) | application(ready=2), "pods"),
        (checks.CHAOS.stopped, chaos(result("Stopped")) | application(), ""),
        (checks.killed, {"chaosresult": {"nginx-kill-container-kill": result()}}, "not-asked"),
        (checks.killed, {"chaosresult": {"nginx-kill-container-kill": result()}, "asked": ASKED}, ""),
    ],
)
def test_a_check_says_what_is_missing(check: Any, known: dict[str, Any], missing: str):
    assert check(scene(**known)).missing == missing


def test_a_run_from_before_the_task_does_not_count():
    known = chaos(result(number=2))
    facts = checks.CHAOS.before(scene(**known))
    assert checks.CHAOS.passed(scene(facts=facts, **known)).missing == "not-run"
    assert checks.CHAOS.passed(scene(facts=facts, **chaos(result(number=3)))).ok


def test_a_run_tells_who_was_hit_first_and_what_took_longest():
    targets = [{"name": "a", "readyAfterSeconds": 1.26}, {"name": "b", "readyAfterSeconds": 3.04}, {"name": "c"}]
    facts = checks.CHAOS.passed(scene(**chaos(result(targets=targets)))).facts
    assert (facts["hits"], facts["first"], facts["slowest"]) == ("3", "a", "3.0")


def test_a_deleted_pod_and_its_replacement_are_told_by_name():
    before = checks.present(scene(pods=pods(pod("b"), pod("a"), pod("leaving", leaving=True))))
    assert before == {"pods": "a,b", "pod": "a"}

    def look(*some: Obj) -> checks.Seen:
        return checks.replaced(scene(facts=before, pods=pods(*some)))

    assert look(pod("a"), pod("b")).missing == "not-deleted"
    assert look(pod("b")).missing == "not-replaced"
    assert look(pod("b"), pod("c", leaving=True)).missing == "not-replaced"
    assert look(pod("b"), pod("c")).facts == {"pod": "a", "replacement": "c", "seconds": "2"}


def test_any_of_the_pods_may_be_the_one_that_was_deleted():
    seen = checks.replaced(scene(facts={"pods": "a,b", "pod": "a"}, pods=pods(pod("a"), pod("c"))))
    assert seen.facts["pod"] == "b"


def test_restarts_are_counted_over_all_pods():
    known = {
        "chaosresult": {"nginx-kill-container-kill": result()},
        "pods": pods(pod("a", restarts=2), pod("b", restarts=1)),
    }
    assert checks.killed(scene(asked=ASKED, **known)).facts["restarts"] == "3"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"asked": 1}', "nonsense"])
def test_an_account_that_is_none_counts_as_not_asked(text: str):
    assert checks.account(text) is None
