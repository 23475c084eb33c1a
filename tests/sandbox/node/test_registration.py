"""A node registers itself, renews its lease and its status, and says what the machine has."""

import asyncio
from typing import Any

import pytest

from litmus.sandbox import client
from litmus.sandbox.images.table import Table
from litmus.sandbox.machinery import objects, status
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.node import machine, registration
from litmus.sandbox.node.pulling import Images
from litmus.sandbox.node.registration import Registration


class Api:
    """Nodes and leases; the first requests may fail."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], Obj] = {}
        self.failures: list[Exception] = []
        self.written: list[str] = []

    def _may(self, verb: str, name: str) -> None:
        self.written.append(f"{verb} {name}")
        if self.failures:
            raise self.failures.pop(0)

    async def get(self, resource: str, name: str, namespace: str = "") -> Obj:
        self._may("get", resource)
        if (resource, name) not in self.objects:
            raise status.not_found(resource, "", name)
        return self.objects[resource, name]

    async def create(self, resource: str, obj: Obj, namespace: str = "") -> Obj:
        self._may("create", resource)
        key = (resource, objects.name(obj))
        if key in self.objects:
            raise status.already_exists(resource, "", objects.name(obj))
        self.objects[key] = {**obj, "metadata": {**obj["metadata"], "uid": "the-uid"}}
        return self.objects[key]

    async def update(self, resource: str, obj: Obj) -> Obj:
        self._may("update", resource)
        self.objects[resource, objects.name(obj)] = obj
        return obj

    async def patch(self, resource: str, name: str, patch: Obj, *, subresource: str = "", kind: str = "merge") -> Obj:
        self._may("patch", f"{resource}/{subresource}" if subresource else resource)
        if (resource, name) not in self.objects:
            raise status.not_found(resource, "", name)
        obj = self.objects[resource, name]
        obj |= {key: value for key, value in patch.items() if key != "metadata"}
        obj["metadata"]["labels"] |= patch.get("metadata", {}).get("labels", {})
        return obj


@pytest.fixture
def api() -> Api:
    return Api()


def of(api: Any, **more: Any) -> Registration:
    from pathlib import Path

    given: dict[str, Any] = {
        "api": api,
        "name": "node1",
        "ip": "127.5.1.1",
        "labels": {"zone": "a"},
        "capacity": {"cpu": "2"},
        "allocatable": {"cpu": "2"},
        "images": Images(Table(), Path("/nowhere")),
        "pod_range": "127.5.1.0/24",
    }
    return Registration(**(given | more))


async def test_a_node_says_who_and_where_it_is(api: Api) -> None:
    await of(api).register()
    node = api.objects["nodes", "node1"]
    labels = objects.labels(node)
    assert (labels["kubernetes.io/hostname"], labels["kubernetes.io/os"], labels["zone"]) == ("node1", "linux", "a")
    assert node["status"]["addresses"] == [
        {"type": "InternalIP", "address": "127.5.1.1"},
        {"type": "Hostname", "address": "node1"},
    ]
    conditions = {one["type"]: one["status"] for one in node["status"]["conditions"]}
    assert conditions == {"MemoryPressure": "False", "DiskPressure": "False", "PIDPressure": "False", "Ready": "True"}
    assert node["status"]["nodeInfo"]["kubeletVersion"] == "v1.37.0+sandbox"
    assert node["status"]["nodeInfo"]["containerRuntimeVersion"].startswith("sandbox://")
    assert node["spec"]["podCIDR"] == "127.5.1.0/24"


@pytest.mark.looptime
async def test_it_waits_for_the_api_server(api: Api) -> None:
    api.failures = [client.Unreachable("not yet"), status.unauthorized(), client.Unreachable("not yet")]
    await of(api).register()
    assert ("nodes", "node1") in api.objects


async def test_a_node_that_comes_back_takes_its_object_over(api: Api) -> None:
    await of(api).register()
    api.objects["nodes", "node1"]["status"] = {}
    await of(api, labels={"zone": "b"}).register()
    assert objects.labels(api.objects["nodes", "node1"])["zone"] == "b"
    assert api.objects["nodes", "node1"]["status"]["conditions"]


async def for_a_while(work: Any, *, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await work
    except TimeoutError:
        pass


@pytest.mark.looptime
async def test_the_lease_is_made_once_and_renewed_every_second(api: Api) -> None:
    node = of(api)
    await node.register()
    api.written.clear()
    await for_a_while(node.renew(), seconds=3.5)
    lease = "leases.coordination.k8s.io"
    assert api.written == [f"get {lease}", f"create {lease}", *[f"update {lease}"] * 3]
    found = api.objects[lease, "node1"]
    assert found["spec"]["holderIdentity"] == "node1"
    assert found["metadata"]["ownerReferences"][0] == {
        "apiVersion": "v1",
        "kind": "Node",
        "name": "node1",
        "uid": "the-uid",
    }


@pytest.mark.looptime
async def test_a_lease_that_others_changed_is_looked_up_again(api: Api) -> None:
    node = of(api)
    await node.register()
    await for_a_while(node.renew(), seconds=0.5)
    api.failures = [client.Unreachable("a moment"), status.conflict("leases", "", "node1", status.MODIFIED)]
    api.written.clear()
    await for_a_while(node.renew(), seconds=3.5)
    assert [line.split()[0] for line in api.written] == ["get", "get", "get", "update"]


@pytest.mark.looptime
async def test_the_status_is_written_from_time_to_time(api: Api) -> None:
    node = of(api)
    await node.register()
    since = {one["type"]: one["lastTransitionTime"] for one in api.objects["nodes", "node1"]["status"]["conditions"]}
    api.written.clear()
    await for_a_while(node.report(), seconds=25)
    assert api.written == ["patch nodes/status"] * 2
    later = api.objects["nodes", "node1"]["status"]["conditions"]
    assert {one["type"]: one["lastTransitionTime"] for one in later} == since


@pytest.mark.looptime
async def test_a_node_whose_object_was_deleted_registers_again(api: Api) -> None:
    node = of(api)
    await node.register()
    api.objects.clear()
    await for_a_while(node.report(), seconds=15)
    assert ("nodes", "node1") in api.objects


def test_capacity_is_the_machines_unless_it_is_said() -> None:
    found = machine.Capacity(cpus=4, memory=8 << 30, disk=100 << 30)
    capacity, allocatable = registration.amounts(found)
    assert (capacity["cpu"], capacity["memory"], capacity["pods"]) == ("4", "8388608Ki", "110")
    assert allocatable["memory"] == "8286208Ki", "100Mi are kept back"
    capacity, allocatable = registration.amounts(found, cpu="500m", memory="1Gi", pods=9)
    assert (capacity["cpu"], capacity["memory"], allocatable["memory"], capacity["pods"]) == ("500m", "1Gi", "1Gi", "9")


def test_nodes_of_one_machine_have_ids_of_their_own() -> None:
    one, other = machine.node_info("node1"), machine.node_info("node2")
    assert one["machineID"] == machine.node_info("node1")["machineID"] != other["machineID"]
    assert one["architecture"] in ("amd64", "arm64") or one["architecture"]
