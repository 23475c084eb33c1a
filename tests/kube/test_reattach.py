"""Who gives a disk back: the pod that took it, or one that is sent with the same Secret."""

import asyncio
import json

import pytest

from litmus.faults.cloud import disk
from litmus.faults.contract import FaultError
from litmus.kube import errors, reattach, recipes

UNDO = {
    "kind": "reattach",
    "fault_id": "f",
    "platform": "AWS",
    "volume": "vol-1",
    "instance": "i-1",
    "device": "/dev/sdf",
}
POD = {
    "metadata": {"name": "disk-loss-x", "namespace": "shop"},
    "spec": {
        "serviceAccountName": "chaos-sa",
        "imagePullSecrets": [{"name": "pull"}],
        "volumes": [
            {"name": "secret-0", "secret": {"secretName": "cloud-secret"}},
            {"name": "token", "secret": {"secretName": "chaos-sa-token"}},
            {"name": "cm-0", "configMap": {"name": "x"}},
        ],
        "containers": [
            {
                "name": "disk-loss",
                "image": "litmus:1",
                "imagePullPolicy": "Never",
                "env": [
                    {"name": "AWS_PROFILE", "value": "chaos"},
                    {"name": "AWS_SECRET_ACCESS_KEY", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
                    {"name": "DISK_NAME", "value": "vol-1"},
                ],
                "volumeMounts": [
                    {"name": "secret-0", "mountPath": "/tmp/"},
                    {"name": "token", "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"},
                ],
            }
        ],
    },
}


@pytest.fixture
def undo(monkeypatch) -> dict:
    monkeypatch.delenv("POD_NAME", raising=False)
    return reattach.recipe(UNDO, pod=POD)


def test_the_recipe_names_secrets_and_holds_none(undo):
    assert undo["pod"]["secrets"] == [{"name": "cloud-secret", "mountPath": "/tmp/"}]
    assert [entry["name"] for entry in undo["pod"]["env"]] == ["AWS_PROFILE", "AWS_SECRET_ACCESS_KEY"]
    assert "value" not in undo["pod"]["env"][1]


def test_credentials_in_plain_text_are_named():
    bare = {"spec": {"containers": [{"env": [{"name": "AWS_SECRET_ACCESS_KEY", "value": "x"}]}]}}
    assert reattach.plain_text_secrets(bare) == ["AWS_SECRET_ACCESS_KEY"]
    assert reattach.plain_text_secrets(POD) == []


def test_the_pod_that_is_sent_has_the_secret_and_the_recipe_and_no_token(undo):
    pod = reattach.revert_pod(undo)
    [container] = pod["spec"]["containers"]
    assert pod["metadata"]["namespace"] == "shop"
    assert container["command"] == ["litmus", "reattach"]
    assert json.loads(container["env"][-1]["value"])["volume"] == "vol-1"
    assert container["volumeMounts"] == [{"name": "secret-0", "mountPath": "/tmp/"}]
    assert pod["spec"]["volumes"] == [{"name": "secret-0", "secret": {"secretName": "cloud-secret"}}]
    assert not pod["spec"]["automountServiceAccountToken"]


async def test_the_pod_that_took_the_disk_gives_it_back_itself(server, cluster, undo, monkeypatch):
    monkeypatch.setenv("POD_NAME", "disk-loss-x")
    asked = []
    monkeypatch.setattr(disk.DiskLoss, "revert", staticmethod(asked.append))
    monkeypatch.setattr(disk.DiskLoss, "leftovers", staticmethod(lambda undo: ""))
    await recipes.revert(cluster, undo)
    assert asked == [undo]
    assert server.asked == []
    assert await recipes.leftovers(cluster, undo) == ""


async def test_what_the_cloud_refuses_is_tried_again(cluster, undo, monkeypatch):
    def refuse(undo):
        raise FaultError("AWS refuses")

    monkeypatch.setenv("POD_NAME", "disk-loss-x")
    monkeypatch.setattr(disk.DiskLoss, "revert", staticmethod(refuse))
    with pytest.raises(errors.KubeError, match="AWS refuses"):
        await recipes.revert(cluster, undo)


@pytest.mark.parametrize(("code", "said"), [(0, ""), (1, "volume vol-1 is available")])
async def test_anybody_else_sends_a_pod_and_believes_its_exit_code(server, cluster, undo, code, said):
    def run(kept, pod):
        ended = {"terminated": {"exitCode": code, "message": said}}
        kept.change(
            "pods", pod["metadata"]["name"], {"status": {"containerStatuses": [{"name": "reattach", "state": ended}]}}
        )

    server.on("create", "pods", run)
    async with asyncio.timeout(10):
        if code:
            with pytest.raises(errors.KubeError, match="volume vol-1 is available"):
                await recipes.revert(cluster, undo)
        else:
            assert "looked after by a pod" in (await recipes.revert(cluster, undo)).message
    assert server.all("pods") == []
    assert await recipes.leftovers(cluster, undo) == ""
