"""Deployments on a stage whose pods start at once; what `kubectl` does in the field is done here by hand."""

from typing import Any

import pytest

from litmus.sandbox.controllers import deployment_history, deployments, replica_sets, templates
from litmus.sandbox.machinery import objects
from litmus.sandbox.machinery.objects import Obj
from tests.sandbox.controllers import stage
from tests.sandbox.controllers.stage import Stage

SETS, DEPLOYMENTS = "replicasets.apps", "deployments.apps"


@pytest.fixture
def world() -> Stage:
    return Stage(deployments.Deployments, replica_sets.ReplicaSets)


def web(world: Stage, replicas: int = 3, annotations: dict[str, str] | None = None, **spec: Any) -> Obj:
    whole = {
        "replicas": replicas,
        "selector": {"matchLabels": {"app": "web"}},
        "template": stage.template("web"),
        **spec,
    }
    return world.create(DEPLOYMENTS, "web", whole, annotations=annotations or {})


def rolling(surge: int | str, unavailable: int | str) -> Obj:
    return {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}}


def image(world: Stage, name: str, **annotations: str) -> None:
    def change(deployment: Obj) -> None:
        deployment["spec"]["template"]["spec"]["containers"][0]["image"] = name
        deployment["metadata"]["annotations"].update(
            {key.replace("_", "-"): value for key, value in annotations.items()}
        )

    world.change(DEPLOYMENTS, "web", change)


def scale(world: Stage, replicas: int) -> None:
    world.change(DEPLOYMENTS, "web", lambda one: one["spec"].update(replicas=replicas))


def by_image(world: Stage) -> dict[str, Obj]:
    return {one["spec"]["template"]["spec"]["containers"][0]["image"]: one for one in world.list(SETS)}


def sizes(world: Stage) -> dict[str, int]:
    return {image: one["spec"]["replicas"] for image, one in by_image(world).items()}


def condition(world: Stage, type_: str) -> Obj:
    (found,) = (one for one in world.get(DEPLOYMENTS, "web")["status"]["conditions"] if one["type"] == type_)
    return found


def revision(obj: Obj) -> str:
    return objects.annotations(obj)[deployment_history.REVISION]


def watch_pods(world: Stage) -> list[tuple[int, int]]:
    """How many pods were active and how many ready after each change of a pod."""
    seen: list[tuple[int, int]] = []

    def note(_: object) -> None:
        found = [pod for pod in world.pods() if not objects.leaving(pod)]
        ready = [pod for pod in found if any(c["status"] == "True" for c in pod["status"].get("conditions", []))]
        seen.append((len(found), len(ready)))

    world.cluster.subscribe("pods", note)
    return seen


