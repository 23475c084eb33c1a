"""Which quality of service a pod gets: who is evicted first when a node runs short.

Source: documentation "Pod Quality of Service Classes"; only cpu and memory count.
"""

from litmus.sandbox.machinery import quantity
from litmus.sandbox.machinery.objects import Obj

COUNTED = ("cpu", "memory")


def of(pod: Obj) -> str:
    """BestEffort, Burstable or Guaranteed. Raises quantity.Malformed."""
    spec = pod["spec"]
    asked = limited = False
    guaranteed = True
    for container in (*spec.get("containers", ()), *spec.get("initContainers", ())):
        resources = container.get("resources") or {}
        requests, limits = _counted(resources.get("requests")), _counted(resources.get("limits"))
        asked = asked or bool(requests)
        limited = limited or bool(limits)
        guaranteed = guaranteed and set(limits) == set(COUNTED) and {**limits, **requests} == limits
    if not asked and not limited:
        return "BestEffort"
    return "Guaranteed" if guaranteed and limited else "Burstable"


def _counted(amounts: Obj | None) -> dict[str, int]:
    found = {name: quantity.of((amounts or {}).get(name, 0)).nano for name in COUNTED}
    return {name: nano for name, nano in found.items() if nano > 0}
