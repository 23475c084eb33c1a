"""``litmus reattach [RECIPE]``: what a pod with the credentials of a Secret runs, to give a disk back after a crash."""

import json
import os
import sys

from ..contract import FaultError
from .disk import DiskLoss

# The recipe in the environment, where no argument is given.
RECIPE = "LITMUS_RECIPE"


def main(arguments: list[str]) -> int:
    """Exit status 0 when the disk is where it was, or can't be any more; 1 with the reason otherwise."""
    left, volume = "", ""
    try:
        undo = json.loads(arguments[0] if arguments else os.environ[RECIPE])
        volume = undo["volume"]
        # Where this pod has the Secret counts, and not where the one that is gone had it.
        if file := os.environ.get("AWS_SHARED_CREDENTIALS_FILE"):
            undo["place"]["credentials"] = file
        DiskLoss.revert(undo)
        left = DiskLoss.leftovers(undo)
    except (ValueError, KeyError, TypeError) as error:
        print(f"litmus reattach: the recipe can't be read: {error!r}", file=sys.stderr)
        return 2
    except FaultError as error:
        left = str(error)
    if left:
        print(f"litmus reattach: {left}", file=sys.stderr)
        return 1
    print(f"volume {volume} is looked after")
    return 0
