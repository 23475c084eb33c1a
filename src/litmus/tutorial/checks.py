"""Whether a task came out as it should, asked of the cluster: each check says yes with what it saw, or what is missing.

What is missing is a code, for which every language has a sentence (``text/*.yaml``, ``missing``); what was
seen are facts that the explanations quote.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from litmus.api import names

from .cluster import Cluster, Obj
from .files import ACCOUNT, SLOW_START_S

Facts = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Seen:
    """What a check saw; ``missing`` is the code of what does not hold, '' when all does."""

    missing: str = ""
    facts: Facts = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return not self.missing


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What a check may look at: the cluster, what the client wrote down, what earlier tasks saw, and how the latest
    command ended (None: none was run).
    """

    cluster: Cluster
    asked: Mapping[str, Any] | None = None
    facts: Facts = field(default_factory=dict)
    status: int | None = None


def nothing(scene: Scene) -> Facts:
    """What is to be remembered before a task: nothing."""
    return {}


def nodes_ready(scene: Scene) -> Seen:
    """Every node is Ready."""
    nodes = scene.cluster.list("nodes")
    ready = [node for node in nodes if condition(node, "Ready")]
    facts = {"nodes": str(len(nodes)), "ready": str(len(ready))}
    return Seen(facts=facts) if nodes and len(ready) == len(nodes) else Seen("nodes", facts)


def application_ready(scene: Scene) -> Seen:
    """The deployment has rolled out, and has its service."""
    deployment = scene.cluster.get("deployment", "nginx")
    if deployment is None:
        return Seen("application")
    ready, wanted = deployment.get("status", {}).get("readyReplicas", 0), deployment["spec"]["replicas"]
    facts = {"ready": str(ready), "wanted": str(wanted)}
    if not rolled_out(deployment):
        return Seen("pods", facts)
    return Seen(facts=facts) if scene.cluster.get("service", "nginx") is not None else Seen("service")


def fast(scene: Scene) -> Seen:
    """The application is as it was at first."""
    return _starting(scene, slow=False)


def slow(scene: Scene) -> Seen:
    """The application takes long to start."""
    return _starting(scene, slow=True)


def _starting(scene: Scene, *, slow: bool) -> Seen:
    deployment = scene.cluster.get("deployment", "nginx")
    if deployment is None:
        return Seen("application")
    probe = deployment["spec"]["template"]["spec"]["containers"][0].get("readinessProbe", {})
    if (probe.get("initialDelaySeconds", 0) >= SLOW_START_S) != slow:
        return Seen("still-fast" if slow else "still-slow")
    return application_ready(scene)


def answered(scene: Scene) -> Seen:
    """The client got an answer to everything it asked."""
    if scene.asked is None:
        return Seen("not-asked")
    facts = _account(scene.asked)
    return Seen(facts=facts) if scene.asked["answered"] and not scene.asked["failed"] else Seen("requests", facts)


def present(scene: Scene) -> Facts:
    """The pods that are there before one is deleted, and which it will be."""
    found = sorted(pod["metadata"]["name"] for pod in scene.cluster.list("pods", labels="app=nginx") if is_ready(pod))
    return {"pods": ",".join(found), "pod": found[0] if found else "POD"}


def replaced(scene: Scene) -> Seen:
    """One of the pods that were there is gone, and another has come."""
    before = set(scene.facts.get("pods", "").split(","))
    pods = {pod["metadata"]["name"]: pod for pod in scene.cluster.list("pods", labels="app=nginx")}
    if before <= set(pods):
        return Seen("not-deleted", {"pod": scene.facts.get("pod", "")})
    new = [pod for name, pod in pods.items() if name not in before and is_ready(pod)]
    if not new:
        return Seen("not-replaced")
    since = new[0]["metadata"]["creationTimestamp"]
    took_s = (_time(condition(new[0], "Ready")["lastTransitionTime"]) - _time(since)).total_seconds()
    gone = min(before - set(pods))
    return Seen(facts={"pod": gone, "replacement": new[0]["metadata"]["name"], "seconds": f"{max(took_s, 1):.0f}"})


def operator_ready(scene: Scene) -> Seen:
    """The definitions are known, and the operator runs."""
    if scene.cluster.get("crd", "chaosengines.litmuschaos.io") is None:
        return Seen("definitions")
    operator = scene.cluster.get("deployment", names.OPERATOR_NAME, namespace=names.OPERATOR_NAMESPACE)
    return Seen() if operator and rolled_out(operator) else Seen("operator")


def operator_gone(scene: Scene) -> Seen:
    """The operator was taken out."""
    gone = scene.cluster.get("deployment", names.OPERATOR_NAME, namespace=names.OPERATOR_NAMESPACE) is None
    return Seen() if gone else Seen("operator-there")


def experiments_there(scene: Scene) -> Seen:
    """Both experiments are installed."""
    found = {one["metadata"]["name"] for one in scene.cluster.list("chaosexperiments")}
    return Seen() if {"pod-delete", "container-kill"} <= found else Seen("experiments")


def role_is_small(scene: Scene) -> Seen:
    """The account may do its work, and nothing to nodes."""
    if not scene.cluster.may(ACCOUNT, "delete", "pods"):
        return Seen("role")
    return Seen() if not scene.cluster.may(ACCOUNT, "delete", "nodes") else Seen("role-too-wide")


def refused(scene: Scene) -> Seen:
    """The engine was not run, for want of the annotation."""
    return Seen("agreed-already") if agreed(scene).ok else CHAOS.erred(scene)


