"""pod-delete: what is deleted is recorded first, proven gone, and must be replaced in time."""

import asyncio

import pytest

from litmus.api.targeting import ANY_OWNER, POD, AppTarget
from litmus.experiments import pod_delete, tunables, verdicts
from litmus.kube import errors, waiting
from tests import apiserver, samples
from tests.experiments import stage

STATEFUL = AppTarget(kind="statefulset", namespace="shop", labels="app=db")


def db(name: str, uid: str, **changes) -> dict:
    return samples.pod(name, uid=uid, owner=("StatefulSet", "db"), labels={"app": "db"}, **changes)


@pytest.fixture
async def begin(server, cluster, monkeypatch):
    """A run of pod-delete whose chaos ends after so many rounds."""

    async def context(*, rounds: int = 1, **env):
        stage.rounds(monkeypatch, rounds)
        return await stage.context(server, cluster, pod_delete.PodDelete(), **env)

    return context


async def inject(context) -> None:
    async with asyncio.timeout(10):
        await pod_delete.PodDelete().inject(context)


def deleted(server) -> list[str]:
    return [asked.name for asked in server.asked if asked.verb == "delete"]


async def test_one_pod_is_deleted_replaced_and_accounted_for(server, begin):
    stage.deployment(server, "web-a", "web-b", "web-c")
    context = await begin()
    await inject(context)
    [name] = deleted(server)
    [hit] = server.get("chaosresults", "shop-chaos-pod-delete")["status"]["targets"]
    assert (hit["name"], hit["replacedBy"], hit["node"], hit["uid"]) == (
        name,
        f"{name}-next",
        "node-1",
        f"uid-of-{name}",
    )
    assert hit["delivered"] == "pod gone"
    assert hit["goneAfterSeconds"] >= 0
    assert hit["readyAfterSeconds"] >= 0


async def test_the_record_is_written_before_anything_is_deleted(server, begin):
    stage.deployment(server, "web-a")
    recorded = []
    server.on(
        "delete",
        "pods",
        lambda kept, pod: recorded.append(
            [(fault["state"], fault["node"], fault["targets"][0]["uid"]) for fault in stage.ledger(kept, "pod-delete")]
        ),
    )
    await inject(await begin())
    assert recorded == [[("planned", "node-1", "uid-of-web-a")]]


async def test_nothing_is_deleted_when_the_record_can_not_be_written(server, begin):
    stage.deployment(server, "web-a")
    context = await begin()

    def refuse_records(asked):
        records = asked.verb == "patch" and asked.body.get("status", {}).get("faults")
        return apiserver.failure(403, "no patch") if records else None

    with server.answer(refuse_records), pytest.raises(errors.Forbidden, match="no patch"):
        await inject(context)
    assert deleted(server) == []


async def test_every_record_is_closed_when_the_pods_are_gone(server, begin):
    stage.deployment(server, "web-a", "web-b", node="node-7")
    await inject(await begin(PODS_AFFECTED_PERC="100"))
    states = [(fault["node"], fault["state"], len(fault["targets"])) for fault in stage.ledger(server, "pod-delete")]
    assert states == [("node-7", "moot", 2)]
    assert server.get("chaosresults", "shop-chaos-pod-delete")["metadata"]["finalizers"] == []


@pytest.mark.parametrize(("force", "grace"), [("true", "0"), ("false", None)])
async def test_force_deletes_without_a_grace_period_and_only_force_does(server, begin, force, grace):
    stage.deployment(server, "web-a")
    await inject(await begin(FORCE=force))
    [asked] = [asked for asked in server.asked if asked.verb == "delete"]
    assert {**asked.query, **(asked.body or {})}.get("gracePeriodSeconds") == grace


async def test_round_after_round_hits_pods_until_the_chaos_ends(server, begin):
    stage.deployment(server, "web-a", "web-b")
    await inject(await begin(rounds=4))
    assert len(deleted(server)) == 4
    assert len(server.get("chaosresults", "shop-chaos-pod-delete")["status"]["targets"]) == 4


async def test_in_parallel_all_of_a_round_are_deleted_before_one_is_awaited(server, begin):
    stage.deployment(server, "web-a", "web-b", "web-c")
    await inject(await begin(PODS_AFFECTED_PERC="100", SEQUENCE="parallel"))
    pods = [asked for asked in server.asked if asked.plural == "pods"]
    verbs = [asked.verb for asked in pods]
    first = verbs.index("delete")
    assert verbs[first : first + 3] == ["delete"] * 3


