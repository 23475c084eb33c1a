"""Results as a run leaves them: a signal that drops and recovers, its figures, and everything around them."""

import random
from typing import Any

import msgspec

from litmus import api
from litmus.kube.objects import Event
from tests import samples

BEGAN = "2026-05-04T12:00:00Z"
ENGINE = "shop-chaos"
SECONDS_BEFORE, SECONDS_OF_CHAOS, SECONDS_AFTER = 25, 40, 35


def at(seconds: float) -> str:
    """A time of the run."""
    minutes, rest = divmod(round(seconds), 60)
    return f"2026-05-04T12:{minutes:02d}:{rest:02d}Z"


def slices(*, down: tuple[float, float], seed: int = 7, rate: int = 20) -> list[dict[str, Any]]:
    """A second each: some 12 ms, worse under chaos, and nothing at all while the application is down."""
    chance = random.Random(seed)
    found = []
    for second in range(SECONDS_BEFORE + SECONDS_OF_CHAOS + SECONDS_AFTER):
        since = second - SECONDS_BEFORE
        shaken = 0.3 if down[1] <= since < down[1] + 4 else 0.002
        failed = 1.0 if down[0] <= since < down[1] else shaken
        bad = sum(chance.random() < failed for _ in range(rate))
        strained = 3.0 if 0 <= since < SECONDS_OF_CHAOS + 3 else 1.0
        piece: dict[str, Any] = {"at": float(second), "good": rate - bad, "bad": bad}
        if bad < rate:
            p50 = strained * chance.lognormvariate(2.5, 0.12)
            piece |= {"p50": round(p50, 2), "p95": round(p50 * chance.uniform(1.6, 2.6), 2)}
        found.append(piece)
    return found


def figure(value: float | None, low: float | None, high: float | None, unit: str, note: str = "") -> dict[str, Any]:
    return {"value": value, "low": low, "high": high, "unit": unit, "note": note}


def window(start: float, end: float, availability: tuple[float, float, float], p95: float, **errors: int) -> Any:
    return {
        "start": at(start),
        "end": at(end),
        "samples": int(end - start) * 20,
        "availability": figure(*availability, "%"),
        "errors": errors,
        "latencyP50": figure(p95 / 2, p95 / 2.2, p95 / 1.9, "ms"),
        "latencyP95": figure(p95, p95 * 0.9, p95 * 1.15, "ms"),
        "latencyP99": figure(p95 * 1.6, p95 * 1.2, None, "ms"),
    }


def impact(*, availability: tuple[float, float, float] = (72.4, 66.1, 78.2), recovery: float = 3.6) -> dict[str, Any]:
    """Availability dropped during the chaos, and came back some seconds after."""
    chaos, over = SECONDS_BEFORE, SECONDS_BEFORE + SECONDS_OF_CHAOS
    return {
        "signals": [
            {
                "probe": "storefront",
                "baseline": window(0, chaos, (99.8, 98.9, 100.0), 26.0, timeout=1),
                "fault": window(chaos, over, availability, 81.0, refused=190, timeout=31),
                "recovery": window(over, over + SECONDS_AFTER, (98.7, 97.2, 99.5), 27.0, refused=9),
                "timeToImpact": figure(2.1, 1.9, 2.4, "s"),
                "timeToRecover": figure(recovery, recovery - 0.4, recovery + 0.7, "s"),
                "longestOutage": figure(10.2, 9.9, 10.6, "s"),
                "impactAt": at(chaos + 2.1),
                "steadyAt": at(over + recovery),
                "differs": "worse",
                "sliceSeconds": 1.0,
                "slices": slices(down=(2, 12)),
            }
        ],
        "criteria": [
            {
                "name": "availability",
                "asked": ">= 99%",
                "observed": figure(*availability, "%"),
                "judgement": "missed",
                "explanation": "72.4 % of the requests were answered; at least 99 % would have met it",
            },
            {
                "name": "recovery",
                "asked": "<= 20s",
                "observed": figure(recovery, recovery - 0.4, recovery + 0.7, "s"),
                "judgement": "met",
                "explanation": f"{recovery} s are within 20 s",
            },
            {
                "name": "latencyP95",
                "asked": "<= 2x baseline",
                "observed": figure(3.1, 1.7, 4.4, "x"),
                "judgement": "inconclusive",
                "explanation": "the interval holds 2x; a longer run would tell",
            },
        ],
    }


