"""What the operator does for a schedule, on a small API server, in a time that the test sets."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from litmus.api import names
from litmus.kube import clock, events, switch
from litmus.operator import schedules
from litmus.operator.decide import Action
from litmus.operator.keeper import Pause
from litmus.operator.rules import Rules
from tests import apiserver, samples

UID = "uid-of-the-schedule"
CREATED = "2026-03-02T10:00:00Z"  # a Monday


class Time:
    """The time of day, of the second of March 2026."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 3, 2, 10, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment

    def at(self, text: str, *, day: int = 2) -> None:
        hour, minute, second = (int(part) for part in f"{text}:00".split(":")[:3])
        self.moment = self.moment.replace(day=day, hour=hour, minute=minute, second=second)


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    virtual = Time()
    monkeypatch.setattr(clock, "now", virtual)
    return virtual


@pytest.fixture
def rules() -> Rules:
    return Rules()


@pytest.fixture
def reconcile(cluster, time, rules):
    def fresh() -> schedules.Reconciler:
        """As after a restart of the operator: it remembers nothing."""
        poster = events.Poster(cluster, names.OPERATOR_NAME)
        return schedules.Reconciler(cluster, poster, namespace="shop", name="nightly", rules=rules)

    async def step() -> Action | Pause:
        return await fresh().reconcile()

    return step


def put(server: apiserver.Server, when: dict[str, Any] | None = None, **spec: Any) -> None:
    template = samples.engine()["spec"] | {"somethingOfALaterRelease": {"kept": True}}
    server.put(
        "chaosschedules",
        {
            "apiVersion": "litmuschaos.io/v1alpha1",
            "kind": "ChaosSchedule",
            "metadata": {"name": "nightly", "namespace": "shop", "uid": UID, "creationTimestamp": CREATED},
            "spec": {"schedule": when or every("10m"), "engineTemplateSpec": template, **spec},
        },
    )


def every(interval: str, **more: Any) -> dict[str, Any]:
    return {"repeat": {"properties": {"minChaosInterval": interval}, **more}}


def status(server: apiserver.Server) -> dict[str, Any]:
    return server.get("chaosschedules", "nightly").get("status", {})


def engines(server: apiserver.Server) -> list[str]:
    return [engine["metadata"]["name"] for engine in server.all("chaosengines")]


def told(server: apiserver.Server) -> list[tuple[str, str]]:
    return [(event["reason"], event["message"]) for event in server.all("events")]


def reasons(server: apiserver.Server) -> set[str]:
    return {reason for reason, _ in told(server)}


def end(server: apiserver.Server, name: str, word: str = "completed") -> None:
    server.change("chaosengines", name, {"spec": {"engineState": "stop"}, "status": {"engineStatus": word}})


def name_of(text: str) -> str:
    return f"nightly-{datetime.fromisoformat(f'2026-03-02T{text}:00+00:00').timestamp():.0f}"


async def test_before_its_time_it_only_says_when_that_is(server, time, reconcile):
    put(server)
    time.at("10:03")
    server.change("chaosschedules", "nightly", {"metadata": {"creationTimestamp": "2026-03-02T10:03:00Z"}})
    assert await reconcile() == Pause(30.0)
    assert status(server)["schedule"]["expectedNextRunTime"] == "2026-03-02T10:10:00Z"
    time.at("10:09:50")
    assert await reconcile() == Pause(10.0)
    assert engines(server) == []


async def test_at_its_time_it_creates_an_engine_from_the_template_and_notes_it(server, time, reconcile):
    put(server)
    await reconcile()
    [engine] = server.all("chaosengines")
    meta = engine["metadata"]
    assert meta["name"] == name_of("10:00")
    assert meta["labels"]["app"] == "chaos-engine"
    assert meta["labels"]["chaosUID"] == UID
    owner = meta["ownerReferences"][0]
    assert (owner["kind"], owner["uid"], owner["controller"]) == ("ChaosSchedule", UID, True)
    assert engine["spec"]["somethingOfALaterRelease"] == {"kept": True}
    assert engine["spec"]["engineState"] == "active"
    seen = status(server)
    assert seen["lastScheduleTime"] == CREATED
    assert [reference["name"] for reference in seen["active"]] == [meta["name"]]
    progress = seen["schedule"]
    assert (progress["status"], progress["runInstances"]) == ("running", 1)
    assert progress["expectedNextRunTime"] == "2026-03-02T10:10:00Z"
    assert ("SuccessfulCreate", f"Created engine {meta['name']}") in told(server)


