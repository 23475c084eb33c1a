"""The whole comparison: the script played on two clusters at the same time, and what is different."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.conformance import compare, known, play, script
from tests.cluster.conformance.known import Known
from tests.cluster.conformance.play import Answer


@dataclass(frozen=True, slots=True)
class Comparison:
    """``unexplained``: ``step: path: real | sandbox`` lines; ``stale``: entries of the table that match nothing."""

    interactions: int
    unexplained: list[str]
    stale: list[Known]


def of(real: Path, ours: Path) -> Comparison:
    """Plays the script on both; what earlier plays left behind goes first."""
    steps = script.script()

    def played(kubeconfig: Path) -> dict[str, Answer]:
        play.leftovers(kubeconfig)
        return play.Player(kubeconfig).play(steps)

    with ThreadPoolExecutor(2) as pool:
        left, right = pool.map(played, (real, ours))
    lines = [
        f"{step.name}: {line}"
        for step in steps
        for line in compare.differences(step, left[step.name], right[step.name])
    ]
    unexplained = [line for line in lines if known.reason(line) is None]
    stale = [each for each in known.KNOWN if not any(each.matches(line) for line in lines)]
    return Comparison(len(steps), unexplained, stale)
