"""Rows of what runs pods: deployments, sets, jobs, and what scales and protects them.

Source: k8s.io/kubernetes/pkg/printers/internalversion.
"""

from datetime import datetime
from typing import Any

from litmus.sandbox.machinery import objects, selectors, status
from litmus.sandbox.machinery.crds import ages
from litmus.sandbox.machinery.objects import Obj

from . import form
from .form import AGE, CONTAINERS, IMAGES, NAME, Column, Printer, wide


def _deployment(obj: Obj, now: datetime) -> list[Any]:
    spec, state = form.spec(obj), form.state(obj)
    try:
        selector = str(selectors.from_label_selector(spec.get("selector")))
    except status.Refusal:
        selector = "<invalid>"
    return [
        objects.name(obj),
        f"{state.get('readyReplicas', 0)}/{spec.get('replicas', 0)}",
        state.get("updatedReplicas", 0),
        state.get("availableReplicas", 0),
        form.age(obj, now),
        *form.template(spec),
        selector,
    ]


def _replica_set(obj: Obj, now: datetime) -> list[Any]:
    return [*_replicas(obj, now), form.label_selector(form.spec(obj).get("selector"))]


def _replication_controller(obj: Obj, now: datetime) -> list[Any]:
    return [*_replicas(obj, now), form.pairs(form.spec(obj).get("selector"))]


def _replicas(obj: Obj, now: datetime) -> list[Any]:
    spec, state = form.spec(obj), form.state(obj)
    figures = [spec.get("replicas", 0), state.get("replicas", 0), state.get("readyReplicas", 0)]
    return [objects.name(obj), *figures, form.age(obj, now), *form.template(spec)]


def _stateful_set(obj: Obj, now: datetime) -> list[Any]:
    ready = f"{form.state(obj).get('readyReplicas', 0)}/{form.spec(obj).get('replicas', 0)}"
    return [objects.name(obj), ready, form.age(obj, now), *form.template(form.spec(obj))]


_SCHEDULED = (
    "desiredNumberScheduled", "currentNumberScheduled", "numberReady", "updatedNumberScheduled", "numberAvailable",
)  # fmt: skip


def _daemon_set(obj: Obj, now: datetime) -> list[Any]:
    spec, state = form.spec(obj), form.state(obj)
    pods = ((spec.get("template") or {}).get("spec")) or {}
    return [
        objects.name(obj),
        *(state.get(figure, 0) for figure in _SCHEDULED),
        form.pairs(pods.get("nodeSelector")),
        form.age(obj, now),
        *form.template(spec),
        form.label_selector(spec.get("selector")),
    ]


# The first condition of a job that is true says its status; "Terminating" is no condition.
_JOB_STATES = ("Complete", "Failed", "Terminating", "Suspended", "FailureTarget", "SuccessCriteriaMet")


def _job_status(obj: Obj) -> str:
    true = {each.get("type") for each in form.state(obj).get("conditions") or [] if each.get("status") == "True"}
    if objects.leaving(obj):
        true.add("Terminating")
    return next((state for state in _JOB_STATES if state in true), "Running")


def _job(obj: Obj, now: datetime) -> list[Any]:
    spec, state = form.spec(obj), form.state(obj)
    wanted, at_once = spec.get("completions"), spec.get("parallelism", 0)
    of = f"{wanted}" if wanted is not None else f"1 of {at_once}" if at_once > 1 else "1"
    begun, ended = state.get("startTime"), state.get("completionTime")
    until = objects.moment(ended) if ended else now
    return [
        objects.name(obj),
        _job_status(obj),
        f"{state.get('succeeded', 0)}/{of}",
        ages.said(until - objects.moment(begun)) if begun else "",
        form.age(obj, now),
        *form.template(spec),
        form.label_selector(spec.get("selector")),
    ]


