"""The EC2 server of moto as a real process on loopback, and a machine with a disk in it."""

import collections
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import botocore.session

REGION = "us-east-1"
DEVICE = "/dev/sdf"


@contextmanager
def running(host: str = "127.0.0.1") -> Iterator[str]:
    """The endpoint of a server of its own."""
    command = [sys.executable, "-u", "-c", "from moto.server import main; main()", "-H", host, "-p", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    found = next(filter(None, (re.search(rf"http://{re.escape(host)}:\d+", line) for line in process.stdout)))
    # It writes a line for each request, and would stand still if nobody read them.
    reader = threading.Thread(target=collections.deque, args=(process.stdout, 0))
    reader.start()
    try:
        yield found[0]
    finally:
        process.terminate()
        process.wait(10)
        reader.join()
        process.stdout.close()


def client(endpoint: str) -> Any:
    session = botocore.session.Session()
    return session.create_client(
        "ec2", region_name=REGION, endpoint_url=endpoint, aws_access_key_id="tests", aws_secret_access_key="tests"
    )


def machine(ec2: Any) -> tuple[str, str]:
    """A machine and the volume that is attached to it as DEVICE."""
    zone = {"AvailabilityZone": f"{REGION}a"}
    started = ec2.run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1, Placement=zone)
    instance: str = started["Instances"][0]["InstanceId"]
    volume: str = ec2.create_volume(Size=1, AvailabilityZone=f"{REGION}a")["VolumeId"]
    ec2.attach_volume(VolumeId=volume, InstanceId=instance, Device=DEVICE)
    return instance, volume


def attachments(ec2: Any, volume: str) -> list[tuple[str, str]]:
    """Machine and device of a volume, asked of the cloud and not of us."""
    found = ec2.describe_volumes(VolumeIds=[volume])["Volumes"][0]
    return [(a["InstanceId"], a["Device"]) for a in found["Attachments"]]
