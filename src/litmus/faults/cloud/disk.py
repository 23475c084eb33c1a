"""Disk loss: a volume is detached from its machine, and attached again to the same machine as the same device.

The proof is what the cloud says of the volume. What has to be put back is remembered before anything is asked: machine,
device, and the options of the attachment that the cloud would otherwise set anew. The recipe names where credentials
are found and never holds any.

Nothing that somebody else did in the meantime is undone: a volume that is attached already, here by a volume controller
or to another machine, stays where it is.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from ..contract import FaultError, Plan, Proof, TargetGoneError, Undo

State = Literal["available", "attaching", "attached", "detaching", "gone"]

# How long a cloud may take to detach or attach, in seconds: minutes have been seen where a device was still mounted.
SETTLE_S = 180.0
POLL_S = 1.0
# Where the secret of the original's charts is mounted, and its key: credentials of AWS or a service account of Google.
CREDENTIALS = "/tmp/cloud_config.yml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where to ask. ``region`` is of AWS, ``zone`` and ``project`` are of Google; ``endpoint`` replaces the cloud's."""

    region: str = ""
    zone: str = ""
    project: str = ""
    endpoint: str = ""
    credentials: str = CREDENTIALS


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """A volume as its cloud sees it now; ``options`` of the attachment are what the cloud does not keep for us."""

    volume: str
    state: State
    instance: str = ""
    device: str = ""
    boot: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)


class Cloud(Protocol):
    """Two real ones: AWS and Google. Every method raises FaultError with the cloud's own words."""

    def look(self, volume: str, instance: str) -> Disk:
        """The volume's attachment to this machine, else to any other; state 'gone' when there is no such volume."""
        ...

    def has(self, instance: str) -> bool:
        """Whether a machine is there to attach a volume to."""
        ...

    def detach(self, disk: Disk) -> None:
        """Asks for it; may return before it is done."""
        ...

    def attach(self, disk: Disk) -> None:
        """Asks for it; may return before it is done."""
        ...


def connect(platform: str, place: Place) -> Cloud:
    """Raises FaultError when the cloud's library is not installed or there are no credentials."""
    try:
        if platform == "AWS":
            from . import aws

            return aws.Ec2(place)
        from . import gcp

        return gcp.Compute(place)
    except ImportError as error:
        raise FaultError(f"{error.name} is not installed; install litmus-py[cloud] or use the litmus image") from error


@dataclass(slots=True, kw_only=True)
class DiskLoss:
    """One volume taken from one machine. ``device`` empty: whichever it is attached as."""

    fault_id: str
    platform: str
    volume: str
    instance: str
    device: str = ""
    place: Mapping[str, str] = field(default_factory=dict)
    _cloud: Cloud | None = None
    _disk: Disk | None = None

    def plan(self) -> Plan:
        """Raises FaultError for a volume that is unknown, not attached here, another device, or the boot disk."""
        disk = self._look()
        asked = f"volume {self.volume}"
        if disk.state == "gone":
            raise FaultError(f"{asked} is unknown to {self.platform} here; check its name, region or zone, and project")
        if disk.state != "attached":
            raise FaultError(f"{asked} is {disk.state} and not attached to {self.instance}; attach it first")
        if disk.instance != self.instance:
            raise FaultError(f"{asked} is attached to {disk.instance} and not to {self.instance}")
        if self.device and disk.device != self.device:
            raise FaultError(f"{asked} is attached as {disk.device} and not as {self.device}")
        if disk.boot:
            raise FaultError(f"{asked} is the boot disk of {self.instance}, which can't be detached while it runs")
        self._disk = disk
        undo = {
            "kind": "reattach",
            "fault_id": self.fault_id,
            "platform": self.platform,
            "volume": self.volume,
            "instance": self.instance,
            "device": disk.device,
            "options": dict(disk.options),
            "place": dict(self.place),
        }
        return Plan(changes=f"{asked} detached from {self.instance} ({disk.device})", undo=undo)

    def inject(self) -> None:
        """Asks the cloud to detach it. That it is done is what ``prove`` says, which may have to be asked again."""
        if self._disk is None:
            self.plan()
        assert self._disk is not None
        self._connected().detach(self._disk)

    def prove(self) -> Proof:
        disk = self._look()
        return Proof(
            asked=f"volume {self.volume} detached from {self.instance}",
            delivered=_said(disk),
            holds=disk.state == "available",
        )

    def tend(self) -> None:
        disk = self._look()
        if disk.state == "gone":
            raise TargetGoneError(f"volume {self.volume} was deleted while it was detached")
        if disk.state != "available":
            raise FaultError(f"somebody else attached the volume before the time was over: {_said(disk)}")

    @staticmethod
    def revert(undo: Undo) -> None:
        """Attaches the volume again and waits for it. Raises FaultError when the cloud refuses or takes too long."""
        cloud = connect(undo["platform"], Place(**undo["place"]))
        give_up = time.monotonic() + SETTLE_S
        while True:
            disk = cloud.look(undo["volume"], undo["instance"])
            if not _missing(cloud, disk, undo):
                return
            if disk.state == "available":
                _attach(cloud, undo)
            if time.monotonic() > give_up:
                raise FaultError(f"{_left(disk, undo)} after {SETTLE_S:g} s; attach it by hand")
            time.sleep(POLL_S)

    @staticmethod
    def leftovers(undo: Undo) -> str:
        cloud = connect(undo["platform"], Place(**undo["place"]))
        disk = cloud.look(undo["volume"], undo["instance"])
        return _left(disk, undo) if _missing(cloud, disk, undo) else ""

    def _connected(self) -> Cloud:
        if self._cloud is None:
            self._cloud = connect(self.platform, Place(**self.place))
        return self._cloud

    def _look(self) -> Disk:
        return self._connected().look(self.volume, self.instance)


def _missing(cloud: Cloud, disk: Disk, undo: Undo) -> bool:
    """Whether the machine still lacks its volume. What is gone, or somewhere else by now, is nobody's to bring back."""
    if disk.state in ("gone", "attached"):
        return False
    return cloud.has(undo["instance"])


def _attach(cloud: Cloud, undo: Undo) -> None:
    try:
        cloud.attach(_before(undo))
    except FaultError:
        # Somebody else may have been quicker: the experiment and the operator may both be at it.
        if cloud.look(undo["volume"], undo["instance"]).state == "available":
            raise


def _before(undo: Undo) -> Disk:
    """The attachment as it was."""
    return Disk(
        volume=undo["volume"],
        state="attached",
        instance=undo["instance"],
        device=undo["device"],
        options=undo["options"],
    )


def _left(disk: Disk, undo: Undo) -> str:
    return f"volume {undo['volume']} is {disk.state} and not attached to {undo['instance']} as {undo['device']}"


def _said(disk: Disk) -> str:
    where = f" to {disk.instance} as {disk.device}" if disk.instance else ""
    return f"the cloud says: {disk.state}{where}"
