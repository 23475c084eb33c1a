"""What netem must be told so that a correlated share comes out as asked.

netem draws each packet's number as ``x = (1 - r) * random + r * x of the packet before`` and hits the packet if x lies
below the share (net/sched/sch_netem.c, ``get_crandom``). Such numbers crowd around the middle, so that 10 % with a
correlation of 25 % would hit only 1 % of the packets. The quantile of their distribution is the threshold that hits
the right share.
"""

import functools
import itertools

# Beyond it the numbers hardly change from packet to packet: all are hit for long, or none. In percent.
MOST = 95.0
_STEPS = 2000
_ROUNDS = 100


def threshold(share: float, correlation: float) -> float:
    """All in percent. Without a correlation, and for none and all packets, the share itself."""
    if not 0 < share < 100 or correlation <= 0:
        return share
    wanted = share / 100
    heights = _distribution(min(correlation, MOST) / 100)
    above = next(index for index, height in enumerate(heights) if height >= wanted)
    low, high = heights[above - 1], heights[above]
    return 100 * (above - 1 + (wanted - low) / (high - low)) / _STEPS


@functools.cache
def _distribution(near: float) -> tuple[float, ...]:
    """P(x < t) for t = 0, 1/steps, … 1: the fixed point of ``F(t) = mean of F((t - (1 - r) u) / r) over u``."""
    heights = [step / _STEPS for step in range(_STEPS + 1)]
    for _ in range(max(10, min(_ROUNDS, int(12 / (1 - near))))):
        area = [0.0]
        for left, right in itertools.pairwise(heights):
            area.append(area[-1] + (left + right) / 2 / _STEPS)
        scale = near / (1 - near)
        heights = [
            min(1.0, scale * (_area(area, step / near) - _area(area, (step - (1 - near) * _STEPS) / near)))
            for step in range(_STEPS + 1)
        ]
    return tuple(heights)


def _area(area: list[float], step: float) -> float:
    """Below the curve up to this step; left of 0 the curve is 0, and right of 1 it is 1."""
    if step <= 0:
        return 0.0
    if step >= _STEPS:
        return area[-1] + (step - _STEPS) / _STEPS
    whole = int(step)
    return area[whole] + (area[whole + 1] - area[whole]) * (step - whole)
