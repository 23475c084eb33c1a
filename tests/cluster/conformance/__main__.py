"""``python -m tests.cluster.conformance REAL SANDBOX``: the differences between two clusters, by their kubeconfigs."""

import sys
from pathlib import Path

from tests.cluster.conformance import compare, known, play, special


def main(real: Path, ours: Path) -> int:
    """Prints each difference; those with a reason only when -v is given."""
    steps = special.script()
    answers = []
    for kubeconfig in (real, ours):
        play.leftovers(kubeconfig)
        answers.append(play.Player(kubeconfig).play(steps))
    count = 0
    for step in steps:
        for line in compare.differences(step, answers[0][step.name], answers[1][step.name]):
            if known.reason(step.name, line) is None:
                count += 1
                print(f"{step.name}: {line}")  # noqa: T201 - the output of a script for developers
    print(f"{len(steps)} interactions, {count} differences without a reason")  # noqa: T201
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
