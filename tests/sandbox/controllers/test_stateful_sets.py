from typing import Any

import pytest

from litmus.sandbox.controllers import revisions, stateful_sets
from litmus.sandbox.machinery import objects, store
from litmus.sandbox.machinery.objects import Obj
from tests.sandbox.controllers import stage
from tests.sandbox.controllers.stage import Stage

SETS, CLAIMS = "statefulsets.apps", "persistentvolumeclaims"
CLAIM_SPEC = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}


@pytest.fixture
def world() -> Stage:
    return Stage(stateful_sets.StatefulSets)


def db(world: Stage, replicas: int = 3, **spec: Any) -> Obj:
    whole = {
        "replicas": replicas,
        "serviceName": "db",
        "selector": {"matchLabels": {"app": "db"}},
        "template": stage.template("db"),
        **spec,
    }
    return world.create(SETS, "db", whole)


def with_claims(**policy: str) -> dict[str, Any]:
    templates = [{"metadata": {"name": "data"}, "spec": CLAIM_SPEC}]
    return {"volumeClaimTemplates": templates, **({"persistentVolumeClaimRetentionPolicy": policy} if policy else {})}


def image(world: Stage, name: str) -> None:
    world.change(SETS, "db", lambda one: one["spec"]["template"]["spec"]["containers"][0].update(image=name))


def images(world: Stage) -> dict[str, str]:
    return {objects.name(pod): pod["spec"]["containers"][0]["image"] for pod in world.pods()}


def follow(world: Stage) -> list[str]:
    """``create db-0``, ``delete db-1``, … as it happens."""
    seen: list[str] = []
    verbs = {"ADDED": "create", "DELETED": "delete"}

    def note(event: store.Event) -> None:
        if event.type in verbs:
            seen.append(f"{verbs[event.type]} {event.key.name}")

    world.cluster.subscribe("pods", note)
    return seen


def test_pods_are_made_in_order_with_stable_names(world: Stage) -> None:
    seen = follow(world)
    owner = db(world, 2)
    world.settle()
    assert seen == ["create db-0", "create db-1"]
    assert world.events("SuccessfulCreate")[0] == "create Pod db-0 in StatefulSet db successful"
    (revision,) = world.names(revisions.RESOURCE)
    pod = world.get("pods", "db-1")
    assert pod["metadata"]["labels"] == {
        "app": "db",
        "apps.kubernetes.io/pod-index": "1",
        "controller-revision-hash": revision,
        "statefulset.kubernetes.io/pod-name": "db-1",
    }
    assert pod["metadata"]["generateName"] == "db-"
    assert (pod["spec"]["hostname"], pod["spec"]["subdomain"]) == ("db-1", "db")
    assert objects.controller_of(pod) == {
        "apiVersion": "apps/v1",
        "blockOwnerDeletion": True,
        "controller": True,
        "kind": "StatefulSet",
        "name": "db",
        "uid": objects.uid(owner),
    }


def test_the_status_is_that_of_a_real_one(world: Stage) -> None:
    """Golden: two replicas on Kubernetes 1.20.2, and availableReplicas as since 1.22."""
    db(world, 2)
    world.settle()
    (revision,) = world.names(revisions.RESOURCE)
    assert world.get(SETS, "db")["status"] == {
        "availableReplicas": 2,
        "collisionCount": 0,
        "currentReplicas": 2,
        "currentRevision": revision,
        "observedGeneration": 1,
        "readyReplicas": 2,
        "replicas": 2,
        "updateRevision": revision,
        "updatedReplicas": 2,
    }


def test_the_next_pod_waits_until_those_before_it_are_ready(world: Stage) -> None:
    world.kubelet.ready = lambda pod: False
    db(world)
    world.settle()
    assert world.names("pods") == ["db-0"]
    world.kubelet.ready = lambda pod: objects.name(pod) == "db-0"
    world.settle()
    assert world.names("pods") == ["db-0", "db-1"]


def test_the_next_pod_waits_until_those_before_it_are_available(world: Stage) -> None:
    db(world, 2, minReadySeconds=10)
    world.settle(for_s=9)
    assert world.names("pods") == ["db-0"]
    world.settle(for_s=2)
    assert world.names("pods") == ["db-0", "db-1"]


def test_parallel_waits_for_nobody(world: Stage) -> None:
    world.kubelet.ready = lambda pod: False
    db(world, podManagementPolicy="Parallel")
    world.settle()
    assert world.names("pods") == ["db-0", "db-1", "db-2"]
    world.change(SETS, "db", lambda one: one["spec"].update(replicas=0))
    world.kubelet.ends = False
    world.settle()
    assert all(map(objects.leaving, world.pods()))


