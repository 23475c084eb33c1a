"""Priority: turns the name of a priority class into a number on the pod.

Source: documentation "Pod Priority and Preemption"; plugin/pkg/admission/priority.
"""

from typing import Any

from litmus.sandbox.machinery import objects
from litmus.sandbox.machinery.objects import Obj

from .request import CREATE, Request

CLASSES = "priorityclasses.scheduling.k8s.io"
PREEMPT = "PreemptLowerPriority"
# They exist in every cluster, also in one that has not made the objects.
SYSTEM = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}


def admit(request: Request) -> None:
    """Raises Refusal 403 for an unknown class, a number that is not the class's, or a second default class."""
    if request.writes("pods"):
        _keep(request) if request.operation != CREATE else _compute(request)
    elif request.writes(CLASSES) and request.obj.get("globalDefault"):
        default = _default_class(request)
        if default is not None and objects.name(default) != request.name:
            why = f"PriorityClass {objects.name(default)} is already marked as default. Only one default can exist"
            raise request.forbidden(why)


def _keep(request: Request) -> None:
    """A pod's priority never changes; a replacement need not repeat it."""
    spec, old = request.obj["spec"], (request.old or {}).get("spec") or {}
    for field in ("priority", "preemptionPolicy"):
        if field not in spec and field in old:
            spec[field] = old[field]


def _compute(request: Request) -> None:
    spec = request.obj["spec"]
    value, policy = _of_class(request)
    for field, word, found in (
        ("priority", "integer value of priority", value),
        ("preemptionPolicy", "string value of PreemptionPolicy", policy),
    ):
        if spec.get(field, found) != found:
            why = f"the {word} ({spec[field]}) must not be provided in pod spec; "
            raise request.forbidden(
                f"{why}priority admission controller computed {found} from the given PriorityClass name"
            )
        spec[field] = found


def _of_class(request: Request) -> tuple[int, Any]:
    spec = request.obj["spec"]
    name = spec.get("priorityClassName", "")
    if name:
        found = request.reader.get(CLASSES, name)
        if found is None and name in SYSTEM:
            return SYSTEM[name], PREEMPT
        if found is None:
            raise request.forbidden(f"no PriorityClass with name {name} was found")
    else:
        found = _default_class(request)
        if found is None:
            return 0, PREEMPT
        spec["priorityClassName"] = objects.name(found)
    return found.get("value", 0), found.get("preemptionPolicy", PREEMPT)


def _default_class(request: Request) -> Obj | None:
    """Of several, which an update may have left, the lowest."""
    defaults = [found for found in request.reader.list(CLASSES) if found.get("globalDefault")]
    return min(defaults, key=lambda found: int(found.get("value", 0)), default=None)
