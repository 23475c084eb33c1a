"""From the body of a PATCH to a patch that the registry applies.

Source: the documentation "Kubernetes API Concepts", "Patch mechanisms".
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import jsonpatch
import msgspec

from litmus.sandbox.apiserver import bodies
from litmus.sandbox.machinery import objects, status
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.options import Options
from litmus.sandbox.machinery.registry import Patch
from litmus.sandbox.machinery.resources import Resource

APPLY = "application/apply-patch+yaml"
JSON, MERGE = "application/json-patch+json", "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"


@dataclass(frozen=True, slots=True)
class _Interim:
    kind: str
    content: Any
    creates: bool = False

    def applied(
        self, resource: Resource, current: Obj | None, *, subresource: str, asked: Options, now: datetime
    ) -> Obj:
        if self.kind == JSON:
            return jsonpatch.apply_patch(objects.copy(current or {}), self.content)
        return _merged(current, self.content)


def _merged(target: Any, patch: Any) -> Any:
    if not isinstance(patch, dict):
        return patch
    found = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            found.pop(name, None)
        else:
            found[name] = _merged(found.get(name), value)
    return found


def read(kind: str, body: bytes, resource: Resource) -> Patch:
    """Raises Refusal 400 and 415."""
    if kind not in (JSON, MERGE, STRATEGIC, APPLY) or (kind == STRATEGIC and resource.custom):
        raise refused(resource)
    try:
        return _Interim(kind, msgspec.json.decode(body))
    except msgspec.DecodeError as error:
        raise status.bad_request(f"error decoding patch: {error}") from error


def refused(resource: Resource) -> status.Refusal:
    """415 for a patch of a kind that the resource does not take."""
    if resource.custom:
        return bodies.unknown_format((JSON, MERGE, APPLY))
    return status.unsupported_media_type("415: Unsupported Media Type")
