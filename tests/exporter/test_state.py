"""What the exporter knows of a cluster: by watches, after deletions and outages, and with less rights than it wants."""

import pytest

from litmus.exporter import state
from tests import apiserver
from tests.exporter.conftest import Follow
from tests.exporter.stage import Scraped, engine, result, serving

EVERY = ("ChaosEngine", "ChaosResult", "ChaosExperiment")


def up(scraped: Scraped) -> dict[str, float]:
    return {kind: scraped.one("litmus_exporter_source_up", kind=kind) for kind in EVERY}


def complaints(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == state.__name__]


async def test_a_change_is_seen_by_watch_without_listing_again(server: apiserver.Server, follow: Follow):
    exporter = await follow()
    await server.until_asked("watch", "chaosresults")
    server.put("chaosresults", result())
    await exporter.until(lambda scraped: scraped.all("litmus_run_info", verdict="Awaited"))
    server.put("chaosresults", result(verdict="Fail"))
    scraped = await exporter.until(lambda scraped: scraped.all("litmus_run_info", verdict="Fail"))

    assert scraped.all("litmus_run_info", verdict="Awaited") == []
    assert server.verbs("chaosresults") == ["list", "watch"]


async def test_the_series_of_a_deleted_result_disappear(server: apiserver.Server, follow: Follow):
    probes = [{"name": "front", "type": "httpProbe", "status": {"verdict": "Passed"}}]
    server.put("chaosresults", result("kept"))
    server.put("chaosresults", result("gone", probeStatuses=probes))
    exporter = await follow()
    assert '"gone' in (await exporter.scrape()).text
    await server.until_asked("watch", "chaosresults")
    server.remove("chaosresults", "gone-pod-delete")
    scraped = await exporter.until(lambda scraped: scraped.one("litmus_exporter_objects", kind="ChaosResult") == 1)

    assert '"gone' not in scraped.text
    assert '"kept' in scraped.text


async def test_a_result_that_was_deleted_while_nobody_watched_is_gone_as_well(server: apiserver.Server, follow: Follow):
    server.put("chaosresults", result("gone"))
    server.forbid("watch", "chaosresults")
    exporter = await follow()
    server.remove("chaosresults", "gone-pod-delete")

    await exporter.until(lambda scraped: '"gone' not in scraped.text)


async def test_without_the_right_to_watch_the_lists_are_enough(
    server: apiserver.Server, follow: Follow, caplog: pytest.LogCaptureFixture
):
    server.forbid("watch", "*")
    exporter = await follow()
    server.put("chaosengines", engine(verdict="Pass"))
    scraped = await exporter.until(lambda scraped: scraped.all("chaosengine_passed_experiments") == [1])

    assert set(up(scraped).values()) == {1}
    assert complaints(caplog) == []


async def test_only_one_namespace_is_asked_for_if_that_is_wanted(server: apiserver.Server, follow: Follow):
    server.put("chaosresults", result("mine"), namespace="team")
    server.put("chaosresults", result("other"), namespace="elsewhere")
    exporter = await follow("team")
    scraped = await exporter.scrape()

    assert [labels["engine"] for labels in scraped.labels("litmus_run_info")] == ["mine"]
    assert {asked.namespace for asked in server.asked} == {"team"}


async def test_a_role_that_may_not_list_results_loses_only_their_metrics_and_says_so_once(
    server: apiserver.Server, follow: Follow, caplog: pytest.LogCaptureFixture
):
    server.forbid("list", "chaosresults")
    server.put("chaosengines", engine(verdict="Pass"))
    server.put("chaosresults", result())
    exporter = await follow()
    await server.until_asked("list", "chaosresults", times=4)
    scraped = await exporter.scrape()

    assert up(scraped) == {"ChaosEngine": 1, "ChaosResult": 0, "ChaosExperiment": 1}
    assert scraped.one("cluster_overall_passed_experiments") == 1
    assert scraped.all("litmus_run_info") == []
    assert await exporter.status("/readyz") == await exporter.status("/healthz") == 200
    [complaint] = complaints(caplog)
    assert "chaosresults can't be read" in complaint
    assert "give the account of the exporter the verbs list and watch on chaosresults" in complaint


