"""``litmus reattach RECIPE``: what a pod with the credentials of a Secret runs, to give a disk back after a crash."""

import json
import sys

from ..contract import FaultError
from .disk import DiskLoss


def main(arguments: list[str]) -> int:
    """Exit status 0 when the disk is where it was, or can't be any more; 1 with the reason otherwise."""
    left, volume = "", ""
    try:
        undo = json.loads(arguments[0])
        volume = undo["volume"]
        DiskLoss.revert(undo)
        left = DiskLoss.leftovers(undo)
    except (IndexError, ValueError, KeyError, TypeError) as error:
        print(f"litmus reattach: the recipe can't be read: {error!r}", file=sys.stderr)
        return 2
    except FaultError as error:
        left = str(error)
    if left:
        print(f"litmus reattach: {left}", file=sys.stderr)
        return 1
    print(f"volume {volume} is looked after")
    return 0