def test_ordinals_may_begin_elsewhere(world: Stage) -> None:
    db(world, 2, ordinals={"start": 5})
    world.settle()
    assert world.names("pods") == ["db-5", "db-6"]


def test_scaling_down_ends_the_largest_ordinal_and_waits_for_its_end(world: Stage) -> None:
    db(world)
    world.settle()
    seen = follow(world)
    world.kubelet.ends = False
    world.change(SETS, "db", lambda one: one["spec"].update(replicas=1))
    world.settle()
    assert [objects.name(pod) for pod in world.pods() if objects.leaving(pod)] == ["db-2"]
    world.kubelet.ends = True
    world.settle()
    assert world.names("pods") == ["db-0"]
    assert seen == ["delete db-2", "delete db-1"]
    assert world.events("SuccessfulDelete")[0] == "delete Pod db-2 in StatefulSet db successful"


def test_a_deleted_pod_comes_back_under_its_name_once_it_is_gone(world: Stage) -> None:
    db(world)
    world.settle()
    before = objects.uid(world.get("pods", "db-1"))
    world.kubelet.ends = False
    world.cluster.delete("pods", "db-1", stage.NAMESPACE)
    world.settle()
    assert objects.uid(world.get("pods", "db-1")) == before
    world.kubelet.ends = True
    world.settle()
    assert objects.uid(world.get("pods", "db-1")) != before


def test_a_failed_pod_is_made_anew(world: Stage) -> None:
    db(world, 1)
    world.settle()
    world.end("db-0", "Failed")
    world.settle()
    assert world.get("pods", "db-0")["status"]["phase"] == "Running"
    assert world.events("RecreatingFailedPod") == ["StatefulSet shop/db is recreating failed Pod db-0"]


def test_an_update_goes_from_the_largest_ordinal_down(world: Stage) -> None:
    db(world)
    world.settle()
    seen = follow(world)
    image(world, "nginx:2")
    world.settle()
    assert set(images(world).values()) == {"nginx:2"}
    steps = [f"{verb} db-{number}" for number in (2, 1, 0) for verb in ("delete", "create")]
    assert seen == steps
    status = world.get(SETS, "db")["status"]
    assert status["currentRevision"] == status["updateRevision"]
    assert status["currentReplicas"] == status["updatedReplicas"] == 3


def test_an_update_stops_at_a_pod_that_does_not_become_ready(world: Stage) -> None:
    db(world)
    world.settle()
    world.kubelet.ready = lambda pod: pod["spec"]["containers"][0]["image"] == "nginx:1"
    image(world, "nginx:broken")
    world.settle()
    assert images(world) == {"db-0": "nginx:1", "db-1": "nginx:1", "db-2": "nginx:broken"}
    status = world.get(SETS, "db")["status"]
    assert status["currentRevision"] != status["updateRevision"]
    assert (status["currentReplicas"], status["updatedReplicas"], status["readyReplicas"]) == (2, 1, 2)


def test_ordinals_below_the_partition_keep_the_old_template_even_when_they_are_made_anew(world: Stage) -> None:
    db(world, updateStrategy={"type": "RollingUpdate", "rollingUpdate": {"partition": 2}})
    world.settle()
    image(world, "nginx:2")
    world.settle()
    assert images(world) == {"db-0": "nginx:1", "db-1": "nginx:1", "db-2": "nginx:2"}
    world.cluster.delete("pods", "db-1", stage.NAMESPACE)
    world.settle()
    assert images(world)["db-1"] == "nginx:1"
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}
    world.change(SETS, "db", lambda one: one["spec"].update(updateStrategy=strategy))
    world.settle()
    assert set(images(world).values()) == {"nginx:2"}