async def test_it_recovers_by_itself_when_the_role_is_mended(
    server: apiserver.Server, follow: Follow, caplog: pytest.LogCaptureFixture
):
    server.forbid("list", "*")
    server.put("chaosresults", result())
    exporter = await follow()
    assert set(up(await exporter.scrape()).values()) == {0}
    server._forbidden.clear()

    await exporter.until(lambda scraped: set(up(scraped).values()) == {1} and scraped.all("litmus_run_info"))
    assert [line for line in complaints(caplog) if "again: there are 1" in line]
    assert len(complaints(caplog)) == 2 * len(EVERY)


async def test_a_cluster_without_the_definitions_and_their_installation_later(
    server: apiserver.Server, follow: Follow, caplog: pytest.LogCaptureFixture
):
    with server.answer(lambda asked: apiserver.failure(404, "the server could not find the requested resource")):
        exporter = await follow()
        await server.until_asked("list", "chaosengines", times=3)
        scraped = await exporter.scrape()
        assert set(up(scraped).values()) == {0}
        assert scraped.one("cluster_overall_experiments_count") == 0
        assert all("install the definitions with litmus install" in line for line in complaints(caplog))
        assert len(complaints(caplog)) == len(EVERY)
    server.put("chaosengines", engine())

    await exporter.until(lambda scraped: scraped.one("cluster_overall_experiments_count") == 1)
    assert set(up(await exporter.scrape()).values()) == {1}


async def test_what_goes_with_its_definition_goes_from_the_metrics(server: apiserver.Server, follow: Follow):
    server.forbid("watch", "*")
    server.put("chaosresults", result())
    exporter = await follow()
    with server.answer(lambda asked: apiserver.failure(404, "the server could not find the requested resource")):
        await exporter.until(lambda scraped: not scraped.all("litmus_run_info"))


async def test_an_api_server_that_fails_leaves_what_was_known_and_is_asked_again(
    server: apiserver.Server, follow: Follow
):
    server.forbid("watch", "*")
    server.put("chaosresults", result())
    exporter = await follow()
    with server.answer(lambda asked: apiserver.failure(500, "etcd is down")):
        scraped = await exporter.until(lambda scraped: set(up(scraped).values()) == {0})
        assert scraped.all("litmus_run_info") == [1]
    await exporter.until(lambda scraped: set(up(scraped).values()) == {1})


async def test_a_watch_that_is_too_old_is_followed_by_a_list(server: apiserver.Server, follow: Follow):
    def too_old(asked: apiserver.Asked):
        stale = asked.verb == "watch" and server.verbs("chaosresults").count("watch") == 1
        return apiserver.failure(410, "too old resource version") if stale and asked.plural == "chaosresults" else None

    with server.answer(too_old):
        exporter = await follow()
        await server.until_asked("list", "chaosresults", times=2)
    server.put("chaosresults", result())
    scraped = await exporter.until(lambda scraped: scraped.all("litmus_run_info"))

    assert up(scraped)["ChaosResult"] == 1


async def test_one_object_that_somebody_broke_does_not_hide_the_others(server: apiserver.Server, follow: Follow):
    broken = result("broken")
    broken["status"]["faults"] = "none"
    server.put("chaosresults", broken)
    server.put("chaosresults", result("good"))
    scraped = await (await follow()).scrape()

    assert [labels["engine"] for labels in scraped.labels("litmus_run_info")] == ["good"]


async def test_a_silent_connection_is_opened_anew(
    server: apiserver.Server, follow: Follow, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(state, "_SILENCE_S", 0.05)
    await follow()
    await server.until_asked("watch", "chaosresults", times=3)

    assert server.verbs("chaosresults").count("list") == 1


async def test_it_is_not_ready_before_the_first_look():
    async with serving() as idle:
        assert await idle.status("/readyz") == 503
        assert await idle.status("/healthz") == 200