async def test_in_series_one_is_replaced_before_the_next_is_deleted(server, begin):
    stage.deployment(server, "web-a", "web-b")
    alive = []
    server.on("delete", "pods", lambda kept, _: alive.append(len(kept.all("pods"))))
    await inject(await begin(rounds=2, PODS_AFFECTED_PERC="100", SEQUENCE="serial"))
    assert sorted(deleted(server)) == ["web-a", "web-b"]
    assert alive == [3, 3]  # two of the application and the experiment's own, each time


async def test_a_named_pod_is_followed_from_successor_to_successor(server, begin):
    stage.deployment(server, "web-a", "web-b")
    await inject(await begin(rounds=3, TARGET_PODS="web-a"))
    assert deleted(server) == ["web-a", "web-a-next", "web-a-next-next"]


async def test_a_stateful_pod_is_replaced_by_one_of_the_same_name_and_another_uid(server, begin):
    server.put("pods", db("db-0", "first"))
    server.on("delete", "pods", lambda kept, pod: kept.put("pods", db("db-0", "second")))
    await inject(await begin(setting_={"targets": (STATEFUL,)}))
    [hit] = server.get("chaosresults", "shop-chaos-pod-delete")["status"]["targets"]
    assert (hit["uid"], hit["replacedBy"], hit["delivered"]) == ("first", "db-0", "pod gone")


async def test_a_pod_that_was_there_before_is_never_taken_for_a_replacement(server, begin):
    """Two replicas, one deleted, nobody replaces it: the other one does not count."""
    for name in ("web-a", "web-b"):
        server.put("pods", samples.pod(name))
    with pytest.raises(verdicts.CheckFailed, match=r"were not replaced within 0\.2 s: web-\w \(no new pod\)"):
        await inject(await begin(FORCE="true", setting_={"check_timeout_s": 0.2}))


async def test_a_pod_that_lost_its_label_is_not_taken_for_gone(server, begin, monkeypatch):
    monkeypatch.setattr(pod_delete, "_REMOVAL_MARGIN_S", 0.2)
    server.put("pods", samples.pod("web-a", finalizers=["kubelet/grace"]))

    def relabel(kept, pod):
        stage.replace(kept, pod)
        kept.change("pods", "web-a", {"metadata": {"labels": {"app": None}}})

    server.on("delete", "pods", relabel)
    with pytest.raises(verdicts.CannotRun, match="web-a was deleted but is still there"):
        await inject(await begin(FORCE="true", CHAOS_INTERVAL="0.05"))


async def test_a_new_pod_of_another_workload_is_no_replacement(server, begin):
    server.put("pods", samples.pod("web-a"))
    other = samples.pod("api-1", owner=("ReplicaSet", "api-5d7f9"))
    server.on("delete", "pods", lambda kept, _: kept.put("pods", other))
    target = AppTarget(kind=ANY_OWNER, namespace="shop", labels="app=web")
    context = await begin(FORCE="true", setting_={"check_timeout_s": 0.2, "targets": (target,)})
    with pytest.raises(verdicts.CheckFailed, match="no new pod"):
        await inject(context)


async def test_a_replacement_that_does_not_become_ready_is_a_failure_that_names_it(server, begin):
    server.put("pods", samples.pod("web-a"))
    server.on("delete", "pods", lambda kept, pod: stage.replace(kept, pod, ready=False))
    with pytest.raises(verdicts.CheckFailed) as caught:
        await inject(await begin(FORCE="true", setting_={"check_timeout_s": 0.5}))
    assert str(caught.value) == ("deleted pods were not replaced within 0.5 s: web-a (web-a-next is not ready)")
    assert caught.value.code == verdicts.STATUS_CHECKS


async def test_a_replacement_that_becomes_ready_later_is_waited_for(server, begin):
    server.put("pods", samples.pod("web-a"))
    server.on("delete", "pods", lambda kept, pod: stage.replace(kept, pod, ready=False))
    run = asyncio.create_task(inject(await begin()))
    await server.until_asked("watch", "pods")
    server.put("pods", samples.pod("web-a-next", creationTimestamp="2026-01-01T00:01:00Z"))
    await run


