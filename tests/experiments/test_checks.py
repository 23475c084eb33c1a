"""Health of the application and of its neighbours, before and after the chaos."""

import asyncio

import pytest

from litmus.api.targeting import ANY_OWNER, AppTarget
from litmus.experiments import checks, verdicts
from tests import samples
from tests.experiments.stage import WEB


@pytest.mark.parametrize(
    ("pods", "sentence"),
    [
        ([samples.a_pod()], ""),
        ([samples.a_pod("a"), samples.a_pod("b")], ""),
        ([], "no pod is left"),
        (
            [samples.a_pod("a"), samples.a_pod("b", ready=False)],
            "1 of 2 pods are ready; not ready: b is Running",
        ),
        (
            [samples.a_pod("a", deletionTimestamp="2026-01-01T00:00:00Z")],
            "0 of 1 pods are ready; not ready: a is being deleted",
        ),
        (
            [
                samples.a_pod(
                    "a", containers=[samples.container(ready=False, state=samples.waiting("CrashLoopBackOff"))]
                )
            ],
            "0 of 1 pods are ready; not ready: a waits (CrashLoopBackOff)",
        ),
        (
            [
                samples.a_pod(
                    "a", containers=[samples.container(ready=False, state=samples.terminated(1, reason="Error"))]
                )
            ],
            "0 of 1 pods are ready; not ready: a ended (Error)",
        ),
        ([samples.a_pod("a", phase="Pending", containers=[])], "0 of 1 pods are ready; not ready: a is Pending"),
        ([samples.a_pod("a", phase="", containers=[])], "0 of 1 pods are ready; not ready: a is not scheduled"),
        (
            [samples.a_pod("a", containers=[samples.container("x"), samples.container("y", ready=False)])],
            "0 of 1 pods are ready; not ready: a is Running",
        ),
    ],
)
def test_what_is_wrong_with_an_application_is_told_pod_by_pod(pods, sentence):
    assert checks.complaint(pods) == sentence


def test_of_many_sick_pods_the_first_are_named_and_the_others_counted():
    sick = [samples.a_pod(f"web-{n}", ready=False) for n in range(8)]
    text = checks.complaint([samples.a_pod("ok"), *sick])
    assert text.startswith("1 of 9 pods are ready; not ready: web-0 is Running, ")
    assert text.endswith("web-4 is Running and 3 more")


async def test_a_healthy_application_passes_at_the_first_look(server, cluster):
    server.put("pods", samples.pod())
    await checks.healthy(cluster, [WEB], timeout_s=5)
    assert server.verbs("pods") == ["list"]


async def test_an_application_that_becomes_healthy_in_time_passes(server, cluster):
    server.put("pods", samples.pod(ready=False))
    check = asyncio.create_task(checks.healthy(cluster, [WEB], timeout_s=5))
    await server.until_asked("watch", "pods")
    server.put("pods", samples.pod(ready=True))
    await check


async def test_an_application_that_stays_ill_fails_with_the_last_state_seen(server, cluster):
    server.put("pods", samples.pod("web-0", ready=False))
    with pytest.raises(verdicts.CheckFailed) as caught:
        await checks.healthy(cluster, [WEB], timeout_s=0.1)
    assert str(caught.value) == (
        "deployment with label app=web in namespace shop was not healthy within 0.1 s: "
        "0 of 1 pods are ready; not ready: web-0 is Running"
    )
    assert caught.value.code == verdicts.STATUS_CHECKS


async def test_completed_pods_that_share_the_label_and_our_own_pods_are_no_part_of_the_service(server, cluster):
    server.put("pods", samples.pod("web-0"))
    server.put("pods", samples.pod("migrate", owner=("Job", "migrate"), phase="Succeeded", ready=False))
    server.put("pods", samples.pod("runner", labels={"app": "web", "chaosUID": "x"}, ready=False))
    anything = AppTarget(kind=ANY_OWNER, namespace="shop", labels="app=web")
    await checks.healthy(cluster, [WEB, anything], timeout_s=5)


async def test_every_application_is_checked(server, cluster):
    server.put("pods", samples.pod("web-0"))
    missing = AppTarget(kind=ANY_OWNER, namespace="shop", labels="app=db")
    with pytest.raises(verdicts.CheckFailed, match=r"app=db in namespace shop was not healthy.*no pod is left"):
        await checks.healthy(cluster, [WEB, missing], timeout_s=0.1)


async def test_a_role_that_may_not_look_is_an_error_and_no_failure(server, cluster):
    server.forbid("list", "pods")
    with pytest.raises(verdicts.CannotRun, match="grant list on pods there") as caught:
        await checks.healthy(cluster, [WEB], timeout_s=5)
    assert caught.value.code == verdicts.PERMISSION


async def test_without_an_application_there_is_nothing_to_check(server, cluster):
    await checks.healthy(cluster, [], timeout_s=5)
    assert server.asked == []


async def test_with_a_timeout_of_zero_the_application_is_looked_at_once(server, cluster):
    server.put("pods", samples.pod())
    await checks.healthy(cluster, [WEB], timeout_s=0)
