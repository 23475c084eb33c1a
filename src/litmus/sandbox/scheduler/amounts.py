"""Quantities and what pods ask for, as whole numbers of thousandths.

Source: "Resource Management for Pods and Containers", "Init Containers" (resource sharing) and "Pod Overhead" of the
Kubernetes documentation.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

from litmus.sandbox.machinery import quantity
from litmus.sandbox.machinery.objects import Obj

Amounts = Counter[str]


def milli(value: str | float) -> int:
    """Thousandths of a quantity such as ``100m``, ``2``, ``1.5Gi``, rounded up.

    The registry has refused what is no quantity, so anything else counts as nothing.
    """
    try:
        return quantity.of(value).milli
    except quantity.Malformed:
        return 0


def of(quantities: Mapping[str, str | float] | None) -> Amounts:
    """A resource list (``requests``, ``allocatable``) in thousandths."""
    return Counter({name: milli(amount) for name, amount in (quantities or {}).items()})


def requests(pod: Obj) -> Amounts:
    """What a pod asks for in all.

    Containers run together; init containers one after the other, but the ones that are restarted always (sidecars) stay
    beside everything that starts after them.
    """
    spec = pod["spec"]
    total = _sum(_requested(container) for container in spec.get("containers") or [])
    sidecars: Amounts = Counter()
    peak: Amounts = Counter()
    for container in spec.get("initContainers") or []:
        needs = _requested(container)
        if container.get("restartPolicy") == "Always":
            sidecars = sidecars + needs
            peak = peak | sidecars
        else:
            peak = peak | (sidecars + needs)
    total = (total + sidecars) | peak
    for name, amount in _requested(spec).items():  # what the pod says as a whole goes before its containers
        total[name] = amount
    return total + of(spec.get("overhead"))


# What a container that requests none of it is taken to need when nodes are compared, so that such pods spread too.
ASSUMED = {"cpu": 100, "memory": 200 * 1024**2 * 1000}


def assumed(pod: Obj) -> Amounts:
    """Cpu and memory as they are compared: what is requested, and something for who requests nothing."""
    asked = requests(pod)
    found: Amounts = Counter()
    for name, amount in ASSUMED.items():
        silent = sum(
            name not in ((container.get("resources") or {}).get("requests") or {})
            for container in pod["spec"].get("containers") or []
        )
        found[name] = asked[name] + silent * amount
    return found


def _requested(owner: Obj) -> Amounts:
    return of((owner.get("resources") or {}).get("requests"))


def _sum(several: Iterable[Amounts]) -> Amounts:
    total: Amounts = Counter()
    for amounts in several:
        total.update(amounts)
    return total