def test_several_at_a_time_when_that_many_may_be_unavailable(world: Stage) -> None:
    db(
        world,
        podManagementPolicy="Parallel",
        updateStrategy={"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 2}},
    )
    world.settle()
    world.kubelet.ends = False
    image(world, "nginx:2")
    world.settle()
    assert [objects.name(pod) for pod in world.pods() if objects.leaving(pod)] == ["db-1", "db-2"]


def test_on_delete_leaves_the_pods_to_people(world: Stage) -> None:
    db(world, updateStrategy={"type": "OnDelete"})
    world.settle()
    image(world, "nginx:2")
    world.settle()
    assert set(images(world).values()) == {"nginx:1"}
    world.cluster.delete("pods", "db-0", stage.NAMESPACE)
    world.settle()
    assert images(world) == {"db-0": "nginx:2", "db-1": "nginx:1", "db-2": "nginx:1"}


def test_a_revision_holds_a_patch_that_puts_the_template_back(world: Stage) -> None:
    db(world, 1)
    world.settle()
    (revision,) = world.list(revisions.RESOURCE)
    template = world.get(SETS, "db")["spec"]["template"]
    assert revision["data"] == {"spec": {"template": {**template, "$patch": "replace"}}}
    assert revision["revision"] == 1
    digest = objects.name(revision).removeprefix("db-")
    assert revision["metadata"]["labels"] == {"app": "db", "controller.kubernetes.io/hash": digest}


def test_going_back_renumbers_the_old_revision(world: Stage) -> None:
    """What `kubectl rollout undo sts` comes to."""
    db(world, 1)
    world.settle()
    image(world, "nginx:2")
    world.settle()
    image(world, "nginx:1")
    world.settle()
    numbers = {
        one["data"]["spec"]["template"]["spec"]["containers"][0]["image"]: one["revision"]
        for one in world.list(revisions.RESOURCE)
    }
    assert numbers == {"nginx:1": 3, "nginx:2": 2}


def test_revisions_beyond_the_limit_go_but_never_one_in_use(world: Stage) -> None:
    db(world, 1, revisionHistoryLimit=1)
    for number in range(1, 5):
        world.settle()
        image(world, f"nginx:{number}")
    world.settle()
    assert sorted(one["revision"] for one in world.list(revisions.RESOURCE)) == [3, 4]


def test_each_ordinal_gets_claims_of_its_own_and_finds_them_again(world: Stage) -> None:
    db(world, 2, **with_claims())
    world.settle()
    assert world.names(CLAIMS) == ["data-db-0", "data-db-1"]
    claim = world.get(CLAIMS, "data-db-1")
    assert claim["metadata"]["labels"] == {"app": "db"}
    assert "ownerReferences" not in claim["metadata"]
    volume = {"name": "data", "persistentVolumeClaim": {"claimName": "data-db-1"}}
    assert volume in world.get("pods", "db-1")["spec"]["volumes"]
    assert world.events("SuccessfulCreate")[0] == "create Claim data-db-0 Pod db-0 in StatefulSet db success"
    before = objects.uid(claim)
    for replicas in (0, 2):
        world.change(SETS, "db", lambda one, replicas=replicas: one["spec"].update(replicas=replicas))
        world.settle()
    assert objects.uid(world.get(CLAIMS, "data-db-1")) == before


def test_claims_that_are_to_go_with_the_set_are_owned_by_it(world: Stage) -> None:
    owner = db(world, 1, **with_claims(whenDeleted="Delete", whenScaled="Retain"))
    world.settle()
    (reference,) = world.get(CLAIMS, "data-db-0")["metadata"]["ownerReferences"]
    assert reference["uid"] == objects.uid(owner)


def test_a_claim_that_is_to_go_when_scaled_away_is_owned_by_its_last_pod(world: Stage) -> None:
    db(world, 2, **with_claims(whenDeleted="Retain", whenScaled="Delete"))
    world.settle()
    assert "ownerReferences" not in world.get(CLAIMS, "data-db-1")["metadata"]
    pod = objects.uid(world.get("pods", "db-1"))
    world.change(SETS, "db", lambda one: one["spec"].update(replicas=1))
    world.settle()
    assert [entry["uid"] for entry in world.get(CLAIMS, "data-db-1")["metadata"]["ownerReferences"]] == [pod]
    assert "ownerReferences" not in world.get(CLAIMS, "data-db-0")["metadata"]


def test_a_refused_pod_is_told_and_tried_again(world: Stage) -> None:
    world.refuse("pods")
    db(world, 1)
    world.settle(for_s=1)
    said = 'create Pod db-0 in StatefulSet db failed error: pods "x" is forbidden: exceeded quota: small'
    assert world.events("FailedCreate") == [said]
    assert world.get(SETS, "db")["status"]["replicas"] == 0
    world.allow("pods")
    world.settle(for_s=30)
    assert world.names("pods") == ["db-0"]


def test_a_pod_of_another_name_is_not_adopted(world: Stage) -> None:
    world.create("pods", "db-x", stage.template("db")["spec"], labels={"app": "db"})
    db(world, 1)
    world.settle()
    assert objects.controller_of(world.get("pods", "db-x")) is None


def test_nothing_is_written_when_nothing_changes(world: Stage) -> None:
    db(world, 2, **with_claims(whenDeleted="Delete", whenScaled="Delete"))
    world.settle()
    before = world.cluster.registry.store.revision
    world.settle(for_s=3600)
    assert world.cluster.registry.store.revision == before