async def test_now_is_one_engine_with_the_name_of_the_schedule_and_then_it_is_complete(server, time, reconcile):
    put(server, {"now": True}, chaosServiceAccount="sa")
    server.change("chaosschedules", "nightly", {"spec": {"engineTemplateSpec": {"chaosServiceAccount": None}}})
    time.at("10:00:02")
    await reconcile()
    assert engines(server) == ["nightly"]
    assert server.get("chaosengines", "nightly")["spec"]["chaosServiceAccount"] == "sa"
    assert await reconcile() == Pause(30.0)
    end(server, "nightly")
    time.at("11:00")
    assert await reconcile() is Action.IDLE
    seen = server.get("chaosschedules", "nightly")
    assert seen["spec"]["scheduleState"] == "complete"
    assert seen["status"]["schedule"]["status"] == "completed"
    assert seen["status"]["lastScheduleCompletionTime"] == "2026-03-02T11:00:00Z"
    assert {"SuccessfulCreate", "SawCompletedEngine", "ScheduleCompleted"} <= reasons(server)
    assert await reconcile() is Action.IDLE
    assert engines(server) == ["nightly"]


async def test_once_waits_for_its_time(server, time, reconcile):
    put(server, {"once": {"executionTime": "2026-03-02T12:00:00Z"}})
    await reconcile()
    assert engines(server) == []
    time.at("12:00")
    await reconcile()
    assert engines(server) == ["nightly"]


async def test_an_operator_that_died_after_the_creation_starts_no_second_engine(server, time, reconcile):
    put(server)
    server.forbid("patch", "chaosschedules")
    with pytest.raises(Exception, match="chaosschedules"):
        await reconcile()
    assert engines(server) == [name_of("10:00")]
    assert status(server) == {}
    server._forbidden.clear()
    await reconcile()
    assert engines(server) == [name_of("10:00")]
    assert status(server)["schedule"]["runInstances"] == 1
    assert "MissEngine" not in reasons(server)


async def test_a_creation_whose_answer_was_lost_is_not_repeated(server, time, reconcile):
    put(server, {"now": True})
    server.lose("create", "chaosengines")
    with pytest.raises(Exception, match="does not answer"):
        await reconcile()
    await reconcile()
    assert engines(server) == ["nightly"]
    assert status(server)["schedule"]["runInstances"] == 1


async def test_forbid_starts_none_beside_one_that_runs_and_says_so(server, time, reconcile):
    put(server)
    await reconcile()
    time.at("10:10")
    await reconcile()
    assert engines(server) == [name_of("10:00")]
    [missed] = [message for reason, message in told(server) if reason == "MissEngine"]
    assert missed == (
        f"The engine of 2026-03-02T10:10:00Z was not started: {name_of('10:00')} still runs (concurrencyPolicy: Forbid)"
    )
    end(server, name_of("10:00"))
    time.at("10:20")
    await reconcile()
    assert engines(server) == [name_of("10:00"), name_of("10:20")]
    assert status(server)["schedule"]["runInstances"] == 2


async def test_allow_starts_one_beside_the_other(server, time, reconcile):
    put(server, concurrencyPolicy="Allow")
    await reconcile()
    time.at("10:10")
    await reconcile()
    assert engines(server) == [name_of("10:00"), name_of("10:10")]
    assert len(status(server)["active"]) == 2


async def test_replace_stops_the_one_that_runs_and_starts_the_next_when_it_is_over(server, time, reconcile):
    put(server, concurrencyPolicy="Replace")
    await reconcile()
    first = name_of("10:00")
    server.change("chaosengines", first, {"status": {"engineStatus": "initialized"}})
    time.at("10:10")
    assert await reconcile() == Pause(5.0)
    assert server.get("chaosengines", first)["spec"]["engineState"] == "stop"
    assert engines(server) == [first]
    end(server, first, "stopped")
    time.at("10:10:20")
    await reconcile()
    assert engines(server) == [first, name_of("10:10")]
    assert ("SawCompletedEngine", f"Saw engine {first}: stopped") in told(server)