def _cron_job(obj: Obj, now: datetime) -> list[Any]:
    spec, state = form.spec(obj), form.state(obj)
    job = (spec.get("jobTemplate") or {}).get("spec") or {}
    suspended = spec.get("suspend")
    last = state.get("lastScheduleTime")
    return [
        objects.name(obj),
        spec.get("schedule", ""),
        spec.get("timeZone") or form.NONE,
        form.UNSET if suspended is None else str(suspended),
        len(state.get("active") or []),
        form.since(last, now) if last else form.NONE,
        form.age(obj, now),
        *form.template(job),
        form.label_selector(job.get("selector")),
    ]


def _controller_revision(obj: Obj, now: datetime) -> list[Any]:
    owner = objects.controller_of(obj)
    shown = form.NONE
    if owner is not None:
        group = owner.get("apiVersion", "").rpartition("/")[0]
        shown = f"{status.qualified(owner.get('kind', '').lower(), group)}/{owner.get('name', '')}"
    return [objects.name(obj), shown, obj.get("revision", 0), form.age(obj, now)]


def _pod_template(obj: Obj, now: datetime) -> list[Any]:
    return [objects.name(obj), *form.template(obj), form.pairs(objects.labels(obj.get("template") or {}))]


def _disruption_budget(obj: Obj, now: datetime) -> list[Any]:
    spec = form.spec(obj)
    bounds = [
        str(spec[bound]) if spec.get(bound) is not None else "N/A" for bound in ("minAvailable", "maxUnavailable")
    ]
    return [objects.name(obj), *bounds, form.state(obj).get("disruptionsAllowed", 0), form.age(obj, now)]


def _autoscaler(obj: Obj, now: datetime) -> list[Any]:
    spec, target = form.spec(obj), form.spec(obj).get("scaleTargetRef") or {}
    return [
        objects.name(obj),
        f"{target.get('kind', '')}/{target.get('name', '')}",
        _metrics(obj),
        form.UNSET if spec.get("minReplicas") is None else str(spec["minReplicas"]),
        spec.get("maxReplicas", 0),
        form.state(obj).get("currentReplicas", 0),
        form.age(obj, now),
    ]


def _metrics(obj: Obj) -> str:
    """Two metrics at most, each as current value and target."""
    wanted = form.spec(obj).get("metrics") or []
    current = form.state(obj).get("currentMetrics") or []
    shown = [_metric(metric, current[place] if place < len(current) else {}) for place, metric in enumerate(wanted)]
    if not shown:
        return form.NONE
    return f"{', '.join(shown[:2])} + {len(shown) - 2} more..." if len(shown) > 2 else ", ".join(shown)


def _metric(metric: Obj, current: Obj) -> str:
    kind = metric.get("type", "")
    source = kind[:1].lower() + kind[1:]
    said, seen = metric.get(source) or {}, (current.get(source) or {}).get("current") or {}
    target = said.get("target") or {}
    name = f"{said['name']}: " if "name" in said else ""
    for field, suffix in (("averageValue", ""), ("value", ""), ("averageUtilization", "%")):
        if target.get(field) is not None:
            now = f"{seen[field]}{suffix}" if seen.get(field) is not None else form.UNKNOWN
            average = " (avg)" if field == "averageValue" and kind in ("External", "Object") else ""
            return f"{name}{now}/{target[field]}{suffix}{average}"
    return f"{name}{form.UNKNOWN}/<auto>"


def _selector(definition: str) -> Column:
    return wide("Selector", f"{definition}.selector")


def _replica_columns(package: str, kind: str) -> tuple[Column, ...]:
    return (
        NAME,
        Column("Desired", "integer", f"{package}.v1.{kind}Spec.replicas"),
        Column("Current", "integer", f"{package}.v1.{kind}Status.replicas"),
        Column("Ready", "integer", f"{package}.v1.{kind}Status.readyReplicas"),
        AGE,
        CONTAINERS,
        IMAGES,
        _selector(f"{package}.v1.{kind}Spec"),
    )


