"""Disk loss on Google Cloud, against the recorded contract of compute_v1.json."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from litmus.faults.cloud import disk, gcp
from litmus.faults.cloud.disk import DiskLoss
from litmus.faults.contract import FaultError
from tests.faults.cloud import compute as clouds

DATA = clouds.CONTRACT["instance"]["disks"][1]


@pytest.fixture
def compute(monkeypatch: pytest.MonkeyPatch) -> Iterator[clouds.Compute]:
    for module in (disk, gcp):
        monkeypatch.setattr(module, "POLL_S", 0.01)
    with clouds.running() as played:
        yield played


@pytest.fixture
def place(compute: clouds.Compute, tmp_path: Path) -> dict[str, str]:
    path = tmp_path / "cloud_config.yml"
    path.write_text(clouds.key(compute.url))
    return {
        "project": clouds.CONTRACT["project"],
        "zone": clouds.CONTRACT["zone"],
        "endpoint": f"{compute.url}/compute/v1",
        "credentials": str(path),
    }


def loss(place: dict[str, str], **changes: Any) -> DiskLoss:
    known = {"fault_id": "f", "platform": "GKE", "instance": clouds.INSTANCE, "volume": clouds.DISK, "place": place}
    return DiskLoss(**(known | changes))


def test_a_disk_is_detached_and_attached_again_with_everything_that_it_had(compute, place):
    fault = loss(place)
    undo = fault.plan().undo
    fault.inject()
    assert compute.attached() == []
    assert fault.prove().holds
    fault.tend()
    assert "is available" in DiskLoss.leftovers(undo)
    DiskLoss.revert(undo)
    assert compute.bodies == [None, {n: DATA[n] for n in ("source", "deviceName", "mode", "interface", "autoDelete")}]
    assert DiskLoss.leftovers(undo) == ""


def test_an_operation_is_followed_to_its_end(compute, place):
    compute.polls = 3
    loss(place).inject()
    followed = [asked for asked in compute.asked if asked.startswith("GET operations/operation-")]
    assert len(followed) == 3


def test_what_the_operation_says_at_its_end_is_the_error(compute, place):
    compute.failing = True
    with pytest.raises(FaultError, match="RESOURCE_IN_USE_BY_ANOTHER_RESOURCE"):
        loss(place).inject()


def test_a_missing_permission_is_said_in_the_clouds_own_words(compute, place):
    compute.forbidden = True
    with pytest.raises(FaultError, match=r"403 Required 'compute\.instances\.detachDisk' permission"):
        loss(place).inject()
    assert len(compute.attached()) == 1


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"volume": "other"}, "volume other is unknown"),
        ({"instance": "other"}, "is attached to demo-node-123 and not to other"),
        ({"device": "sdb"}, "is attached as data and not as sdb"),
        ({"volume": clouds.BOOT}, "is the boot disk"),
    ],
)
def test_what_is_not_as_it_was_named_is_refused_before_anything_is_touched(compute, place, changes, sentence):
    with pytest.raises(FaultError, match=sentence):
        loss(place, **changes).plan()
    assert not [asked for asked in compute.asked if asked.startswith("POST")]


def test_there_is_nothing_to_undo_for_a_machine_that_is_gone(compute, place):
    fault = loss(place)
    undo = fault.plan().undo
    fault.inject()
    compute.instance = None
    DiskLoss.revert(undo)
    assert DiskLoss.leftovers(undo) == ""


def test_a_file_that_is_no_key_is_named(place):
    Path(place["credentials"]).write_text("[default]\naws_access_key_id = x\n")
    with pytest.raises(FaultError, match=r"cloud_config\.yml is no service account's key"):
        loss(place).plan()
