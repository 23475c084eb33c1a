"""Jobs and CronJobs.

Source: pkg/apis/batch/{v1/defaults.go,validation}, pkg/registry/batch; documentation "Jobs" and "CronJob".
"""

import zoneinfo
from typing import ClassVar

from litmus.sandbox.machinery import names, objects, status
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.status import Cause

from . import Strategy, causes, pod_defaults, pod_spec, schedules, workload

CONTROLLER_UID = "batch.kubernetes.io/controller-uid"
JOB_NAME = "batch.kubernetes.io/job-name"
_LEGACY_UID, _LEGACY_NAME = "controller-uid", "job-name"
_RESTART = ("OnFailure", "Never")
_INT32_MAX = 2**31 - 1
_CRON_NAME_MAX = 52
_CONCURRENCY = ("Allow", "Forbid", "Replace")


def job_spec_defaults(spec: Obj) -> None:
    """The defaults of a JobSpec, in a Job or in a CronJob's template. Raises quantity.Malformed."""
    pod_defaults.template(spec)
    if "completions" not in spec and "parallelism" not in spec:
        spec["completions"] = 1
    spec.setdefault("parallelism", 1)
    spec.setdefault("backoffLimit", _INT32_MAX if "backoffLimitPerIndex" in spec else 6)
    spec.setdefault("completionMode", "NonIndexed")
    spec.setdefault("suspend", False)
    spec.setdefault("manualSelector", False)
    spec.setdefault("podReplacementPolicy", "Failed" if "podFailurePolicy" in spec else "TerminatingOrFailed")


class Jobs(Strategy):
    generation_of: ClassVar = ("spec",)

    def default(self, obj: Obj) -> None:
        job_spec_defaults(obj.setdefault("spec", {}))
        labels = obj["spec"]["template"]["metadata"].get("labels")
        if labels and not objects.labels(obj):
            obj["metadata"]["labels"] = dict(labels)
        obj.setdefault("status", {})

    def prepare_create(self, obj: Obj) -> None:
        super().prepare_create(obj)
        if not obj["spec"].get("manualSelector"):
            _own_selector(obj)

    def validate(self, obj: Obj) -> list[Cause]:
        spec = obj["spec"]
        said = job_spec_causes(spec, "spec")
        if spec.get("selector") is None:
            said.append(status.required("spec.selector"))
            return said
        wrong = causes.label_selector("spec.selector", spec["selector"])
        said += wrong
        labels = spec["template"]["metadata"].get("labels") or {}
        if not spec.get("manualSelector"):
            said += _label_causes(obj, labels)
        if not wrong:
            said += workload.mismatch_causes(spec["selector"], labels)
        return said

    def validate_update(self, new: Obj, old: Obj) -> list[Cause]:
        spec, known = new["spec"], old["spec"]
        said: list[Cause] = []
        if known.get("completionMode") != "Indexed" or spec.get("completions") != spec.get("parallelism"):
            said += causes.immutable("spec.completions", spec.get("completions"), known.get("completions"))
        for field in ("selector", "podFailurePolicy", "backoffLimitPerIndex", "successPolicy"):
            said += causes.immutable(f"spec.{field}", spec.get(field), known.get(field))
        never_started = known.get("suspend") and not (old.get("status") or {}).get("startTime")
        if not never_started:
            said += causes.immutable("spec.template", spec["template"], known["template"])
        return said + causes.immutable("spec.completionMode", spec.get("completionMode"), known.get("completionMode"))


class CronJobs(Strategy):
    generation_of: ClassVar = ("spec",)

    def default(self, obj: Obj) -> None:
        spec = obj.setdefault("spec", {})
        spec.setdefault("concurrencyPolicy", "Allow")
        spec.setdefault("suspend", False)
        spec.setdefault("successfulJobsHistoryLimit", 3)
        spec.setdefault("failedJobsHistoryLimit", 1)
        template = spec.setdefault("jobTemplate", {})
        template.setdefault("metadata", {})
        job_template_defaults(template.setdefault("spec", {}))
        obj.setdefault("status", {})

    def name_causes(self, name: str) -> list[Cause]:
        """11 characters are left for the time in the names of its jobs."""
        said = causes.each("metadata.name", name, names.subdomain(name))
        if len(name) > _CRON_NAME_MAX:
            why = f"must be no more than {_CRON_NAME_MAX} characters"
            said.append(status.invalid_value("metadata.name", name, why))
        return said

    def validate(self, obj: Obj) -> list[Cause]:
        spec = obj["spec"]
        said = _schedule_causes(spec)
        said += workload.counts(spec, "startingDeadlineSeconds")
        if spec["concurrencyPolicy"] not in _CONCURRENCY:
            said.append(causes.unsupported("spec.concurrencyPolicy", spec["concurrencyPolicy"], _CONCURRENCY))
        said += workload.counts(spec, "successfulJobsHistoryLimit", "failedJobsHistoryLimit")
        inner = spec["jobTemplate"]["spec"]
        if inner.get("manualSelector"):
            why = ("true", "false")
            said.append(causes.unsupported("spec.jobTemplate.spec.manualSelector", True, why[1:]))
        return said + job_spec_causes(inner, "spec.jobTemplate.spec")