async def test_after_a_downtime_the_latest_time_is_made_up_for_and_the_others_are_told(server, time, reconcile):
    put(server)
    await reconcile()
    end(server, name_of("10:00"))
    time.at("11:04")
    await reconcile()
    assert engines(server) == [name_of("10:00"), name_of("11:00")]
    assert ("MissEngine", "5 earlier times since 2026-03-02T10:10:00Z were missed") in told(server)
    assert status(server)["schedule"]["expectedNextRunTime"] == "2026-03-02T11:10:00Z"


async def test_after_a_long_downtime_nothing_starts_by_surprise(server, time, reconcile):
    put(server, every("12h"))
    await reconcile()  # 00:00 is before it was made, 12:00 is next
    time.at("12:05:01")
    await reconcile()
    assert engines(server) == []
    assert "made up for within 300 s only" in dict(told(server))["MissEngine"]
    assert status(server)["schedule"]["expectedNextRunTime"] == "2026-03-03T00:00:00Z"


async def test_halt_lets_the_engine_go_on_and_starts_no_other(server, time, reconcile):
    put(server)
    await reconcile()
    server.change("chaosschedules", "nightly", {"spec": {"scheduleState": "halt"}})
    time.at("10:30")
    assert await reconcile() == Pause(30.0)
    assert server.get("chaosengines", name_of("10:00"))["spec"]["engineState"] == "active"
    assert status(server)["schedule"]["status"] == "halted"
    assert "expectedNextRunTime" not in status(server)["schedule"]
    end(server, name_of("10:00"))
    assert await reconcile() is Action.IDLE
    server.change("chaosschedules", "nightly", {"spec": {"scheduleState": "active"}})
    time.at("11:03")
    await reconcile()
    assert status(server)["schedule"]["expectedNextRunTime"] == "2026-03-02T11:10:00Z"
    assert "MissEngine" not in reasons(server)  # nobody wanted those times
    assert engines(server) == [name_of("10:00")]


async def test_stop_stops_the_engine_that_runs(server, time, reconcile):
    put(server)
    await reconcile()
    server.change("chaosschedules", "nightly", {"spec": {"scheduleState": "stop"}})
    assert await reconcile() == Pause(30.0)
    assert server.get("chaosengines", name_of("10:00"))["spec"]["engineState"] == "stop"
    assert status(server)["schedule"]["status"] == "stopped"
    end(server, name_of("10:00"), "stopped")
    assert await reconcile() is Action.IDLE
    assert status(server)["active"] == []


async def test_a_range_that_is_over_completes_it(server, time, reconcile):
    put(server, every("10m", timeRange={"endTime": "2026-03-02T10:10:00Z"}))
    await reconcile()
    end(server, name_of("10:00"))
    time.at("10:10")
    await reconcile()
    end(server, name_of("10:10"))
    assert await reconcile() is Action.IDLE
    assert engines(server) == [name_of("10:00"), name_of("10:10")]
    assert server.get("chaosschedules", "nightly")["spec"]["scheduleState"] == "complete"


async def test_a_schedule_that_can_never_fire_is_refused_once_with_the_path_and_the_remedy(server, time, reconcile):
    put(server, every("5h", workHours={"includedHours": "1-4"}))
    assert await reconcile() is Action.IDLE
    assert await reconcile() is Action.IDLE
    progress = status(server)["schedule"]
    assert progress["status"] == "refused"
    assert progress["message"].startswith("spec.schedule.repeat.workHours.includedHours: it can never fire")
    [(reason, message)] = told(server)
    assert reason == "FailedNeedsStart"
    assert progress["message"] in message
    assert server.all("events")[0]["count"] == 1


async def test_a_schedule_that_was_mended_goes_on_from_then(server, time, reconcile):
    put(server, every("x"))
    await reconcile()
    server.change("chaosschedules", "nightly", {"spec": {"schedule": every("1h")}})
    time.at("10:30")
    await reconcile()
    progress = status(server)["schedule"]
    assert (progress["status"], progress["message"]) == ("running", "")
    assert progress["expectedNextRunTime"] == "2026-03-02T11:00:00Z"


async def test_other_times_count_from_the_change(server, time, reconcile):
    put(server, every("1h"))
    await reconcile()
    end(server, name_of("10:00"))
    server.change("chaosschedules", "nightly", {"spec": {"schedule": every("10m")}})
    time.at("10:35")
    await reconcile()
    assert status(server)["schedule"]["expectedNextRunTime"] == "2026-03-02T10:40:00Z"
    assert engines(server) == [name_of("10:00")]


