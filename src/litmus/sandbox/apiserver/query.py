"""The parameters of a request as options of the machinery, checked as Kubernetes checks them.

Source: k8s.io/apimachinery/pkg/apis/meta/v1/validation and meta/internalversion/validation; the documentation
"Kubernetes API Concepts" on dry run, field validation, resource versions and sending initial events.
"""

import dataclasses
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import QueryParams

from litmus.sandbox.apiserver.requests import truth
from litmus.sandbox.machinery import options, paging, schemas, status
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.options import DeleteOptions, Options, User
from litmus.sandbox.machinery.status import Cause, Refusal

_META = "meta.k8s.io"
_INTEGER, _NATURAL = re.compile(r"[+-]?[0-9]+"), re.compile("[0-9]+")
_DIGITS = 1000  # Python refuses to read numbers of many thousands
_MANAGER_LENGTH = 128
_POLICIES = (options.FOREGROUND, options.BACKGROUND, options.ORPHAN)
_VALIDATIONS = ("Ignore", "Warn", "Strict")
_EXACT, _NOT_OLDER = "Exact", "NotOlderThan"
_OPTIONS_KINDS = ("", "DeleteOptions")


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOptions:
    """``revision``: None when no resourceVersion was asked for. ``timeout_s``: None when the server is to choose."""

    labels: str = ""
    fields: str = ""
    limit: int = 0
    continue_: str = ""
    revision: int | None = None
    match: str = ""
    timeout_s: int | None = None
    bookmarks: bool = False
    initial_events: bool | None = None


def number(query: QueryParams, name: str) -> int | None:
    """A parameter that is an integer; None when it is absent or empty. Raises Refusal 400."""
    text = query.get(name)
    if not text:
        return None
    if not _INTEGER.fullmatch(text):
        raise status.bad_request(f"strconv.ParseInt: parsing {status.shown(text)}: invalid syntax")
    if len(text) > _DIGITS or not -(2**63) <= int(text) < 2**63:
        raise status.bad_request(f"strconv.ParseInt: parsing {status.shown(text)}: value out of range")
    return int(text)


def revision(query: QueryParams) -> int | None:
    """The resourceVersion that is asked for; None for any. Raises Refusal 500, as a real server does."""
    text = query.get("resourceVersion", "")
    if not text:
        return None
    fits = len(text) <= _DIGITS
    if not _NATURAL.fullmatch(text) or not fits or int(text) >= 2**64:
        why = "value out of range" if _NATURAL.fullmatch(text) else "invalid syntax"
        said = f"strconv.ParseUint: parsing {status.shown(text)}: {why}"
        raise Refusal(500, "", f"resourceVersion: Invalid value: {status.shown(text)}: {said}")
    return int(text)


def listing(query: QueryParams, *, watch: bool) -> ListOptions:
    """Raises Refusal 400 and 422."""
    initial = query.get("sendInitialEvents")
    found = ListOptions(
        labels=query.get("labelSelector", ""),
        fields=query.get("fieldSelector", ""),
        limit=max(0, number(query, "limit") or 0),
        continue_=query.get("continue", ""),
        match=query.get("resourceVersionMatch", ""),
        timeout_s=number(query, "timeoutSeconds"),
        bookmarks=truth(query.get("allowWatchBookmarks")),
        initial_events=None if initial is None else truth(initial),
    )
    version = query.get("resourceVersion", "")
    causes = _watch_causes(found) if watch else _list_causes(found, version)
    if causes:
        raise status.invalid("ListOptions", _META, "", causes)
    if found.continue_ and version not in ("", "0"):
        paging.start(found.continue_)  # a broken token is said first
        raise status.bad_request("specifying resource version is not allowed when using continue")
    return dataclasses.replace(found, revision=revision(query))


def _list_causes(asked: ListOptions, version: str) -> list[Cause]:
    causes = []
    match, field = asked.match, "resourceVersionMatch"
    if asked.initial_events is not None:
        causes.append(status.forbidden_field("sendInitialEvents", "sendInitialEvents is forbidden for list"))
    if not match:
        return causes
    if not version:
        why = "resourceVersionMatch is forbidden unless resourceVersion is provided"
        causes.append(status.forbidden_field(field, why))
    if asked.continue_:
        causes.append(status.forbidden_field(field, "resourceVersionMatch is forbidden when continue is provided"))
    if match not in (_EXACT, _NOT_OLDER):
        causes.append(unsupported(field, match, (_EXACT, _NOT_OLDER, "")))
    if match == _EXACT and version == "0":
        why = 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'
        causes.append(status.forbidden_field(field, why))
    return causes


def _watch_causes(asked: ListOptions) -> list[Cause]:
    causes = []
    match, field = asked.match, "resourceVersionMatch"
    if asked.initial_events is not None and match != _NOT_OLDER:
        why = f"sendInitialEvents requires setting resourceVersionMatch to {_NOT_OLDER}"
        causes.append(status.forbidden_field(field, why))
    if not match:
        return causes
    if asked.initial_events is None:
        why = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
        causes.append(status.forbidden_field(field, why))
    if match != _NOT_OLDER:
        causes.append(unsupported(field, match, (_NOT_OLDER,)))
    if asked.continue_:
        causes.append(status.forbidden_field(field, "resourceVersionMatch is forbidden when continue is provided"))
    return causes