def agreed(scene: Scene) -> Seen:
    """The application carries the annotation."""
    deployment = scene.cluster.get("deployment", "nginx")
    if deployment is None:
        return Seen("application")
    value = deployment["metadata"].get("annotations", {}).get(names.CHAOS_ANNOTATION)
    return Seen() if value == "true" else Seen("annotation")


def planned(scene: Scene) -> Seen:
    """The plan can be carried out; it names whom the first round hits."""
    plan = scene.cluster.plan("engine.yaml")
    if plan is None or plan["blocked"] or not plan["experiments"]:
        return Seen("plan")
    first = plan["experiments"][0]["firstRound"]
    return Seen(facts={"planned": ", ".join(target["name"] for target in first)}) if first else Seen("plan")


@dataclass(frozen=True, slots=True)
class Run:
    """The latest run of an engine with one experiment."""

    engine: str
    experiment: str = "pod-delete"

    def before(self, scene: Scene) -> Facts:
        """How many runs there were before the task."""
        return {f"runs of {self.engine}": str(_runs(self._result(scene)))}

    def passed(self, scene: Scene) -> Seen:
        return self._ended(scene, "Pass")

    def failed(self, scene: Scene) -> Seen:
        return self._ended(scene, "Fail")

    def erred(self, scene: Scene) -> Seen:
        return self._ended(scene, "Error")

    def stopped(self, scene: Scene) -> Seen:
        seen = self._ended(scene, "Stopped")
        return application_ready(scene) if seen.ok else seen

    def begun(self, scene: Scene) -> Seen:
        """The chaos has begun and is not over."""
        result = self._result(scene)
        if _runs(result) <= int(scene.facts.get(f"runs of {self.engine}", "0")):
            return Seen("not-begun")
        run = _run(result)
        if run.get("finishedAt"):
            return Seen("over")
        hit = _targets(result)
        return Seen(facts={"hit": hit[0]["name"]}) if hit else Seen("not-begun")

    def there(self, scene: Scene) -> Seen:
        """The result can be read."""
        result = self._result(scene)
        if result is None:
            return Seen("no-result")
        return Seen(facts={"passed": str(result["status"].get("history", {}).get("passedRuns", 0))})

    def _ended(self, scene: Scene, verdict: str) -> Seen:
        result = self._result(scene)
        if result is None or _runs(result) <= int(scene.facts.get(f"runs of {self.engine}", "0")):
            return Seen("not-run")
        if not _run(result).get("finishedAt"):
            return Seen("running")
        outcome = result["status"]["experimentstatus"]
        facts = {"verdict": outcome["verdict"], "wanted": verdict, "reason": outcome.get("failStep", "")}
        if outcome["verdict"] != verdict:
            return Seen("verdict", facts)
        targets = _targets(result)
        ready_s = [target["readyAfterSeconds"] for target in targets if target.get("readyAfterSeconds") is not None]
        facts["hits"] = str(len(targets))
        facts["first"] = targets[0]["name"] if targets else "-"
        facts["slowest"] = f"{max(ready_s):.1f}" if ready_s else "-"
        return Seen(facts=facts)

    def _result(self, scene: Scene) -> Obj | None:
        return scene.cluster.get("chaosresult", names.result(self.engine, self.experiment))


CHAOS = Run("nginx-chaos")
KILL = Run("nginx-kill", "container-kill")


def killed(scene: Scene) -> Seen:
    """The containers were killed and started anew, while the client looked on."""
    seen = KILL.passed(scene)
    if not seen.ok:
        return seen
    if scene.asked is None:
        return Seen("not-asked")
    return Seen(facts={**seen.facts, **_account(scene.asked), "restarts": str(_restarts(scene))})


def _restarts(scene: Scene) -> int:
    pods = scene.cluster.list("pods", labels="app=nginx")
    return sum(status["restartCount"] for pod in pods for status in pod["status"].get("containerStatuses", ()))


def rolled_out(deployment: Obj) -> bool:
    """Every replica is of the newest version and ready, and no other is left."""
    status, wanted = deployment.get("status", {}), deployment["spec"]["replicas"]
    return status.get("observedGeneration") == deployment["metadata"].get("generation") and all(
        status.get(count, 0) == wanted for count in ("replicas", "updatedReplicas", "readyReplicas")
    )


def is_ready(pod: Obj) -> bool:
    """Ready, and not on its way out."""
    return bool(condition(pod, "Ready")) and "deletionTimestamp" not in pod["metadata"]


def condition(obj: Obj, name: str) -> Obj:
    """The condition when it is true, else nothing."""
    found = obj.get("status", {}).get("conditions", ())
    return next((one for one in found if one["type"] == name and one["status"] == "True"), {})


def account(text: str) -> Mapping[str, Any] | None:
    """What the client wrote down; None when it is not readable."""
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) and {"asked", "answered", "failed", "median_ms"} <= set(found) else None


def _account(asked: Mapping[str, Any]) -> Facts:
    return {name: str(asked[name]) for name in ("asked", "answered", "failed", "median_ms")}


def _run(result: Obj | None) -> Mapping[str, Any]:
    return dict(result.get("status", {}).get("run", {})) if result else {}


def _runs(result: Obj | None) -> int:
    return int(_run(result).get("number", 0))


def _targets(result: Obj | None) -> list[Mapping[str, Any]]:
    return list(result.get("status", {}).get("targets", ())) if result else []


def _time(stamp: str) -> datetime:
    return datetime.fromisoformat(stamp)
