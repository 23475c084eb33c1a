"""What a schedule remembers in its status: the first time that is not dealt with, and of which times that is. Pure."""

import hashlib
from datetime import datetime, timedelta
from typing import Any

import msgspec

from litmus import api
from litmus.api.schedule import ScheduleProgress, ScheduleStatus
from litmus.kube import clock

from .times import Times

_INSTANT = timedelta(microseconds=1)


def first_open(
    progress: ScheduleProgress, times: Times, *, created: datetime, now: datetime, print_: str
) -> datetime | None:
    """The first time that is not dealt with yet: as noted; else from the beginning, or from now on after a change."""
    if progress.fingerprint == print_:
        return clock.parse(progress.expected_next_run_time) if progress.expected_next_run_time else None
    if progress.status == "":
        return times.after(created - _INSTANT)
    if not times.repeats and not progress.run_instances:
        return times.after(created - _INSTANT)  # the one time still counts, though it may be missed by now
    return times.after(now)


def expecting(progress: ScheduleProgress, upcoming: datetime | None, *, print_: str) -> ScheduleProgress:
    """With every time before ``upcoming`` dealt with."""
    return msgspec.structs.replace(
        progress,
        status="running",
        expected_next_run_time=clock.stamp(upcoming) if upcoming else None,
        end_time=None,
        message="",
        fingerprint=print_,
    )


def fingerprint(schedule: api.ChaosSchedule) -> str:
    """Of the times of a schedule: another one when somebody changed them."""
    return hashlib.sha256(msgspec.json.encode(schedule.spec.schedule, order="sorted")).hexdigest()[:12]


def written(status: ScheduleStatus) -> dict[str, Any]:
    """With null for what is absent, which removes it."""
    plain = {field.encode_name: getattr(status, field.name) for field in msgspec.structs.fields(status)}
    progress = status.schedule
    plain["schedule"] = {field.encode_name: getattr(progress, field.name) for field in msgspec.structs.fields(progress)}
    built: dict[str, Any] = msgspec.to_builtins(plain)
    built["active"] = [api.plain(reference) for reference in status.active]
    return built
