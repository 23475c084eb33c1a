"""Pods that no node runs: what can be asked of them all the same. One answer of each kind that needs no container."""

from collections.abc import Iterator
from typing import Any

from tests.cluster.conformance.steps import (
    NAMESPACE,
    STRATEGIC,
    TABLE,
    Step,
    core,
    delete,
    get,
    grouped,
    meta,
    patch,
    pod,
    post,
    put,
)

_BUDGETS = "policy/poddisruptionbudgets"
_LATER = ("status",)


def _quiet(name: str, /, labels: dict[str, str] | None = None, **spec: Any) -> dict[str, Any]:
    return pod(name, labels, automountServiceAccountToken=False, **spec)


def pods() -> Iterator[Step]:
    """A pod's own rules."""
    one = core("pods", "p")
    yield post("pod: with a token", core("pods", query="dryRun=All"), pod("t"))
    yield post("pod: create", core("pods"), _quiet("p", {"app": "p"}))
    yield get("pod: is not scheduled", one, until="status.conditions.0.reason")
    yield get("pod: table", one, accept=TABLE)
    yield get("pod: wide table", core("pods", query="labelSelector=app%3Dp"), accept=TABLE)
    yield get("pod: by phase", core("pods", query="fieldSelector=status.phase%3DPending,spec.nodeName%3D"), ignore=("items[0].status",))  # fmt: skip
    for name, change in {
        "an image": {"spec": {"containers": [{"name": "main", "image": "busybox"}]}}, "a command": {"spec": {"containers": [{"name": "main", "command": ["a"]}]}},
        "another toleration": {"spec": {"tolerations": [{"key": "x", "operator": "Exists"}]}}, "a node": {"spec": {"nodeName": "other"}},
        "another container": {"spec": {"containers": [{"name": "more", "image": "a"}]}}, "a deadline": {"spec": {"activeDeadlineSeconds": 100}},
        "a longer deadline": {"spec": {"activeDeadlineSeconds": 200}}, "a grace": {"spec": {"terminationGracePeriodSeconds": 1}}, "an annotation": {"metadata": {"annotations": {"a": "b"}}},
    }.items():  # fmt: skip
        yield patch(f"pod: patch of {name}", one, change, STRATEGIC, ignore=_LATER)
    ready = {"type": "Ready", "status": "True"}
    yield patch("pod: status", f"{one}/status", {"status": {"message": "said", "conditions": [ready]}}, STRATEGIC)
    yield patch("pod: status leaves the rest alone", f"{one}/status", {"spec": {"nodeName": "x"}}, STRATEGIC)
    yield get("pod: status get", f"{one}/status")
    yield delete("pod: delete", one)
    yield get("pod: gone", one, gone=True)


def conversations() -> Iterator[Step]:
    """Logs, commands and ports of a pod that has no node: refused before anything is upgraded."""
    two = [{"name": name, "image": "nginx"} for name in ("a", "b")]
    yield post(
        "talk: create", core("pods"), _quiet("talk", containers=two, initContainers=[{"name": "i", "image": "a"}])
    )
    one = core("pods", "talk")
    for name, path in {
        "log": "log", "log of a container": "log?container=a", "log of another container": "log?container=x", "log of an init container": "log?container=i",
        "log of a few lines": "log?container=a&tailLines=3", "log of less than no lines": "log?container=a&tailLines=-1", "log of no bytes": "log?container=a&limitBytes=0",
        "log of no seconds": "log?container=a&sinceSeconds=0", "log of a broken number": "log?container=a&tailLines=x", "log since two times": "log?container=a&sinceSeconds=1&sinceTime=2020-01-01T00:00:00Z",
        "log since a broken time": "log?container=a&sinceTime=yesterday", "exec without a command": "exec?container=a&stdout=1", "exec without a stream": "exec?container=a&command=ls",
        "exec without a container": "exec?command=ls&stdout=1", "exec in another container": "exec?container=x&command=ls&stdout=1", "exec": "exec?container=a&command=ls&stdout=1",
        "attach without a stream": "attach?container=a", "attach to another container": "attach?container=x&stdout=1", "attach": "attach?container=a&stdout=1",
        "port-forward": "portforward?ports=80", "proxy": "proxy/",
    }.items():  # fmt: skip
        yield get(f"talk: {name}", f"{one}/{path}")
        if path.startswith(("exec", "attach", "portforward")):
            yield post(f"talk: {name}, by POST", f"{one}/{path}", None)
    for name in ("log", "exec?command=ls&stdout=1", "attach?stdout=1", "portforward", "proxy/"):
        yield get(f"talk: with nobody, {name}", core("pods", f"none/{name}"))
    yield post("talk: no log by POST", f"{one}/log", {})
    yield delete("talk: delete", f"{one}?gracePeriodSeconds=0", ignore=_LATER)


