"""The ``litmus`` command: roles of pods first, people's commands only if it is none of these.

A pod of a run must start quickly and stay small: it never pays for the command line, the servers or the operator.
"""

import sys
from importlib import import_module

_ROLES = {
    "experiment": "litmus.experiments.command",
    "runner": "litmus.runner.command",
    "fault": "litmus.faults.command",
    "traffic": "litmus.probes.traffic_role",
    "reattach": "litmus.faults.cloud.command",
    "operator": "litmus.operator.command",
    "exporter": "litmus.exporter.command",
}


def main() -> int:
    """Runs one role or one command and returns its exit status."""
    arguments = sys.argv[1:]
    if arguments and arguments[0] in _ROLES:
        if arguments[0] in ("experiment", "runner"):
            from litmus import logs

            logs.to_stderr()
        status: int = import_module(_ROLES[arguments[0]]).main(arguments[1:])
        return status
    ended: int = import_module("litmus.cli.app").main(arguments)
    return ended


if __name__ == "__main__":
    sys.exit(main())
