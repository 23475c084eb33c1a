"""disk-loss: recorded before the cloud is asked, proven by the cloud, given back whatever happens."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest

from litmus.experiments import api_fault, disk_loss, tunables, verdicts
from litmus.faults.cloud import disk
from litmus.faults.cloud.disk import Disk
from litmus.faults.contract import FaultError
from tests.experiments import stage

AWS = {"CLOUD_PLATFORM": "AWS", "NODE_NAME": "i-1", "DISK_NAME": "vol-1", "ZONE_NAME": "us-east-1a"}
LOSS = disk_loss.DiskLoss()


@dataclass
class Cloud:
    """A volume in memory; ``patience`` is how many looks a change takes."""

    state: str = "attached"
    instance: str = "i-1"
    device: str = "/dev/sdf"
    patience: int = 0
    refuse: str = ""
    asked: list[str] = field(default_factory=list)
    _next: str = ""

    def look(self, volume: str, instance: str) -> Disk:
        if self._next:
            self.patience -= 1
            if self.patience < 0:
                self.state, self._next = self._next, ""
        there = self.state != "available"
        return Disk(
            volume=volume,
            state=self.state,  # type: ignore[arg-type]
            instance=self.instance if there else "",
            device=self.device if there else "",
        )

    def has(self, instance: str) -> bool:
        return True

    def detach(self, disk: Disk) -> None:
        self.asked.append(f"detach {disk.instance} {disk.device}")
        if self.refuse:
            raise FaultError(self.refuse)
        self.state, self._next = "detaching", "available"

    def attach(self, disk: Disk) -> None:
        self.asked.append(f"attach {disk.instance} {disk.device}")
        self.state, self._next = "attaching", "attached"


@pytest.fixture
def cloud(monkeypatch) -> Cloud:
    made = Cloud()
    monkeypatch.setattr(disk, "connect", lambda platform, place: made)
    monkeypatch.setattr(disk, "POLL_S", 0.001)
    monkeypatch.setattr(api_fault, "_LOOK_S", 0.01)
    monkeypatch.setenv("POD_NAME", stage.EXPERIMENT_POD)
    return made


@pytest.fixture
def begin(server, cluster, cloud, monkeypatch):
    async def context(**env):
        stage.rounds(monkeypatch, 2)
        return await stage.context(server, cluster, LOSS, **{**AWS, "TOTAL_CHAOS_DURATION": "1", **env})

    return context


async def inject(context) -> None:
    async with asyncio.timeout(10):
        await LOSS.inject(context)


def record(server) -> dict[str, Any]:
    [found] = stage.ledger(server, "disk-loss")
    return found


async def test_a_disk_is_taken_and_given_back(server, begin, cloud):
    cloud.patience = 2
    await inject(await begin())
    assert cloud.asked == ["detach i-1 /dev/sdf", "attach i-1 /dev/sdf"]
    assert record(server)["state"] == "reverted"
    [target] = server.get("chaosresults", "shop-chaos-disk-loss")["status"]["targets"]
    assert (target["kind"], target["name"], target["delivered"]) == ("Disk", "vol-1", "the cloud says: available")


async def test_the_recipe_is_in_the_ledger_before_the_cloud_is_asked(server, begin, cloud, monkeypatch):
    seen = []
    detach = Cloud.detach
    monkeypatch.setattr(Cloud, "detach", lambda self, d: (seen.append(record(server)), detach(self, d)))
    await inject(await begin())
    [found] = seen
    assert found["state"] == "planned"
    assert {n: found["undo"][n] for n in ("kind", "volume", "instance", "device", "by")} == {
        "kind": "reattach",
        "volume": "vol-1",
        "instance": "i-1",
        "device": "/dev/sdf",
        "by": stage.EXPERIMENT_POD,
    }


async def test_an_abort_gives_the_disk_back_first(server, begin, cloud, monkeypatch):
    context = await begin()
    held = asyncio.Event()

    async def hold(self, seconds):
        held.set()
        await asyncio.sleep(3600)

    monkeypatch.setattr(type(context), "hold", hold)
    run = asyncio.create_task(LOSS.inject(context))
    async with asyncio.timeout(10):
        await held.wait()
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
    assert cloud.state == "attached"
    assert record(server)["state"] == "reverted"


async def test_a_cloud_that_refuses_is_an_error_and_the_disk_stays(server, begin, cloud):
    cloud.refuse = "AWS refuses DetachVolume: UnauthorizedOperation"
    with pytest.raises(verdicts.CannotRun, match="UnauthorizedOperation"):
        await inject(await begin())
    assert cloud.state == "attached"
    assert record(server)["state"] == "reverted"


async def test_a_disk_that_is_never_detached_is_an_error_and_is_looked_after(begin, cloud, monkeypatch):
    monkeypatch.setattr(disk, "SETTLE_S", 0.05)
    cloud.patience = 10**9
    with pytest.raises(verdicts.CannotRun, match=r"not detached within 0\.05 s; the cloud says: detaching"):
        await inject(await begin())


async def test_somebody_who_attaches_it_meanwhile_makes_it_an_error(server, begin, cloud, monkeypatch):
    context = await begin()

    async def hold(self, seconds):
        cloud.state, cloud.instance = "attached", "i-2"

    monkeypatch.setattr(type(context), "hold", hold)
    with pytest.raises(verdicts.CannotRun, match=r"somebody else attached the volume .* to i-2"):
        await inject(context)
    assert cloud.instance == "i-2"
    assert [one for one in cloud.asked if one.startswith("attach")] == []


async def test_credentials_in_plain_text_are_refused_before_anything_is_touched(server, begin, cloud):
    context = await begin()
    pod = server.get("pods", stage.EXPERIMENT_POD)
    pod["spec"]["containers"][0]["env"] = [{"name": "AWS_SECRET_ACCESS_KEY", "value": "x"}]
    with pytest.raises(verdicts.CannotRun, match="AWS_SECRET_ACCESS_KEY: credentials in plain text"):
        await inject(context)
    assert cloud.asked == []


@pytest.mark.parametrize(
    ("env", "sentence"),
    [
        ({"NODE_NAME": ""}, "NODE_NAME='': CLOUD_PLATFORM=AWS needs it"),
        ({"DISK_NAME": ""}, "DISK_NAME=''"),
        ({"ZONE_NAME": ""}, "ZONE_NAME=''"),
        ({"CLOUD_PLATFORM": "GKE"}, "PROJECT_ID='': CLOUD_PLATFORM=GKE needs it"),
        ({"ZONE_NAME": "us-central1-a"}, "ZONE_NAME='us-central1-a': must be a region or zone of AWS"),
        ({"NODE_NAME": "node-9"}, "NODE_NAME='node-9': neither a node of this cluster nor the id of an instance"),
        ({"NODE_NAME": "node-1"}, r"NODE_NAME='node-1': the node is no machine of AWS \(providerID 'kind://x'\)"),
        ({"DEVICE_NAME": "/dev/sdz"}, "is attached as /dev/sdf and not as /dev/sdz"),
    ],
)
async def test_a_tunable_that_does_not_fit_is_named_before_anything_is_touched(server, begin, cloud, env, sentence):
    server.put("nodes", {"metadata": {"name": "node-1"}, "spec": {"providerID": "kind://x"}}, namespace="")
    with pytest.raises(verdicts.CannotRun, match=sentence):
        await inject(await begin(**env))
    assert cloud.asked == []


async def test_the_instance_of_a_node_is_read_from_its_provider_id(server, begin, cloud):
    spec = {"providerID": "aws:///us-east-1a/i-1"}
    server.put("nodes", {"metadata": {"name": "ip-10-0-0-1"}, "spec": spec}, namespace="")
    await inject(await begin(NODE_NAME="ip-10-0-0-1"))
    assert cloud.asked[0] == "detach i-1 /dev/sdf"


async def test_a_plan_names_the_disk_and_asks_no_cloud(cluster, cloud):
    prospect = await LOSS.foresee(cluster, [], stage.values(LOSS, **AWS), seed="s")
    assert [(victim.kind, victim.name, victim.node) for victim in prospect.first_round] == [("Disk", "vol-1", "i-1")]
    assert cloud.asked == []


def test_the_platform_is_one_that_is_known():
    assert stage.values(LOSS, CLOUD_PLATFORM="gcp")[disk_loss.PLATFORM] == "GKE"
    with pytest.raises(tunables.TunableError, match="CLOUD_PLATFORM='Azure': must be GKE or AWS"):
        stage.values(LOSS, CLOUD_PLATFORM="Azure")


@pytest.mark.parametrize(("text", "checked"), [("true", True), ("false", False)])
def test_app_check_decides_on_the_checks_of_the_application(text, checked):
    assert LOSS.checks_application(stage.values(LOSS, APP_CHECK=text)) is checked