def bindings() -> Iterator[Step]:
    """Who schedules says where a pod goes."""
    one = f"{core('pods', 'bound')}/binding"
    node = {"apiVersion": "v1", "kind": "Node", "name": "conformance-nowhere"}
    yield post("binding: create", core("pods"), _quiet("bound"))
    yield post("binding: of another name", one, {"metadata": meta("other"), "target": node})
    yield post("binding: without a target", one, {"metadata": meta("bound")})
    yield post("binding: to another kind", one, {"metadata": meta("bound"), "target": {**node, "kind": "Pod"}})
    yield post("binding: of nobody", core("pods", "none/binding"), {"metadata": meta("none"), "target": node})
    yield post("binding: a dry run", f"{one}?dryRun=All", {"metadata": meta("bound"), "target": node})
    yield post("binding: bind", one, {"metadata": meta("bound"), "target": node})
    yield post("binding: again", one, {"metadata": meta("bound"), "target": node})
    yield post("binding: the old way", core("bindings"), {"metadata": meta("bound"), "target": node})
    yield get("binding: bound", core("pods", "bound"))
    yield get("binding: log", core("pods", "bound/log"))
    yield get("binding: exec", core("pods", "bound/exec?command=ls&stdout=1"))
    yield delete("binding: delete", core("pods", "bound", "gracePeriodSeconds=0"), ignore=_LATER)
    yield get("binding: gone", core("pods", "bound"), gone=True)


def evictions() -> Iterator[Step]:
    """Deletions that ask a budget."""
    budgets = f"/apis/{{version:{_BUDGETS}}}/namespaces/{NAMESPACE}/poddisruptionbudgets"
    labels = {"evicted": "yes"}

    def eviction(name: str, **more: Any) -> dict[str, Any]:
        return {"apiVersion": f"{{version:{_BUDGETS}}}", "kind": "Eviction", "metadata": meta(name), **more}

    def evict(what: str, name: str, query: str = "", **more: Any) -> Step:
        return post(f"eviction: {what}", core("pods", f"{name}/eviction", query), eviction(name, **more))

    for name in ("e1", "e2"):
        yield post(f"eviction: create {name}", core("pods"), _quiet(name, labels))
    spec = {"minAvailable": 1, "selector": {"matchLabels": labels}}
    yield post("eviction: a broken budget", budgets, {"metadata": meta("keep"), "spec": {**spec, "maxUnavailable": 1}})
    yield post(
        "eviction: a broken amount", budgets, {"metadata": meta("keep"), "spec": {**spec, "minAvailable": "many"}}
    )
    yield post("eviction: budget", budgets, {"metadata": meta("keep"), "spec": spec}, ignore=_LATER)
    yield get("eviction: budget is counted", f"{budgets}/keep", until="status.expectedPods=2")
    yield get("eviction: table of budgets", f"{budgets}/keep", accept=TABLE)
    yield evict("of nobody", "none")
    yield post("eviction: of another name", core("pods", "e1/eviction"), eviction("e2"))
    yield post("eviction: of another kind", core("pods", "e1/eviction"), {**eviction("e1"), "kind": "Pod"})
    yield evict("a dry run", "e1", "dryRun=All")
    yield evict("with an old version", "e1", deleteOptions={"preconditions": {"resourceVersion": "1"}})
    running = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
    yield patch("eviction: e1 runs", core("pods", "e1/status"), {"status": running}, STRATEGIC, ignore=_LATER)
    yield get("eviction: budget counts it", f"{budgets}/keep", until="status.currentHealthy=1")
    yield evict("refused", "e1")
    yield evict("refused in a dry run", "e1", "dryRun=All")
    yield patch("eviction: e2 runs", core("pods", "e2/status"), {"status": running}, STRATEGIC, ignore=_LATER)
    yield get("eviction: budget has one to spare", f"{budgets}/keep", until="status.disruptionsAllowed=1")
    yield evict("allowed", "e1", deleteOptions={"gracePeriodSeconds": 0})
    yield get("eviction: gone", core("pods", "e1"), gone=True)
    second = {"metadata": meta("too"), "spec": {**spec, "minAvailable": 0}}
    yield post("eviction: another budget", budgets, second, ignore=_LATER)
    yield get("eviction: another budget is counted", f"{budgets}/too", until="status.expectedPods=1")
    yield evict("with two budgets", "e2")
    yield put("eviction: no update", core("pods", "e2/eviction"), eviction("e2"))
    yield get("eviction: no get", core("pods", "e2/eviction"))
    yield delete("eviction: delete the pod", core("pods", "e2", "gracePeriodSeconds=0"), ignore=_LATER)
    for name in ("keep", "too"):
        yield delete(f"eviction: delete the budget {name}", f"{budgets}/{name}")