def status(**changes: Any) -> dict[str, Any]:
    """The status of a run that failed its criterion of availability."""
    chaos, over = SECONDS_BEFORE + 3, SECONDS_BEFORE + SECONDS_OF_CHAOS + 3
    missed = (
        "criterion availability >= 99% was missed: 72.4 % (66.1 to 78.2) of the requests to storefront were answered"
    )
    return {
        "experimentstatus": {
            "phase": "Completed",
            "verdict": "Fail",
            "failStep": missed,
            "probeSuccessPercentage": "50",
        },
        "run": {
            "engineUid": samples.ENGINE_UID,
            "number": 4,
            "pod": "pod-delete-x7k2p1-q8s4z",
            "step": "Fail",
            "startedAt": at(-3 + 3),
            "chaosStartedAt": at(SECONDS_BEFORE),
            "chaosEndsAt": at(SECONDS_BEFORE + SECONDS_OF_CHAOS),
            "finishedAt": at(SECONDS_BEFORE + SECONDS_OF_CHAOS + SECONDS_AFTER + 4),
        },
        "targets": [
            {
                "name": f"web-5d7f9-{name}",
                "namespace": samples.NAMESPACE,
                "uid": name,
                "node": node,
                "injectedAt": at(SECONDS_BEFORE + after),
                "goneAfterSeconds": 0.4,
                "replacedBy": f"web-5d7f9-{name[::-1]}",
                "readyAfterSeconds": 9.7,
                "asked": "delete with a grace period of 0 s",
                "delivered": "gone, and replaced",
            }
            for name, node, after in (("abcde", "node-1", 0), ("fghij", "node-2", 20))
        ],
        "faults": [
            {
                "id": "kill-1",
                "mechanism": "pod-delete",
                "node": "node-1",
                "targets": [{"name": "web-5d7f9-abcde"}],
                "undo": {"kind": "none"},
                "deadline": at(over + 5),
                "state": "moot",
                "message": "the run ended; there is nothing to undo",
                "updatedAt": at(over),
            }
        ],
        "history": {
            "passedRuns": 2,
            "failedRuns": 2,
            "runs": [
                {
                    "number": number,
                    "verdict": verdict,
                    "startedAt": f"2026-05-0{number}T12:00:00Z",
                    "finishedAt": f"2026-05-0{number}T12:01:44Z",
                    "availability": availability,
                    "recoverySeconds": recovery,
                    "probeSuccessPercentage": "100" if verdict == "Pass" else "50",
                }
                for number, verdict, availability, recovery in (
                    (1, "Pass", 99.9, 0.0),
                    (2, "Pass", 99.7, 1.2),
                    (3, "Fail", 80.2, 4.4),
                    (4, "Fail", 72.4, 3.6),
                )
            ],
        },
        "probeStatuses": [
            {
                "name": "storefront",
                "type": "trafficProbe",
                "mode": "Continuous",
                "status": {"verdict": "Passed", "description": f"2000 requests, 230 failed, at {at(chaos)}"},
            },
            {
                "name": "checkout",
                "type": "httpProbe",
                "mode": "EOT",
                "status": {"verdict": "Failed", "description": f"observed 503, expected == 200, at {at(over + 20)}"},
            },
        ],
        "impact": impact(),
    } | changes


def result(name: str = "shop-chaos-pod-delete", **changes: Any) -> dict[str, Any]:
    return samples.result(name, **status(**changes))


def a_result(name: str = "shop-chaos-pod-delete", **changes: Any) -> api.ChaosResult:
    return msgspec.convert(result(name, **changes), api.ChaosResult)


def engine(**spec: Any) -> dict[str, Any]:
    env = [{"name": "TOTAL_CHAOS_DURATION", "value": "40"}, {"name": "RAMP_TIME", "value": "5"}]
    experiments = [{"name": "pod-delete", "spec": {"components": {"env": env}}}]
    return samples.engine(name=ENGINE, **({"experiments": experiments} | spec))


def event(kind: str, name: str, reason: str, message: str, seconds: float, *, warning: bool = False) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{name}.{reason}".lower(), "namespace": samples.NAMESPACE},
        "involvedObject": {"kind": kind, "name": name, "namespace": samples.NAMESPACE},
        "reason": reason,
        "message": message,
        "type": "Warning" if warning else "Normal",
        "firstTimestamp": at(seconds),
        "lastTimestamp": at(seconds),
    }


def events() -> list[dict[str, Any]]:
    return [
        event("ChaosResult", "shop-chaos-pod-delete", "Awaited", "experiment: pod-delete, Result: Awaited", 0),
        event("ChaosEngine", ENGINE, "PreChaosCheck", "deployment app=web healthy before the chaos", 2),
        event("ChaosEngine", ENGINE, "ChaosInject", "Injecting pod-delete chaos on web-5d7f9-abcde", 25),
        event("ChaosEngine", ENGINE, "Summary", "pod-delete experiment has been Failed", 103, warning=True),
    ]


def some_events() -> tuple[Event, ...]:
    return tuple(msgspec.convert(one, Event) for one in events())


def saved() -> dict[str, Any]:
    """All of it, as ``kubectl get -o json`` would save it."""
    return {"apiVersion": "v1", "kind": "List", "items": [result(), engine(), *events()]}
