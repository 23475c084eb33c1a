"""disk-loss against the EC2 of moto, a process beside the tests; what happened to the volume is asked of that cloud.

It listens at the address of a node that is this machine: in the sandbox, and in a cluster that runs here.
"""

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cluster import node_states
from tests.cluster.stage import Stage, until
from tests.faults.cloud import ec2 as clouds

KEYS = "[default]\naws_access_key_id = tests\naws_secret_access_key = tests\n"
# Where the Secret is mounted: a sandbox shares /tmp with its machine.
FOLDER = "/cloud"


@pytest.fixture(scope="module")
def endpoint(operator: None) -> Iterator[str]:
    host = node_states.address_of_this_machine()
    if not host:
        pytest.skip("no node of this cluster is this machine: its pods can't reach a server of this test")
    with clouds.running(host) as url:
        yield url


@pytest.fixture
def ec2(endpoint: str) -> Iterator[Any]:
    client = clouds.client(endpoint)
    yield client
    client.close()


@pytest.fixture
def cloud(stage: Stage) -> Stage:
    """A stage with the application, and the Secret that the experiment asks for."""
    data = {"cloud_config.yml": base64.b64encode(KEYS.encode()).decode()}
    stage.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "cloud-secret"}, "data": data})
    stage.deploy(1)
    return stage


def engine(stage: Stage, endpoint: str, instance: str, volume: str, **env: Any) -> dict[str, Any]:
    wanted = {
        "CLOUD_PLATFORM": "AWS",
        "NODE_NAME": instance,
        "DISK_NAME": volume,
        "ZONE_NAME": f"{clouds.REGION}a",
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_SHARED_CREDENTIALS_FILE": f"{FOLDER}/cloud_config.yml",
        **env,
    }
    made = stage.engine({"disk-loss": wanted})
    components = made["spec"]["experiments"][0]["spec"]["components"]
    components["secrets"] = [{"name": "cloud-secret", "mountPath": FOLDER}]
    return made


def detached(ec2: Any, volume: str) -> None:
    until(lambda: clouds.attachments(ec2, volume) == [], "the volume to be detached", deadline_s=90)


def test_a_disk_is_detached_for_a_while_and_is_back_at_the_end(cloud: Stage, endpoint: str, ec2: Any) -> None:
    instance, volume = clouds.machine(ec2)
    cloud.apply(engine(cloud, endpoint, instance, volume, TOTAL_CHAOS_DURATION=8))
    detached(ec2, volume)
    cloud.ended(deadline_s=120)
    assert cloud.verdict("disk-loss") == ("Pass", "N/A")
    assert clouds.attachments(ec2, volume) == [(instance, clouds.DEVICE)]
    result = cloud.result("disk-loss")
    assert [(fault["state"], fault["mechanism"]) for fault in result["faults"]] == [("reverted", "disk-loss")]
    assert result["targets"][0]["delivered"] == "the cloud says: available"
    assert "aws_secret_access_key" not in json.dumps(result)


def test_an_abort_gives_the_disk_back(cloud: Stage, endpoint: str, ec2: Any) -> None:
    instance, volume = clouds.machine(ec2)
    cloud.apply(engine(cloud, endpoint, instance, volume, TOTAL_CHAOS_DURATION=300))
    detached(ec2, volume)
    cloud.kubectl("patch", "chaosengine/chaos", "--type=merge", "-p", '{"spec":{"engineState":"stop"}}')
    cloud.ended(deadline_s=60)
    assert cloud.verdict("disk-loss")[0] == "Stopped"
    assert clouds.attachments(ec2, volume) == [(instance, clouds.DEVICE)]


def test_the_disk_is_given_back_when_the_experiments_pod_dies(cloud: Stage, endpoint: str, ec2: Any) -> None:
    instance, volume = clouds.machine(ec2)
    cloud.apply(engine(cloud, endpoint, instance, volume, TOTAL_CHAOS_DURATION=300))
    detached(ec2, volume)
    pod = cloud.result("disk-loss")["run"]["pod"]
    cloud.kubectl("delete", "pod", pod, "--grace-period=0", "--force")
    until(
        lambda: clouds.attachments(ec2, volume) == [(instance, clouds.DEVICE)],
        "the operator to give the disk back",
        deadline_s=90,
    )
    # In a namespace that is being deleted nobody could be sent with its Secret any more.
    until(
        lambda: [fault["state"] for fault in cloud.result("disk-loss")["faults"]] == ["reverted"],
        "the record to be closed",
    )


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"DISK_NAME": "vol-0123456789abcdef0"}, "volume vol-0123456789abcdef0 is unknown to AWS"),
        ({"DEVICE_NAME": "/dev/sdz"}, "is attached as /dev/sdf and not as /dev/sdz"),
        ({"ZONE_NAME": "here"}, "ZONE_NAME='here': must be a region or zone of AWS"),
        ({"CLOUD_PLATFORM": "Azure"}, "CLOUD_PLATFORM='Azure': must be GKE or AWS"),
    ],
)
def test_what_is_not_as_it_was_named_is_an_error_and_touches_nothing(
    cloud: Stage, endpoint: str, ec2: Any, change: dict[str, str], sentence: str
) -> None:
    instance, volume = clouds.machine(ec2)
    cloud.apply(engine(cloud, endpoint, instance, volume, **change))
    cloud.ended(deadline_s=120)
    verdict, step = cloud.verdict("disk-loss")
    assert verdict == "Error"
    assert sentence in step
    assert clouds.attachments(ec2, volume) == [(instance, clouds.DEVICE)]