def test_a_new_deployment_looks_as_on_a_real_cluster(world: Stage) -> None:
    """Golden: a Deployment of two replicas on Kubernetes 1.20.2, and terminatingReplicas as since 1.35."""
    owner = web(world, 2, {"kubernetes.io/change-cause": "first"})
    world.settle()
    found = world.get(DEPLOYMENTS, "web")
    (replica_set,) = world.list(SETS)
    name, digest = objects.name(replica_set), objects.labels(replica_set)["pod-template-hash"]
    now = "2030-01-01T00:00:00Z"
    assert found["metadata"]["generation"] == 1
    assert found["metadata"]["annotations"] == {
        "deployment.kubernetes.io/revision": "1",
        "kubernetes.io/change-cause": "first",
    }
    assert found["status"] == {
        "availableReplicas": 2,
        "conditions": [
            {
                "lastTransitionTime": now,
                "lastUpdateTime": now,
                "message": "Deployment has minimum availability.",
                "reason": "MinimumReplicasAvailable",
                "status": "True",
                "type": "Available",
            },
            {
                "lastTransitionTime": now,
                "lastUpdateTime": now,
                "message": f'ReplicaSet "{name}" has successfully progressed.',
                "reason": "NewReplicaSetAvailable",
                "status": "True",
                "type": "Progressing",
            },
        ],
        "observedGeneration": 1,
        "readyReplicas": 2,
        "replicas": 2,
        "terminatingReplicas": 0,
        "updatedReplicas": 2,
    }
    assert name == f"web-{digest}"
    assert replica_set["metadata"]["labels"] == {"app": "web", "pod-template-hash": digest}
    assert replica_set["metadata"]["annotations"] == {
        "deployment.kubernetes.io/desired-replicas": "2",
        "deployment.kubernetes.io/max-replicas": "3",
        "deployment.kubernetes.io/revision": "1",
        "kubernetes.io/change-cause": "first",
    }
    assert replica_set["metadata"]["ownerReferences"] == [
        {
            "apiVersion": "apps/v1",
            "blockOwnerDeletion": True,
            "controller": True,
            "kind": "Deployment",
            "name": "web",
            "uid": objects.uid(owner),
        }
    ]
    assert replica_set["spec"]["selector"] == {"matchLabels": {"app": "web", "pod-template-hash": digest}}
    assert replica_set["spec"]["template"]["metadata"]["labels"] == {"app": "web", "pod-template-hash": digest}
    assert world.events("ScalingReplicaSet") == [f"Scaled up replica set {name} from 0 to 2"]


def test_a_rolling_update_keeps_within_its_room(world: Stage) -> None:
    web(world, 4, strategy=rolling(1, 1))
    world.settle()
    seen = watch_pods(world)
    image(world, "nginx:2")
    world.settle()
    assert sizes(world) == {"nginx:1": 0, "nginx:2": 4}
    assert max(active for active, _ in seen) == 5
    assert min(ready for _, ready in seen) >= 3


def test_with_no_surge_old_pods_go_first(world: Stage) -> None:
    web(world, 2, strategy=rolling(0, 1))
    world.settle()
    seen = watch_pods(world)
    image(world, "nginx:2")
    world.settle()
    assert sizes(world) == {"nginx:1": 0, "nginx:2": 2}
    assert max(active for active, _ in seen) == 2


def test_a_broken_update_stops_where_availability_would_suffer(world: Stage) -> None:
    web(world, 3)
    world.settle()
    world.kubelet.ready = lambda pod: pod["spec"]["containers"][0]["image"] == "nginx:1"
    image(world, "nginx:broken")
    world.settle()
    assert sizes(world) == {"nginx:1": 3, "nginx:broken": 1}
    status = world.get(DEPLOYMENTS, "web")["status"]
    figures = {name: value for name, value in status.items() if name.endswith("eplicas")}
    assert figures == {
        "availableReplicas": 3,
        "readyReplicas": 3,
        "replicas": 4,
        "terminatingReplicas": 0,
        "unavailableReplicas": 1,
        "updatedReplicas": 1,
    }
    broken = objects.name(by_image(world)["nginx:broken"])
    assert condition(world, "Progressing")["reason"] == "ReplicaSetUpdated"
    assert condition(world, "Progressing")["message"] == f'ReplicaSet "{broken}" is progressing.'


def test_a_rollout_without_progress_times_out_and_recovers(world: Stage) -> None:
    web(world, 1, progressDeadlineSeconds=60)
    world.kubelet.ready = lambda pod: False
    world.settle(for_s=59)
    assert condition(world, "Progressing")["reason"] == "ReplicaSetUpdated"
    assert condition(world, "Available")["reason"] == "MinimumReplicasUnavailable"
    world.settle(for_s=3)
    said = condition(world, "Progressing")
    (replica_set,) = world.names(SETS)
    assert (said["status"], said["reason"]) == ("False", "ProgressDeadlineExceeded")
    assert said["message"] == f'ReplicaSet "{replica_set}" has timed out progressing.'
    world.kubelet.ready = lambda pod: True
    world.settle()
    assert condition(world, "Progressing")["reason"] == "NewReplicaSetAvailable"


