"""Asked versus delivered: what probe packets and the engine's counters say about an impairment.

Shares are judged with the spread that so many probes have by chance - more for correlated ones -, delays with half of
what was asked.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from ..contract import Proof
from .engine import Counters, Impairment
from .probing import Sample

# Of a share that should have hit fewer probes than this, one series may show nothing by chance.
_SURE = 6
_SPREAD = 4.0
_SLACK_POINTS = 3.0
# A delay that answers can be waited for, there and back; beyond it the queue tells, in milliseconds.
LONGEST_WAIT_MS = 2000.0
# Lateness that a busy node adds by itself, in milliseconds.
_LATENESS_MS = 50.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One series of probes under the fault, and the engine's counters before and after it. ``passes``: 1 for one
    direction, 2 for both. ``before``: the same peer without the fault, None when it did not answer."""

    passes: int
    before: Sample | None
    after: Sample
    counted: Counters
    then: Counters
    window_s: float
    engine: str
    peer: str

    @property
    def seen(self) -> int:
        return self.then.seen - self.counted.seen

    @property
    def dropped(self) -> int:
        return self.then.dropped - self.counted.dropped


@dataclass(frozen=True, slots=True)
class Finding:
    asked: str
    delivered: str
    holds: bool
    asked_value: float
    delivered_value: float | None
    unit: str


def probes_for(impairment: Impairment, *, port: bool) -> int:
    """How many it takes to see the smallest share, 20 for a delay."""
    shares = [s for s in (impairment.loss, impairment.corruption, impairment.duplication, impairment.reordering) if s]
    if not shares:
        return 50 if impairment.rate_kbit else 20
    return int(min(150 if port else 400, max(100, 1600 / min(shares))))


def is_rare(impairment: Impairment, *, port: bool) -> bool:
    """Whether a series of probes may well miss the smallest share, so that it takes several."""
    shares = [s for s in (impairment.loss, impairment.corruption, impairment.duplication, impairment.reordering) if s]
    return bool(shares) and min(shares) / 100 * probes_for(impairment, port=port) < _SURE


def waits_for_answers(impairment: Impairment, passes: int) -> bool:
    """Whether the answers come back while there is time to wait for them."""
    return passes * (impairment.delay_ms + impairment.jitter_ms) <= LONGEST_WAIT_MS


def judge(impairment: Impairment, evidence: Evidence) -> Proof:
    """One proof of all that was asked. It holds if each part does, and if packets passed the engine at all."""
    findings = list(_findings(impairment, evidence))
    passed = evidence.seen > 0
    told = f"{evidence.after.sent} probe packets to {evidence.peer}"
    what = "; ".join(finding.delivered for finding in findings)
    counts = f"{evidence.engine} engine: {evidence.seen} packets seen, {evidence.dropped} dropped"
    first = findings[0]
    return Proof(
        asked=", ".join(finding.asked for finding in findings),
        delivered=f"{what} ({told}; {counts})" if passed else f"no packet passed the {evidence.engine} engine ({told})",
        holds=passed and all(finding.holds for finding in findings),
        asked_value=first.asked_value,
        delivered_value=None if first.delivered_value is None else round(first.delivered_value, 2),
        unit=first.unit,
    )


def _findings(impairment: Impairment, evidence: Evidence) -> Iterator[Finding]:
    answering = evidence.before is not None
    if impairment.delay_ms or impairment.jitter_ms:
        long = not waits_for_answers(impairment, evidence.passes)
        yield (_held if long or not answering else _delay)(impairment, evidence)
    if impairment.loss or impairment.corruption:
        readable = answering and waits_for_answers(impairment, evidence.passes)
        yield (_gone if readable else _gone_by_counters)(impairment, evidence)
    if impairment.duplication:
        yield _copied(impairment, evidence)
    if impairment.reordering:
        yield _overtaking(impairment, evidence)
    if impairment.rate_kbit:
        yield _rate(impairment, evidence)


