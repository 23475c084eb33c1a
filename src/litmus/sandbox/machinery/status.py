"""What the API refuses, as Kubernetes says it: a Status object with a code, a reason word, a message and details.

Source: k8s.io/apimachinery/pkg/api/errors and the API conventions, "Response Status Kind".
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .objects import Obj

REQUIRED = "FieldValueRequired"
INVALID = "FieldValueInvalid"
NOT_SUPPORTED = "FieldValueNotSupported"
DUPLICATE = "FieldValueDuplicate"
FORBIDDEN = "FieldValueForbidden"
NOT_FOUND = "FieldValueNotFound"
TYPE_INVALID = "FieldValueTypeInvalid"
TOO_LONG = "FieldValueTooLong"
TOO_MANY = "FieldValueTooMany"


@dataclass(frozen=True, slots=True)
class Cause:
    """One mistake in one field. ``message`` reads as field.Error.ErrorBody of apimachinery does."""

    reason: str
    field: str
    message: str

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"


def required(field: str, detail: str = "") -> Cause:
    """A field that must be there and is not."""
    return Cause(REQUIRED, field, "Required value" + (f": {detail}" if detail else ""))


def invalid_value(field: str, value: object, detail: str) -> Cause:
    """A value that breaks a rule; ``detail`` says which."""
    return Cause(INVALID, field, f"Invalid value: {shown(value)}: {detail}")


def not_supported(field: str, value: object, allowed: Sequence[str]) -> Cause:
    """A word that is none of those allowed."""
    known = ", ".join(f'"{word}"' for word in allowed)
    return Cause(
        NOT_SUPPORTED, field, f"Unsupported value: {shown(value)}" + (f": supported values: {known}" if known else "")
    )


def duplicate(field: str, value: object) -> Cause:
    """A value that may occur once."""
    return Cause(DUPLICATE, field, f"Duplicate value: {shown(value)}")


def forbidden_field(field: str, detail: str) -> Cause:
    """A field that may not be set, or not here, or not changed."""
    return Cause(FORBIDDEN, field, f"Forbidden: {detail}")


def not_found_value(field: str, value: object) -> Cause:
    """A value that names something that is not there."""
    return Cause(NOT_FOUND, field, f"Not found: {shown(value)}")


def shown(value: object) -> str:
    """A value as Go's field errors print it: strings quoted, the rest as JSON."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


class Refusal(Exception):
    """The API's answer is no. ``kind`` in ``details`` is the resource's plural, as in Kubernetes."""

    def __init__(self, code: int, reason: str, message: str, **details: Any) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = {name: value for name, value in details.items() if value not in (None, "", [], ())}

    @property
    def status(self) -> Obj:
        """The object that goes over the wire."""
        found: Obj = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
            "details": self.details,
            "code": self.code,
        }
        if not self.details:
            del found["details"]
        if not self.reason:
            del found["reason"]
        return found


def qualified(plural: str, group: str) -> str:
    """``deployments.apps``, ``pods``: a resource as messages name it."""
    return f"{plural}.{group}" if group else plural


def not_found(plural: str, group: str, name: str) -> Refusal:
    """404: no such object."""
    message = f'{qualified(plural, group)} "{name}" not found'
    return Refusal(404, "NotFound", message, name=name, group=group, kind=plural)


def already_exists(plural: str, group: str, name: str, *, leaving: bool = False) -> Refusal:
    """409: the name is taken, perhaps by an object that is on its way out."""
    message = f'{"object is being deleted: " if leaving else ""}{qualified(plural, group)} "{name}" already exists'
    return Refusal(409, "AlreadyExists", message, name=name, group=group, kind=plural)


def conflict(plural: str, group: str, name: str, why: str) -> Refusal:
    """409: the writer has not seen the latest state."""
    message = f'Operation cannot be fulfilled on {qualified(plural, group)} "{name}": {why}'
    return Refusal(409, "Conflict", message, name=name, group=group, kind=plural)


MODIFIED = "the object has been modified; please apply your changes to the latest version and try again"


def invalid(kind: str, group: str, name: str, causes: Sequence[Cause]) -> Refusal:
    """422: the object breaks rules of its kind. ``kind`` is the kind here (Deployment), as in Kubernetes."""
    texts = list(dict.fromkeys(map(str, causes)))
    said = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    shown_kind = f"{kind}.{group}" if group else kind
    listed = [{"reason": cause.reason, "message": cause.message, "field": cause.field} for cause in causes]
    message = f'{shown_kind} "{name}" is invalid: {said}' if causes else f'{shown_kind} "{name}" is invalid'
    return Refusal(422, "Invalid", message, name=name, group=group, kind=kind, causes=listed)


def forbidden(plural: str, group: str, name: str, why: str) -> Refusal:
    """403: not allowed, by whatever rule ``why`` names."""
    message = (
        f'{qualified(plural, group)} "{name}" is forbidden: {why}'
        if name
        else f"{qualified(plural, group)} is forbidden: {why}"
    )
    return Refusal(403, "Forbidden", message, name=name, group=group, kind=plural)


def bad_request(message: str) -> Refusal:
    """400: the request makes no sense."""
    return Refusal(400, "BadRequest", message)


def unauthorized() -> Refusal:
    """401: nobody known asks."""
    return Refusal(401, "Unauthorized", "Unauthorized")


def method_not_allowed(plural: str, group: str) -> Refusal:
    """405: the resource has no such verb."""
    message = "the server does not allow this method on the requested resource"
    return Refusal(405, "MethodNotAllowed", message, group=group, kind=plural)


def unsupported_media_type(message: str) -> Refusal:
    """415: the body is in a form that is not understood."""
    return Refusal(415, "UnsupportedMediaType", message)


def expired(message: str) -> Refusal:
    """410: the resourceVersion or continue token is older than what is remembered."""
    return Refusal(410, "Expired", message)


def too_many_requests(message: str, *, retry_after_s: int = 0, causes: Sequence[dict[str, str]] = ()) -> Refusal:
    """429: not now; a client may try again after ``retry_after_s`` seconds."""
    return Refusal(429, "TooManyRequests", message, retryAfterSeconds=retry_after_s or None, causes=list(causes))


def internal(message: str) -> Refusal:
    """500: a defect of ours."""
    return Refusal(500, "InternalError", f"Internal error occurred: {message}")


def unavailable(message: str) -> Refusal:
    """503: something that the answer needs does not answer."""
    return Refusal(503, "ServiceUnavailable", message)


def path_not_found() -> Refusal:
    """404: no such URL."""
    return Refusal(404, "NotFound", "the server could not find the requested resource")
