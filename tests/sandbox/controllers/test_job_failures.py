from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from litmus.sandbox.controllers import job_failures
from litmus.sandbox.controllers.job_failures import Ruling, Streak
from litmus.sandbox.machinery.objects import Obj

NOW = datetime(2030, 1, 1, tzinfo=UTC)


def failed(code: int = 1, container: str = "main", condition: tuple[str, str] | None = None) -> Obj:
    conditions = [{"type": condition[0], "status": condition[1]}] if condition else []
    states = [{"name": container, "state": {"terminated": {"exitCode": code}}}]
    status = {"phase": "Failed", "conditions": conditions, "containerStatuses": states}
    return {"metadata": {"namespace": "shop", "name": "j-x"}, "status": status}


def job(*rules: Obj) -> Obj:
    return {"spec": {"podFailurePolicy": {"rules": list(rules)}}}


def codes(action: str, operator: str, *values: int, **more: Any) -> Obj:
    return {"action": action, "onExitCodes": {"operator": operator, "values": list(values), **more}}


@pytest.mark.parametrize(("failures", "pause_s"), [(0, 0), (1, 10), (2, 20), (3, 40), (6, 320), (7, 360), (500, 360)])
def test_retries_pause_ever_longer_up_to_six_minutes(failures: int, pause_s: float) -> None:
    assert Streak(failures, NOW).pause_s(NOW) == pause_s


def test_the_pause_counts_from_the_last_failure() -> None:
    assert Streak(1, NOW - timedelta(seconds=4)).pause_s(NOW) == 6
    assert Streak(1, NOW - timedelta(seconds=400)).pause_s(NOW) == 0


def test_a_success_ends_a_streak() -> None:
    ends = [(NOW + timedelta(seconds=second), success) for second, success in ((3, False), (1, False), (2, True))]
    assert Streak().after(ends) == Streak(1, NOW + timedelta(seconds=3))


@pytest.mark.parametrize(
    ("rule", "pod", "ruling"),
    [
        (codes("Ignore", "In", 1, 2), failed(2), Ruling("Ignore")),
        (codes("Ignore", "In", 1, 2), failed(3), Ruling("Count")),
        (codes("Ignore", "NotIn", 1), failed(3), Ruling("Ignore")),
        (codes("Ignore", "NotIn", 1), failed(1), Ruling("Count")),
        (codes("Ignore", "In", 1, containerName="other"), failed(1), Ruling("Count")),
        (
            codes("FailJob", "In", 42),
            failed(42),
            Ruling(
                "FailJob", "Container main for pod shop/j-x failed with exit code 42 matching FailJob rule at index 0"
            ),
        ),
        (
            {"action": "FailJob", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
            failed(condition=("DisruptionTarget", "True")),
            Ruling("FailJob", "Pod shop/j-x has condition DisruptionTarget matching FailJob rule at index 0"),
        ),
        (
            {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
            failed(condition=("DisruptionTarget", "False")),
            Ruling("Count"),
        ),
    ],
)
def test_a_rule_holds_by_exit_code_or_condition(rule: Obj, pod: Obj, ruling: Ruling) -> None:
    assert job_failures.rule(job(rule), pod) == ruling


def test_the_first_rule_that_holds_decides() -> None:
    assert job_failures.rule(job(codes("Count", "In", 1), codes("FailJob", "In", 1)), failed(1)).action == "Count"


def test_the_policy_is_about_failed_pods_only() -> None:
    pod = failed(1)
    pod["status"]["phase"] = "Running"
    assert job_failures.rule(job(codes("FailJob", "In", 1)), pod) == Ruling()


@pytest.mark.parametrize(
    ("policy", "limit", "restarts", "exceeded"),
    [
        ("OnFailure", 2, 1, False),
        ("OnFailure", 2, 2, True),
        ("OnFailure", 0, 1, True),
        ("OnFailure", 0, 0, False),
        ("Never", 1, 9, False),
    ],
)
def test_restarts_in_place_count_only_when_failures_are_restarted(
    policy: str, limit: int, restarts: int, exceeded: bool
) -> None:
    spec = {"backoffLimit": limit, "template": {"spec": {"restartPolicy": policy}}}
    pod = {"status": {"containerStatuses": [{"name": "c", "restartCount": restarts}]}}
    assert job_failures.restarts_exceed({"spec": spec}, [pod]) is exceeded