def unsupported(field: str, value: object, allowed: Sequence[str]) -> Cause:
    """Like ``status.not_supported``, with the values in the order given."""
    known = ", ".join(status.shown(word) for word in allowed)
    shown = value if isinstance(value, _Literal) else status.shown(value)
    return Cause(status.NOT_SUPPORTED, field, f"Unsupported value: {shown}: supported values: {known}")


class _Literal(str):
    """A text that is shown without quotes."""


def _dry_run(values: Sequence[str]) -> list[Cause]:
    if all(value == "All" for value in values):
        return []
    listed = ", ".join(status.shown(value) for value in values)
    return [unsupported("dryRun", _Literal(f"[]string{{{listed}}}"), ("All",))]


def _manager_causes(manager: str) -> list[Cause]:
    if len(manager) > _MANAGER_LENGTH:
        why = f"may not be more than {_MANAGER_LENGTH} bytes"
        return [Cause(status.TOO_LONG, "fieldManager", f"Too long: {why}")]
    if not manager.isprintable():
        return [status.invalid_value("fieldManager", manager, "should only contain printable characters")]
    return []


def _of_agent(user_agent: str) -> str:
    return "".join(char for char in user_agent.partition("/")[0] if char.isprintable())[:_MANAGER_LENGTH] or "unknown"


def writing(query: QueryParams, *, kind: str, user: User, user_agent: str, apply: bool = False) -> Options:
    """The options of a create, update or patch. ``kind``: CreateOptions, UpdateOptions, PatchOptions.

    Raises Refusal 422.
    """
    dry_run, manager = query.getlist("dryRun"), query.get("fieldManager", "")
    validation = query.get("fieldValidation", "")
    causes = [*_dry_run(dry_run), *_manager_causes(manager)]
    if validation and validation not in _VALIDATIONS:
        causes.append(status.not_supported("fieldValidation", validation, ("", *_VALIDATIONS)))
    if kind == "PatchOptions" and apply and not manager:
        causes.append(status.required("fieldManager", "is required for apply patch"))
    if kind == "PatchOptions" and not apply and "force" in query:
        causes.append(status.forbidden_field("force", "may not be specified for non-apply patch"))
    if causes:
        raise status.invalid(kind, _META, "", causes)
    return Options(
        user=user,
        dry_run=bool(dry_run),
        manager=manager or _of_agent(user_agent),
        force=truth(query.get("force")),
        field_validation=validation or "Warn",
    )


def deletion(body: Obj, query: QueryParams, *, user: User, user_agent: str) -> DeleteOptions:
    """The options of a delete: from the body when there is one, else from the query. Raises Refusal 400, 422."""
    asked = body or _from_query(query)
    kind, version = asked.get("kind") or "", asked.get("apiVersion") or ""
    if not isinstance(kind, str) or not isinstance(version, str):
        said = "json: cannot unmarshal into Go struct field of type string"
        raise Refusal(500, "", f"couldn't get version/kind; json parse error: {said}")
    if kind not in _OPTIONS_KINDS:
        scheme = '"k8s.io/apimachinery/pkg/apis/meta/internalversion/scheme/register.go:27"'
        message = f'no kind "{kind}" is registered for version "{version}" in scheme {scheme}'
        raise Refusal(500, "", message)
    asked = _delete_options(asked)
    policy, orphan = asked.get("propagationPolicy"), asked.get("orphanDependents")
    dry_run, conditions = asked.get("dryRun") or [], asked.get("preconditions") or {}
    causes = [*_dry_run(dry_run), *_policy_causes(policy, orphan)]
    if causes:
        raise status.invalid("DeleteOptions", _META, "", causes)
    if orphan is not None:
        policy = options.ORPHAN if orphan else options.BACKGROUND
    return DeleteOptions(
        user=user,
        manager=_of_agent(user_agent),
        dry_run=bool(dry_run),
        grace_s=asked.get("gracePeriodSeconds"),
        propagation=policy or "",
        uid=conditions.get("uid") or "",
        resource_version=conditions.get("resourceVersion") or "",
    )


def _delete_options(sent: Obj) -> Obj:
    """Raises Refusal 500, as a real server does, for values of wrong types."""
    shape = schemas.of("", "v1", "DeleteOptions")
    assert shape is not None  # a built-in kind
    try:
        return schemas.decoding.decode(shape, sent).obj
    except schemas.Mistyped as error:
        raise Refusal(500, "", str(error)) from error


def _policy_causes(policy: Any, orphan: Any) -> list[Cause]:
    if policy is None:
        return []
    if orphan is not None:
        why = "orphanDependents and deletionPropagation cannot be both set"
        return [status.invalid_value("propagationPolicy", policy, why)]
    if policy not in _POLICIES:
        return [unsupported("propagationPolicy", policy, (*_POLICIES, "nil"))]
    return []


def _from_query(query: QueryParams) -> Obj:
    found: Obj = {}
    grace_s = number(query, "gracePeriodSeconds")
    if grace_s is not None:
        found["gracePeriodSeconds"] = grace_s
    if query.get("propagationPolicy"):
        found["propagationPolicy"] = query["propagationPolicy"]
    if "orphanDependents" in query:
        found["orphanDependents"] = truth(query["orphanDependents"])
    if "dryRun" in query:
        found["dryRun"] = query.getlist("dryRun")
    return found