async def test_an_engine_of_somebody_else_with_that_name_is_left_alone(server, time, reconcile):
    put(server, {"now": True})
    server.put("chaosengines", samples.engine(name="nightly"))
    assert await reconcile() == Pause(5.0)
    assert "there is another engine nightly" in dict(told(server))["FailedCreate"]
    time.at("10:06")
    await reconcile()
    assert "MissEngine" in reasons(server)
    assert await reconcile() is Action.IDLE
    assert status(server)["schedule"]["status"] == "completed"


async def test_an_engine_that_vanished_is_told(server, time, reconcile):
    put(server)
    await reconcile()
    server.remove("chaosengines", name_of("10:00"))
    await reconcile()
    assert ("MissingEngine", f"Engine {name_of('10:00')} is gone before it had ended") in told(server)
    assert status(server)["active"] == []


async def test_while_all_chaos_is_stopped_it_does_not_fire_and_says_who_stopped_it(server, time, reconcile, rules):
    put(server)
    rules.stopped = switch.Switch(namespace="litmus", by="ada on lab", at="2026-03-02T09:00:00Z", why="incident")
    await reconcile()
    assert engines(server) == []
    missed = dict(told(server))["MissEngine"]
    assert "stopped by ada on lab at 2026-03-02T09:00:00Z (incident)" in missed
    assert "kubectl delete configmap litmus-stop -n litmus" in missed
    rules.stopped = None
    time.at("10:10")
    await reconcile()
    assert engines(server) == [name_of("10:10")]


async def test_nothing_is_written_when_nothing_changed(server, time, reconcile):
    put(server)
    await reconcile()
    before = len(server.asked)
    time.at("10:05")
    await reconcile()
    assert {asked.verb for asked in server.asked[before:]} == {"get", "list"}


def test_the_times_and_the_zone_have_their_place_in_the_schema():
    from litmus.api import ChaosSchedule, strict

    assert strict.mistakes(ChaosSchedule, {"spec": {"schedule": {"timeZon": "UTC"}}})[0].startswith("spec: engineTempl")
    with pytest.raises(msgspec.ValidationError, match="includedHours"):
        msgspec.convert(
            {"spec": {"schedule": every("1h", workHours={"includedHours": "25"}), "engineTemplateSpec": {}}},
            ChaosSchedule,
        )


# In Berlin, on 29 March 2026 02:00 is followed by 03:00, and on 25 October 2026 02:00 to 02:59 come twice.
@pytest.mark.parametrize(
    ("interval", "night", "expected"),
    [
        ("1h", (3, 29), ["01:00+0100", "03:00+0200", "04:00+0200", "05:00+0200"]),
        ("2h", (3, 29), ["04:00+0200"]),
        ("1h", (10, 25), ["01:00+0200", "02:00+0200", "02:00+0100", "03:00+0100", "04:00+0100", "05:00+0100"]),
        ("2h", (10, 25), ["02:00+0200", "04:00+0100"]),
    ],
)
async def test_a_night_in_which_clocks_change(server, time, reconcile, monkeypatch, interval, night, expected):
    """Lived through from half past midnight until after five, as the operator waits: from one pause to the next."""
    monkeypatch.setattr(schedules, "_LOOK_AGAIN_S", 7200.0)
    zone = ZoneInfo("Europe/Berlin")
    time.moment = datetime(2026, *night, 0, 30, tzinfo=zone).astimezone(UTC)
    put(server, every(interval) | {"timeZone": "Europe/Berlin"}, concurrencyPolicy="Allow")
    server.change("chaosschedules", "nightly", {"metadata": {"creationTimestamp": clock.stamp(time.moment)}})
    until = datetime(2026, *night, 5, 30, tzinfo=zone).astimezone(UTC)
    while time.moment < until:
        pause = await reconcile()
        assert isinstance(pause, Pause)
        assert pause.seconds > 0
        time.moment += timedelta(seconds=pause.seconds)
    seconds = sorted(int(name.removeprefix("nightly-")) for name in engines(server))
    assert [datetime.fromtimestamp(second, zone).strftime("%H:%M%z") for second in seconds] == expected
    assert "MissEngine" not in reasons(server)
