"""The status of a ChaosEngine, written entry by entry without overwriting what others write."""

import asyncio
import re

import msgspec
import pytest

from litmus import api
from litmus.api import names
from litmus.kube import engines, errors
from tests import samples


def entry(name: str, **changes) -> dict:
    return {"name": name, "verdict": "N/A", "status": "Waiting for Job Creation", "experimentPod": "x", **changes}


def set_verdict(index: int, verdict: str):
    def change(entries: list[api.ExperimentStatus]) -> list[api.ExperimentStatus]:
        entries[index] = msgspec.structs.replace(entries[index], verdict=verdict)
        return entries

    return change


@pytest.fixture
def engine(server):
    written = samples.engine(status={"engineStatus": "initialized", "experiments": [entry("a"), entry("b")]})
    server.put("chaosengines", written)
    return msgspec.convert(written, api.ChaosEngine)


def verdicts(server) -> list[str]:
    return [item["verdict"] for item in server.get("chaosengines", "shop-chaos")["status"]["experiments"]]


async def test_two_who_write_different_entries_at_once_both_succeed(server, cluster, engine):
    await asyncio.gather(
        engines.change_entries(cluster, engine, set_verdict(0, "Pass")),
        engines.change_entries(cluster, engine, set_verdict(1, "Fail")),
    )
    assert verdicts(server) == ["Pass", "Fail"]


async def test_only_an_entry_that_changed_gets_a_new_time(server, cluster, engine):
    await engines.change_entries(cluster, engine, set_verdict(1, "Pass"))
    first, second = server.get("chaosengines", "shop-chaos")["status"]["experiments"]
    assert "lastUpdateTime" not in first
    assert second["lastUpdateTime"]


async def test_a_change_that_changes_nothing_writes_nothing(server, cluster, engine):
    await engines.change_entries(cluster, engine, lambda entries: entries)
    assert "patch" not in server.verbs("chaosengines")


async def test_the_engines_word_is_kept_or_set_in_the_same_write(server, cluster, engine):
    await engines.change_entries(cluster, engine, set_verdict(0, "Pass"))
    assert server.get("chaosengines", "shop-chaos")["status"]["engineStatus"] == "initialized"
    await engines.change_entries(cluster, engine, lambda entries: entries, engine_status="completed")
    assert server.get("chaosengines", "shop-chaos")["status"]["engineStatus"] == "completed"


async def test_an_engine_of_the_same_name_but_another_uid_is_left_alone(server, cluster, engine):
    server.remove("chaosengines", "shop-chaos")
    server.put("chaosengines", samples.engine(uid="another", status={"experiments": [entry("a"), entry("b")]}))
    with pytest.raises(errors.NotFound, match="another one has its name now"):
        await engines.change_entries(cluster, engine, set_verdict(0, "Pass"))
    assert verdicts(server) == ["N/A", "N/A"]


def test_what_we_create_is_tied_to_the_engine_with_the_rights_of_the_smallest_role():
    owner = engines.owner(samples.an_engine())
    assert owner == {
        "apiVersion": "litmuschaos.io/v1alpha1",
        "kind": "ChaosEngine",
        "name": "shop-chaos",
        "uid": samples.ENGINE_UID,
        "controller": True,
    }


def test_what_we_create_is_found_by_the_engines_uid_and_name():
    labels = engines.labels(samples.an_engine(), "chaos-runner")
    assert labels[names.CHAOS_UID] == samples.ENGINE_UID
    assert labels[names.ENGINE_LABEL] == "shop-chaos"
    assert labels[names.COMPONENT] == "chaos-runner"


def test_the_name_of_a_long_engine_is_cut_to_what_a_label_may_hold():
    assert len(engines.labels(samples.an_engine(name="e" * 100), "x")[names.ENGINE_LABEL]) == 63


def test_a_label_that_was_cut_ends_as_a_label_may():
    for value in engines.labels(samples.an_engine(name="a" * 62 + "-" + "b"), "x").values():
        assert len(value) <= 63
        assert re.fullmatch(r"([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?", value)
