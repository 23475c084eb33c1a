"""What a pod asks for as a whole: its containers together, or its hungriest init container if that is more.

Source: documentation "Init Containers", "Resource sharing within containers", and "Sidecar Containers".
"""

from litmus.sandbox.machinery import quantity
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.quantity import Quantity


def total(pod: Obj, kind: str) -> dict[str, str]:
    """``kind``: requests or limits. Resource → amount; what no container names is not in it."""
    running: dict[str, Quantity] = {}
    for container in pod["spec"].get("containers", ()):
        _add(running, container, kind)
    peak: dict[str, Quantity] = {}
    sidecars: dict[str, Quantity] = {}
    for container in pod["spec"].get("initContainers", ()):
        if container.get("restartPolicy") == "Always":
            _add(running, container, kind)
            _add(sidecars, container, kind)
            _raise(peak, sidecars)
        else:
            needs = dict(sidecars)
            _add(needs, container, kind)
            _raise(peak, needs)
    _raise(running, peak)
    overhead = pod["spec"].get("overhead") or {}
    for name, value in overhead.items():
        if kind == "requests" or name in running:
            running[name] = running.get(name, quantity.ZERO) + quantity.of(value)
    return {name: str(amount) for name, amount in running.items()}


def _add(amounts: dict[str, Quantity], container: Obj, kind: str) -> None:
    for name, value in ((container.get("resources") or {}).get(kind) or {}).items():
        amounts[name] = amounts.get(name, quantity.ZERO) + quantity.of(value)


def _raise(amounts: dict[str, Quantity], other: dict[str, Quantity]) -> None:
    for name, amount in other.items():
        if name not in amounts or amount > amounts[name]:
            amounts[name] = amount
