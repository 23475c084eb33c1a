"""pod-delete on a real cluster: who is hit is read from the pods' uids, not from our report."""

import pytest

from tests.cluster.stage import Stage


def test_deletes_one_pod_a_round_and_passes_when_each_is_replaced(stage: Stage) -> None:
    stage.deploy(3)
    before = stage.pods()
    stage.apply(stage.engine({"pod-delete": {"TOTAL_CHAOS_DURATION": 12, "CHAOS_INTERVAL": 4}}))
    assert stage.ended()["experiments"][0]["verdict"] == "Pass"
    after = stage.pods()
    result = stage.result()
    hit = {target["uid"] for target in result["targets"]}
    assert len(after) == 3
    assert len(result["targets"]) == 3
    assert set(before) - set(after) == hit & set(before)
    assert all(target["goneAfterSeconds"] >= 0 and target["readyAfterSeconds"] > 0 for target in result["targets"])
    assert {target["replacedBy"] for target in result["targets"]} >= set(after.values()) - set(before.values())


def test_the_ledger_is_closed_and_the_result_can_be_deleted(stage: Stage) -> None:
    stage.deploy(1)
    stage.apply(stage.engine("pod-delete"))
    stage.ended()
    found = stage.get("chaosresult", "chaos-pod-delete")
    assert [fault["state"] for fault in found["status"]["faults"]] == ["moot"]
    assert "finalizers" not in found["metadata"]
    stage.kubectl("delete", "chaosresult", "chaos-pod-delete", "--timeout=10s")


@pytest.mark.parametrize(("share", "hit"), [("50", 2), ("100", 4), ("", 1)])
def test_a_percentage_is_rounded_down_and_hits_at_least_one(stage: Stage, share: str, hit: int) -> None:
    stage.deploy(4)
    before = stage.pods()
    stage.apply(stage.engine({"pod-delete": {"PODS_AFFECTED_PERC": share, "FORCE": "true"}}))
    stage.ended()
    assert len(set(before) - set(stage.pods())) == hit


def test_target_pods_are_hit_and_so_is_what_replaces_them(stage: Stage) -> None:
    stage.deploy(3)
    before = stage.pods()
    victim = sorted(before.values())[0]
    env = {"TARGET_PODS": victim, "TOTAL_CHAOS_DURATION": 8, "CHAOS_INTERVAL": 4, "FORCE": "true"}
    stage.apply(stage.engine({"pod-delete": env}))
    assert stage.ended()["experiments"][0]["verdict"] == "Pass"
    first, second = stage.result()["targets"]
    assert first["name"] == victim
    assert second["name"] == first["replacedBy"]
    assert len(set(before) & set(stage.pods())) == 2


def test_a_serial_run_hits_one_after_the_other(stage: Stage) -> None:
    stage.deploy(2)
    env = {"SEQUENCE": "serial", "PODS_AFFECTED_PERC": 100, "TOTAL_CHAOS_DURATION": 8, "CHAOS_INTERVAL": 4}
    stage.apply(stage.engine({"pod-delete": env}))
    stage.ended()
    first, second = stage.result()["targets"]
    assert first["injectedAt"] < second["injectedAt"]


@pytest.mark.parametrize("kind", ["StatefulSet", "DaemonSet"])
def test_other_workloads_are_hit_like_deployments(stage: Stage, kind: str) -> None:
    stage.deploy(2, kind=kind)
    before = stage.pods()
    app = {"appns": stage.name, "applabel": "app=web", "appkind": kind.lower()}
    stage.apply(stage.engine({"pod-delete": {"FORCE": "true"}}, appinfo=app))
    assert stage.ended()["experiments"][0]["verdict"] == "Pass"
    assert len(set(before) - set(stage.pods())) == 1


def test_a_bare_pod_does_not_come_back_so_the_run_fails(stage: Stage) -> None:
    meta = {"name": "bare", "labels": {"app": "web"}, "annotations": {"litmuschaos.io/chaos": "true"}}
    stage.apply({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": stage.pod_spec()})
    stage.kubectl("wait", "pod/bare", "--for=condition=Ready", "--timeout=150s")
    engine = stage.engine("pod-delete", appinfo={"appns": stage.name, "applabel": "app=web", "appkind": ""})
    engine["spec"]["experiments"][0]["spec"]["components"]["statusCheckTimeouts"]["timeout"] = 5
    stage.apply(engine)
    stage.ended()
    verdict, step = stage.verdict()
    assert verdict == "Fail"
    assert "bare (no new pod)" in step
    assert stage.pods() == {}


def test_only_annotated_workloads_are_hit(stage: Stage) -> None:
    stage.deploy(2, name="web")
    stage.deploy(2, name="other")
    stage.kubectl("annotate", "deployment/other", "litmuschaos.io/chaos-")
    for name in ("web", "other"):
        stage.kubectl("label", "pods", f"-lapp={name}", "tier=front")
        stage.kubectl("label", f"deployment/{name}", "tier=front")
    before = stage.pods("other")
    app = {"appns": stage.name, "applabel": "tier=front", "appkind": "deployment"}
    stage.apply(stage.engine({"pod-delete": {"PODS_AFFECTED_PERC": 100}}, appinfo=app))
    stage.ended()
    assert {target["name"].split("-")[0] for target in stage.result()["targets"]} == {"web"}
    assert stage.pods("other") == before


def test_an_unhealthy_neighbour_fails_the_check_before_anything_is_hit(stage: Stage) -> None:
    stage.deploy(1)
    stage.apply(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "broken", "labels": {"app": "db"}},
            # Not one that crashes: that is ready for an instant each time it starts.
            "spec": stage.pod_spec(nodeSelector={"no": "where"}),
        }
    )
    before = stage.pods()
    engine = stage.engine("pod-delete", auxiliaryAppInfo=f"{stage.name}:app=db")
    engine["spec"]["experiments"][0]["spec"]["components"]["statusCheckTimeouts"]["timeout"] = 4
    stage.apply(engine)
    stage.ended()
    verdict, step = stage.verdict()
    assert verdict == "Fail"
    assert "broken" in step
    assert stage.pods() == before


def test_ramp_time_is_waited_before_and_after(stage: Stage) -> None:
    stage.deploy(1)
    stage.apply(stage.engine({"pod-delete": {"RAMP_TIME": 3}}))
    stage.ended()
    run = stage.result()["run"]
    assert run["startedAt"] < run["chaosStartedAt"] < run["chaosEndsAt"] < run["finishedAt"]
