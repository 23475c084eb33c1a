"""Questions about permissions and tokens, asked as objects that are created and not stored.

Source: the documentation "Checking API access" and "API access to authentication information for a client";
k8s.io/kubernetes/pkg/registry/authorization and authentication. ``kubectl auth can-i`` and ``whoami`` live on them.
"""

from collections.abc import Callable

from starlette.responses import Response

from litmus.sandbox.apiserver import answers, handlers, tokens
from litmus.sandbox.apiserver.authentication import AUTHENTICATED
from litmus.sandbox.apiserver.call import Call
from litmus.sandbox.apiserver.rbac import Attributes
from litmus.sandbox.machinery import objects, status
from litmus.sandbox.machinery.objects import Obj
from litmus.sandbox.machinery.options import User

_GROUP = "authorization.k8s.io"
_RESOURCE, _PATH = "resourceAttributes", "nonResourceAttributes"
_EITHER = "exactly one of nonResourceAttributes or resourceAttributes must be specified"


async def serve(call: Call) -> Response:
    """Creates a review. Raises Refusal 400, 405 and 422."""
    resource = call.known
    if call.info.verb != "create" or call.info.name or (resource.namespaced and not call.info.namespace):
        raise handlers.method_not_allowed()
    asked = call.options()
    review = await call.read(resource, asked=asked)
    review.pop("status", None)
    shown = REVIEWS[resource.qualified](call, review, review.get("spec") or {})
    meta = review.get("metadata") or {}
    whole = {"kind": resource.kind, "apiVersion": resource.group_version, "metadata": meta}
    spec = {"spec": review["spec"]} if "spec" in review else {}
    return answers.one(call, {**whole, **spec, "status": shown}, code=201, warnings=asked.warnings, table=False)


def _self_access(call: Call, review: Obj, spec: Obj) -> Obj:
    return _access(call, spec, call.user)


def _access_of(call: Call, review: Obj, spec: Obj) -> Obj:
    if not spec.get("user") and not spec.get("groups"):
        raise _invalid("spec.user", "", "at least one of user or group must be specified")
    groups = tuple(spec.get("groups") or ())
    return _access(call, spec, User(name=spec.get("user") or "", groups=groups, uid=spec.get("uid") or ""))


def _local_access(call: Call, review: Obj, spec: Obj) -> Obj:
    if spec.get(_PATH):
        cause = status.forbidden_field(f"spec.{_PATH}", "disallowed on this kind of request")
        raise status.invalid("", _GROUP, "", [cause])
    namespace = (spec.get(_RESOURCE) or {}).get("namespace", "")
    if spec.get(_RESOURCE) and namespace != call.info.namespace:
        raise _invalid(f"spec.{_RESOURCE}.namespace", namespace, "must match metadata.namespace")
    return _access_of(call, review, spec)


def _invalid(field: str, value: object, why: str) -> status.Refusal:
    return status.invalid("", _GROUP, "", [status.invalid_value(field, value, why)])


def _access(call: Call, spec: Obj, user: User) -> Obj:
    about, path = spec.get(_RESOURCE), spec.get(_PATH)
    if about and path:
        both = {"Path": path.get("path") or "", "Verb": path.get("verb") or ""}
        raise _invalid(f"spec.{_PATH}", both, "cannot be specified in combination with resourceAttributes")
    if not about and not path:
        raise _invalid(f"spec.{_RESOURCE}", "null", _EITHER)
    if about:
        asked = Attributes(
            user=user,
            verb=about.get("verb") or "",
            group=about.get("group") or "",
            resource=about.get("resource") or "*",
            subresource=about.get("subresource") or "",
            namespace=about.get("namespace") or "",
            name=about.get("name") or "",
        )
    else:
        path = path or {}
        asked = Attributes(user=user, verb=path.get("verb") or "", path=path.get("path") or "")
    decision = call.services.authorizer.decide(asked)
    return {"allowed": decision.allowed, **({"reason": decision.reason} if decision.reason else {})}


def _rules(call: Call, review: Obj, spec: Obj) -> Obj:
    namespace = spec.get("namespace") or ""
    if not namespace:
        raise status.bad_request("no namespace on request")
    grants = call.services.authorizer.rulebook.grants(call.user, namespace)
    resources, paths = [], []
    for grant in grants.rules:
        rule = {"verbs": grant.rule.get("verbs") or []}
        if grant.rule.get("resources"):
            fields = ("apiGroups", "resources", "resourceNames")
            resources.append(rule | {field: grant.rule[field] for field in fields if grant.rule.get(field)})
        if grant.rule.get("nonResourceURLs"):
            paths.append(rule | {"nonResourceURLs": grant.rule["nonResourceURLs"]})
    review["spec"] = {}
    found: Obj = {"resourceRules": resources, "nonResourceRules": paths, "incomplete": False}
    return {**found, "evaluationError": grants.said} if grants.errors else found


def _user_info(user: User) -> Obj:
    found = {"username": user.name, "uid": user.uid, "groups": list(user.groups), "extra": user.extra}
    return {name: value for name, value in found.items() if value}


def _self(call: Call, review: Obj, spec: Obj) -> Obj:
    meta = review.setdefault("metadata", {}) or {}
    review["metadata"] = {**meta, "creationTimestamp": objects.timestamp(call.services.now())}
    return {"userInfo": _user_info(call.user)}


def _token(call: Call, review: Obj, spec: Obj) -> Obj:
    token = spec.get("token") or ""
    if not token:
        raise status.bad_request("token is required for TokenReview in authentication")
    try:
        found = call.services.authenticator.review(token, tuple(spec.get("audiences") or ()))
    except tokens.ForOthers as error:
        return {"user": {}, "error": f"[invalid bearer token, {error}]"}
    except tokens.Invalid:
        return {"user": {}, "error": "invalid bearer token"}
    groups = found.user.groups if AUTHENTICATED in found.user.groups else (*found.user.groups, AUTHENTICATED)
    user = {**_user_info(found.user), "groups": list(groups)}
    return {"authenticated": True, "user": user, "audiences": list(found.audiences)}


# Resource → what fills in the status of its review.
REVIEWS: dict[str, Callable[[Call, Obj, Obj], Obj]] = {
    f"selfsubjectaccessreviews.{_GROUP}": _self_access,
    f"subjectaccessreviews.{_GROUP}": _access_of,
    f"localsubjectaccessreviews.{_GROUP}": _local_access,
    f"selfsubjectrulesreviews.{_GROUP}": _rules,
    "selfsubjectreviews.authentication.k8s.io": _self,
    "tokenreviews.authentication.k8s.io": _token,
}
