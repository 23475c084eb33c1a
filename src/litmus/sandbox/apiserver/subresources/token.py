"""``serviceaccounts/<name>/token``: a new token of an account, for some time and for some audiences.

Source: the documentation "TokenRequest API" (Managing Service Accounts); k8s.io/kubernetes/pkg/registry/core/
serviceaccount/storage/token.go.
"""

from starlette.responses import Response

from litmus.sandbox.apiserver import answers, tokens
from litmus.sandbox.apiserver.call import Call
from litmus.sandbox.machinery import objects, status
from litmus.sandbox.machinery.objects import Key, Obj
from litmus.sandbox.machinery.resources import Resource

TOKEN_REQUEST = Resource(
    group="authentication.k8s.io",
    version="v1",
    plural="tokenrequests",
    singular="tokenrequest",
    kind="TokenRequest",
)
_DEFAULT_S = 3600
_LEAST_S, _MOST_S = 600, 1 << 32
_LISTED_VERSIONS = ("authentication.k8s.io/v1beta1",)


async def serve(call: Call) -> Response:
    """Raises Refusal 400, 404, 409 and 422."""
    asked = call.options()
    request = await call.read(TOKEN_REQUEST, asked=asked, versions=_LISTED_VERSIONS)
    name = objects.name(request)
    if name and name != call.info.name:
        why = f"the name of the object ({name}) does not match the name on the URL ({call.info.name})"
        raise status.bad_request(why)
    account = call.registry.get(call.known, call.key)
    spec = request.get("spec") or {}
    seconds = _DEFAULT_S if spec.get("expirationSeconds") is None else spec["expirationSeconds"]
    _check(seconds)
    audiences = spec.get("audiences") or [tokens.ISSUER]
    reference = spec.get("boundObjectRef")
    bound = _bound(call, account, reference) if reference else None
    issued = call.services.issuer.issue(account, seconds=seconds, audiences=audiences, bound=bound)
    meta = {"name": call.info.name, "namespace": call.info.namespace}
    meta["creationTimestamp"] = objects.timestamp(call.services.now())
    shown = {
        "kind": TOKEN_REQUEST.kind,
        "apiVersion": TOKEN_REQUEST.group_version,
        "metadata": meta,
        "spec": {"audiences": audiences, "expirationSeconds": seconds, "boundObjectRef": reference or None},
        "status": {"token": issued.token, "expirationTimestamp": objects.timestamp(issued.expires)},
    }
    return answers.one(call, shown, code=201, warnings=asked.warnings, table=False)


def _check(seconds: object) -> None:
    if not isinstance(seconds, int) or isinstance(seconds, bool):
        said = "json: cannot unmarshal into Go struct field TokenRequestSpec.spec.expirationSeconds of type int64"
        raise status.bad_request(f'TokenRequest in version "v1" cannot be handled as a TokenRequest: {said}')
    field, kind, group = "spec.expirationSeconds", TOKEN_REQUEST.kind, TOKEN_REQUEST.group
    if seconds < _LEAST_S:
        cause = status.invalid_value(field, seconds, "may not specify a duration less than 10 minutes")
        raise status.invalid(kind, group, "", [cause])
    if seconds > _MOST_S:
        cause = status.invalid_value(field, seconds, "may not specify a duration larger than 2^32 seconds")
        raise status.invalid(kind, group, "", [cause])


def _bound(call: Call, account: Obj, reference: Obj) -> Obj:
    """The object that the token is to die with. Raises Refusal 400, 404 and 409."""
    version, kind, name = reference.get("apiVersion", ""), reference.get("kind", ""), reference.get("name", "")
    plural = tokens.BINDABLE.get(kind) if version in ("v1", "") else None
    if plural is None:
        group, _, bare = version.rpartition("/")
        raise status.bad_request(f"cannot bind token to object of type {group}/{bare}, Kind={kind}")
    namespace = "" if kind == "Node" else call.info.namespace
    found = call.registry.get(call.services.catalogue.named(plural), Key(namespace, name))
    uid = reference.get("uid")
    if uid and uid != objects.uid(found):
        why = f"the UID in the bound object reference ({uid}) does not match the UID in record. The object might have been deleted and then recreated"  # noqa: E501
        raise status.conflict(kind, "", name, why)
    owner = (found.get("spec") or {}).get("serviceAccountName")
    if kind == "Pod" and owner != objects.name(account):
        message = f'cannot bind token for serviceaccount "{objects.name(account)}" to pod running with different'
        raise status.bad_request(f"{message} serviceaccount name.")
    return found
