"""Patches of the four kinds that Kubernetes knows: what they make of an object, and what is wrong with them.

``read`` turns the body of a PATCH request into a ``Patch``, ``applied`` carries one out; the store is none of their
business.
Source: the API concepts, "Patch"; k8s.io/apiserver/pkg/endpoints/handlers/patch.go.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, assert_never

from litmus.sandbox.machinery import status
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.options import Options
from litmus.sandbox.machinery.resources import Resource
from litmus.sandbox.machinery.schemas.form import Schema

from . import apply, go_text, json_patch, merge_patch, reading, strategic, typed

Kind = Literal["json", "merge", "strategic", "apply"]
Shapes = Callable[[Resource], Schema | None]
"""The schema of a resource's objects; None for a custom resource without one."""

JSON = "application/json-patch+json"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"
MEDIA_TYPES: dict[str, Kind] = {JSON: "json", MERGE: "merge", STRATEGIC: "strategic", APPLY: "apply"}
_SCHEME = '"k8s.io/kubernetes/pkg/api/legacyscheme/scheme.go:30"'
_HANDLED = " cannot be handled as a "
_COMPACT = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, sort_keys=True)
_UNKNOWN_FORMAT = "the body of the request was in an unknown format - accepted media types include: "


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """What a client asks to change. ``body``: a list of operations for ``json``, an object for the others."""

    kind: Kind
    body: Any
    shapes: Shapes

    @property
    def creates(self) -> bool:
        """Whether it makes an object that is not there. Such a patch writes managedFields itself."""
        return self.kind == "apply"

    def applied(
        self, resource: Resource, current: Obj | None, *, subresource: str, asked: Options, now: datetime
    ) -> Obj:
        """The object after the patch; ``current`` (None: there is none) stays as it was. Raises Refusal."""
        schema = self.shapes(resource) or typed.DEDUCED
        if self.kind == "apply":
            request = apply.Request(
                schema=schema,
                kind=resource.kind,
                api_version=resource.group_version,
                manager=asked.manager,
                subresource=subresource,
                force=asked.force,
                now=now,
            )
            return apply.applied(current, self.body, request)
        changed = applied(self, current or {}, schema=schema)
        return changed if resource.custom else self._of_kind(resource, changed)

    def _of_kind(self, resource: Resource, changed: Obj) -> Obj:
        """A built-in object stays what it is: a strategic patch of its kind does nothing, others are refused (422)."""
        kind, version = changed.get("kind"), changed.get("apiVersion")
        if (kind, version) == (resource.kind, resource.group_version):
            return changed
        if self.kind == "strategic":
            return {**changed, "kind": resource.kind, "apiVersion": resource.group_version}
        why = f'no kind "{kind}" is registered for version "{version}" in scheme {_SCHEME}'
        if not kind or not version:
            why = f"Object '{'apiVersion' if kind else 'Kind'}' is missing in '{_COMPACT.encode(changed)}'"
        raise self.undecodable(changed, status.bad_request(why))

    def undecodable(self, changed: Obj, why: status.Refusal) -> status.Refusal:
        """422, and not the 400 (``why``) of an object that was sent as a whole: the patch made it what it is."""
        shown = go_text.shown(self.body) if self.kind == "strategic" else _COMPACT.encode(changed)
        detail = why.message.partition(_HANDLED)[2].partition(": ")[2] or why.message
        return status.invalid("", "", "", [status.invalid_value("patch", shown, detail)])


def applied(patch: Patch, current: Obj, *, schema: Schema) -> Obj:
    """What a patch that does not track owners makes of an object; ``current`` stays as it was. Raises Refusal."""
    found: Any
    match patch.kind:
        case "json":
            found = json_patch.applied(patch.body, current)
        case "merge":
            found = merge_patch.applied(patch.body, current)
        case "strategic":
            found = strategic.applied(patch.body, current, schema)
        case "apply":
            raise ValueError("an apply patch needs to know who applies: use Patch.applied")
        case _:
            assert_never(patch.kind)
    if not isinstance(found, dict):
        raise json_patch.rejected()
    return found


def read(media_type: str, body: bytes, resource: Resource, *, shapes: Shapes) -> Patch:
    """The patch in the body of a request. Raises Refusal 400, 413, 415."""
    kind = MEDIA_TYPES.get(media_type)
    if kind is None or (kind == "strategic" and resource.custom):
        accepted = [known for known in MEDIA_TYPES if not (resource.custom and known == STRATEGIC)]
        raise status.unsupported_media_type(_UNKNOWN_FORMAT + ", ".join(accepted))
    return Patch(kind=kind, body=_body(kind, body), shapes=shapes)


def _body(kind: Kind, body: bytes) -> Any:
    if kind == "apply":
        return _applied_body(body)
    try:
        found = reading.from_json(body)
    except reading.Malformed as why:
        if kind == "strategic":
            raise status.bad_request("EOF" if not body.strip() else str(why)) from why
        raise status.bad_request(f"error decoding patch: {why}") from why
    match kind:
        case "json":
            return json_patch.checked(found)
        case "merge":
            return merge_patch.checked(found)
        case "strategic":
            return strategic.checked(found)
        case _:
            assert_never(kind)


def _applied_body(body: bytes) -> Obj:
    try:
        found = reading.from_yaml(body)
    except reading.Malformed as why:
        raise status.bad_request(f"error decoding YAML: {why}") from why
    if found is None:
        return {}
    if not isinstance(found, dict):
        kind = reading.go_kind(found)
        said = f"json: cannot unmarshal {kind} into Go value of type map[string]interface {{}}"
        raise status.bad_request(f"error decoding YAML: error unmarshaling JSON: while decoding JSON: {said}")
    return found
