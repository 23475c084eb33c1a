"""ChaosSchedule: when to create engines. The kind of the chaos-scheduler repository, both releases' spelling."""

from typing import Annotated, Any, Literal

from msgspec import Meta

from .engine import EngineSpec
from .meta import API_VERSION, ObjectMeta, Shape

# What ``api.calendars`` reads, so far as a pattern can tell: 0-23, and the names of days.
_HOUR = r"\s*([01]?[0-9]|2[0-3])\s*"
_DAY = r"\s*[A-Za-z]{3,9}\s*"
_TIME = r"^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}"


def _listed(item: str) -> str:
    return f"^{item}(-{item})?(,{item}(-{item})?)*$"


class Once(Shape, frozen=True, kw_only=True):
    execution_time: Annotated[
        str, Meta(description="RFC 3339 time; without an offset it is of the time zone.", pattern=_TIME)
    ]


class TimeRange(Shape, frozen=True, kw_only=True):
    start_time: Annotated[Annotated[str, Meta(pattern=_TIME)] | None, Meta(description="No engine before.")] = None
    end_time: Annotated[Annotated[str, Meta(pattern=_TIME)] | None, Meta(description="No engine after.")] = None


class Properties(Shape, frozen=True, kw_only=True):
    min_chaos_interval: Annotated[
        Any, Meta(description="How often: 10m or 2h in 1.10; hour.everyNthHour or minute.everyNthMinute in 3.x.")
    ] = None
    random: Annotated[bool | None, Meta(description="Whether to draw each time within its interval.")] = None


class WorkHours(Shape, frozen=True, kw_only=True):
    included_hours: Annotated[str, Meta(description="Hours such as 0-12,15.", pattern=_listed(_HOUR))]


class WorkDays(Shape, frozen=True, kw_only=True):
    included_days: Annotated[str, Meta(description="Days such as Mon-Fri,Sun.", pattern=_listed(_DAY))]


class Repeat(Shape, frozen=True, kw_only=True):
    time_range: TimeRange | None = None
    work_hours: WorkHours | None = None
    work_days: WorkDays | None = None
    properties: Properties


class When(Shape, frozen=True, kw_only=True):
    """One of now, once and repeat."""

    now: bool | None = None
    once: Once | None = None
    repeat: Repeat | None = None
    time_zone: Annotated[
        str, Meta(description="IANA name of the zone whose clock counts, such as Europe/Berlin; an addition of ours.")
    ] = "UTC"


class ScheduleSpec(Shape, frozen=True, kw_only=True):
    schedule: When
    schedule_state: Literal["active", "halt", "stop", "complete"] = "active"
    concurrency_policy: Literal["Allow", "Forbid", "Replace"] = "Forbid"
    chaos_service_account: str = ""
    engine_template_spec: EngineSpec


class ScheduleProgress(Shape, frozen=True, kw_only=True):
    status: str = ""
    start_time: str | None = None
    end_time: str | None = None
    run_instances: int | None = None
    expected_next_run_time: str | None = None
    message: Annotated[str, Meta(description="Why it does not run, when it does not.")] = ""
    fingerprint: Annotated[str, Meta(description="Of the times that the next run was computed from.")] = ""


class EngineReference(Shape, frozen=True, kw_only=True):
    api_version: str = API_VERSION
    kind: str = "ChaosEngine"
    name: str
    namespace: str = ""
    uid: str = ""


class ScheduleStatus(Shape, frozen=True, kw_only=True):
    schedule: ScheduleProgress = ScheduleProgress()
    active: Annotated[list[EngineReference], Meta(description="Engines of this schedule that run.")] = []
    last_schedule_time: str | None = None
    last_schedule_completion_time: str | None = None


class ChaosSchedule(Shape, frozen=True, kw_only=True):
    """Creates an engine from a template, now, once, or again and again."""

    api_version: str = API_VERSION
    kind: str = "ChaosSchedule"
    metadata: ObjectMeta = ObjectMeta()
    spec: ScheduleSpec
    status: ScheduleStatus = ScheduleStatus()
