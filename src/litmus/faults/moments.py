"""The moments of a fault's life at which a crash can be rehearsed.

``LITMUS_LINGER=injecting:3`` in an engine's environment lets the run of that engine stay three seconds in that moment,
so that a test - ours, or yours of your own cluster - can kill what it wants to see survived. Unset, nothing lingers.

    recorded   the ledger has the record, nothing else has happened     (experiment)
    planned    journal and guardian are ready, nothing was changed      (helper)
    injecting  the first target of the node is hit, the others are not  (helper)
    injected   all are hit, nothing is proven yet                       (helper)
    reverting  the time is over, nothing is put back yet                (helper)
    reverted   everything is put back, the ledger does not know it yet  (experiment)
"""

VARIABLE = "LITMUS_LINGER"
LONGEST_S = 60.0


def linger_s(setting: str, moment: str) -> float:
    """Seconds to stay in this moment; 0 unless the setting names it. What can't be read does not linger."""
    name, _, seconds = setting.partition(":")
    if name.strip() != moment:
        return 0.0
    try:
        wanted = float(seconds)
    except ValueError:
        return 0.0
    return min(wanted, LONGEST_S) if wanted > 0 else 0.0  # also when it is no number
