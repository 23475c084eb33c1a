"""Signals for the tests of impact, drawn with a seed or written out. The injection is at ``START``."""

import math
import random
from collections.abc import Callable

from litmus.api.impact import Impact
from litmus.impact import Sample, analyse

START = 1_700_000_000.0


def steady(
    *,
    seed: int = 1,
    rate: float = 10.0,
    baseline_s: float = 20.0,
    fault_s: float = 30.0,
    recovery_s: float = 15.0,
    bad: Callable[[float], bool] = lambda at: False,
    factor: Callable[[float], float] = lambda at: 1.0,
) -> list[Sample]:
    """Samples at a steady rate, lognormal answers; ``bad`` and ``factor`` of the seconds after the injection."""
    chance = random.Random(seed)
    samples = []
    for number in range(round((baseline_s + fault_s + recovery_s) * rate)):
        at = round(number / rate - baseline_s, 6)
        latency = 20 * math.exp(chance.gauss(0, 0.4)) * factor(at)
        samples.append(Sample(START + at, False, 1000.0, "timeout") if bad(at) else Sample(START + at, True, latency))
    return samples


def look(
    samples: list[Sample],
    criteria: dict[str, str] | None = None,
    *,
    fault_s: float = 30.0,
    end_s: float = 45.0,
    injections: tuple[float, ...] = (0.0,),
    shift: float = 0.0,
    instant: bool | None = None,
) -> Impact:
    """The analysis of one signal, named web; all times in seconds after the injection."""
    begin = START + shift
    return analyse(
        {"web": samples},
        chaos_start=begin,
        chaos_end=begin + fault_s,
        run_end=begin + end_s,
        injections=[begin + each for each in injections],
        criteria=criteria or {},
        seed=1,
        instant=instant,
    )