PRINTERS = {
    "deployments.apps": Printer(
        (
            NAME,
            Column("Ready", "string", "Number of the pod with ready state"),
            Column("Up-to-date", "string", "apps.v1.DeploymentStatus.updatedReplicas"),
            Column("Available", "string", "apps.v1.DeploymentStatus.availableReplicas"),
            AGE,
            CONTAINERS,
            IMAGES,
            _selector("apps.v1.DeploymentSpec"),
        ),
        _deployment,
    ),
    "replicasets.apps": Printer(_replica_columns("apps", "ReplicaSet"), _replica_set),
    "replicationcontrollers": Printer(_replica_columns("core", "ReplicationController"), _replication_controller),
    "statefulsets.apps": Printer(
        (NAME, Column("Ready", "string", "Number of the pod with ready state"), AGE, CONTAINERS, IMAGES), _stateful_set
    ),
    "daemonsets.apps": Printer(
        (
            NAME,
            *(
                Column(name, "integer", f"apps.v1.DaemonSetStatus.{field}")
                for name, field in zip(
                    ("Desired", "Current", "Ready", "Up-to-date", "Available"), _SCHEDULED, strict=True
                )
            ),
            Column("Node Selector", "string", "core.v1.PodSpec.nodeSelector"),
            AGE,
            CONTAINERS,
            IMAGES,
            _selector("apps.v1.DaemonSetSpec"),
        ),
        _daemon_set,
    ),
    "jobs.batch": Printer(
        (
            NAME,
            Column("Status", "string", "Status of the job."),
            Column("Completions", "string", "batch.v1.JobStatus.succeeded"),
            Column("Duration", "string", "Time required to complete the job."),
            AGE,
            CONTAINERS,
            IMAGES,
            _selector("batch.v1.JobSpec"),
        ),
        _job,
    ),
    "cronjobs.batch": Printer(
        (
            NAME,
            Column("Schedule", "string", "batch.v1.CronJobSpec.schedule"),
            Column("Timezone", "string", "batch.v1.CronJobSpec.timeZone"),
            Column("Suspend", "boolean", "batch.v1.CronJobSpec.suspend"),
            Column("Active", "integer", "batch.v1.CronJobStatus.active"),
            Column("Last Schedule", "string", "batch.v1.CronJobStatus.lastScheduleTime"),
            AGE,
            CONTAINERS,
            IMAGES,
            _selector("batch.v1.JobSpec"),
        ),
        _cron_job,
    ),
    "controllerrevisions.apps": Printer(
        (
            NAME,
            Column("Controller", "string", "Controller of the object"),
            Column("Revision", "string", "apps.v1.ControllerRevision.revision"),
            AGE,
        ),
        _controller_revision,
    ),
    "podtemplates": Printer(
        (
            NAME,
            Column("Containers", "string", CONTAINERS.about),
            Column("Images", "string", IMAGES.about),
            Column("Pod Labels", "string", "The labels for the pod template."),
        ),
        _pod_template,
    ),
    "poddisruptionbudgets.policy": Printer(
        (
            NAME,
            Column("Min Available", "string", "The minimum number of pods that must be available."),
            Column("Max Unavailable", "string", "The maximum number of pods that may be unavailable."),
            Column("Allowed Disruptions", "integer", "Calculated number of pods that may be disrupted at this time."),
            AGE,
        ),
        _disruption_budget,
    ),
    "horizontalpodautoscalers.autoscaling": Printer(
        (
            NAME,
            Column("Reference", "string", "autoscaling.v2.HorizontalPodAutoscalerSpec.scaleTargetRef"),
            Column("Targets", "string", "autoscaling.v2.HorizontalPodAutoscalerSpec.metrics"),
            Column("MinPods", "string", "autoscaling.v2.HorizontalPodAutoscalerSpec.minReplicas"),
            Column("MaxPods", "string", "autoscaling.v2.HorizontalPodAutoscalerSpec.maxReplicas"),
            Column("Replicas", "string", "autoscaling.v2.HorizontalPodAutoscalerStatus.currentReplicas"),
            AGE,
        ),
        _autoscaler,
    ),
}