def events() -> Iterator[Step]:
    """Events of both groups are the same objects."""
    old, new = core("events"), grouped("events.k8s.io/v1", "events")
    about = {"apiVersion": "v1", "kind": "ConfigMap", "name": "about", "namespace": NAMESPACE}
    event = {
        "metadata": meta("old"), "involvedObject": about, "reason": "Said", "message": "something", "type": "Normal", "count": 1, "source": {"component": "me"},
        "firstTimestamp": "2020-01-01T00:00:00Z", "lastTimestamp": "2020-01-01T00:00:00Z",
    }  # fmt: skip
    yield post("events: old", old, event)
    yield get("events: old as new", f"{new}/old")
    yield patch("events: counted", f"{old}/old", {"count": 2, "lastTimestamp": "2020-01-01T00:00:01Z"}, STRATEGIC)
    fresh = {
        "metadata": meta("new"), "regarding": about, "reason": "Said", "note": "something", "type": "Warning", "action": "Say", "eventTime": "2020-01-01T00:00:00.000000Z",
        "reportingController": "example.com/me", "reportingInstance": "me-1",
    }  # fmt: skip
    yield post("events: new", new, fresh)
    yield get("events: new as old", f"{old}/new")
    wrong: dict[str, dict[str, Any]] = {
        "no action": {"action": None}, "no controller": {"reportingController": None}, "no instance": {"reportingInstance": None}, "no reason": {"reason": None},
        "no time": {"eventTime": None}, "another type": {"type": "Other"}, "another namespace": {"regarding": {**about, "namespace": "default"}},
    }  # fmt: skip
    for name, change in wrong.items():
        yield post(f"events: refused: {name}", new, {**fresh, "metadata": meta("bad"), **change})
    yield post("events: refused: old of another namespace", old, {**event, "metadata": meta("bad"), "involvedObject": {**about, "namespace": "default"}})  # fmt: skip
    yield get("events: by object", f"{old}?fieldSelector=involvedObject.name%3Dabout")
    yield get("events: by type", f"{old}?fieldSelector=involvedObject.name%3Dabout,type%3DWarning")
    yield get("events: new by object", f"{new}?fieldSelector=regarding.name%3Dabout")
    yield get("events: by something else", f"{old}?fieldSelector=message%3Dabout")
    yield get("events: table", f"{old}?fieldSelector=involvedObject.name%3Dabout", accept=TABLE)
    yield get("events: table of the new", f"{new}?fieldSelector=involvedObject.name%3Dabout", accept=TABLE)
    yield delete("events: delete", f"{new}?fieldSelector=reason%3DSaid")
    yield get("events: gone", f"{old}/old")
