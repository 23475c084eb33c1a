"""What is newer than the kit's cluster, and the frame of a table."""

from datetime import UTC, datetime
from typing import Any

import pytest

from litmus.sandbox.machinery import resources, tables
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.resources import Resource

CATALOGUE = resources.built_in()
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
META = {"name": "x", "namespace": "n", "creationTimestamp": "2026-01-01T11:55:55Z"}


def row(resource: str, obj: Obj) -> Obj:
    found = tables.of(CATALOGUE.named(resource), [{"metadata": META, **obj}], now=NOW)
    names = [column["name"] for column in found["columnDefinitions"]]
    return dict(zip(names, found["rows"][0]["cells"], strict=True))


def ended(ago: str, code: int = 1) -> Obj:
    return {"terminated": {"exitCode": code, "finishedAt": ago}}


def a_pod(status: Obj, **spec: Any) -> Obj:
    return row("pods", {"spec": {"containers": [{"name": "c"}], **spec}, "status": status})


def container(**more: Any) -> Obj:
    return {"name": "c", "ready": True, "restartCount": 0, "state": {"running": {}}, **more}


def test_restarts_say_how_long_ago_the_last_one_was() -> None:
    statuses = [
        container(restartCount=2, lastState=ended("2026-01-01T11:59:55Z")),
        container(name="d", restartCount=1, lastState=ended("2026-01-01T11:00:00Z")),
    ]
    assert a_pod({"phase": "Running", "containerStatuses": statuses})["Restarts"] == "3 (5s ago)"
    assert a_pod({"phase": "Running", "containerStatuses": [container()]})["Restarts"] == "0"