def test_a_finished_rollout_stays_so_when_pods_come_and_go(world: Stage) -> None:
    web(world, 2, progressDeadlineSeconds=60)
    world.settle()
    world.kubelet.ready = lambda pod: False
    world.cluster.delete("pods", world.names("pods")[0], stage.NAMESPACE)
    world.settle(for_s=300)
    assert condition(world, "Progressing")["reason"] == "NewReplicaSetAvailable"
    assert condition(world, "Available")["status"] == "False"


def test_without_a_deadline_there_is_no_word_of_progress(world: Stage) -> None:
    web(world, 1, progressDeadlineSeconds=2**31 - 1)
    world.settle()
    assert [one["type"] for one in world.get(DEPLOYMENTS, "web")["status"]["conditions"]] == ["Available"]


def test_unhealthy_old_pods_go_before_healthy_ones(world: Stage) -> None:
    web(world, 4, strategy=rolling(0, 2))
    world.settle()
    sick = set(world.names("pods")[:2])
    world.kubelet.ready = lambda pod: objects.name(pod) not in sick and "broken" not in str(pod["spec"])
    for name in sick:
        world.change_status("pods", name, conditions=[])
    world.settle()
    image(world, "nginx:broken")
    world.settle()
    assert not sick & set(world.names("pods"))
    assert sum(pod["spec"]["containers"][0]["image"] == "nginx:1" for pod in world.pods()) == 2


def test_availability_waits_for_min_ready_seconds(world: Stage) -> None:
    web(world, 2, minReadySeconds=30)
    world.settle(for_s=29)
    assert world.get(DEPLOYMENTS, "web")["status"]["unavailableReplicas"] == 2
    world.settle(for_s=2)
    assert world.get(DEPLOYMENTS, "web")["status"]["availableReplicas"] == 2
    world.change(DEPLOYMENTS, "web", lambda one: one["spec"].update(minReadySeconds=5))
    world.settle()
    assert world.list(SETS)[0]["spec"]["minReadySeconds"] == 5


# Recreate


def test_recreate_makes_new_pods_when_the_last_old_one_is_gone(world: Stage) -> None:
    web(world, 2, strategy={"type": "Recreate"})
    world.settle()
    world.kubelet.ends = False
    image(world, "nginx:2")
    world.settle()
    assert {pod["spec"]["containers"][0]["image"] for pod in world.pods()} == {"nginx:1"}
    world.kubelet.ends = True
    world.settle()
    assert [pod["spec"]["containers"][0]["image"] for pod in world.pods()] == ["nginx:2", "nginx:2"]
    assert condition(world, "Progressing")["reason"] == "NewReplicaSetAvailable"


# History


def test_each_template_is_a_revision_with_its_change_cause(world: Stage) -> None:
    web(world, 1, {"kubernetes.io/change-cause": "first"})
    world.settle()

    def change(deployment: Obj) -> None:
        deployment["spec"]["template"]["spec"]["containers"][0]["image"] = "nginx:2"
        deployment["metadata"]["annotations"]["kubernetes.io/change-cause"] = "second"

    world.change(DEPLOYMENTS, "web", change)
    world.settle()
    found = {
        image: (revision(one), objects.annotations(one)["kubernetes.io/change-cause"])
        for image, one in by_image(world).items()
    }
    assert found == {"nginx:1": ("1", "first"), "nginx:2": ("2", "second")}
    assert revision(world.get(DEPLOYMENTS, "web")) == "2"