def job_template_defaults(spec: Obj) -> None:
    """A CronJob's template: a pod template, and nothing that the Job itself gets when it is made."""
    pod_defaults.template(spec)


def job_spec_causes(spec: Obj, at: str) -> list[Cause]:
    """A JobSpec at the path ``at``, less what its selector has to do with."""
    said: list[Cause] = []
    for field in ("parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished"):
        said += causes.non_negative(f"{at}.{field}", spec.get(field))
    mode = spec.get("completionMode", "NonIndexed")
    if mode not in ("NonIndexed", "Indexed"):
        said.append(causes.unsupported(f"{at}.completionMode", mode, ("NonIndexed", "Indexed")))
    if mode == "Indexed" and spec.get("completions") is None:
        said.append(status.required(f"{at}.completions", "when completion mode is Indexed"))
    said += pod_spec.template_causes(spec["template"], f"{at}.template")
    policy = spec["template"]["spec"].get("restartPolicy")
    field = f"{at}.template.spec.restartPolicy"
    if policy == "Always":
        said.append(status.required(field, 'valid values: "OnFailure", "Never"'))
    elif policy not in _RESTART:
        said.append(causes.unsupported(field, policy, _RESTART))
    if policy != "Never" and spec.get("podFailurePolicy") is not None:
        why = 'only "Never" is supported when podFailurePolicy is specified'
        said.append(status.invalid_value(field, policy, why))
    return said


def _own_selector(job: Obj) -> None:
    """The uid of the Job as a label of its pods, so that no other controller takes them for its own."""
    template = job["spec"]["template"].setdefault("metadata", {})
    labels = template.setdefault("labels", {})
    shared = objects.labels(job) == labels  # a Job without labels of its own has those of its template
    uid, name = objects.uid(job), objects.name(job)
    # Another value than ours is left as it is: validation refuses it.
    for key, value in ((_LEGACY_UID, uid), (_LEGACY_NAME, name), (CONTROLLER_UID, uid), (JOB_NAME, name)):
        labels.setdefault(key, value)
    if shared:
        job["metadata"]["labels"] = dict(labels)
    selector = job["spec"].setdefault("selector", {})
    selector.setdefault("matchLabels", {}).setdefault(CONTROLLER_UID, uid)


def _label_causes(job: Obj, labels: Obj) -> list[Cause]:
    """A Job that lets the server choose its selector must not say anything else."""
    said: list[Cause] = []
    wanted = {CONTROLLER_UID: objects.uid(job), JOB_NAME: objects.name(job)}
    for key, value in wanted.items():
        if labels.get(key) != value:
            shown = causes.ordered(labels)
            why = f"must be '{value}'"
            field = f"spec.template.metadata.labels[{key}]"
            said.append(status.invalid_value(field, shown, why) if key in labels else status.required(field, why))
    expected = {"matchLabels": {CONTROLLER_UID: wanted[CONTROLLER_UID]}}
    legacy = {"matchLabels": {_LEGACY_UID: wanted[CONTROLLER_UID]}}
    if job["spec"]["selector"] not in (expected, legacy):
        why = "`selector` not auto-generated"
        said.append(status.invalid_value("spec.selector", job["spec"]["selector"], why))
    return said


def _schedule_causes(spec: Obj) -> list[Cause]:
    schedule, zone = spec.get("schedule", ""), spec.get("timeZone")
    if not schedule:
        return [status.required("spec.schedule")]
    said: list[Cause] = []
    try:
        schedules.check(schedule)
    except schedules.Malformed as malformed:
        said.append(status.invalid_value("spec.schedule", schedule, str(malformed)))
    if "TZ" in schedule:
        why = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"
        said.append(status.invalid_value("spec.schedule", schedule, why))
    return said if zone is None else said + _zone_causes(zone)


def _zone_causes(zone: str) -> list[Cause]:
    if not zone:
        return [status.invalid_value("spec.timeZone", zone, "timeZone must be nil or non-empty string")]
    if zone.lower() == "local":
        return [
            status.invalid_value(
                "spec.timeZone",
                zone,
                "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones",
            )
        ]
    try:
        zoneinfo.ZoneInfo(zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return [status.invalid_value("spec.timeZone", zone, f"unknown time zone {zone}")]
    return []
