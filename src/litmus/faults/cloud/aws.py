"""EBS volumes by the EC2 API (API reference of EC2: AttachVolume, DetachVolume, DescribeVolumes, version 2016-11-15).

``botocore`` and not signatures of our own over HTTP: its chain of credentials (a file, the environment, a role of the
node, the web identity of a service account) is what people configure.
"""

import os
from pathlib import Path
from typing import Any

import botocore.config
import botocore.session
from botocore import exceptions

from ..contract import FaultError
from .disk import Disk, Place, State

# An answer within this many seconds, tried so often: the caller asks again anyway.
_PATIENCE = botocore.config.Config(connect_timeout=5, read_timeout=20, retries={"total_max_attempts": 3})
_NO_VOLUME = ("InvalidVolume.NotFound", "InvalidVolumeID.Malformed", "InvalidParameterValue")
_NO_INSTANCE = ("InvalidInstanceID.NotFound", "InvalidInstanceID.Malformed")
_STATES: dict[str, State] = {
    "attaching": "attaching",
    "attached": "attached",
    "detaching": "detaching",
    "busy": "detaching",  # asked for, but the operating system still uses the device
}


class Ec2:
    """The volumes and machines of one region."""

    def __init__(self, place: Place) -> None:
        session = botocore.session.Session()
        if "AWS_SHARED_CREDENTIALS_FILE" not in os.environ and Path(place.credentials).is_file():
            session.set_config_variable("credentials_file", place.credentials)
        try:
            self._client = session.create_client(
                "ec2", region_name=place.region, endpoint_url=place.endpoint or None, config=_PATIENCE
            )
        except (exceptions.BotoCoreError, ValueError) as error:
            raise FaultError(f"AWS can't be asked: {error}") from error

    def look(self, volume: str, instance: str) -> Disk:
        try:
            found = self._call("describe_volumes", VolumeIds=[volume])["Volumes"]
        except _Refused as refusal:
            if refusal.code not in _NO_VOLUME:
                raise
            found = []
        if not found or found[0]["State"] in ("deleting", "deleted"):
            return Disk(volume=volume, state="gone")
        here = [a for a in found[0].get("Attachments", []) if a["State"] != "detached"]
        ours = next((a for a in here if a["InstanceId"] == instance), here[0] if here else None)
        if ours is None:
            return Disk(volume=volume, state="available" if found[0]["State"] == "available" else "detaching")
        return Disk(
            volume=volume,
            state=_STATES.get(ours["State"], "detaching"),
            instance=ours["InstanceId"],
            device=ours["Device"],
            boot=self._root(ours["InstanceId"]) == ours["Device"],
            options={"DeleteOnTermination": bool(ours.get("DeleteOnTermination"))},
        )

    def has(self, instance: str) -> bool:
        return self._instance(instance).get("State", {}).get("Name") in ("pending", "running", "stopping", "stopped")

    def detach(self, disk: Disk) -> None:
        self._call("detach_volume", VolumeId=disk.volume, InstanceId=disk.instance, Device=disk.device)

    def attach(self, disk: Disk) -> None:
        self._call("attach_volume", VolumeId=disk.volume, InstanceId=disk.instance, Device=disk.device)
        if disk.options.get("DeleteOnTermination"):
            # A new attachment outlives its machine unless told otherwise.
            ebs = {"DeviceName": disk.device, "Ebs": {"DeleteOnTermination": True}}
            self._call("modify_instance_attribute", InstanceId=disk.instance, BlockDeviceMappings=[ebs])

    def _root(self, instance: str) -> str:
        return str(self._instance(instance).get("RootDeviceName", ""))

    def _instance(self, instance: str) -> dict[str, Any]:
        """What EC2 says of a machine; empty if there is none."""
        try:
            reservations = self._call("describe_instances", InstanceIds=[instance])["Reservations"]
        except _Refused as refusal:
            if refusal.code not in _NO_INSTANCE:
                raise
            return {}
        found: list[dict[str, Any]] = [machine for group in reservations for machine in group["Instances"]]
        return found[0] if found else {}

    def _call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = getattr(self._client, operation)(**parameters)
        except exceptions.ClientError as error:
            said = error.response.get("Error", {})
            code = str(said.get("Code", ""))
            raise _Refused(f"AWS refuses {operation}: {code}: {said.get('Message', '')}", code=code) from error
        except exceptions.NoCredentialsError as error:
            raise FaultError(
                "there are no credentials for AWS; create the Secret cloud-secret with the key cloud_config.yml"
            ) from error
        except exceptions.BotoCoreError as error:
            raise FaultError(f"AWS can't be asked for {operation}: {error}") from error
        return answer


class _Refused(FaultError):
    """An answer of AWS other than success."""

    def __init__(self, sentence: str, *, code: str) -> None:
        super().__init__(sentence)
        self.code = code
