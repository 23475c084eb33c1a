"""``python -m tests.cluster.conformance REAL SANDBOX``: the differences between two clusters, by their kubeconfigs."""

import sys
from pathlib import Path

from tests.cluster.conformance import comparison


def main(real: Path, ours: Path) -> int:
    """Prints each difference that nobody has given a reason for, and each reason that nothing needs any more."""
    found = comparison.of(real, ours)
    for line in found.unexplained:
        print(line)  # noqa: T201 - the output of a script for developers
    for stale in found.stale:
        print(f"matches nothing: {stale.pattern}")  # noqa: T201
    print(f"{found.interactions} interactions, {len(found.unexplained)} differences without a reason")  # noqa: T201
    return 1 if found.unexplained or found.stale else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