async def test_two_deleted_pods_need_two_replacements(server, begin):
    for name in ("web-a", "web-b"):
        server.put("pods", samples.pod(name))
    server.on(
        "delete", "pods", lambda kept, pod: stage.replace(kept, pod) if pod["metadata"]["name"] == "web-a" else None
    )
    with pytest.raises(verdicts.CheckFailed, match=r"no new pod") as caught:
        await inject(await begin(FORCE="true", PODS_AFFECTED_PERC="100", setting_={"check_timeout_s": 0.2}))
    assert str(caught.value).count("no new pod") == 1


async def test_a_pod_that_outlives_its_deletion_is_an_error_and_no_failure(server, begin, monkeypatch):
    monkeypatch.setattr(pod_delete, "_REMOVAL_MARGIN_S", 0.2)
    server.put("pods", samples.pod("web-a", finalizers=["somebody.io/hold"]))
    server.on("delete", "pods", stage.replace)
    with pytest.raises(verdicts.CannotRun, match="web-a was deleted but is still there") as caught:
        await inject(await begin(FORCE="true", CHAOS_INTERVAL="0.05"))
    assert caught.value.code == verdicts.INJECT
    assert "finalizer" in str(caught.value)


async def test_a_pod_that_ends_slowly_is_waited_for_at_the_end(server, begin):
    """It has a grace period; its replacement is there at once, so the chaos goes on meanwhile."""
    server.put("pods", samples.pod("web-a", finalizers=["kubelet/grace"]))
    server.on("delete", "pods", stage.replace)
    run = asyncio.create_task(inject(await begin()))
    while not server.get("pods", "web-a")["metadata"].get("deletionTimestamp"):
        await server.until_asked("delete", "pods")
    assert not run.done()
    server.remove("pods", "web-a")
    await run
    [hit] = server.get("chaosresults", "shop-chaos-pod-delete")["status"]["targets"]
    assert hit["delivered"] == "pod gone"
    assert [fault["state"] for fault in stage.ledger(server, "pod-delete")] == ["moot"]


async def test_a_deletion_that_is_not_permitted_ends_the_run(server, begin):
    stage.deployment(server, "web-a")
    server.forbid("delete", "pods")
    with pytest.raises(errors.Forbidden, match='cannot delete resource "pods"'):
        await inject(await begin())


async def test_the_smallest_role_in_the_field_is_enough(server, begin):
    stage.deployment(server, "web-a", "web-b")
    server.forbid("watch", "*")
    server.forbid("list", "replicasets", "deployments", "nodes")
    await inject(await begin(rounds=2))
    assert len(deleted(server)) == 2


async def test_people_are_told_what_is_hit(server, begin):
    stage.deployment(server, "web-a")
    await inject(await begin())
    [event] = server.all("events")
    assert (event["reason"], event["message"]) == ("ChaosInject", "Injecting pod-delete chaos on web-a")


async def test_nothing_is_hit_when_there_is_nothing_to_hit(server, begin):
    with pytest.raises(verdicts.CannotRun, match="no running pod was found"):
        await inject(await begin())
    assert deleted(server) == []


async def test_pods_named_by_the_engine_are_all_hit(server, begin):
    stage.deployment(server, "web-a", "web-b", "web-c")
    target = AppTarget(kind=POD, namespace="shop", names=("web-a", "web-c"))
    await inject(await begin(setting_={"targets": (target,)}))
    assert sorted(deleted(server)) == ["web-a", "web-c"]


async def test_a_pod_that_is_named_twice_is_deleted_once(server, begin):
    stage.deployment(server, "web-a", "web-b")
    await inject(await begin(TARGET_PODS="web-a,web-a"))
    assert deleted(server) == ["web-a"]


async def test_a_pod_is_deleted_even_when_the_duration_was_used_up_before(server, begin):
    stage.deployment(server, "web-a")
    context = await begin()
    context.values = tunables.Values({**context.values._values, "TOTAL_CHAOS_DURATION": 0})
    await inject(context)
    assert deleted(server) == ["web-a"]


async def test_a_successor_that_was_evicted_is_not_waited_for(server, begin):
    server.put("pods", samples.pod("web-a"))

    def twice(kept, gone):
        if gone["metadata"]["name"] == "web-a":
            evicted = {"ready": False, "phase": "Failed", "creationTimestamp": "2026-01-01T00:01:00Z"}
            kept.put("pods", samples.pod("web-n1", **evicted))
            kept.put("pods", samples.pod("web-n2", creationTimestamp="2026-01-01T00:02:00Z"))

    server.on("delete", "pods", twice)
    await inject(await begin(FORCE="true", setting_={"check_timeout_s": 0.5}))
    [hit] = server.get("chaosresults", "shop-chaos-pod-delete")["status"]["targets"]
    assert hit["replacedBy"] == "web-n2"