def test_rolling_back_finds_the_old_set_and_gives_it_a_new_number(world: Stage) -> None:
    """What `kubectl rollout undo` does: it puts the template of the old set back, without its hash."""
    web(world, 2)
    world.settle()
    image(world, "nginx:2")
    world.settle()
    old = by_image(world)["nginx:1"]
    template = objects.copy(old["spec"]["template"])
    del template["metadata"]["labels"]["pod-template-hash"]
    world.change(DEPLOYMENTS, "web", lambda one: one["spec"].update(template=template))
    world.settle()
    assert sizes(world) == {"nginx:1": 2, "nginx:2": 0}
    back = by_image(world)["nginx:1"]
    assert objects.uid(back) == objects.uid(old)
    assert (revision(back), revision(by_image(world)["nginx:2"])) == ("3", "2")
    assert objects.annotations(back)["deployment.kubernetes.io/revision-history"] == "1"
    assert revision(world.get(DEPLOYMENTS, "web")) == "3"


def test_old_sets_beyond_the_history_limit_are_deleted(world: Stage) -> None:
    web(world, 1, revisionHistoryLimit=1)
    for number in range(1, 5):
        world.settle()
        image(world, f"nginx:{number}")
    world.settle()
    assert set(by_image(world)) == {"nginx:3", "nginx:4"}


def test_annotations_of_the_deployment_reach_its_set_but_not_those_of_kubectl(world: Stage) -> None:
    web(world, 1, {"team": "shop", "kubectl.kubernetes.io/last-applied-configuration": "{}"})
    world.settle()
    found = objects.annotations(world.list(SETS)[0])
    assert found["team"] == "shop"
    assert "kubectl.kubernetes.io/last-applied-configuration" not in found


def test_a_taken_name_is_a_collision_and_makes_another_hash(world: Stage) -> None:
    other = world.create(
        DEPLOYMENTS, "probe", {"selector": {"matchLabels": {"app": "web"}}, "template": stage.template("web")}
    )
    digest = templates.digest(other["spec"]["template"])
    world.cluster.delete(DEPLOYMENTS, "probe", stage.NAMESPACE)
    spec = {"replicas": 0, "selector": {"matchLabels": {"app": "x"}}, "template": stage.template("x")}
    world.create(SETS, f"web-{digest}", spec)
    web(world, 1)
    world.settle()
    assert world.get(DEPLOYMENTS, "web")["status"]["collisionCount"] == 1
    assert len(world.names(SETS)) == 2
    assert world.get(DEPLOYMENTS, "web")["status"]["availableReplicas"] == 1


def test_a_set_that_matches_and_belongs_to_nobody_is_adopted(world: Stage) -> None:
    spec = {"replicas": 1, "selector": {"matchLabels": {"app": "web"}}, "template": stage.template("web")}
    world.create(SETS, "stray", spec, labels={"app": "web"})
    web(world, 2)
    world.settle()
    assert world.names(SETS) == ["stray"]
    assert world.list(SETS)[0]["spec"]["replicas"] == 2


# Scaling and pausing


def test_scaling_is_told_with_both_numbers(world: Stage) -> None:
    web(world, 2)
    world.settle()
    (name,) = world.names(SETS)
    scale(world, 5)
    world.settle()
    scale(world, 1)
    world.settle()
    assert world.events("ScalingReplicaSet") == [
        f"Scaled up replica set {name} from 0 to 2",
        f"Scaled up replica set {name} from 2 to 5",
        f"Scaled down replica set {name} from 5 to 1",
    ]
    annotations = objects.annotations(world.get(SETS, name))
    assert annotations["deployment.kubernetes.io/desired-replicas"] == "1"
    assert annotations["deployment.kubernetes.io/max-replicas"] == "2"


def test_a_set_that_somebody_scales_is_set_right_again(world: Stage) -> None:
    web(world, 2)
    world.settle()
    (name,) = world.names(SETS)
    world.change(SETS, name, lambda one: one["spec"].update(replicas=0))
    world.settle()
    assert world.get(SETS, name)["spec"]["replicas"] == 2
    assert len(world.pods()) == 2


