"""ChaosSchedule: when to create engines. The kind of the chaos-scheduler repository, both releases' spelling."""

from typing import Annotated, Any, Literal

from msgspec import Meta

from .engine import EngineSpec
from .meta import API_VERSION, ObjectMeta, Shape


class Once(Shape, frozen=True, kw_only=True):
    execution_time: Annotated[str, Meta(description="RFC 3339 time.")]


class TimeRange(Shape, frozen=True, kw_only=True):
    start_time: str | None = None
    end_time: str | None = None


class Properties(Shape, frozen=True, kw_only=True):
    min_chaos_interval: Annotated[
        Any, Meta(description="How often: 10m or 2h in 1.10; hour.everyNthHour or minute.everyNthMinute in 3.x.")
    ] = None
    random: bool | None = None


class WorkHours(Shape, frozen=True, kw_only=True):
    included_hours: Annotated[str, Meta(description="Hours such as 0-12,15.")]


class WorkDays(Shape, frozen=True, kw_only=True):
    included_days: Annotated[str, Meta(description="Days such as Mon-Fri,Sun.")]


class Repeat(Shape, frozen=True, kw_only=True):
    time_range: TimeRange | None = None
    work_hours: WorkHours | None = None
    work_days: WorkDays | None = None
    properties: Properties


class When(Shape, frozen=True, kw_only=True):
    now: bool | None = None
    once: Once | None = None
    repeat: Repeat | None = None


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


class ScheduleStatus(Shape, frozen=True, kw_only=True):
    schedule: ScheduleProgress = ScheduleProgress()
    last_schedule_time: str | None = None
    last_schedule_completion_time: str | None = None


class ChaosSchedule(Shape, frozen=True, kw_only=True):
    """Creates an engine from a template, now, once, or again and again."""

    api_version: str = API_VERSION
    kind: str = "ChaosSchedule"
    metadata: ObjectMeta = ObjectMeta()
    spec: ScheduleSpec
    status: ScheduleStatus = ScheduleStatus()