async def test_a_pod_that_somebody_else_removed_first_is_no_hit_of_ours(server, begin):
    stage.deployment(server, "web-a")

    def scale_down(asked):
        if asked.verb == "delete" and asked.plural == "pods" and ("pods", "shop", "web-a") in server.objects:
            server.remove("pods", "web-a")
            server.put("pods", samples.pod("web-z", creationTimestamp="2026-01-01T00:01:00Z"))

    with server.answer(scale_down):
        await inject(await begin(rounds=2))
    [hit] = server.get("chaosresults", "shop-chaos-pod-delete")["status"]["targets"]
    assert hit["name"] == "web-z"
    assert "nothing: the chosen pods were gone already" in server.all("events")[0]["message"]


@pytest.mark.parametrize("namespace", ["shop", "data"])
async def test_the_application_that_recovers_last_decides_wherever_it_is(server, begin, monkeypatch, namespace):
    monkeypatch.setattr(waiting, "_HEARTBEAT_S", 0.05)

    def slow(uid: str, **changes) -> dict:
        made = db("db-0", uid, **changes)
        made["metadata"]["namespace"] = namespace
        return made

    server.put("pods", samples.pod("web-a"))
    server.put("pods", slow("first"), namespace=namespace)

    def recover(kept, gone):
        if gone["metadata"]["name"] == "web-a":
            stage.replace(kept, gone)
        else:
            kept.put("pods", slow("second", ready=False), namespace=namespace)
            ready = (lambda: kept.put("pods", slow("second"), namespace=namespace),)
            asyncio.get_running_loop().call_later(0.2, *ready)

    server.on("delete", "pods", recover)
    both = (stage.WEB, AppTarget(kind="statefulset", namespace=namespace, labels="app=db"))
    await inject(await begin(PODS_AFFECTED_PERC="100", setting_={"targets": both}))
    hits = server.get("chaosresults", "shop-chaos-pod-delete")["status"]["targets"]
    assert sorted(hit["replacedBy"] for hit in hits) == ["db-0", "web-a-next"]


async def test_a_stateful_pod_has_its_grace_period_before_its_successor_is_due(server, begin):
    """A StatefulSet puts the new pod in place only after the old one is gone."""
    old = db("db-0", "first", finalizers=["kubelet/grace"])
    old["spec"]["terminationGracePeriodSeconds"] = 300
    server.put("pods", old)

    def after_its_grace():
        server.remove("pods", "db-0")
        server.put("pods", db("db-0", "second"))

    server.on("delete", "pods", lambda *_: asyncio.get_running_loop().call_later(0.4, after_its_grace))
    await inject(await begin(FORCE="false", setting_={"check_timeout_s": 0.2, "targets": (STATEFUL,)}))


async def test_a_pod_outside_the_label_that_was_there_before_is_no_replacement(server, begin):
    label = "statefulset.kubernetes.io/pod-name"
    for name in ("db-0", "db-1"):
        labels = {"app": "db", label: name}
        server.put("pods", samples.pod(name, owner=("StatefulSet", "db"), labels=labels))
    only = AppTarget(kind="statefulset", namespace="shop", labels=f"{label}=db-0")
    with pytest.raises(verdicts.CheckFailed, match="no new pod"):
        await inject(await begin(FORCE="true", setting_={"targets": (only,), "check_timeout_s": 0.2}))


async def test_in_series_the_record_of_a_pod_that_still_ends_stays_open(server, begin):
    for name in ("web-a", "web-b"):
        server.put("pods", samples.pod(name, finalizers=["kubelet/grace"]))
    server.on("delete", "pods", stage.replace)
    run = asyncio.create_task(
        inject(await begin(rounds=2, PODS_AFFECTED_PERC="100", SEQUENCE="serial", CHAOS_INTERVAL="0.05"))
    )
    await server.until_asked("delete", "pods", times=2)
    open_ = [f for f in stage.ledger(server, "pod-delete") if f["state"] in ("planned", "injected")]
    assert sorted(target["name"] for fault in open_ for target in fault["targets"]) == ["web-a", "web-b"]
    for name in ("web-a", "web-b"):
        server.remove("pods", name)
    await run