def test_scaling_in_the_middle_of_a_stuck_rollout_is_proportional(world: Stage) -> None:
    """The example of the documentation: 10 replicas, surge 3, unavailable 2, then 15."""
    web(world, 10, strategy=rolling(3, 2))
    world.settle()
    world.kubelet.ready = lambda pod: pod["spec"]["containers"][0]["image"] == "nginx:1"
    image(world, "nginx:sometag")
    world.settle()
    assert sizes(world) == {"nginx:1": 8, "nginx:sometag": 5}
    scale(world, 15)
    world.settle()
    assert sizes(world) == {"nginx:1": 11, "nginx:sometag": 7}


def test_a_paused_deployment_collects_changes_until_it_is_resumed(world: Stage) -> None:
    web(world, 2)
    world.settle()
    world.change(DEPLOYMENTS, "web", lambda one: one["spec"].update(paused=True))
    world.settle()
    said = condition(world, "Progressing")
    assert (said["status"], said["reason"], said["message"]) == ("Unknown", "DeploymentPaused", "Deployment is paused")
    image(world, "nginx:2")
    image(world, "nginx:3")
    world.settle()
    assert sizes(world) == {"nginx:1": 2}
    world.change(DEPLOYMENTS, "web", lambda one: one["spec"].update(paused=False))
    world.settle()
    assert sizes(world) == {"nginx:1": 0, "nginx:3": 2}
    assert condition(world, "Progressing")["reason"] == "NewReplicaSetAvailable"


def test_a_paused_deployment_can_be_scaled(world: Stage) -> None:
    web(world, 2)
    world.settle()
    world.change(DEPLOYMENTS, "web", lambda one: one["spec"].update(paused=True, replicas=4))
    world.settle()
    assert sizes(world) == {"nginx:1": 4}
    assert world.get(DEPLOYMENTS, "web")["status"]["availableReplicas"] == 4


def test_a_deployment_that_begins_paused_makes_nothing(world: Stage) -> None:
    web(world, 2, paused=True)
    world.settle()
    assert world.names(SETS) == []
    assert condition(world, "Progressing")["reason"] == "DeploymentPaused"


# Refusals and the end


def test_a_set_whose_pods_are_refused_shows_at_the_deployment(world: Stage) -> None:
    world.refuse("pods")
    web(world, 1)
    world.settle(for_s=1)
    said = condition(world, "ReplicaFailure")
    assert (said["status"], said["reason"]) == ("True", "FailedCreate")
    assert said["message"] == 'pods "x" is forbidden: exceeded quota: small'
    world.allow("pods")
    world.settle(for_s=30)
    assert [one["type"] for one in world.get(DEPLOYMENTS, "web")["status"]["conditions"]] == [
        "Available",
        "Progressing",
    ]


def test_a_refused_set_shows_at_the_deployment_and_is_tried_again(world: Stage) -> None:
    world.refuse(SETS, "no more sets")
    web(world, 1)
    world.settle(for_s=1)
    said = condition(world, "Progressing")
    assert (said["status"], said["reason"]) == ("False", "ReplicaSetCreateError")
    assert "no more sets" in said["message"]
    world.allow(SETS)
    world.settle(for_s=30)
    assert world.get(DEPLOYMENTS, "web")["status"]["availableReplicas"] == 1


def test_a_deployment_that_is_going_is_left_as_it_is(world: Stage) -> None:
    web(world, 2)
    world.settle()
    world.change(DEPLOYMENTS, "web", lambda one: one["metadata"].update(finalizers=["x.io/hold"]))
    world.cluster.delete(DEPLOYMENTS, "web", stage.NAMESPACE)
    (name,) = world.names(SETS)
    world.cluster.delete(SETS, name, stage.NAMESPACE)
    world.settle()
    assert world.names(SETS) == []


def test_nothing_is_written_when_nothing_changes(world: Stage) -> None:
    web(world)
    world.settle()
    image(world, "nginx:2")
    world.settle()
    before = world.cluster.registry.store.revision
    world.settle(for_s=3600)
    assert world.cluster.registry.store.revision == before
