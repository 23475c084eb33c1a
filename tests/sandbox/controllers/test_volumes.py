from typing import Any

import pytest

from litmus.sandbox.controllers.volume_protection import VolumeProtection
from litmus.sandbox.controllers.volumes import Volumes
from litmus.sandbox.machinery import objects
from litmus.sandbox.machinery.objects import Obj
from tests.sandbox.world import World

CLAIMS, VOLUMES = "persistentvolumeclaims", "persistentvolumes"


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def both(world: World) -> tuple[Volumes, VolumeProtection]:
    return Volumes(world), VolumeProtection(world)


def claim(world: World, name: str = "data", size: str = "1Gi", **spec: Any) -> Obj:
    known = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}, **spec}
    return world.make(CLAIMS, {"metadata": {"name": name, "namespace": "default"}, "spec": known})


def volume(world: World, name: str, size: str = "1Gi", **spec: Any) -> Obj:
    known = {"capacity": {"storage": size}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/data"}, **spec}
    return world.make(VOLUMES, {"metadata": {"name": name}, "spec": known})


def phase(world: World, resource: str, name: str) -> str:
    found = world.get(resource, name, "default" if resource == CLAIMS else "")
    return str((found or {}).get("status", {}).get("phase"))


def test_a_claim_gets_a_volume_of_its_own(world: World, both: tuple[Volumes, VolumeProtection]) -> None:
    made = claim(world)
    world.settle(*both)
    name = f"pvc-{objects.uid(made)}"
    bound = world.get(CLAIMS, "data", "default")
    there = world.get(VOLUMES, name)
    assert bound is not None
    assert there is not None
    assert bound["spec"]["volumeName"] == name
    assert bound["status"] == {"phase": "Bound", "accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}}
    assert objects.annotations(bound)["pv.kubernetes.io/bind-completed"] == "yes"
    assert there["status"] == {"phase": "Bound", "lastPhaseTransitionTime": "2026-01-01T00:00:00Z"}
    assert objects.annotations(there)["sandbox/folder"] == "default/data"
    assert there["spec"]["claimRef"]["uid"] == objects.uid(made)


def test_a_volume_that_is_there_is_taken_before_one_is_made(
    world: World, both: tuple[Volumes, VolumeProtection]
) -> None:
    volume(world, "big", "9Gi")
    volume(world, "small", "2Gi")
    volume(world, "tiny", "1Mi")
    claim(world)
    world.settle(*both)
    assert world.there(VOLUMES) == ["big", "small", "tiny"]
    assert phase(world, VOLUMES, "small") == "Bound"
    assert phase(world, VOLUMES, "big") == "Available"
    assert (world.get(CLAIMS, "data", "default") or {})["spec"]["volumeName"] == "small"


def test_a_claim_without_provisioning_waits_for_a_volume(world: World, both: tuple[Volumes, VolumeProtection]) -> None:
    claim(world, storageClassName="")
    world.settle(*both)
    assert phase(world, CLAIMS, "data") == "Pending"
    said = "no persistent volumes available for this claim and no storage class is set"
    assert world.said("FailedBinding") == [said]
    volume(world, "v")
    world.settle(*both)
    assert phase(world, CLAIMS, "data") == "Bound"


def test_a_class_that_does_not_exist_is_reported(world: World, both: tuple[Volumes, VolumeProtection]) -> None:
    claim(world, storageClassName="fast")
    world.settle(*both)
    assert phase(world, CLAIMS, "data") == "Pending"
    assert world.said("ProvisioningFailed") == ['storageclass.storage.k8s.io "fast" not found']
    world.make("storageclasses.storage.k8s.io", {"metadata": {"name": "fast"}, "provisioner": "x.org/y"})
    world.settle(*both)
    assert phase(world, CLAIMS, "data") == "Bound"


def test_a_claim_may_name_its_volume(world: World, both: tuple[Volumes, VolumeProtection]) -> None:
    volume(world, "a")
    volume(world, "b")
    claim(world, volumeName="b")
    world.settle(*both)
    assert (phase(world, CLAIMS, "data"), phase(world, VOLUMES, "b")) == ("Bound", "Bound")
    assert phase(world, VOLUMES, "a") == "Available"


def test_what_was_made_for_a_claim_goes_with_it(world: World, both: tuple[Volumes, VolumeProtection]) -> None:
    claim(world)
    world.settle(*both)
    world.delete(CLAIMS, "data", "default")
    world.settle(*both)
    assert world.there(CLAIMS) == []
    assert world.there(VOLUMES) == []


def test_a_volume_of_people_is_released_and_stays(world: World, both: tuple[Volumes, VolumeProtection]) -> None:
    volume(world, "v")
    claim(world)
    world.settle(*both)
    world.delete(CLAIMS, "data", "default")
    world.settle(*both)
    assert phase(world, VOLUMES, "v") == "Released"
    claim(world, "other", storageClassName="")
    world.settle(*both)
    assert phase(world, CLAIMS, "other") == "Pending"


def test_a_claim_in_use_stays_until_the_pod_is_gone(world: World, both: tuple[Volumes, VolumeProtection]) -> None:
    claim(world)
    mount = [{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]
    world.pod("p", node="node1", ready=True, volumes=mount)
    world.settle(*both)
    world.delete(CLAIMS, "data", "default")
    world.settle(*both)
    assert world.there(CLAIMS) == ["data"]
    world.delete("pods", "p", "default", grace_s=0)
    world.settle(*both)
    assert world.there(CLAIMS) == []


def test_a_claim_that_loses_its_volume_says_so(world: World, both: tuple[Volumes, VolumeProtection]) -> None:
    made = claim(world)
    world.settle(*both)
    name = f"pvc-{objects.uid(made)}"
    there = world.get(VOLUMES, name)
    assert there is not None
    world.delete(VOLUMES, name)
    world.settle(*both)
    held = world.get(VOLUMES, name)
    assert held is not None
    world.update(VOLUMES, {**held, "metadata": {**held["metadata"], "finalizers": []}})
    world.settle(*both)
    assert phase(world, CLAIMS, "data") == "Lost"
    assert world.said("ClaimLost")
