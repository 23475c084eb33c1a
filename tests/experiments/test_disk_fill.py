"""disk-fill: what is asked of the mechanism, for pods with a limit and without."""

import msgspec
import pytest

from litmus.experiments import disk_fill, held, tunables, verdicts
from litmus.kube.objects import Pod
from tests import samples
from tests.experiments import stage

FILL = disk_fill.DiskFill()
MIB = 2**20


def pod(limit: str = "") -> Pod:
    made = samples.pod()
    if limit:
        made["spec"]["containers"][0]["resources"] = {"limits": {"ephemeral-storage": limit, "cpu": "1"}}
    return msgspec.convert(made, Pod)


def aim(limit: str = "", **env: str) -> held.Aim:
    (one,) = FILL.aims(pod(limit), stage.values(FILL, **env))
    return one


@pytest.mark.parametrize(
    ("limit", "env", "asked", "expected"),
    [
        ("", {}, "80 % of its file system", (80, 0, 0)),
        ("500Mi", {}, "80 % of its limit of 500 MiB", (80, 0, 500 * MIB)),
        ("1Gi", {"FILL_PERCENTAGE": "100"}, "100 % of its limit of 1024 MiB", (100, 0, 1024 * MIB)),
        ("500Mi", {"EPHEMERAL_STORAGE_MEBIBYTES": "50"}, "50 MiB", (0, 50 * MIB, 500 * MIB)),
        ("", {"FILL_PERCENTAGE": "0", "EPHEMERAL_STORAGE_MEBIBYTES": "50"}, "50 MiB", (0, 50 * MIB, 0)),
    ],
)
def test_sizes_are_those_that_are_given_or_80_percent(limit, env, asked, expected):
    found = aim(limit, **env)
    parameters = found.parameters
    assert found.target.asked == asked
    assert (parameters["percentage"], parameters["size"], parameters["limit"]) == expected


def test_the_folder_is_the_root_of_the_container_unless_it_is_named():
    assert aim().parameters["path"] == "/"
    found = aim(FILL_PATH="/data", EPHEMERAL_STORAGE_MEBIBYTES="5")
    assert (found.parameters["path"], found.target.asked) == ("/data", "5 MiB in /data")


def test_two_sizes_are_refused_with_both():
    with pytest.raises(verdicts.CannotRun, match="FILL_PERCENTAGE=80 and EPHEMERAL_STORAGE_MEBIBYTES=50 can't both"):
        aim(FILL_PERCENTAGE="80", EPHEMERAL_STORAGE_MEBIBYTES="50")


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("FILL_PERCENTAGE", "101", "percentage from 1 to 100, and no range"),
        ("FILL_PERCENTAGE", "0.5", "percentage from 1 to 100"),
        ("FILL_PERCENTAGE", "20-40", "percentage from 1 to 100"),
        ("EPHEMERAL_STORAGE_MEBIBYTES", "50Mi", "whole number of mebibytes above 0, without a unit"),
        ("EPHEMERAL_STORAGE_MEBIBYTES", "-5", "whole number of mebibytes"),
        ("FILL_PATH", "data", "absolute path"),
        ("FILL_PATH", "/data/../etc", "absolute path"),
    ],
)
def test_a_value_that_is_not_allowed_is_refused_with_its_name_and_what_is(name, value, allowed):
    with pytest.raises(tunables.TunableError, match=rf"^{name}='{value}': must be .*{allowed}"):
        stage.values(FILL, **{name: value})


def test_a_container_that_the_pod_does_not_have_is_refused():
    with pytest.raises(verdicts.CannotRun, match="TARGET_CONTAINER='nobody'"):
        aim(TARGET_CONTAINER="nobody")


async def test_an_eviction_by_the_kubelet_is_told_in_the_result(server, cluster, monkeypatch):
    stage.deployment(server, "web-1")
    context = await stage.context(server, cluster, FILL)

    async def hold(context, experiment, aims, **_):
        for one in aims:
            place = context.note(one.target)
            context.measured(place, delivered="100.0 MiB in real blocks")
        server.change("pods", "web-1", {"status": {"phase": "Failed", "reason": "Evicted", "message": "exceeds 60Mi"}})

    monkeypatch.setattr(held, "hold", hold)
    await FILL.inject(context)
    assert context.hit[0].delivered == "100.0 MiB in real blocks; the kubelet evicted the pod: exceeds 60Mi"