def test_restarts_of_init_containers_count_until_they_are_through() -> None:
    init = [{"name": "i", "restartCount": 4, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]
    found = a_pod({"phase": "Pending", "initContainerStatuses": init}, initContainers=[{"name": "i"}])
    assert (found["Restarts"], found["Status"]) == ("4", "Init:CrashLoopBackOff")
    done = [{"name": "i", "restartCount": 4, "state": ended("2026-01-01T11:00:00Z", code=0)}]
    found = a_pod(
        {"phase": "Running", "initContainerStatuses": done, "containerStatuses": [container()]},
        initContainers=[{"name": "i"}],
    )
    assert (found["Restarts"], found["Status"], found["Ready"]) == ("0", "Running", "1/1")


def test_a_sidecar_counts_as_a_container() -> None:
    sidecar = [{"name": "s", "started": True, "ready": True, "restartCount": 1, "state": {"running": {}}}]
    found = a_pod(
        {"phase": "Running", "initContainerStatuses": sidecar, "containerStatuses": [container()]},
        initContainers=[{"name": "s", "restartPolicy": "Always"}],
    )
    assert (found["Ready"], found["Restarts"], found["Status"]) == ("2/2", "1", "Running")


def test_a_pod_that_may_not_be_scheduled_yet_says_so() -> None:
    conditions = [{"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}]
    assert a_pod({"phase": "Pending", "conditions": conditions})["Status"] == "SchedulingGated"


@pytest.mark.parametrize(
    ("status", "shown"),
    [
        ({"phase": "Running"}, "Terminating"),
        ({"phase": "Running", "reason": "NodeLost"}, "Unknown"),
        ({"phase": "Succeeded"}, "Succeeded"),
    ],
)
def test_a_pod_that_is_deleted_terminates_unless_it_is_over(status: Obj, shown: str) -> None:
    pod = {"metadata": {**META, "deletionTimestamp": "2026-01-01T12:00:00Z"}, "status": status}
    assert row("pods", pod)["Status"] == shown


@pytest.mark.parametrize(
    ("conditions", "shown"),
    [
        ([], "Running"),
        ([("Complete", "True")], "Complete"),
        ([("Complete", "False")], "Running"),
        ([("FailureTarget", "True"), ("Failed", "True")], "Failed"),
        ([("Suspended", "True")], "Suspended"),
        ([("SuccessCriteriaMet", "True")], "SuccessCriteriaMet"),
    ],
)
def test_a_job_says_its_status(conditions: list[tuple[str, str]], shown: str) -> None:
    found = [{"type": kind, "status": status} for kind, status in conditions]
    assert row("jobs.batch", {"status": {"conditions": found}})["Status"] == shown


def test_a_job_says_how_many_of_its_pods_succeeded_and_how_long_it_took() -> None:
    status = {"succeeded": 1, "startTime": "2026-01-01T11:00:00Z", "completionTime": "2026-01-01T11:00:09Z"}
    found = row("jobs.batch", {"spec": {"completions": 3}, "status": status})
    assert (found["Completions"], found["Duration"], found["Age"]) == ("1/3", "9s", "4m5s")
    assert row("jobs.batch", {"spec": {"parallelism": 4}, "status": {}})["Completions"] == "0/1 of 4"
    running = {"startTime": "2026-01-01T11:58:00Z"}
    assert row("jobs.batch", {"spec": {}, "status": running})["Duration"] == "2m"


def test_an_autoscaler_shows_two_metrics_and_counts_the_rest() -> None:
    def cpu(target: Obj) -> Obj:
        return {"type": "Resource", "resource": {"name": "cpu", "target": target}}

    metrics = [cpu({"averageUtilization": 80}), cpu({"averageValue": "100m"}), cpu({"averageUtilization": 1})]
    current = [{"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 7}}}]
    found = row(
        "horizontalpodautoscalers.autoscaling",
        {
            "spec": {"metrics": metrics, "maxReplicas": 5, "scaleTargetRef": {"kind": "Deployment", "name": "d"}},
            "status": {"currentMetrics": current},
        },
    )
    assert found["Targets"] == "cpu: 7%/80%, cpu: <unknown>/100m + 1 more..."
    assert (found["Reference"], found["MinPods"], found["MaxPods"]) == ("Deployment/d", "<unset>", 5)


def test_an_event_of_the_newer_group_has_the_same_row() -> None:
    event = {
        "metadata": META,
        "regarding": {"kind": "Pod", "name": "p"},
        "note": "hello",
        "reason": "R",
        "type": "Normal",
        "reportingController": "ctl",
        "deprecatedCount": 2,
        "deprecatedLastTimestamp": "2026-01-01T11:59:00Z",
    }
    found = tables.of(CATALOGUE.named("events.events.k8s.io"), [event], now=NOW)["rows"][0]
    assert found["cells"] == ["60s", "Normal", "R", "pod/p", "", "ctl", "hello", "<unknown>", 2, "x"]


def test_kinds_without_columns_of_their_own_show_when_they_were_created() -> None:
    assert row("clusterroles.rbac.authorization.k8s.io", {}) == {"Name": "x", "Created At": "2026-01-01T11:55:55Z"}


def test_a_table_carries_the_metadata_of_the_list_and_of_each_object() -> None:
    obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": META, "data": {"a": "b"}}
    config_maps = CATALOGUE.named("configmaps")
    found = tables.of(config_maps, [obj], now=NOW, meta={"resourceVersion": "7"})
    assert (found["kind"], found["apiVersion"], found["metadata"]) == (
        "Table",
        "meta.k8s.io/v1",
        {"resourceVersion": "7"},
    )
    partial = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": META}
    assert found["rows"] == [{"cells": ["x", 1, "4m5s"], "object": partial}]
    assert tables.of(config_maps, [obj], now=NOW, include="Object")["rows"][0]["object"] == obj
    assert tables.of(config_maps, [obj], now=NOW, include="None")["rows"][0]["object"] is None
    assert tables.of(config_maps, [obj], now=NOW, columns=False)["columnDefinitions"] is None


def test_a_custom_kind_brings_its_own_columns() -> None:
    class Columns:
        column_definitions = [{"name": "Name"}, {"name": "Size"}]

        def cells(self, obj: Obj, *, now: datetime) -> list[Any]:
            return [obj["metadata"]["name"], 3]

    carts = Resource(group="x.y", version="v1", plural="carts", singular="cart", kind="Cart", custom=True)
    found = tables.of(carts, [{"metadata": META}], now=NOW, custom=Columns())
    assert found["columnDefinitions"] == [{"name": "Name"}, {"name": "Size"}]
    assert found["rows"][0]["cells"] == ["x", 3]


@pytest.mark.parametrize("resource", list(CATALOGUE), ids=lambda resource: resource.qualified)
def test_every_kind_shows_an_object_that_says_nothing(resource: Resource) -> None:
    found = tables.of(resource, [{"metadata": {"name": "x"}}], now=NOW)
    assert len(found["rows"][0]["cells"]) == len(found["columnDefinitions"])
