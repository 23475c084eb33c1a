"""Disk loss on AWS, against the EC2 of moto: what was done is asked of the cloud."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from litmus.faults import cloud
from litmus.faults.cloud import command, disk
from litmus.faults.cloud.disk import DiskLoss
from litmus.faults.contract import FaultError, TargetGoneError
from tests.faults.cloud import ec2 as clouds

KEYS = "[default]\naws_access_key_id = tests\naws_secret_access_key = tests\n"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with clouds.running() as url:
        yield url


@pytest.fixture
def ec2(endpoint: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(disk, "POLL_S", 0.01)
    client = clouds.client(endpoint)
    yield client
    client.close()


@pytest.fixture
def place(endpoint: str, tmp_path: Path) -> dict[str, str]:
    keys = tmp_path / "cloud_config.yml"
    keys.write_text(KEYS)
    return {"region": clouds.REGION, "endpoint": endpoint, "credentials": str(keys)}


@pytest.fixture
def machine(ec2: Any) -> tuple[str, str]:
    return clouds.machine(ec2)


def loss(machine: tuple[str, str], place: dict[str, str], **changes: Any) -> DiskLoss:
    instance, volume = machine
    return DiskLoss(
        **({"fault_id": "f", "platform": "AWS", "instance": instance, "volume": volume, "place": place} | changes)
    )


def test_a_volume_is_really_detached_and_attached_again_as_it_was(ec2, machine, place):
    instance, volume = machine
    fault = loss(machine, place)
    undo = fault.plan().undo
    assert clouds.attachments(ec2, volume) == [(instance, clouds.DEVICE)]
    fault.inject()
    assert fault.prove().holds
    fault.tend()
    assert clouds.attachments(ec2, volume) == []
    assert f"volume {volume} is available" in DiskLoss.leftovers(undo)
    DiskLoss.revert(undo)
    assert clouds.attachments(ec2, volume) == [(instance, clouds.DEVICE)]
    assert DiskLoss.leftovers(undo) == ""


def test_before_it_is_detached_nothing_is_proven(machine, place):
    proof = loss(machine, place).prove()
    assert not proof.holds
    assert "attached to i-" in proof.delivered


def test_a_recipe_is_carried_out_as_often_as_you_like_and_before_anything_was_done(ec2, machine, place):
    undo = loss(machine, place).plan().undo
    for _ in range(2):
        DiskLoss.revert(undo)
    assert clouds.attachments(ec2, machine[1]) == [(machine[0], clouds.DEVICE)]


def test_a_recipe_names_no_credentials(machine, place):
    undo = json.dumps(loss(machine, place).plan().undo)
    assert "tests" not in undo.replace(place["credentials"], "")


def test_another_process_gives_the_disk_back_after_a_crash(ec2, machine, place):
    fault = loss(machine, place)
    undo = fault.plan().undo
    fault.inject()
    script = [sys.executable, "-m", "litmus", "reattach", json.dumps(undo)]
    done = subprocess.run(script, capture_output=True, text=True, check=True)
    assert machine[1] in done.stdout
    assert clouds.attachments(ec2, machine[1]) == [(machine[0], clouds.DEVICE)]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"volume": "vol-0123456789abcdef0"}, "vol-0123456789abcdef0 is unknown to AWS here"),
        ({"instance": "i-0123456789abcdef0"}, r"is attached to i-\w+ and not to i-0123456789abcdef0"),
        ({"device": "/dev/sdz"}, "is attached as /dev/sdf and not as /dev/sdz"),
    ],
)
def test_what_is_not_as_it_was_named_is_refused_before_anything_is_touched(ec2, machine, place, changes, sentence):
    with pytest.raises(FaultError, match=sentence):
        loss(machine, place, **changes).plan()
    assert clouds.attachments(ec2, machine[1]) == [(machine[0], clouds.DEVICE)]


def test_a_detached_volume_is_refused(ec2, machine, place):
    ec2.detach_volume(VolumeId=machine[1], InstanceId=machine[0], Device=clouds.DEVICE)
    with pytest.raises(FaultError, match="is available and not attached"):
        loss(machine, place).plan()


def test_the_boot_disk_is_refused(ec2, machine, place):
    [found] = ec2.describe_instances(InstanceIds=[machine[0]])["Reservations"][0]["Instances"]
    root = next(b for b in found["BlockDeviceMappings"] if b["DeviceName"] == found["RootDeviceName"])
    with pytest.raises(FaultError, match="is the boot disk"):
        loss(machine, place, volume=root["Ebs"]["VolumeId"]).plan()


def test_a_volume_that_somebody_attached_elsewhere_stays_there(ec2, machine, place):
    fault = loss(machine, place)
    undo = fault.plan().undo
    fault.inject()
    other, _ = clouds.machine(ec2)
    ec2.attach_volume(VolumeId=machine[1], InstanceId=other, Device="/dev/sdg")
    with pytest.raises(FaultError, match="somebody else attached the volume"):
        fault.tend()
    DiskLoss.revert(undo)
    assert clouds.attachments(ec2, machine[1]) == [(other, "/dev/sdg")]
    assert DiskLoss.leftovers(undo) == ""


def test_there_is_nothing_to_undo_for_a_volume_or_a_machine_that_is_gone(ec2, machine, place):
    fault = loss(machine, place)
    undo = fault.plan().undo
    fault.inject()
    ec2.terminate_instances(InstanceIds=[machine[0]])
    DiskLoss.revert(undo)
    assert DiskLoss.leftovers(undo) == ""
    ec2.delete_volume(VolumeId=machine[1])
    with pytest.raises(TargetGoneError):
        fault.tend()
    DiskLoss.revert(undo)
    assert DiskLoss.leftovers(undo) == ""


def test_without_credentials_the_sentence_names_the_secret(machine, place):
    with pytest.raises(FaultError, match="Secret cloud-secret"):
        loss(machine, {**place, "credentials": "/nowhere"}).plan()


def test_a_cloud_that_does_not_answer_is_an_error_and_no_proof(machine, place, monkeypatch):
    with pytest.raises(FaultError, match="AWS can't be asked"):
        loss(machine, {**place, "endpoint": "http://127.0.0.1:1"}).plan()


def test_a_missing_library_is_named_with_its_extra(machine, place, monkeypatch):
    monkeypatch.delitem(sys.modules, "litmus.faults.cloud.aws", raising=False)
    monkeypatch.delattr(cloud, "aws", raising=False)
    monkeypatch.setitem(sys.modules, "botocore.config", None)
    with pytest.raises(FaultError, match=r"install litmus-py\[cloud\]"):
        loss(machine, place).plan()


def test_the_role_says_what_is_left_when_the_cloud_refuses(machine, place, capsys):
    undo = loss(machine, place).plan().undo
    undo["place"] = {**place, "endpoint": "http://127.0.0.1:1"}
    assert command.main([json.dumps(undo)]) == 1
    assert "can't be asked" in capsys.readouterr().err


def test_the_role_refuses_what_is_no_recipe(capsys):
    assert command.main(["{}"]) == 2
    assert "can't be read" in capsys.readouterr().err
