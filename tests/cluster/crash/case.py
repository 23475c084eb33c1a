"""One case of the crash test: a run is brought to a moment, processes are killed, and the target is looked at."""

import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tests.cluster import stage
from tests.cluster.crash import rig
from tests.cluster.crash.faults import DURATION_S, Fault, Place

# The promise: every fault ends by its deadline and this much, in seconds.
PROMISE_S = 5.0
# A killed operator is replaced, and has to win the lease of the one that was killed.
OPERATOR_BACK_S = 60.0
_LINGER_S = 4.0
_POLL_S = 0.1
_MOMENT_S = 90.0
_LEDGER_S = 45.0

MOMENTS = ("recorded", "injecting", "injected", "holding", "reverting", "reverted")
# Who is killed; of several, all at once.
VICTIMS = ("helper", "experiment", "runner", "operator", "helper+guardian")
_ON_HELPER = ("injecting", "injected", "reverting")


@dataclass(frozen=True, slots=True)
class Case:
    fault: Fault
    moment: str
    victim: str

    def __str__(self) -> str:
        return f"{self.fault.name}, {self.moment}, {self.victim}"


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What came of a case. Times in seconds; ``late_s`` after the deadline (negative: before it), None: never clean."""

    case: Case
    left: str
    ledger: str
    verdict: str
    after_kill_s: float | None = None
    late_s: float | None = None

    @property
    def good(self) -> bool:
        return not self.left and not self.ledger


def applies(case: Case) -> bool:
    """A fault through the API server has no helper."""
    return case.fault.on_node or "helper" not in case.victim


def run(case: Case, place: Place) -> Outcome:
    """Runs one case in a place whose application is healthy. Raises AssertionError when its moment never comes."""
    prepare(place)
    _start(case, place)
    _await_moment(case, place)
    struck = time.time()
    _strike(case, place)
    clean, left = _await_clean(case, place, struck)
    outcome = Outcome(case=case, left=left, ledger=_await_ledger(case, place), verdict=_verdict(case, place))
    if clean is not None:
        outcome.after_kill_s = round(clean - struck, 1)
        outcome.late_s = round(clean - _deadline(case, place), 1)
    place.stage.kubectl("delete", "chaosengine", "chaos", "--ignore-not-found", "--wait=false")
    place.stage.kubectl("delete", "chaosresult", "--all", "--wait=false")
    return outcome


def prepare(place: Place) -> None:
    """Waits until the last engine is gone and the application healthy."""
    name = place.stage.name

    def ready() -> bool:
        engine = rig.api().get(f"/apis/litmuschaos.io/v1alpha1/namespaces/{name}/chaosengines/chaos")
        results = rig.api().get(f"/apis/litmuschaos.io/v1alpha1/namespaces/{name}/chaosresults")
        pods = rig.pods(name, "app=web")
        return (
            engine is None
            and not results["items"]
            and len(pods) == 1
            and all(status["ready"] for status in pods[0]["status"].get("containerStatuses", [{"ready": False}]))
            and not rig.pods(name, "chaosUID")
        )

    stage.until(lambda: ready() or None, f"{name} to be ready for the next case", deadline_s=120)


def _start(case: Case, place: Place) -> None:
    env = {"TOTAL_CHAOS_DURATION": str(DURATION_S), **case.fault.env}
    if case.moment != "holding":
        env["LITMUS_LINGER"] = f"{_linger_moment(case)}:{_LINGER_S}"
    # Where no case silences or drains the node.
    apart = {"nodeSelector": {"kubernetes.io/hostname": "node1"}}
    engine = place.stage.engine(
        {case.fault.experiment: env}, chaosServiceAccount="crash-sa", components={"runner": apart}
    )
    engine["spec"]["experiments"][0]["spec"]["components"] |= apart
    place.stage.apply(engine)


def _linger_moment(case: Case) -> str:
    """A helper that shall be killed has to be there: its first moment is when everything is planned."""
    return "planned" if case.moment == "recorded" and "helper" in case.victim else case.moment


def _await_moment(case: Case, place: Place) -> None:
    moment = _linger_moment(case)
    on_helper = case.fault.on_node and moment in (*_ON_HELPER, "planned")

    def there() -> bool:
        result = _result(case, place)
        if not result:
            return False
        faults, run = result["status"].get("faults", []), result["status"].get("run", {})
        if case.fault.on_node and faults:
            place.session = faults[0]["undo"]["session"]
        if moment == "holding":
            return (bool(faults) and faults[0]["state"] == "proven") or _said(place, '"event":"proven"')
        if on_helper:
            return bool(place.session) and _said(place, f'"moment":"{moment}"')
        return bool(run.get("step") == f"lingering: {moment}")

    place.session = ""
    stage.until(lambda: there() or None, f"the moment of {case}", deadline_s=_MOMENT_S)


def _said(place: Place, words: str) -> bool:
    """Whether the helper has said this."""
    pods = rig.pods(place.stage.name, f"litmuschaos.io/session={place.session}") if place.session else []
    return any(words in rig.log(pod) for pod in pods)


def _result(case: Case, place: Place) -> Any:
    name = f"chaos-{case.fault.experiment}"
    return rig.api().get(f"/apis/litmuschaos.io/v1alpha1/namespaces/{place.stage.name}/chaosresults/{name}")


def _deadline(case: Case, place: Place) -> float:
    """When the fault must be over: what the ledger says, in UNIX seconds. A run that goes on may still write it."""
    return max(datetime.fromisoformat(fault["deadline"]).timestamp() for fault in _faults(case, place))


def _faults(case: Case, place: Place) -> list[Any]:
    result = _result(case, place)
    return list(result["status"].get("faults", [])) if result else []


def _duration_s(case: Case) -> float:
    return float(case.fault.env.get("TOTAL_CHAOS_DURATION", DURATION_S))


def _strike(case: Case, place: Place) -> None:
    name = place.stage.name
    match case.victim:
        case "helper" | "helper+guardian":
            rig.kill_session(case.fault.node, place.session, *case.victim.split("+"))
        case "experiment":
            _kill_pod(name, "app.kubernetes.io/component=experiment-job")
        case "runner":
            _kill_pod(name, "app.kubernetes.io/component=chaos-runner")
        case "operator":
            _kill_pod("litmus", "name=chaos-operator", replace=True)


def _kill_pod(namespace: str, selector: str, *, replace: bool = False) -> None:
    """SIGKILL to every process of the pods. ``replace``: the pod goes too, so that no back-off delays the restart."""
    living = [one for one in rig.pods(namespace, selector) if one["status"]["phase"] in ("Pending", "Running")]
    assert living, f"no pod of {namespace} with {selector} lives"
    for pod in living:
        rig.kill_pod(pod["spec"]["nodeName"], pod["metadata"]["uid"])
        if replace:
            path = f"/api/v1/namespaces/{namespace}/pods/{pod['metadata']['name']}"
            rig.api().delete(path, gracePeriodSeconds="0")


def _await_clean(case: Case, place: Place, struck: float) -> tuple[float | None, str]:
    """Since when nothing is left in the target, and what is left at the promised time if anything is.

    It is looked at until the records are closed and a fault that was on its way would be in force, so that one that is
    late does not escape. What is there although its record is closed is left too: then nobody looks for it any more.
    """
    grace = PROMISE_S + (OPERATOR_BACK_S if case.victim == "operator" else 0.0)
    asked = struck + _LINGER_S + _duration_s(case)
    clean: float | None = None
    while True:
        closed = not any(_open(fault) for fault in _faults(case, place))
        deadline = _deadline(case, place)
        if case.victim == "helper":  # its guardian waits for nobody
            deadline = min(deadline, asked)
        promised = deadline + grace
        left = case.fault.left(place)
        now = time.time()
        clean = None if left else clean or now
        if left and (closed or now > promised):
            return None, f"{left} ({'its record is closed' if closed else 'at the promised time'})"
        if clean and (closed or now > promised) and now > asked + PROMISE_S:
            return clean, ""
        time.sleep(_POLL_S)


def _open(fault: Any) -> bool:
    return fault["state"] not in ("reverted", "moot")


def _await_ledger(case: Case, place: Place) -> str:
    """What the ledger, the journal and the guardians still say, '' when all agree that it is over."""

    def rest() -> str:
        still = [fault["id"] for fault in _faults(case, place) if _open(fault)]
        if not case.fault.on_node:
            return " ".join(still)
        left = [name for name in rig.journals(case.fault.node) if name == f"{place.session}.json"]
        return " ".join([*still, *left, *rig.guardians(case.fault.node, place.session)])

    give_up = time.monotonic() + _LEDGER_S + (OPERATOR_BACK_S if case.victim == "operator" else 0.0)
    while (said := rest()) and time.monotonic() < give_up:
        time.sleep(_POLL_S * 5)
    return said


def _verdict(case: Case, place: Place) -> str:
    """The verdict of the run once its engine is over: whoever was killed, it must not stay open."""

    def given() -> str | None:
        result = _result(case, place)
        verdict = result["status"]["experimentstatus"]["verdict"] if result else "none"
        engine = rig.api().get(f"/apis/litmuschaos.io/v1alpha1/namespaces/{place.stage.name}/chaosengines/chaos")
        over = engine is None or engine.get("status", {}).get("engineStatus") in ("completed", "stopped")
        return verdict if verdict != "Awaited" and over else None

    return stage.until(given, f"a verdict of {case}", deadline_s=240)