def _delay(impairment: Impairment, evidence: Evidence) -> Finding:
    asked = f"{impairment.delay_ms:g} ms delay" + (f" ± {impairment.jitter_ms:g} ms" if impairment.jitter_ms else "")
    before = evidence.before.median_ms if evidence.before else 0.0
    times = _late(impairment, evidence) if impairment.reordering else evidence.after.rtts_ms
    if not times:
        return Finding(asked, "no probe was answered", False, impairment.delay_ms, None, "ms")
    median = sorted(times)[len(times) // 2]
    each = (median - before) / evidence.passes
    slack = max(_LATENESS_MS, 0.5 * impairment.delay_ms) + impairment.jitter_ms
    if impairment.rate_kbit:
        slack += evidence.after.bits / impairment.rate_kbit
    least = 0.5 * impairment.delay_ms - 0.5 * impairment.jitter_ms
    spread = max(times) - min(times)
    holds = least <= each <= impairment.delay_ms + slack and (
        impairment.delay_ms > impairment.jitter_ms or spread >= 0.5 * impairment.jitter_ms
    )
    text = f"{each:.1f} ms added (round trip {before:.1f} → {median:.1f} ms)"
    return Finding(asked, text, holds, impairment.delay_ms, each, "ms")


def _held(impairment: Impairment, evidence: Evidence) -> Finding:
    """Too long to wait for, or nobody answers: the probes are in the queue, and no answer came."""
    asked = f"{impairment.delay_ms:g} ms delay" + (f" ± {impairment.jitter_ms:g} ms" if impairment.jitter_ms else "")
    after = evidence.after
    kept = (1 - impairment.loss / 100) * (1 - impairment.reordering / 100)
    expected = after.sent * kept
    waiting = evidence.then.backlog
    early = after.sent * impairment.reordering / 100 + _SURE if impairment.reordering else after.sent * 0.1
    holds = after.answered <= early and waiting >= 0.7 * expected - _SPREAD
    text = f"{after.answered} answered within {evidence.window_s:.1f} s, {waiting} packets held back"
    return Finding(asked, text, holds, impairment.delay_ms, None, "ms")


def _gone(impairment: Impairment, evidence: Evidence) -> Finding:
    """Lost packets and damaged ones both are not answered: checksums catch a flipped bit."""
    asked, share = _asked_gone(impairment)
    after = evidence.after
    through = after.answered / max(1, after.sent)
    each = 100 * (1 - min(1.0, through) ** (1 / evidence.passes))
    text = f"{after.sent - after.answered} of {after.sent} not answered"
    return Finding(
        asked, f"{each:.1f} % ({text})", _agrees(share, each, after.sent, impairment.correlation), share, each, "%"
    )


def _gone_by_counters(impairment: Impairment, evidence: Evidence) -> Finding:
    asked, share = _asked_gone(impairment)
    lost = 100 * evidence.dropped / max(1, evidence.seen)
    # Damage is seen only by who gets the packet, and what nobody has seen is not proven.
    holds = bool(impairment.loss) and _agrees(impairment.loss, lost, evidence.seen, impairment.correlation)
    text = f"{lost:.1f} % dropped" if impairment.loss else "not measured: nobody answers who could tell"
    return Finding(asked, text, holds, share, lost if impairment.loss else None, "%")


def _asked_gone(impairment: Impairment) -> tuple[str, float]:
    parts = [
        f"{share:g} % {word}"
        for share, word in ((impairment.loss, "loss"), (impairment.corruption, "corruption"))
        if share
    ]
    return " and ".join(parts), round(100 - (100 - impairment.loss) * (100 - impairment.corruption) / 100, 6)


def _copied(impairment: Impairment, evidence: Evidence) -> Finding:
    asked, after = f"{impairment.duplication:g} % duplication", evidence.after
    if evidence.before is None or not after.answered:
        more = 100 * (evidence.seen / max(1, after.sent) - 1)
        holds = evidence.engine == "kernel" and more >= 0.5 * impairment.duplication  # ours counts no copies
        text = f"{evidence.seen} packets seen of {after.sent} sent, and nobody answers who could tell"
        return Finding(asked, text, holds, impairment.duplication, None, "%")
    each = 100 * ((1 + after.copies / after.answered) ** (1 / evidence.passes) - 1)
    holds = _agrees(impairment.duplication, each, after.answered, impairment.correlation)
    text = f"{each:.1f} % ({after.copies} copies of {after.answered} answers)"
    return Finding(asked, text, holds, impairment.duplication, each, "%")


def _overtaking(impairment: Impairment, evidence: Evidence) -> Finding:
    """Those that overtake are not delayed."""
    asked, times = f"{impairment.reordering:g} % reordering", evidence.after.rtts_ms
    if not times or evidence.passes != 1 or not waits_for_answers(impairment, 1):
        return Finding(asked, "not measured one by one", True, impairment.reordering, None, "%")
    share = 100 * (1 - len(_late(impairment, evidence)) / len(times))
    holds = _agrees(impairment.reordering, share, len(times), impairment.correlation)
    return Finding(asked, f"{share:.1f} % were not delayed", holds, impairment.reordering, share, "%")


def _late(impairment: Impairment, evidence: Evidence) -> list[float]:
    before = evidence.before.median_ms if evidence.before else 0.0
    border = before + 0.5 * max(0.0, impairment.delay_ms - impairment.jitter_ms)
    return [time for time in evidence.after.rtts_ms if time > border]


def _rate(impairment: Impairment, evidence: Evidence) -> Finding:
    asked, after = f"{impairment.rate_kbit:g} kbit/s", evidence.after
    if after.answered < 2 or not after.span_s:
        return Finding(asked, "no answers to time", False, impairment.rate_kbit, None, "kbit/s")
    rate = after.bits / after.span_s / 1000
    return Finding(
        asked, f"{rate:.0f} kbit/s", rate <= 1.3 * impairment.rate_kbit, impairment.rate_kbit, rate, "kbit/s"
    )


def _agrees(asked: float, delivered: float, count: int, correlation: float) -> bool:
    """Both in percent; whether chance alone may lie between them. Nothing at all proves no share."""
    share, near = asked / 100, min(0.95, correlation / 100)
    by_chance = math.sqrt(max(share * (1 - share), 0.0) / max(1, count)) * math.sqrt((1 + near) / (1 - near))
    slack = 100 * _SPREAD * by_chance + _SLACK_POINTS
    return abs(asked - delivered) <= slack and delivered > 0
